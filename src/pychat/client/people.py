"""Who is here, as a client is told it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.client import decoding as words
from pychat.domain.model import Joined, Left, Member, Renamed

__all__ = ["People"]

_News = list[Joined | Renamed | Left]


class People:
    """The members of a room, and the number of people connected."""

    def __init__(self) -> None:
        #: People connected, with a name or without.
        self.here = 0
        #: False in a crowd, whose names are not told: `who` has to be asked.
        self.listed = True
        self._members: dict[str, Member] = {}

    @property
    def members(self) -> tuple[Member, ...]:
        """Those with a name, in the order of joining; nobody in a crowd."""
        return tuple(self._members.values())

    def find(self, member_id: str) -> Member | None:
        """The member of that id, if they are here and listed."""
        return self._members.get(member_id)

    def reset(self, told: Mapping[str, Any]) -> _News:
        """Everything anew, from a `welcome`; what has changed since we knew it."""
        before, listed_before = self._members, self.listed
        self._take(told, told.get("members", ()))
        if not (listed_before and self.listed):
            return []
        news: _News = [Left(member) for member in before.values() if member.id not in self._members]
        for member in self._members.values():
            news += self._change(before.get(member.id), member)
        return news

    def apply(self, told: Mapping[str, Any]) -> _News:
        """A `presence`; what was news in it."""
        if "members" in told:  # a crowd has thinned
            self._take(told, told["members"])
            return []
        self.here = int(told["here"])
        self.listed = told.get("listed") is not False
        news: _News = []
        if not self.listed:
            self._members.clear()
            return news
        for member_id in told.get("left", ()):
            gone = self._members.pop(member_id, None)
            if gone is not None:
                news.append(Left(gone))
        for member in words.members((*told.get("joined", ()), *told.get("renamed", ()))):
            news += self._change(self._members.get(member.id), member)
            self._members[member.id] = member
        return news

    def put(self, member: Member) -> None:
        """One that we know of by other ways: ourselves."""
        if self.listed:
            self._members[member.id] = member

    def _take(self, told: Mapping[str, Any], listed: Any) -> None:  # noqa: ANN401 -- of the wire
        self.here = int(told["here"])
        self.listed = told.get("listed") is not False
        self._members = {member.id: member for member in words.members(listed)}

    @staticmethod
    def _change(before: Member | None, now: Member) -> _News:
        if before is None:
            return [Joined(now)]
        return [] if before.name == now.name else [Renamed(now, before.name)]
