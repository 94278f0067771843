"""A store with faults: it refuses, loses answers or is slow when a test says so. Several servers can share it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Joined, Left, LogEvent, Member, Renamed, Signal
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.names import Names
from pychat.stores import (
    Guests,
    MemoryStore,
    ModerationRecords,
    Page,
    PushRecords,
    ReaderRecords,
    Receiver,
    Report,
    RoomRecords,
    Store,
    Subscription,
)
from pychat.testing.clock import FakeClock

__all__ = ["FaultyStore"]


class FaultyStore(Store):
    """A store in memory, or a wrapper of `inner`, with faults that the test sets."""

    def __init__(self, inner: Store | None = None, *, clock: FakeClock | None = None) -> None:
        """`clock` must be moved for a `delay` to pass."""
        self.clock = clock or FakeClock()
        self._inner: Store = inner or MemoryStore(date=self.clock.date)
        self._here: dict[str, _Here] = defaultdict(_Here)
        self._failing = 0
        self._losing = 0
        self._busy = 0
        self._receivers: dict[tuple[str, Receiver], list[Receiver]] = {}
        #: How long each call takes, in seconds of the clock.
        self.delay = 0.0
        #: True if the store cannot be reached: each call is refused with `unavailable`.
        self.down = False

    @property
    def available(self) -> bool:
        """True if the store can be reached."""
        return not self.down and self._inner.available

    @property
    def guests(self) -> Guests | None:
        """What counts people without a nickname over several servers, if the store inside does."""
        return self._inner.guests

    @property
    def rooms(self) -> RoomRecords | None:
        """The records of rooms of the store inside, without faults."""
        return self._inner.rooms

    @property
    def readers(self) -> ReaderRecords | None:
        """The read positions of the store inside, without faults."""
        return self._inner.readers

    @property
    def push(self) -> PushRecords | None:
        """Those of the other store."""
        return self._inner.push

    @property
    def moderation(self) -> ModerationRecords | None:
        """The moderation records of the store inside, with the faults `down` and `delay`."""
        records = self._inner.moderation
        return None if records is None else _FaultyModeration(records, self._call)

    @property
    def busy(self) -> bool:
        """True while a call is running that does not wait for the clock."""
        return self._busy > 0

    def fails_next(self, count: int = 1) -> None:
        """Refuse the next `count` messages, edits, deletions or reactions with `unavailable`. They are not stored."""
        self._failing += count

    def loses_next(self, count: int = 1) -> None:
        """Store and deliver the next `count` events, but refuse them, as if the answer was lost."""
        self._losing += count

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Open the log of `room`, with the members on other servers."""
        async with self._call():
            here = self._here[room]

            def hear(event: Report) -> None:
                here.follow(event)
                receive(event)

            opening = await self._inner.subscribe(room, hear)
            self._receivers.setdefault((room, receive), []).append(hear)
            members = {member.id: member for member in (*opening.members, *here.members.values())}
            away = {member.id: member for member in (*opening.away, *here.away.values())}
            known = {member.id: member for member in (*opening.known, *here.known.values())}
            return replace(
                opening, members=tuple(members.values()), away=tuple(away.values()), known=tuple(known.values())
            )

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        """Stop calling `receive`."""
        for hear in self._receivers.pop((room, receive), ()):
            self._inner.unsubscribe(room, hear)

    async def append(self, room: str, event: LogEvent) -> LogEvent:
        """Store `event`, unless a fault is set."""
        async with self._call():
            if self._failing:
                self._failing -= 1
                raise _unavailable()
            stored = await self._inner.append(room, event)
            if self._losing:
                self._losing -= 1
                raise _unavailable()
            return stored

    async def signal(self, room: str, event: Signal) -> None:
        """Pass `event` on. Refuse it with `name_taken` if a member on another server has the name."""
        async with self._call():
            if isinstance(event, Joined | Renamed) and self._here[room].taken(event.member):
                raise Refused(
                    "name_taken", f"Somebody here has the name “{event.member.name}”. Please take another name."
                )
            await self._inner.signal(room, event)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """The log itself."""
        async with self._call():
            return await self._inner.events(room, after=after, limit=limit)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Messages as they stand."""
        async with self._call():
            return await self._inner.history(room, before=before, limit=limit, matching=matching)

    async def erase(
        self,
        room: str,
        *,
        author: str | None = None,
        before: float | None = None,
        seqs: Collection[int] | None = None,
    ) -> list[int]:
        """Take texts out of the log."""
        async with self._call():
            return await self._inner.erase(room, author=author, before=before, seqs=seqs)

    async def rooms_of(self, author: str) -> list[str]:
        """The rooms in which a member wrote something."""
        async with self._call():
            return await self._inner.rooms_of(author)

    async def aclose(self) -> None:
        """Close the store inside."""
        await self._inner.aclose()

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        if self.delay:
            passed = asyncio.Event()
            self.clock.call_later(self.delay, passed.set)
            await passed.wait()
        if self.down:
            raise _unavailable()
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1


@dataclass(slots=True)
class _FaultyModeration:
    """The moderation records `inner`; each call is within `call`."""

    inner: ModerationRecords
    call: Callable[[], AbstractAsyncContextManager[None]]

    async def load(self, room: str) -> tuple[tuple[Record, ...], int]:
        async with self.call():
            return await self.inner.load(room)

    async def change(
        self, room: str, changes: Sequence[Record | Removed], entry: AuditEntry | None, after: int
    ) -> Moderated:
        async with self.call():
            return await self.inner.change(room, changes, entry, after)

    async def audit(self, room: str, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        async with self.call():
            return await self.inner.audit(room, before, limit)


@dataclass(slots=True)
class _Here:
    """The members of a room on all servers."""

    members: dict[str, Member] = field(default_factory=dict)
    away: dict[str, Member] = field(default_factory=dict)
    known: dict[str, Member] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)  # key of a name -> id of the member who has it

    def taken(self, member: Member) -> bool:
        return not {self.holders.get(key) for key in Names.keys(member.name)} <= {None, member.id}

    def follow(self, event: Report) -> None:
        if isinstance(event, Joined | Renamed | Away | Left):
            member = event.member
            before = self.members.get(member.id) or self.away.get(member.id)
            for key in () if before is None else Names.keys(before.name):
                if self.holders.get(key) == member.id:
                    del self.holders[key]
            if not isinstance(event, Left):
                self.holders.update(dict.fromkeys(Names.keys(member.name), member.id))
            for where in (self.members, self.away, self.known):
                where.pop(member.id, None)
            where = self.away if isinstance(event, Away) else self.known if isinstance(event, Left) else self.members
            where[member.id] = member


def _unavailable() -> Refused:
    return Refused("unavailable", "The store cannot be reached, because a test says so. Try again.", 1.0)
