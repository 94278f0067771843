"""`Me`: the client's own member."""

from __future__ import annotations

from typing import Self

from pychat.domain.model import Member

__all__ = ["Me"]


class Me(Member):
    """Your own member. It equals every member with your id: also the author of what you said under an older name."""

    __slots__ = ()

    @classmethod
    def of(cls, member: Member) -> Self:
        """Return the same member as one's own."""
        return cls(member.id, member.name, member.roles)

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Member) else NotImplemented

    __hash__ = Member.__hash__
