"""Seats: who is connected to a room here, on how many connections, and for how long the names of the lost are held."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pychat.domain.model import Away, Joined, Left, Renamed
from pychat.room.clock import Clock, Timer
from pychat.room.session import Session

__all__ = ["ConnectionRegistry"]


class ConnectionRegistry:
    """The sessions of one room in this process: each is a member's, or a guest's."""

    def __init__(self, grace: float, expire: Callable[[str], None], named: Callable[[str], bool], clock: Clock) -> None:
        """`expire` is called with a member's id when the name was held for `grace` seconds.

        `named` tells whether somebody of that id has a nickname; call `name` when that changes.
        """
        self._grace = grace
        self._expire = expire
        self._clock = clock
        self._taken: dict[str, set[Session]] = {}  # member id -> that member's connections
        self._named = named
        self._nameless: set[str] = set()  # ids of those in `_taken` who have no nickname
        self._guests: set[Session] = set()
        self._graces: dict[str, Timer] = {}  # member id -> when the name is free
        self._stopped = False

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._taken

    def __iter__(self) -> Iterator[Session]:
        """Every session, guests first; to be changed meanwhile as one likes."""
        yield from [*self._guests, *(session for taken in self._taken.values() for session in taken)]

    def of(self, member_id: str) -> tuple[Session, ...]:
        """The sessions of one member."""
        return tuple(self._taken.get(member_id, ()))

    @property
    def nameless(self) -> int:
        """How many people are connected here without a nickname: guests, and who has a login but no name yet."""
        return len(self._guests) + len(self._nameless)

    def name(self, member_id: str) -> None:
        """Somebody of that id has taken a nickname, or has none any more."""
        if member_id in self._taken and not self._named(member_id):
            self._nameless.add(member_id)
        else:
            self._nameless.discard(member_id)

    def name_all(self) -> None:
        """Anybody may have taken a nickname, or lost it."""
        for member_id in self._taken:
            self.name(member_id)

    def named_by(self, event: Joined | Renamed | Away | Left) -> int:
        """By how many there will be more nameless people here when `event` has happened."""
        member_id = event.member.id
        if isinstance(event, Joined | Renamed):
            return -1 if member_id in self._nameless else 0
        return len(self.of(member_id)) if isinstance(event, Left) and self._named(member_id) else 0

    def take(self, session: Session, member_id: str | None, *, counted: bool = True) -> None:
        """Count `session` as one of `member_id`'s, or as a guest's. Idempotent.

        Somebody with a login who is about to get their name is not `counted` before that.
        """
        self.free(session)
        session.member_id = member_id
        if member_id is None:
            self._guests.add(session)
        else:
            self._taken.setdefault(member_id, set()).add(session)
            if counted:
                self.name(member_id)

    def free(self, session: Session) -> None:
        """Forget `session`, if it is known."""
        self._guests.discard(session)
        taken = self._taken.get(session.member_id) if session.member_id is not None else None
        if taken is not None:
            taken.discard(session)
            if not taken and session.member_id is not None:
                del self._taken[session.member_id]
                self._nameless.discard(session.member_id)

    @property
    def holds_names(self) -> bool:
        """Whether the names of those whose connection broke are held, or always will be now."""
        return self._grace > 0 or self._stopped

    def hold(self, member_id: str) -> None:
        """The connection of a member broke: begin, or begin anew, the time for which the name is held."""
        self.release(member_id)
        if not self._stopped:
            self._graces[member_id] = self._clock.call_later(self._grace, self._expire, member_id)

    def release(self, member_id: str) -> None:
        """The member is back, or gone for good: there is nothing to end any more."""
        timer = self._graces.pop(member_id, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """No name is freed from now on: the next server of this room sees to that."""
        self._stopped = True
        for timer in self._graces.values():
            timer.cancel()
