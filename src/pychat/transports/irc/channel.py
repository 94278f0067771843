"""A channel: an IRC name for a room, the nicks of its members, the ids of its messages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from pychat.domain.model import Member, Message, Position
from pychat.domain.moderation import AuditEntry
from pychat.domain.moderation_state import ModerationState
from pychat.room.backend import RoomBackend
from pychat.transports.irc.line import SERVER
from pychat.transports.irc.modes import mark_of
from pychat.transports.irc.nicks import Nicks, casefold, source
from pychat.transports.irc.text import clean

__all__ = ["Channel", "ModeratorActed"]

_MAX_BEGINNINGS = 500  # messages whose beginnings are kept, to quote them in reactions
_QUOTED = 40  # characters


@dataclass(frozen=True, slots=True)
class ModeratorActed:
    """A moderator acted, with that entry in the audit log. `roles` are the ids of members whose roles have changed."""

    entry: AuditEntry | None
    roles: Collection[str]


class Listener(Protocol):
    """Somebody in a channel."""

    def moderated(self, what: ModeratorActed) -> None:
        """A moderator acted."""


class Channel:
    """One room of an IRC server."""

    def __init__(self, room: RoomBackend) -> None:
        self.room = room
        self.name = f"#{room.name}"
        self.nicks = Nicks(room)
        #: Whoever is in the channel on this server.
        self.listeners: dict[Listener, None] = {}
        room.follow_moderation(self)
        self._beginnings: OrderedDict[int, str] = OrderedDict()

    @property
    def key(self) -> str:
        """The casefolded name."""
        return casefold(self.name)

    @property
    def title(self) -> str:
        """The room's title in one line."""
        return " ".join(clean(self.room.title).split())

    # Moderation

    @property
    def moderation(self) -> ModerationState:
        """What moderators have decided."""
        return self.room.core.moderation.state

    @property
    def topic(self) -> str:
        """The topic of the room in one line; the title, if there is no topic."""
        return " ".join(clean(str(self.moderation.setting("topic"))).split()) or self.title

    @property
    def topic_set(self) -> tuple[str, int] | None:
        """Who has set the topic, and when, in seconds since 1970; `None` if that is not known."""
        record = self.moderation.get("setting", "topic")
        if record is None or "date" not in record.data:
            return None
        by = self.room.member(record.data["by"])
        return SERVER if by is None else self.nick(by), int(record.data["date"])

    def mark(self, member_id: str) -> str:
        """The prefix of a member: `@`, `+` or nothing."""
        return mark_of(self.room.core.moderation.role_of(member_id), self.moderation.stored_role(member_id))

    def marked(self, member: Member) -> str:
        """The nick of a member, after the prefix."""
        return self.mark(member.id) + self.nick(member)

    def source(self, by: Member) -> str:
        """The source of what a moderator does: the server, for whoever is not in the room."""
        member = self.room.member(by.id)
        return SERVER if member is None else source(self.nick(member))

    def moderated(self, entry: AuditEntry | None, roles: Collection[str]) -> None:
        """Tell everybody in the channel what a moderator did."""
        what = ModeratorActed(entry, roles)
        for listener in tuple(self.listeners):
            listener.moderated(what)

    # Messages

    def msgid(self, seq: int) -> str:
        """The id of message number `seq`. It is valid in this epoch of the log only."""
        return f"{seq}.{self.room.position.epoch}"

    def position(self, msgid: str) -> Position | None:
        """The position of the message of that id."""
        seq, _, epoch = msgid.partition(".")
        return Position(epoch, int(seq)) if seq.isascii() and seq.isdigit() and len(seq) < 16 else None

    def seq(self, msgid: str) -> int | None:
        """The number of the message of that id; `None` for one of another epoch."""
        position = self.position(msgid)
        return position.seq if position is not None and position.epoch == self.room.position.epoch else None

    def nick(self, member: Member) -> str:
        """The nick of a member."""
        return self.nicks.of(member)

    def target(self, author: Member) -> str:
        """To whom a line of that author goes: to the channel."""
        return self.name

    def remember(self, message: Message) -> None:
        """Keep the beginning of a message."""
        self.revise(message.seq, message.text, known=False)

    def revise(self, seq: int, text: str, *, known: bool = True) -> None:
        """Keep the new beginning of a message, if `known` only of one that was kept before."""
        if known and seq not in self._beginnings:
            return
        line = " ".join(clean(text[: 4 * _QUOTED]).split())
        self._beginnings[seq] = line if len(line) <= _QUOTED else f"{line[: _QUOTED - 1]}…"
        if len(self._beginnings) > _MAX_BEGINNINGS:
            self._beginnings.popitem(last=False)

    def beginning(self, seq: int) -> str:
        """The beginning of message number `seq`; empty if it was not kept."""
        return self._beginnings.get(seq, "")
