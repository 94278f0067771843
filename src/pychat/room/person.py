"""A person with connections: what they have used of each rate, and the sessions that they have, in all rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.domain.rates import Usage

if TYPE_CHECKING:
    from pychat.room.session import Session

__all__ = ["Person"]


class Person:
    """One for each member id that has connections. Guests without an identity have none."""

    __slots__ = ("__weakref__", "member_id", "refreshes", "rooms", "sessions", "usage")

    def __init__(self, member_id: str, usage: Usage) -> None:
        self.member_id = member_id
        #: What this person has used of each rate, on all connections.
        self.usage = usage
        #: The sessions of this person, in any room.
        self.sessions: set[Session] = set()
        #: How many sessions this person has in each room that they are in.
        self.rooms: dict[str, int] = {}
        #: How often the app has said that this person's access may have changed.
        self.refreshes = 0
