"""IRC nicks: which are valid, and the nick of each member of a room, which is the name as far as IRC allows."""

from __future__ import annotations

import re

from pychat.domain.model import Member
from pychat.room.backend import RoomBackend

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
_SUFFIX = 8  # bytes reserved for the number where two names make one nick
_SPARE = 1_000  # nicks of members who left are kept up to this number


def casefold(name: str) -> str:
    """The form in which nicks and channel names are compared: `CASEMAPPING=ascii`."""
    return name.translate(_ASCII_LOWER)


def is_nick(name: str) -> bool:
    """True if `name` is a valid nick."""
    fits = 0 < len(name.encode()) <= NICK_BYTES
    return fits and name[0] not in _FIRST and not _FORBIDDEN.search(name)


def nick_like(name: str) -> str:
    """`name` with `_` for each character that a nick cannot have: `Ada_Lovelace` for `Ada Lovelace`."""
    nick = _FORBIDDEN.sub("_", name).encode()[: NICK_BYTES - _SUFFIX].decode(errors="ignore")
    return "_" + nick[1:] if nick[0] in _FIRST else nick


def source(nick: str) -> str:
    """The source of a line from `nick`. The address is the same for everybody, so that no real address is shown."""
    return f"{nick}!~chat@pychat"


class Nicks:
    """The nick of each member of `room`. No two members have the same; a member keeps it as long as the name.

    Each look-up takes the same time in any crowd: the room tells of every name.
    """

    def __init__(self, room: RoomBackend) -> None:
        self._room = room
        self._given: dict[str, tuple[str, str]] = {}  # member id -> name, nick
        self._ids: dict[str, str] = {}  # nick, casefolded -> member id
        self._numbers: dict[str, int] = {}  # nick, casefolded -> the last number that was added to it
        room.follow_names(self)

    def of(self, member: Member) -> str:
        """The nick of `member`. The author of an old message, who is not here, has the nick like the name."""
        name, nick = self._given.get(member.id, ("", ""))
        return nick if name == member.name else nick_like(member.name)

    def member(self, nick: str) -> Member | None:
        """The member here who has that nick."""
        member = self._room.member(self._ids.get(casefold(nick), ""))
        return member if member is not None and self._given[member.id][0] == member.name else None

    def last_id(self, nick: str) -> str | None:
        """The id of the member here who has that nick, or of the last one who had it."""
        return self._ids.get(casefold(nick))

    def named(self, member: Member) -> None:
        """Give a nick to a member who has taken or changed a name."""
        if self._given.get(member.id, ("", ""))[0] != member.name:
            self._forget(member.id)
            self._prune()
            nick = self._free(nick_like(member.name), member.id)
            self._given[member.id] = (member.name, nick)
            self._ids[casefold(nick)] = member.id

    def _free(self, wanted: str, member_id: str) -> str:
        """`wanted`, or the same with a number that no other member has."""
        nick, key = wanted, casefold(wanted)
        while self._ids.get(casefold(nick)) != member_id and self.member(nick) is not None:
            self._numbers[key] = self._numbers.get(key, 1) + 1
            nick = f"{wanted}_{self._numbers[key]}"
        return nick

    def _forget(self, member_id: str) -> None:
        _, nick = self._given.pop(member_id, ("", ""))
        if self._ids.get(casefold(nick)) == member_id:
            del self._ids[casefold(nick)]

    def _prune(self) -> None:
        """Forget the members who are not here, each time that they are more than the others and 1,000."""
        if len(self._given) > 2 * self._room.member_count + _SPARE:
            self._numbers.clear()
            for member_id in [each for each in self._given if self._room.member(each) is None]:
                self._forget(member_id)
