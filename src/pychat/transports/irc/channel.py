"""A channel: an IRC name for a room, the nicks of its members, the ids of its messages."""

from __future__ import annotations

from collections import OrderedDict

from pychat.domain.model import Member, Message, Position
from pychat.room.backend import RoomBackend
from pychat.transports.irc.nicks import Nicks, casefold
from pychat.transports.irc.text import clean

__all__ = ["Channel"]

_MAX_BEGINNINGS = 500  # messages whose beginnings are kept, to quote them in reactions
_QUOTED = 40  # characters


class Channel:
    """One room of an IRC server."""

    def __init__(self, room: RoomBackend) -> None:
        self.room = room
        self.name = f"#{room.name}"
        self.nicks = Nicks(room)
        self._beginnings: OrderedDict[int, str] = OrderedDict()

    @property
    def key(self) -> str:
        """The casefolded name."""
        return casefold(self.name)

    @property
    def title(self) -> str:
        """The room's title in one line."""
        return " ".join(clean(self.room.title).split())

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
