"""The nouns of a room: who is in it, what can be asked of it, what has happened in it. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = [
    "Command",
    "Event",
    "Join",
    "Joined",
    "Leave",
    "Left",
    "Member",
    "Message",
    "Position",
    "Renamed",
    "Say",
    "SetTyping",
    "Typing",
    "iso",
]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a nickname. `id` stays when the name changes, and when the same person comes back."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a room's log: the `seq` of the last event seen, and the `epoch` in which it was numbered."""

    epoch: str
    seq: int


# Commands: what somebody asks for.


@dataclass(frozen=True, slots=True)
class Join:
    """Take the nickname `name`; if this member has one, change it."""

    member_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Give the nickname back."""

    member_id: str


@dataclass(frozen=True, slots=True)
class Say:
    """Say `text` to the room. `id` is unique among the member's messages."""

    member_id: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class SetTyping:
    """Show, or stop showing, that the member is writing."""

    member_id: str
    on: bool


Command = Join | Leave | Say | SetTyping


# Events: what has happened.


@dataclass(frozen=True, slots=True)
class Message:
    """Something that was said. `date` is in seconds since 1970 (UTC); `seq` is 0 until it is stored."""

    id: str
    author: Member
    text: str
    date: float
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    """A member took a nickname."""

    member: Member


@dataclass(frozen=True, slots=True)
class Renamed:
    """A member changed the nickname; `before` is the old one."""

    member: Member
    before: str


@dataclass(frozen=True, slots=True)
class Left:
    """A member is gone, and the nickname is free."""

    member: Member


@dataclass(frozen=True, slots=True)
class Typing:
    """A member began or ceased to write."""

    member: Member
    on: bool


#: Messages are numbered and kept; the others pass through the same pipe and are not.
Event = Message | Joined | Renamed | Left | Typing


def iso(date: float) -> str:
    """`date` as ISO 8601 in UTC with milliseconds, as JavaScript's `toISOString` writes it."""
    return datetime.fromtimestamp(date, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
