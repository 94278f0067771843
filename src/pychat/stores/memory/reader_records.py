"""What members have read, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from pychat.stores.memory.logs import Logs
from pychat.stores.reader_records import MAX_GUESTS, Unread, is_guest

__all__ = ["MemoryReaders"]


class MemoryReaders:
    """See `pychat.stores.ReaderRecords`."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._positions: dict[str, dict[str, int]] = {}  # member's id -> room -> read position
        self._blocked: dict[str, set[str]] = {}

    async def follow(self, member_id: str, room: str, seq: int | None = None) -> None:
        log = self._logs.open(room)
        if member_id not in log.followers:
            log.followers.add(member_id)
            if is_guest(member_id):
                log.guests = log.guests or OrderedDict()
                log.guests[member_id] = None
                if len(log.guests) > MAX_GUESTS:
                    await self.unfollow(next(iter(log.guests)), room)
        head = log.seq if seq is None else max(0, min(seq, log.seq))
        self._positions.setdefault(member_id, {}).setdefault(room, head)

    async def unfollow(self, member_id: str, room: str) -> None:
        log = self._logs.find(room)
        if log is not None and member_id in log.followers:
            log.followers.remove(member_id)
            if log.guests is not None:
                log.guests.pop(member_id, None)
            self._logs.let_go(room)
            self.left(room, [member_id])

    async def mark(self, reads: Iterable[tuple[str, str, int]]) -> None:
        for member_id, room, seq in reads:
            log, positions = self._logs.find(room), self._positions.get(member_id)
            if log is not None and positions is not None and room in positions:
                positions[room] = max(positions[room], min(seq, log.seq))

    async def unread(self, member_ids: Collection[str]) -> dict[str, tuple[Unread, ...]]:
        return {
            member_id: tuple(
                Unread(room, seq, *log.unread(member_id, seq))
                for room, seq in sorted(self._positions.get(member_id, {}).items())
                if (log := self._logs.find(room)) is not None
            )
            for member_id in member_ids
        }

    async def block(self, member_id: str, other: str, on: bool) -> None:
        others = self._blocked.setdefault(member_id, set())
        if on:
            others.add(other)
        else:
            others.discard(other)
        if not others:
            del self._blocked[member_id]

    async def blocked(self, member_id: str) -> frozenset[str]:
        return frozenset(self._blocked.get(member_id, ()))

    async def forget(self, member_id: str) -> None:
        self._blocked.pop(member_id, None)
        for room in list(self._positions.get(member_id, ())):
            await self.unfollow(member_id, room)

    def left(self, room: str, member_ids: Iterable[str]) -> None:
        """Forget the positions of these members in a room."""
        for member_id in member_ids:
            positions = self._positions[member_id]
            del positions[room]
            if not positions:
                del self._positions[member_id]
