"""The hooks of a room: the table of their names and arguments, and their calls."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from weakref import WeakSet

from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Deleted, Edited, Event, Member, Message, Reacted
from pychat.domain.moderation import AuditEntry
from pychat.domain.queue import Held, Report
from pychat.room.hook_queue import HookQueue
from pychat.room.workers import in_thread, is_async

__all__ = [
    "HOOKS",
    "OTHER_EVENT",
    "DeleteHook",
    "EditHook",
    "EventHook",
    "Hook",
    "Hooks",
    "JoinHook",
    "LeaveHook",
    "MentionHook",
    "MessageHook",
    "ModerateHook",
    "ReactHook",
    "ReportHook",
]

_log = logging.getLogger("pychat.hooks")
_T = TypeVar("_T")
_HookT = TypeVar("_HookT", bound=Callable[..., Any])
#: Where hooks for `event` are registered that are told no messages.
OTHER_EVENT = "event, if it is no message"
_Registered = tuple[Callable[..., Any], bool]

# The types of hooks, for type checkers.
MessageHook = TypeVar("MessageHook", bound=Callable[[Message], Message | Awaitable[Message | None] | None])
EditHook = TypeVar("EditHook", bound=Callable[[Edited, Message], Edited | Awaitable[Edited | None] | None])
DeleteHook = TypeVar("DeleteHook", bound=Callable[[Deleted, Message], Deleted | Awaitable[Deleted | None] | None])
ReactHook = TypeVar("ReactHook", bound=Callable[[Reacted, Message], Reacted | Awaitable[Reacted | None] | None])
MentionHook = TypeVar("MentionHook", bound=Callable[[Message, Member], object])
JoinHook = TypeVar("JoinHook", bound=Callable[[Member], Member | Awaitable[Member | None] | None])
LeaveHook = TypeVar("LeaveHook", bound=Callable[[Member], object])
ReportHook = TypeVar("ReportHook", bound=Callable[[Report], object])
ModerateHook = TypeVar("ModerateHook", bound=Callable[[AuditEntry], object])
EventHook = TypeVar("EventHook", bound=Callable[[Event], object])


class Hook(NamedTuple):
    """One hook: its signature, whether it may change or refuse, and one line for the docs."""

    signature: str
    may_change: bool
    says: str


HOOKS: dict[str, Hook] = {
    "message": Hook(
        "(message: Message) -> Message | None",
        may_change=True,
        says="Before a message, or an edit of one, is stored. Return a changed one, or raise `Refused`, or `Held` if "
        "a moderator is to decide.",
    ),
    "edit": Hook(
        "(edited: Edited, message: Message) -> Edited | None",
        may_change=True,
        says="Before an edit of `message` is stored. Return one with another text, or raise `Refused`.",
    ),
    "delete": Hook(
        "(deleted: Deleted, message: Message) -> None",
        may_change=True,
        says="Before `message` is deleted. Raise `Refused` to keep it.",
    ),
    "react": Hook(
        "(reacted: Reacted, message: Message) -> Reacted | None",
        may_change=True,
        says="Before a reaction to `message` is added or removed. Return one with another emoji, or raise `Refused`.",
    ),
    "mention": Hook(
        "(message: Message, member: Member) -> None",
        may_change=False,
        says="After a message that mentions `member` was stored, once for each person, who may be away. "
        "Nobody waits for it.",
    ),
    "join": Hook(
        "(member: Member) -> Member | None",
        may_change=True,
        says="Before a nickname is taken or changed. Return a member with another name, or raise `Refused`.",
    ),
    "leave": Hook(
        "(member: Member) -> None",
        may_change=False,
        says="After a member has gone. Nobody waits for it.",
    ),
    "report": Hook(
        "(report: Report) -> None",
        may_change=False,
        says="After somebody reported a message to the moderators. Nobody waits for it.",
    ),
    "moderate": Hook(
        "(entry: AuditEntry) -> None",
        may_change=False,
        says="After a moderator did something, or the app by `room.moderation`: the new entry of the audit log. "
        "Nobody waits for it.",
    ),
    "event": Hook(
        "(event: Event) -> None",
        may_change=False,
        says="After anything has happened in the room, in order: an `Event`, such as `Message`, `Edited` or `Joined`. "
        "Nobody waits for it.",
    ),
}


class Hooks:
    """The hooks of one room, or of all rooms of a chat. Hooks of one name run in the order in which they were added."""

    __slots__ = ("__weakref__", "_above", "_background", "_below", "registered")

    def __init__(self, above: Hooks | None = None) -> None:
        """`above` are the hooks of all rooms of the chat, also those that are added later."""
        self._background: HookQueue | None = None
        self._above = above
        self._below: WeakSet[Hooks] | None = None  # the rooms that have hooks of their own
        #: The functions to call by the name of the hook, each with whether it is async. A room without functions of its
        #: own has those of its chat.
        self.registered: dict[str, list[_Registered]] = (
            {name: [] for name in (*HOOKS, OTHER_EVENT)} if above is None else above.registered
        )

    def add(self, name: str, hook: _HookT, *, messages: bool = True) -> _HookT:
        """Register `hook`, and return it. Raise `UsageError` for an unknown name, or if `hook` is not callable.

        Without `messages`, a hook for `event` is told all events but messages. A call costs a tenth of a message.
        """
        if name not in HOOKS:
            msg = f"There is no hook “{name}”. There are: {', '.join(HOOKS)}."
            raise UsageError(msg)
        given: object = hook
        if not callable(given):
            msg = f"A hook for “{name}” is a function, not {hook!r}: {HOOKS[name].signature}."
            raise UsageError(msg)
        if self._above is not None and self.registered is self._above.registered:
            self.registered = _copied(self.registered)
            self._above.split_off(self)
        for each in (self, *(self._below or ())):
            each.registered[name if messages else OTHER_EVENT].append((hook, is_async(hook)))
        return hook

    def share(self, above: Hooks) -> None:
        """Call the hooks of all rooms too, after those that were added before."""
        if self._above is above:
            return
        self._above = above
        if any(self.registered.values()):
            self.registered = {name: [*hooks, *above.registered[name]] for name, hooks in self.registered.items()}
            above.split_off(self)
        else:
            self.registered = above.registered

    @property
    def busy(self) -> bool:
        """True while calls are queued."""
        return self._background is not None and self._background.busy

    async def aclose(self) -> None:
        """Wait up to 3 seconds for the calls that are queued."""
        if self._background is not None:
            await self._background.aclose()

    def copy(self) -> Hooks:
        """A copy with the same hooks. Adding to it does not change this one."""
        copied = Hooks(self._above)
        if self._above is None:
            copied.registered = _copied(self.registered)
        elif self.registered is not self._above.registered:
            copied.registered = _copied(self.registered)
            self._above.split_off(copied)
        return copied

    def split_off(self, room: Hooks) -> None:
        """That room has hooks of its own from now on: tell it of those that are added here."""
        if self._below is None:
            self._below = WeakSet()
        self._below.add(room)

    async def change(self, name: str, subject: _T, *more: object) -> _T:
        """Pass `subject` through the hooks, each of which may change or refuse it. A hook that fails refuses.

        `more` are the other arguments.

        Plain functions run in a thread, one after the other.
        """
        for hook, asynchronous in self.registered[name]:
            try:
                changed: Any = hook(subject, *more) if asynchronous else await in_thread(hook, subject, *more)
                if inspect.isawaitable(changed):
                    changed = await changed
            except Held as held:
                held.message = subject if isinstance(subject, Message) else None
                raise
            except Refused:
                raise
            except Exception:
                _log.exception("A hook for “%s” failed: %r", name, hook)
                raise Refused("internal", "The server failed at this. Try again later.") from None
            if changed is not None:
                if not isinstance(changed, type(subject)):
                    _log.error(
                        "A hook for “%s” returned %r: return a %s or None.", name, changed, type(subject).__name__
                    )
                    raise Refused("internal", "The server failed at this. Try again later.")
                subject = changed
        return subject

    def notify(self, name: str, *subjects: object) -> None:
        """Tell the hooks what has happened, in the background and in order: plain functions in a thread.

        One that fails is logged, and the others are told all the same.
        """
        if self._background is None and self.registered[name]:
            self._background = HookQueue()
        for registered in self.registered[name]:
            assert self._background is not None  # noqa: S101 -- there is a hook
            self._background.add(_notify(name, registered, subjects), subjects[-1])


def _copied(registered: dict[str, list[_Registered]]) -> dict[str, list[_Registered]]:
    return {name: list(hooks) for name, hooks in registered.items()}


async def _notify(name: str, registered: _Registered, subjects: Sequence[object]) -> None:
    hook, asynchronous = registered
    try:
        done = hook(*subjects) if asynchronous else await in_thread(hook, *subjects, nested=False)
        if inspect.isawaitable(done):
            await done
    except Exception:
        _log.exception("A hook for “%s” failed: %r", name, hook)
