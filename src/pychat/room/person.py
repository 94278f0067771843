"""A person with connections: the commands that they may still send, and the sessions that they have, in all rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.domain.limits import Limits, TokenBucket

if TYPE_CHECKING:
    from pychat.room.session import Session

__all__ = ["Person"]


class Person:
    """One for each member id that is connected; one for each connection of a guest without an identity."""

    __slots__ = ("__weakref__", "_buckets", "member_id", "refreshes", "sessions")

    def __init__(self, member_id: str | None = None) -> None:
        self.member_id = member_id
        #: The sessions of this person, in any room.
        self.sessions: set[Session] = set()
        #: How often the app has said that this person's access may have changed.
        self.refreshes = 0
        self._buckets: dict[tuple[float, float], TokenBucket] = {}

    def bucket(self, limits: Limits) -> TokenBucket:
        """Counts the commands of this person in all rooms with the same rate."""
        key = (limits.rate, limits.burst)
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(*key)
        return self._buckets[key]
