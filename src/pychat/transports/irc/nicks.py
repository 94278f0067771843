"""Nicks of IRC for the members of one room: the names themselves where they can be, else as near as a nick may come."""

from __future__ import annotations

import re
from itertools import count

from pychat.domain.model import Member
from pychat.room.chatroom import ChatRoom

__all__ = ["NICK_WORDS", "Nicks", "casefold", "is_nick", "nick_like", "source"]

#: The longest nick, in bytes; a line has room for little more.
NICK_BYTES = 136
NICK_WORDS = (
    f"A nick has {NICK_BYTES} bytes at most, no spaces, none of , * ? ! @ and ., "
    "and does not begin with # & : $ ~ % + or @."
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f,*?!@.]")
_FIRST = "#&:$~%+@"
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_SUFFIX = 8  # bytes that are kept for the number where two names make one nick
_SPARE = 1_000  # members who went, whose nicks are remembered


def casefold(name: str) -> str:
    """What nicks and channels are compared by: `CASEMAPPING=ascii`."""
    return name.translate(_ASCII_LOWER)


def is_nick(name: str) -> bool:
    """Whether `name` can be a nick as it is."""
    fits = 0 < len(name.encode()) <= NICK_BYTES
    return fits and name[0] not in _FIRST and not _FORBIDDEN.search(name)


def nick_like(name: str) -> str:
    """`name` with `_` for what a nick cannot hold: `Ada Lovelace` is `Ada_Lovelace`."""
    nick = _FORBIDDEN.sub("_", name).encode()[: NICK_BYTES - _SUFFIX].decode(errors="ignore")
    return "_" + nick[1:] if nick[0] in _FIRST else nick


def source(nick: str) -> str:
    """Who a line is from. The address is the same for everybody: nobody is told where anybody is."""
    return f"{nick}!~chat@pychat"


class Nicks:
    """Who has which nick in `room`. No two members have the same; a member keeps a nick as long as the name."""

    def __init__(self, room: ChatRoom) -> None:
        self._room = room
        self._given: dict[str, tuple[str, str]] = {}  # member id -> name, nick
        self._ids: dict[str, str] = {}  # nick, casefolded -> member id

    def of(self, member: Member) -> str:
        """The nick of `member`, who is here; who is not, as in old messages, has the nick that is like the name."""
        name, nick = self._given.get(member.id, ("", ""))
        if name == member.name:
            return nick
        here = self._room.member(member.id)
        if here is None or here.name != member.name:
            return nick_like(member.name)
        self._forget(member.id)
        self._prune()
        nick = self._free(nick_like(member.name), member.id)
        self._given[member.id] = (member.name, nick)
        self._ids[casefold(nick)] = member.id
        return nick

    def member(self, nick: str) -> Member | None:
        """Who here has that nick."""
        found = self._holder(nick)
        if found is None:
            for member in self._room.members:
                self.of(member)
            found = self._holder(nick)
        return found

    def _holder(self, nick: str) -> Member | None:
        member = self._room.member(self._ids.get(casefold(nick), ""))
        return member if member is not None and self._given[member.id][0] == member.name else None

    def _free(self, wanted: str, member_id: str) -> str:
        for number in count(2):
            nick = wanted if number == 2 else f"{wanted}_{number - 1}"
            if self._ids.get(casefold(nick), member_id) == member_id or self._holder(nick) is None:
                return nick
        raise AssertionError

    def _forget(self, member_id: str) -> None:
        _, nick = self._given.pop(member_id, ("", ""))
        if self._ids.get(casefold(nick)) == member_id:
            del self._ids[casefold(nick)]

    def _prune(self) -> None:
        if len(self._given) > 2 * self._room.member_count + _SPARE:
            for member_id in [each for each in self._given if self._room.member(each) is None]:
                self._forget(member_id)
