"""Gathers the read positions of members, and writes them to one store at most once a second."""

from __future__ import annotations

import asyncio
import logging
from itertools import islice

from pychat.domain.errors import Refused
from pychat.room.clock import Clock, Timer
from pychat.room.tasks import Tasks
from pychat.stores import ReaderRecords, Store

__all__ = ["ReadPositions"]

_log = logging.getLogger("pychat.room")
_GATHER_SECONDS = 1.0
_RETRY_SECONDS = 2.0  # while the store is unavailable
_CLOSING_TRIES = 3  # at shutdown
_AT_ONCE = 100  # rooms that are followed in one turn

_Key = tuple[str, str]  # member's id, room


class ReadPositions:
    """The positions that are not yet in `store`. Nothing is lost while the store is unavailable."""

    def __init__(self, store: Store, clock: Clock) -> None:
        #: The store of these positions.
        self.store = store
        self._clock = clock
        self._followed: dict[_Key, int] = {}
        self._read: dict[_Key, int] = {}
        self._tasks = Tasks()
        self._timer: Timer | None = None
        self._writing = asyncio.Lock()

    @property
    def records(self) -> ReaderRecords | None:
        """Where the positions are written; `None` if the store keeps none."""
        return self.store.readers

    @property
    def pending(self) -> bool:
        """True if something is not yet written."""
        return bool(self._followed or self._read)

    def follow(self, member_id: str, room: str, seq: int) -> None:
        """The member follows a room from now on, and has read it up to number `seq`. No-op if they follow it."""
        self._followed.setdefault((member_id, room), seq)
        self._schedule()

    def mark(self, member_id: str, room: str, seq: int) -> None:
        """The member has read a room up to number `seq`. No-op if they do not follow it, or have read more."""
        key = member_id, room
        if seq > self._read.get(key, 0):
            self._read[key] = seq
            self._schedule()

    async def unfollow(self, member_id: str, room: str) -> None:
        """Forget the position of a member. Raise `Refused` while the store is unavailable."""
        async with self._writing:
            self._followed.pop((member_id, room), None)
            self._read.pop((member_id, room), None)
            if self.records is not None:
                await self.records.unfollow(member_id, room)

    async def forget(self, member_id: str) -> None:
        """Forget everything about a member. Raise `Refused` while the store is unavailable."""
        async with self._writing:
            for gathered in (self._followed, self._read):
                for key in [key for key in gathered if key[0] == member_id]:
                    del gathered[key]
            if self.records is not None:
                await self.records.forget(member_id)

    async def flush(self) -> None:
        """Write everything that is gathered. Raise `Refused` while the store is unavailable; nothing is lost then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._writing:
            try:
                await self._write()
            except BaseException:
                self._schedule(_RETRY_SECONDS)
                raise

    async def aclose(self) -> None:
        """Write everything. Try again a few times while the store is unavailable."""
        for tries in range(1, _CLOSING_TRIES + 1):
            try:
                await self.flush()
            except Refused as refused:
                if tries == _CLOSING_TRIES:
                    _log.error("The read positions of the last seconds could not be stored: %s", refused.text)
                else:
                    await asyncio.sleep(_RETRY_SECONDS / 4)
            else:
                break
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def restart(self) -> None:
        """The event loop is a new one: the timers and tasks of the one before are gone."""
        self._timer, self._tasks, self._writing = None, Tasks(), asyncio.Lock()
        if self.pending:
            self._schedule()

    def _schedule(self, delay: float = _GATHER_SECONDS) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        self._tasks.spawn(self._flush_or_retry())

    async def _flush_or_retry(self) -> None:
        try:
            await self.flush()
        except Refused:
            pass  # it is tried again
        except Exception:
            _log.exception("Read positions could not be stored; they are kept for another attempt")

    async def _write(self) -> None:
        followed, self._followed = self._followed, {}
        read, self._read = self._read, {}
        records = self.records
        if records is None or not (followed or read):
            return
        try:
            while followed:
                some = list(islice(followed.items(), _AT_ONCE))
                calls = (_follow(records, member_id, room, seq) for (member_id, room), seq in some)
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
                for (key, _), outcome in zip(some, outcomes, strict=True):
                    if outcome is not None:
                        raise outcome
                    del followed[key]
            if read:
                await records.mark((member_id, room, seq) for (member_id, room), seq in read.items())
        except BaseException:
            # What was gathered meanwhile is newer, but who followed a room first has read less of it.
            self._followed = {**self._followed, **followed}
            for key, seq in read.items():
                self._read[key] = max(seq, self._read.get(key, 0))
            raise


async def _follow(records: ReaderRecords, member_id: str, room: str, seq: int) -> None:
    try:
        await records.follow(member_id, room, seq)
    except Refused as refused:
        if refused.code != "unknown_room":  # it was deleted meanwhile
            raise
