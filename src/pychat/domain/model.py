"""The data types of a room: members, commands and events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pychat.domain.dates import iso
from pychat.domain.errors import UsageError

__all__ = [
    "Away",
    "Command",
    "Delete",
    "Deleted",
    "Drop",
    "Edit",
    "Edited",
    "Erased",
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
    "RoomDeleted",
    "Say",
    "SetTyping",
    "Signal",
    "Typing",
    "User",
    "Whisper",
    "id_of",
    "in_room",
    "iso",
    "numbered",
]


_LONGEST_ID = 128  # characters of the id of an app's user


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a nickname. `id` stays the same when the name changes, and when the person comes back.

    `roles` come from the app. A `"moderator"` may delete any message; other roles have the meaning that the app gives
    them. Members who are here have roles, authors in the log have none. So a comparison of members ignores roles:
    `message.author == chat.me` is true with any roles, and also with a name that you had before.
    """

    id: str
    name: str
    roles: tuple[str, ...] = field(default=(), compare=False)

    def __hash__(self) -> int:
        # Not of the name: the client's `Me` equals members with other names.
        return hash(self.id)

    @property
    def bare(self) -> Member:
        """The same member without roles, as in the log."""
        return Member(self.id, self.name) if self.roles else self


@dataclass(frozen=True, slots=True)
class User:
    """A user of the app: the return value of `authenticate`.

    `id` is the app's id (1-128 characters). The member's id is `user:` and this id, so no guest can have the same.
    `name` is the nickname. The user can change it only if `name_fixed` is false, and picks one if it is `None`. `data`
    is for the app's hooks, which get it with `ChatRoom.user`. Raise `UsageError` for an invalid id.
    """

    id: str
    name: str | None = None
    roles: tuple[str, ...] = ()
    name_fixed: bool = True
    data: object = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        # A value from a database can have any type, whatever the annotation says.
        given: object = self.id
        if not (isinstance(given, str) and 1 <= len(given) <= _LONGEST_ID and given.isprintable()):
            raise UsageError(f"A user's id is a text of 1-{_LONGEST_ID} printable characters, not {given!r}: str(…)?")
        roles: object = self.roles
        if not (isinstance(roles, tuple | list) and all(isinstance(role, str) for role in roles)):
            raise UsageError(f'The roles of a user are a tuple of texts, such as ("moderator",), not {roles!r}.')
        object.__setattr__(self, "roles", tuple(roles))

    @property
    def member_id(self) -> str:
        """The id of this user's member."""
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a room's log: the `seq` of the last event seen, and the `epoch` of its number.

    The epoch changes only when a log was lost. Numbers of the same epoch can be compared. `id` is the id of event
    number `seq`. It is empty before the first event, or if unknown. After a backup was restored, the epoch is the
    same, but later events get numbers that were used before: the `id` shows the difference.
    """

    epoch: str
    seq: int
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that a reply answers: its number, its author and the beginning of its text."""

    seq: int
    author: str
    text: str


# Events in the log. `id` is unique among the events of its author, `date` is in seconds since 1970 (UTC), `seq` is 0
# until the event is stored.


@dataclass(frozen=True, slots=True)
class Message:
    """A message. In a history it is as it stands now, with its edits and reactions.

    `edited` is the date of the last edit. A deleted message has no text and no reactions. `reactions` has each emoji,
    in the order of first use, with the ids of the members who chose it. `mentions` has the ids of the members whom the
    text mentions. `room` is the name of the room, where a room or a client returned the message; a store keeps none.
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
    mentions: tuple[str, ...] = ()
    room: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Edited:
    """The author of message number `target` changed its text, and with it whom it mentions."""

    id: str
    author: Member
    target: int
    text: str
    date: float
    seq: int = 0
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """Message number `target` was deleted by its author or by a moderator. A mark remains."""

    id: str
    author: Member
    target: int
    date: float
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Reacted:
    """A member added an emoji to message number `target`, or removed it (`on` is false)."""

    id: str
    author: Member
    target: int
    emoji: str
    on: bool
    date: float
    seq: int = 0


#: The events in the log.
LogEvent = Message | Edited | Deleted | Reacted


# Events without a number, which are not in the log. A store keeps only the names.


@dataclass(frozen=True, slots=True)
class Joined:
    """A member took a nickname, or returned to the one that was held."""

    member: Member


@dataclass(frozen=True, slots=True)
class Renamed:
    """A member changed the nickname; `before` is the old one."""

    member: Member
    before: str


@dataclass(frozen=True, slots=True)
class Away:
    """A member lost the last connection. The nickname is held for the grace time."""

    member: Member


@dataclass(frozen=True, slots=True)
class Left:
    """A member has left, and the nickname is free."""

    member: Member


@dataclass(frozen=True, slots=True)
class Typing:
    """A member started or stopped typing."""

    member: Member
    on: bool


@dataclass(frozen=True, slots=True)
class Kicked:
    """The app removes a member, who gets `text`. `Left` follows. The name of a guest is empty."""

    member: Member
    text: str = ""


@dataclass(frozen=True, slots=True)
class Whisper:
    """A message of the app to one member, which nobody else gets: see `ChatRoom.whisper`.

    It has no number, because it is not in the log of the room. `stored` tells whether the member gets it again after
    coming back. `after` is the number of the room's newest event when it was sent; 0 in a client.
    """

    id: str
    author: Member
    member: Member
    text: str
    date: float
    stored: bool = False
    after: int = 0
    room: str = field(default="", compare=False)


Signal = Joined | Renamed | Away | Left | Kicked | Typing | Whisper

Event = LogEvent | Signal


# What a store reports about a log itself. Clients get the `Deleted` events of erased messages instead.


@dataclass(frozen=True, slots=True)
class Erased:
    """Texts were taken out of the log: `pychat.domain.erasure.erased` returns an event after that.

    `seqs` are the numbers of the messages. With `author`, all other events of that member before the date `before`
    (`None` means all) have lost their names and emoji too.
    """

    seqs: tuple[int, ...]
    author: str | None = None
    before: float | None = None


@dataclass(frozen=True, slots=True)
class RoomDeleted:
    """The room was deleted with its log. The store reports nothing more about it until somebody subscribes again."""


# Commands. A message that a command is about is passed as it stands.


@dataclass(frozen=True, slots=True)
class Join:
    """Take the nickname `name`, or change to it.

    With `known`, the app vouches for the member: reserved names are allowed, and instead of a name that is taken the
    member gets a similar one.
    """

    member_id: str
    name: str
    roles: tuple[str, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection was lost: hold the nickname."""

    member_id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave, and free the nickname."""

    member_id: str


@dataclass(frozen=True, slots=True)
class Say:
    """Send a message, as a reply to another one if given."""

    member_id: str
    id: str
    text: str
    reply_to: Message | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Change the text of a message of this member."""

    member_id: str
    id: str
    target: Message
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a message of this member, or any message if this member `moderates`; for `None`, the roles decide."""

    member_id: str
    id: str
    target: Message
    moderates: bool | None = None


@dataclass(frozen=True, slots=True)
class React:
    """Add an emoji to a message, or remove it."""

    member_id: str
    id: str
    target: Message
    emoji: str
    on: bool


@dataclass(frozen=True, slots=True)
class SetTyping:
    """Show that the member is typing, or stop showing it."""

    member_id: str
    on: bool


Command = Join | Drop | Leave | Say | Edit | Delete | React | SetTyping


def id_of(member: str | Member | User) -> str:
    """The id of a member, who is given by the id, as a member or as a user."""
    if isinstance(member, str):
        return member
    return member.member_id if isinstance(member, User) else member.id


def in_room(message: Message, room: str) -> Message:
    """`message` with the name of its room."""
    return Message(
        message.id, message.author, message.text, message.date, message.seq, message.reply, message.edited,
        message.deleted, message.reactions, message.mentions, room,
    )  # fmt: skip


def numbered(event: LogEvent, seq: int) -> LogEvent:
    """Return `event` with the number `seq` that the store gave it."""
    if type(event) is Message:  # `replace` would take 6 µs of the 60 µs of a message
        return Message(
            event.id, event.author, event.text, event.date, seq, event.reply, event.edited, event.deleted,
            event.reactions, event.mentions, event.room,
        )  # fmt: skip
    return replace(event, seq=seq)
