"""The nouns of a room: who is in it, what can be asked of it, what has happened in it. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from pychat.domain.errors import UsageError

__all__ = [
    "Away",
    "Command",
    "Delete",
    "Deleted",
    "Drop",
    "Edit",
    "Edited",
    "Event",
    "Join",
    "Joined",
    "Kicked",
    "Leave",
    "Left",
    "LogEvent",
    "Member",
    "Message",
    "Position",
    "Quote",
    "React",
    "Reacted",
    "Renamed",
    "Say",
    "SetTyping",
    "Signal",
    "Typing",
    "User",
    "iso",
    "numbered",
]


_LONGEST_ID = 128  # characters of the id of an app's user


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a nickname. `id` stays when the name changes, and when the same person comes back.

    `roles` are those that the app gave them: `"moderator"` may delete anybody's message, the others are the app's
    own. Who is here has them; the authors of what is in the log do not. So roles do not count where two members are
    compared: `message.author == chat.me` whatever the roles.
    """

    id: str
    name: str
    roles: tuple[str, ...] = field(default=(), compare=False)

    @property
    def bare(self) -> Member:
        """The same without roles, as it stands in the log."""
        return Member(self.id, self.name) if self.roles else self


@dataclass(frozen=True, slots=True)
class User:
    """Somebody whom the app knows: what `authenticate` returns.

    `id` is the app's own (1-128 characters); the member's is `user:` and that, so that no guest's can be the same.
    `name` is taken at once, and can be changed only if `name_fixed` is false; without one, they pick it. `data` is
    for the app's hooks, which find it with `ChatRoom.user`. Raise `UsageError` for an id that cannot be.
    """

    id: str
    name: str | None = None
    roles: tuple[str, ...] = ()
    name_fixed: bool = True
    data: object = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        # What comes from somebody's database has any type, whatever is written above.
        given: object = self.id
        if not (isinstance(given, str) and 1 <= len(given) <= _LONGEST_ID and given.isprintable()):
            raise UsageError(f"A user's id is a text of 1-{_LONGEST_ID} printable characters, not {given!r}: str(…)?")
        roles: object = self.roles
        if not (isinstance(roles, tuple | list) and all(isinstance(role, str) for role in roles)):
            raise UsageError(f'The roles of a user are a tuple of texts, such as ("moderator",), not {roles!r}.')
        object.__setattr__(self, "roles", tuple(roles))

    @property
    def member_id(self) -> str:
        """The id of the member that they are."""
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a room's log: the `seq` of the last event seen, and the `epoch` in which it was numbered.

    The epoch changes only where a log was lost, so two numbers can be compared if their epochs are the same. `id` is
    that of the event number `seq`, empty before the first or where it is not known. A backup that was put back has
    the same epoch, and other events under the numbers that come after it: the id tells them apart.
    """

    epoch: str
    seq: int
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that a reply answers: its number, who said it, and how it began."""

    seq: int
    author: str
    text: str


# What has happened and is kept: the log. `id` is unique among its author's events, `date` is in seconds since 1970
# (UTC), `seq` is 0 until the event is stored.


@dataclass(frozen=True, slots=True)
class Message:
    """Something that was said; with what has become of it since, where a store or a history gives it.

    `edited` is the date of the last edit. A deleted message has no text and no reactions. `reactions` holds, for
    each emoji in the order of first use, the ids of the members who chose it.
    """

    id: str
    author: Member
    text: str
    date: float
    seq: int = 0
    reply: Quote | None = None
    edited: float | None = None
    deleted: bool = False
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """The author of message number `target` changed its text."""

    id: str
    author: Member
    target: int
    text: str
    date: float
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """Message number `target` was taken back by its author, or by a moderator; a mark remains."""

    id: str
    author: Member
    target: int
    date: float
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Reacted:
    """A member put an emoji to message number `target`, or (`on` is false) took it away."""

    id: str
    author: Member
    target: int
    emoji: str
    on: bool
    date: float
    seq: int = 0


#: What is numbered and kept.
LogEvent = Message | Edited | Deleted | Reacted


# What has happened and passes through the same pipe without a number. A store remembers who has which name.


@dataclass(frozen=True, slots=True)
class Joined:
    """A member took a nickname, or came back to the one that was held."""

    member: Member


@dataclass(frozen=True, slots=True)
class Renamed:
    """A member changed the nickname; `before` is the old one."""

    member: Member
    before: str


@dataclass(frozen=True, slots=True)
class Away:
    """A member's last connection broke. The nickname is held for a grace time."""

    member: Member


@dataclass(frozen=True, slots=True)
class Left:
    """A member is gone, and the nickname is free."""

    member: Member


@dataclass(frozen=True, slots=True)
class Typing:
    """A member began or ceased to write."""

    member: Member
    on: bool


@dataclass(frozen=True, slots=True)
class Kicked:
    """The app sends a member out, who is told `text`; then they have left. Without a nickname, the name is empty."""

    member: Member
    text: str = ""


Signal = Joined | Renamed | Away | Left | Kicked | Typing

Event = LogEvent | Signal


# Commands: what somebody asks for. Messages that a command is about are handed in as they stand.


@dataclass(frozen=True, slots=True)
class Join:
    """Take the nickname `name`; if this member has one, change it.

    Somebody `known` is vouched for: reserved names are allowed, and where a name is taken they get one that is like it.
    """

    member_id: str
    name: str
    roles: tuple[str, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Be gone for now: the connection broke."""

    member_id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Be gone, and give the nickname back."""

    member_id: str


@dataclass(frozen=True, slots=True)
class Say:
    """Say `text` to the room, as a reply to a message or not."""

    member_id: str
    id: str
    text: str
    reply_to: Message | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Change the text of one's own message."""

    member_id: str
    id: str
    target: Message
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Take one's own message back; a moderator anybody's."""

    member_id: str
    id: str
    target: Message


@dataclass(frozen=True, slots=True)
class React:
    """Put an emoji to a message, or take it away."""

    member_id: str
    id: str
    target: Message
    emoji: str
    on: bool


@dataclass(frozen=True, slots=True)
class SetTyping:
    """Show, or stop showing, that the member is writing."""

    member_id: str
    on: bool


Command = Join | Drop | Leave | Say | Edit | Delete | React | SetTyping


@lru_cache(256)
def iso(date: float) -> str:
    """`date` as ISO 8601 in UTC with milliseconds, as JavaScript's `toISOString` writes it."""
    return datetime.fromtimestamp(date, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def numbered(event: LogEvent, seq: int) -> LogEvent:
    """`event` as it is stored, as number `seq`."""
    if type(event) is Message:  # the usual case by hand: `replace` asks each field what it is, 6 µs of a message's 60
        return Message(
            event.id, event.author, event.text, event.date, seq, event.reply, event.edited, event.deleted,
            event.reactions,
        )  # fmt: skip
    return replace(event, seq=seq)
