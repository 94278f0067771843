"""The connections of a room in this process, by member, and the timers of held names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pychat.domain.model import Away, Joined, Left, Renamed, User
from pychat.domain.notices import AccessChanged
from pychat.room.clock import Clock, Timer
from pychat.room.connection import Connection
from pychat.room.grant import Grant

__all__ = ["ConnectionRegistry", "NameHolder", "Visitor"]


class Visitor(Protocol):
    """One visitor on one connection, as far as membership is concerned. `Session` is the implementation."""

    connection: Connection
    #: The id of the member that this connection belongs to; `None` for a guest. The registry sets it.
    member_id: str | None
    #: True after the visitor left or was kicked: a join that is still being stored must not bind this connection.
    gone: bool
    #: True if the connection gets a copy of its own visitor's messages.
    echo: bool

    @property
    def user(self) -> User | None:
        """The app's user, for a visitor with a login."""

    @property
    def grant(self) -> Grant:
        """What the app allows this visitor, and where they connect from."""

    @property
    def standing(self) -> AccessChanged:
        """What this visitor may do in the room, and their role."""

    def recheck(self) -> None:
        """Moderators have changed something: put this visitor out, or tell what they may do now."""

    def require(self, permission: str) -> None:
        """Raise `Refused` if this visitor may not do that."""

    async def close(self) -> None:
        """The connection has ended."""


class NameHolder(Protocol):
    """Knows who has a nickname, and frees the names that were held for long enough."""

    def has_name(self, member_id: str) -> bool:
        """True if the member of that id has a nickname. Call `update_nameless` when that changes."""

    def expired(self, member_id: str) -> None:
        """The name was held for the grace time."""


class ConnectionRegistry:
    """The connections of one room in this process. Each belongs to a member or to a guest."""

    __slots__ = ("_clock", "_grace", "_graces", "_guests", "_members", "_nameless", "_names", "_stopped")

    def __init__(self, grace: float, names: NameHolder, clock: Clock) -> None:
        """A name is held for `grace` seconds."""
        self._grace = grace
        self._names = names
        self._clock = clock
        self._members: dict[str, set[Visitor]] = {}  # member id -> that member's connections
        # Dicts: a room has one of each, and an empty set takes 216 bytes, an empty dict 64.
        self._nameless: dict[str, None] = {}  # ids in `_members` that have no nickname
        self._guests: dict[Visitor, None] = {}
        self._graces: dict[str, Timer] = {}  # member id -> the timer that frees the name
        self._stopped = False

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._members

    def __iter__(self) -> Iterator[Visitor]:
        """Every visitor, guests first. The registry may be changed during the iteration."""
        yield from [*self._guests, *(visitor for bound in self._members.values() for visitor in bound)]

    @property
    def empty(self) -> bool:
        """True if nobody is connected here."""
        return not self._members and not self._guests

    def of(self, member_id: str) -> tuple[Visitor, ...]:
        """The connections of one member."""
        return tuple(self._members.get(member_id, ()))

    @property
    def nameless(self) -> int:
        """How many people are connected here without a nickname: guests, and users with a login but no name yet."""
        return len(self._guests) + len(self._nameless)

    def update_nameless(self, member_id: str) -> None:
        """Count the member again: they have taken a nickname, or have lost it."""
        if member_id in self._members and not self._names.has_name(member_id):
            self._nameless[member_id] = None
        else:
            self._forget_nameless(member_id)

    def _forget_nameless(self, member_id: str) -> None:
        self._nameless.pop(member_id, None)
        if not self._nameless:
            self._nameless.clear()  # `pop` keeps the room that the dict has grown to

    def update_all_nameless(self) -> None:
        """Count every member again: any may have taken a nickname, or lost it."""
        for member_id in self._members:
            self.update_nameless(member_id)

    def nameless_change(self, event: Joined | Renamed | Away | Left) -> int:
        """The change in the number of nameless people here, once `event` is applied."""
        member_id = event.member.id
        if isinstance(event, Joined | Renamed):
            return -1 if member_id in self._nameless else 0
        return len(self.of(member_id)) if isinstance(event, Left) and self._names.has_name(member_id) else 0

    def add(self, visitor: Visitor, member_id: str | None, *, counted: bool = True) -> None:
        """Register `visitor` as one of `member_id`'s connections, or as a guest. Idempotent.

        With `counted=False` a user with a login is not counted as nameless: their name is about to be taken.
        """
        self.remove(visitor)
        visitor.member_id = member_id
        if member_id is None:
            self._guests[visitor] = None
        else:
            self._members.setdefault(member_id, set()).add(visitor)
            if counted:
                self.update_nameless(member_id)

    def remove(self, visitor: Visitor) -> None:
        """Forget `visitor`, if it is registered."""
        if visitor in self._guests:
            del self._guests[visitor]
            if not self._guests:
                self._guests.clear()  # `del` keeps the room that the dict has grown to
        bound = self._members.get(visitor.member_id) if visitor.member_id is not None else None
        if bound is not None:
            bound.discard(visitor)
            if not bound and visitor.member_id is not None:
                del self._members[visitor.member_id]
                self._forget_nameless(visitor.member_id)

    @property
    def holds_names(self) -> bool:
        """True if a name is held after its last connection broke. Always true once the registry was stopped."""
        return self._grace > 0 or self._stopped

    def hold(self, member_id: str) -> None:
        """The last connection of a member broke: start, or restart, the time for which the name is held."""
        self.release(member_id)
        if not self._stopped:
            self._graces[member_id] = self._clock.call_later(self._grace, self._names.expired, member_id)

    def release(self, member_id: str) -> None:
        """The member is back, or gone for good: stop the timer that frees the name."""
        timer = self._graces.pop(member_id, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Free no name from now on. The next server of this room will."""
        self._stopped = True
        for timer in self._graces.values():
            timer.cancel()
