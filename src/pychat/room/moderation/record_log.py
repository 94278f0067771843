"""The moderation records of one room, as the store delivers them: loaded, changed one after the other, and expired."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pychat.domain.decision import Decision
from pychat.domain.errors import Refused
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.moderation_state import ModerationState
from pychat.room.clock import Clock, Timer
from pychat.room.moderation.fallback import records_of
from pychat.room.tasks import Tasks
from pychat.stores import Conflict, ModerationRecords, Store

__all__ = ["RecordFollower", "RecordLog"]

_limited = RateLimitedLogger(logging.getLogger("pychat.room"), time.monotonic)
_TRIES = 8  # to change records that other servers change at the same moment
_BEHIND_SECONDS = 8.0  # to wait for a change that the store has, and has not delivered yet
_RETRY_SECONDS = 2.0  # until records are loaded again that could not be loaded
_MAX_SLEEP = 3600.0  # seconds until the date is looked at again, which may jump

#: The state of rooms without records. It is never changed.
_EMPTY = ModerationState()


class RecordFollower(Protocol):
    """Is told of changes of the records, after they were applied."""

    def changed(self, changes: Sequence[Record | Removed], entry: AuditEntry | None) -> None:
        """Records were changed by an action with that entry, or have ended."""

    def reloaded(self) -> None:
        """Any record may have changed."""


class RecordLog:
    """The records of one room. Each change is decided for the newest records, and stored only if they still are."""

    __slots__ = (
        "__weakref__",
        "_clock",
        "_follower",
        "_lock",
        "_reached",
        "_reloading",
        "_retry",
        "_store",
        "_tasks",
        "_timer",
        "room",
        "state",
    )

    def __init__(self, room: str, store: Store, follower: RecordFollower, *, tasks: Tasks, clock: Clock) -> None:
        #: The name of the room.
        self.room = room
        self._store = store
        self._follower = follower
        self._tasks = tasks
        self._clock = clock
        self._lock: asyncio.Lock | None = None  # held by the change that is under way
        self._reached: asyncio.Event | None = None  # set by each change that is delivered, while somebody waits
        self._reloading: bool | None = None  # while records are loaded anew: whether they must be loaded once more
        self._retry: Timer | None = None  # to load the records that could not be loaded
        self._timer: tuple[float, Timer] | None = None  # when the next record ends
        #: What the records say.
        self.state = _EMPTY

    @property
    def records(self) -> ModerationRecords:
        """The records in the store."""
        return records_of(self._store, self)

    def load(self, records: Iterable[Record], version: int) -> None:
        """Begin, or begin anew, with what the store holds."""
        records = tuple(records)
        self.state = ModerationState(records, version) if version else _EMPTY
        self._wake()
        self._schedule()

    def received(self, moderated: Moderated) -> None:
        """The store delivered a change."""
        if moderated.version <= self.state.version:
            return  # it is in the records that were loaded
        if moderated.version > self.state.version + 1:
            self.reload()
            return
        if self.state is _EMPTY:
            self.state = ModerationState()
        self.state.apply(moderated)
        self._wake()
        self._schedule()
        self._follower.changed(moderated.changes, moderated.entry)

    def reload(self) -> None:
        """Changes may have been missed: load the records anew, soon."""
        if self._reloading is None:
            self._reloading = False
            self._tasks.spawn(self._reload())
        else:
            self._reloading = True

    async def _reload(self) -> None:
        try:
            while True:
                self._reloading = False
                records, version = await self.records.load(self.room)
                if version >= self.state.version:
                    self.load(records, version)
                    self._follower.reloaded()
                if not self._reloading:
                    return
        except Refused as refused:
            _limited.warning("The moderation records of room %s could not be loaded: %s", self.room, refused)
            self._retry = self._clock.call_later(_RETRY_SECONDS, self.reload)
        finally:
            self._reloading = None

    async def change(self, decide: Callable[[], Decision | None]) -> AuditEntry | None:
        """Store what `decide` returns for the newest records, and return its entry; `None` if it changes nothing.

        `decide` is called again if somebody else changed the records first. The changes were applied when this returns.
        """
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            for _ in range(_TRIES):
                version, decision = self.state.version, decide()
                if decision is None:
                    return None
                try:
                    moderated = await self.records.change(self.room, decision.changes, decision.entry, version)
                except Conflict:
                    await self._wait_for(version + 1)
                else:
                    await self._wait_for(moderated.version)
                    return moderated.entry
        raise Refused("unavailable", "Many people change this room at the same moment. Try again.", 1.0)

    async def audit(self, before: int | None, limit: int) -> list[AuditEntry]:
        """At most `limit` entries with numbers below `before`, the newest first."""
        return await self.records.audit(self.room, before, limit)

    async def _wait_for(self, version: int) -> None:
        """Wait until the change of that version was applied. Raise `Refused` if it does not come."""
        if self.state.version >= version:
            return
        late = self._clock.call_later(_BEHIND_SECONDS, self.reload)
        end = self._clock.call_later(2 * _BEHIND_SECONDS, self._wake)
        give_up = self._clock.steady() + 2 * _BEHIND_SECONDS
        try:
            while self.state.version < version:
                if self._clock.steady() >= give_up:
                    raise Refused("unavailable", "This server is behind the others. Please try again in a moment.", 1.0)
                self._reached = self._reached or asyncio.Event()
                await self._reached.wait()
        finally:
            late.cancel()
            end.cancel()

    def _wake(self) -> None:
        reached, self._reached = self._reached, None
        if reached is not None:
            reached.set()

    # Records end by themselves.

    def _schedule(self) -> None:
        """Set the timer for the next record that ends."""
        end = self.state.next_end
        if self._timer is not None:
            if self._timer[0] == end:
                return
            self._timer[1].cancel()
            self._timer = None
        if end is not None:
            wait = min(max(0.0, end - self._clock.date()), _MAX_SLEEP)
            self._timer = end, self._clock.call_later(wait, self._ended)

    def _ended(self) -> None:
        self._timer = None
        ended = self.state.expire(self._clock.date())
        self._schedule()
        if ended:
            self._follower.changed([Removed(each.kind, each.key) for each in ended], None)

    def stop(self) -> None:
        """The room closes."""
        if self._retry is not None:
            self._retry.cancel()
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None
