"""The port for what each member has read: read positions, unread counts, and blocked members."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["MAX_GUESTS", "ReaderRecords", "Unread", "is_guest"]

#: About how many guests have a read position in one room. Beyond that, a new guest takes the place of an older one:
#: otherwise those who come a million times, each time as somebody new, would fill the store.
MAX_GUESTS = 10_000


@dataclass(frozen=True, slots=True)
class Unread:
    """What a member has not read in a room."""

    room: str
    #: The read position: the number of the last event that the member has seen.
    seq: int
    #: How many messages come after it. Deleted messages count, for their marks are shown.
    messages: int
    #: How many of these mention the member.
    mentions: int


def is_guest(member_id: str) -> bool:
    """Whether the member has no login."""
    return not member_id.startswith("user:")


class ReaderRecords(Protocol):
    """Which rooms each member follows, up to where the member has read them, and whom the member has blocked."""

    async def follow(self, member_id: str, room: str, seq: int | None = None) -> None:
        """Begin to count what the member has not read after event number `seq`; `None` means after the newest.

        No-op if the member follows the room already. In each room, about `MAX_GUESTS` guests are kept. Raise `Refused`
        with `unknown_room` if the room was deleted.
        """

    async def unfollow(self, member_id: str, room: str) -> None:
        """Forget the member's position in a room."""

    async def mark(self, reads: Iterable[tuple[str, str, int]]) -> None:
        """Move read positions forward: member's id, room, number of the last event seen.

        A number behind the present position changes nothing, nor does one of a room that the member does not follow.
        A number after the newest event means the newest event.
        """

    async def unread(self, member_ids: Collection[str]) -> dict[str, tuple[Unread, ...]]:
        """Return the counts of all rooms that each of the members follows, in the order of names, zeros included.

        The time does not depend on how many messages are unread. A member's own messages count like all others: mark
        them as read when the member sends them.
        """

    async def block(self, member_id: str, other: str, on: bool) -> None:
        """Add `other` to the members whom a member has blocked, or remove it."""

    async def blocked(self, member_id: str) -> frozenset[str]:
        """Return the ids of the members whom a member has blocked."""

    async def forget(self, member_id: str) -> None:
        """Forget all positions of the member, and whom the member has blocked."""
