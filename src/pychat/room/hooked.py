"""What has hooks: a room, or a chat with hooks of all its rooms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, overload

from pychat.room.hooks import (
    DeleteHook,
    EditHook,
    EventHook,
    Hooks,
    JoinHook,
    LeaveHook,
    MentionHook,
    MessageHook,
    ModerateHook,
    ReactHook,
    ReportHook,
)

__all__ = ["Hooked"]


class Hooked:
    """The method `on`, with the type of each hook."""

    __slots__ = ()

    def _own_hooks(self) -> Hooks:
        raise NotImplementedError

    @overload
    def on(self, name: Literal["message"]) -> Callable[[MessageHook], MessageHook]: ...
    @overload
    def on(self, name: Literal["message"], hook: MessageHook) -> MessageHook: ...
    @overload
    def on(self, name: Literal["edit"]) -> Callable[[EditHook], EditHook]: ...
    @overload
    def on(self, name: Literal["edit"], hook: EditHook) -> EditHook: ...
    @overload
    def on(self, name: Literal["delete"]) -> Callable[[DeleteHook], DeleteHook]: ...
    @overload
    def on(self, name: Literal["delete"], hook: DeleteHook) -> DeleteHook: ...
    @overload
    def on(self, name: Literal["react"]) -> Callable[[ReactHook], ReactHook]: ...
    @overload
    def on(self, name: Literal["react"], hook: ReactHook) -> ReactHook: ...
    @overload
    def on(self, name: Literal["mention"]) -> Callable[[MentionHook], MentionHook]: ...
    @overload
    def on(self, name: Literal["mention"], hook: MentionHook) -> MentionHook: ...
    @overload
    def on(self, name: Literal["join"]) -> Callable[[JoinHook], JoinHook]: ...
    @overload
    def on(self, name: Literal["join"], hook: JoinHook) -> JoinHook: ...
    @overload
    def on(self, name: Literal["leave"]) -> Callable[[LeaveHook], LeaveHook]: ...
    @overload
    def on(self, name: Literal["leave"], hook: LeaveHook) -> LeaveHook: ...
    @overload
    def on(self, name: Literal["report"]) -> Callable[[ReportHook], ReportHook]: ...
    @overload
    def on(self, name: Literal["report"], hook: ReportHook) -> ReportHook: ...
    @overload
    def on(self, name: Literal["moderate"]) -> Callable[[ModerateHook], ModerateHook]: ...
    @overload
    def on(self, name: Literal["moderate"], hook: ModerateHook) -> ModerateHook: ...
    @overload
    def on(self, name: Literal["event"]) -> Callable[[EventHook], EventHook]: ...
    @overload
    def on(self, name: Literal["event"], hook: EventHook) -> EventHook: ...
    def on(self, name: str, hook: Any = None) -> Any:
        """Register a hook (`pychat.HOOKS` lists them): `@room.on("message")`, or `room.on("message", function)`.

        The hooks of a chat are for all its rooms, also for those that are opened later: `@chat.on("message")`.
        """
        hooks = self._own_hooks()
        return partial(hooks.add, name) if hook is None else hooks.add(name, hook)
