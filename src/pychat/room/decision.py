"""What the rules say to a command, as an event or as an exception."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.domain.model import Command, Event
from pychat.domain.rules import RoomState

__all__ = ["decide"]


def decide(state: RoomState, command: Command, now: float) -> Event | None:
    """The event that `command` would cause at `now`; `None` if nothing would change. Raise `Refused`."""
    decided = state.decide(command, now)
    if isinstance(decided, Refused):
        try:
            raise decided
        finally:
            del decided  # its traceback holds this frame: the two would keep each other, and all frames above, alive
    return decided
