"""A person with connections: the commands that they may still send, and the sessions that they have, in all rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.domain.limits import Limits, TokenBucket

if TYPE_CHECKING:
    from pychat.room.session import Session

__all__ = ["Person"]


class Person:
    """One for each member id that has connections. Guests without an identity have none."""

    __slots__ = ("__weakref__", "_bucket", "_buckets", "member_id", "refreshes", "rooms", "sessions")

    def __init__(self, member_id: str) -> None:
        self.member_id = member_id
        #: The sessions of this person, in any room.
        self.sessions: set[Session] = set()
        #: How many sessions this person has in each room that they are in.
        self.rooms: dict[str, int] = {}
        #: How often the app has said that this person's access may have changed.
        self.refreshes = 0
        self._bucket: tuple[tuple[float, float], TokenBucket] | None = None
        self._buckets: dict[tuple[float, float], TokenBucket] | None = None  # where rooms differ in their rates

    def bucket(self, limits: Limits) -> TokenBucket:
        """Counts the commands of this person in all rooms with the same rate."""
        rate = (limits.rate, limits.burst)
        if self._bucket is None:
            self._bucket = rate, TokenBucket(*rate)
        if self._bucket[0] == rate:
            return self._bucket[1]
        self._buckets = self._buckets or {}
        return self._buckets.setdefault(rate, TokenBucket(*rate))
