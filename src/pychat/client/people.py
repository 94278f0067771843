"""Who is here, from the notices that a client gets. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.domain.model import Joined, Left, Member, Renamed
from pychat.domain.notices import Presence, Welcome

__all__ = ["People"]

_News = list[Joined | Renamed | Left]


class People:
    """The members of a room, and the number of people connected."""

    def __init__(self) -> None:
        #: People connected, with a name or without.
        self.here = 0
        #: False in a crowd: the server sends no names; use `who`.
        self.listed = True
        self._members: dict[str, Member] = {}

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, in the order of joining; empty in a crowd."""
        return tuple(self._members.values())

    def find(self, member_id: str) -> Member | None:
        """Return the member of that id, if listed."""
        return self._members.get(member_id)

    def reset(self, welcome: Welcome) -> _News:
        """Start again from a `welcome`. Return what has changed since the last notice."""
        before, listed_before = self._members, self.listed
        self._take(welcome, welcome.members)
        if not (listed_before and self.listed):
            return []
        news: _News = [Left(member) for member in before.values() if member.id not in self._members]
        for member in self._members.values():
            news += self._change(before.get(member.id), member)
        return news

    def apply(self, presence: Presence) -> _News:
        """Apply a `presence`. Return what was new in it."""
        if presence.members is not None:  # a crowd has thinned
            self._take(presence, presence.members)
            return []
        self.here, self.listed = presence.here, presence.listed
        news: _News = []
        if not self.listed:
            self._members.clear()
            return news
        for each in presence.left:
            gone = self._members.pop(each.id, None)
            if gone is not None:
                news.append(Left(gone))
        for member in (*presence.joined, *presence.renamed):
            news += self._change(self._members.get(member.id), member)
            self._members[member.id] = member
        return news

    def put(self, member: Member) -> None:
        """Add the client's own member."""
        if self.listed:
            self._members[member.id] = member

    def _take(self, notice: Welcome | Presence, members: Iterable[Member]) -> None:
        self.here, self.listed = notice.here, notice.listed
        self._members = {member.id: member for member in members}

    @staticmethod
    def _change(before: Member | None, now: Member) -> _News:
        if before is None:
            return [Joined(now)]
        return [] if before.name == now.name else [Renamed(now, before.name)]
