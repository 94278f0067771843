"""Every hook of a room: its name, what it is given, what it may do. The docs are held to this table."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from pychat.errors import Refused, UsageError

__all__ = ["HOOKS", "Hook", "Hooks"]

_log = logging.getLogger("pychat.hooks")
_T = TypeVar("_T")


class Hook(NamedTuple):
    """One hook: its signature, whether it may change or refuse, and one line for the docs."""

    signature: str
    may_change: bool
    says: str


HOOKS: dict[str, Hook] = {
    "message": Hook(
        "(message: Message) -> Message | None",
        may_change=True,
        says="Before a message is stored. Return a changed one, or raise `Refused`.",
    ),
    "join": Hook(
        "(member: Member) -> Member | None",
        may_change=True,
        says="Before a nickname is taken or changed. Return a member with another name, or raise `Refused`.",
    ),
    "leave": Hook(
        "(member: Member) -> None",
        may_change=False,
        says="After a member has gone.",
    ),
    "event": Hook(
        "(event: Event) -> None",
        may_change=False,
        says="After anything has happened in the room, in order: a `Message`, `Joined`, `Renamed`, `Left` or `Typing`.",
    ),
}


class Hooks:
    """What was hung into one room. Hooks of one name run in the order in which they were added."""

    def __init__(self) -> None:
        self._hung: dict[str, list[Callable[[Any], Any]]] = {name: [] for name in HOOKS}

    def add(self, name: str, hook: Callable[[Any], Any]) -> None:
        """Hang in `hook`. Raise `UsageError` if there is no such name, or if the hook is of a kind it cannot be."""
        if name not in HOOKS:
            msg = f"There is no hook “{name}”. There are: {', '.join(HOOKS)}."
            raise UsageError(msg)
        if not HOOKS[name].may_change and inspect.iscoroutinefunction(hook):
            msg = (
                f"A hook for “{name}” is told what has happened, and cannot be async: everyone would wait for it. "
                "Start a task in it, or put the event on a queue of yours."
            )
            raise UsageError(msg)
        self._hung[name].append(hook)

    def copy(self) -> Hooks:
        """One in which the same hang, and to which others can be added."""
        copied = Hooks()
        copied._hung = {name: list(hung) for name, hung in self._hung.items()}
        return copied

    def any(self, name: str) -> bool:
        """Whether anything hangs here."""
        return bool(self._hung[name])

    async def change(self, name: str, subject: _T) -> _T:
        """Pass `subject` through the hooks, each of which may change or refuse it. A hook that fails refuses."""
        for hook in self._hung[name]:
            try:
                changed = hook(subject)
                if inspect.isawaitable(changed):
                    changed = await changed
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

    def tell(self, name: str, subject: object) -> None:
        """Tell the hooks what has happened. One that fails is logged, and the others are told all the same."""
        for hook in self._hung[name]:
            try:
                hook(subject)
            except Exception:
                _log.exception("A hook for “%s” failed: %r", name, hook)
