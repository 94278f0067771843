"""Notices: all that a room sends to its connections, which are events, presence and the welcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pychat.domain.access import Access
from pychat.domain.errors import Refused
from pychat.domain.model import Kicked, LogEvent, Member, Message, Position, Typing, Whisper
from pychat.domain.roles import Role

__all__ = [
    "AccessChanged",
    "HeldDecided",
    "Messages",
    "Mute",
    "Notice",
    "Pinned",
    "Presence",
    "PutOut",
    "QueueChanged",
    "RoomChanged",
    "UnreadRoom",
    "Welcome",
    "You",
]


@dataclass(frozen=True, slots=True)
class You:
    """The identity of a visitor with a login. `name` is the nickname from the login, or `None`."""

    id: str
    name: str | None
    roles: tuple[str, ...]
    name_fixed: bool


class Messages(tuple[Message, ...]):  # noqa: SLOT001 -- a tuple with slots could not hold it
    """The newest messages of a room. An encoder keeps their finished form here, so that both live equally long."""

    finished: Any = None


@dataclass(frozen=True, slots=True)
class Mute:
    """A visitor is muted until `until` (seconds since 1970; `None` is no end)."""

    until: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pinned message: its number, the name of its author and its text."""

    seq: int
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """What moderators have set in a room, with the new values. Everybody gets it."""

    title: str
    topic: str = ""
    #: Seconds between two messages of one person.
    slow: int = 0
    #: Who may write: `all`, `members` or `moderators`.
    writing: str = "all"
    #: Who may come in: `open`, `ask`, `members` or `closed`.
    entry: str = "open"
    pinned: tuple[Pinned, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """How many reports, held messages and people who ask to come in wait for moderators. Only moderators get it."""

    reports: int = 0
    held: int = 0
    asking: int = 0


@dataclass(frozen=True, slots=True)
class HeldDecided:
    """A moderator decided on the held message of that `id`: `approved` or `rejected`. Only its author gets it."""

    id: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PutOut:
    """Why this visitor is put out of the room. The connection closes with `error.kind.close` after it."""

    error: Refused


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first notice on every connection.

    A newcomer gets the newest `messages`, as of `position`; `more` is true if there are older ones. A `recovered`
    visitor gets the events after their last position next, as ordinary notices.
    """

    room: str
    title: str
    position: Position
    recovered: bool
    here: int
    members: tuple[Member, ...]
    listed: bool
    messages: tuple[Message, ...]
    more: bool
    longest_name: int
    longest_text: int
    #: `None` for a guest.
    you: You | None = None
    #: What this visitor may do in the room.
    access: Access = Access.WRITE
    role: Role = Role.GUEST
    #: `None` for a visitor who is not muted.
    muted: Mute | None = None
    #: What moderators have set; `None` if that is nothing but the title.
    settings: RoomChanged | None = None
    #: Only for moderators, if something waits for them.
    queue: QueueChanged | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """The members who joined, left or were renamed since the last notice. `here` counts all connected people.

    `counted` is true if the number may have changed. `listed` is false in a crowd, for which no names are sent. When a
    crowd has become small enough, `members` has everyone once.
    """

    here: int
    position: Position
    joined: tuple[Member, ...] = ()
    left: tuple[Member, ...] = ()
    renamed: tuple[Member, ...] = ()
    counted: bool = True
    listed: bool = True
    members: tuple[Member, ...] | None = None


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """What this visitor may do in the room from now on. Only this visitor gets it."""

    access: Access
    role: Role = Role.GUEST
    #: `None` for a visitor who is not muted.
    muted: Mute | None = None


@dataclass(frozen=True, slots=True)
class UnreadRoom:
    """A room in a person's list, with what they have not read.

    `seq` is the read position: the number of the last event that the person has seen. `messages` come after it, and
    `mentions` of them mention the person. `people` are the members of a direct room; empty for other rooms.
    """

    name: str
    title: str
    seq: int
    messages: int
    mentions: int
    people: tuple[Member, ...] = ()


#: All that a room sends to a connection.
Notice = (
    LogEvent
    | Presence
    | Typing
    | Welcome
    | Kicked
    | Whisper
    | AccessChanged
    | RoomChanged
    | QueueChanged
    | HeldDecided
    | PutOut
)
