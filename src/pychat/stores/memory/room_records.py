"""The records of rooms, in memory."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import replace

from pychat.domain.strictjson import dumps, loads
from pychat.stores.memory.logs import Logs
from pychat.stores.memory.moderation_records import MemoryModeration
from pychat.stores.memory.reader_records import MemoryReaders
from pychat.stores.room_records import RoomRecord

__all__ = ["MemoryRooms"]


class MemoryRooms:
    """See `pychat.stores.RoomRecords`."""

    def __init__(self, logs: Logs, readers: MemoryReaders, moderation: MemoryModeration, secret: bytes) -> None:
        self._logs = logs
        self._readers = readers
        self._moderation = moderation
        self._secret = secret
        self._records: dict[str, RoomRecord] = {}
        self._names: list[str] = []  # in order

    async def secret(self) -> bytes:
        return self._secret

    async def save(self, record: RoomRecord) -> None:
        settings = loads(dumps(record.settings))  # the caller may change its own later
        if record.name not in self._records:
            insort(self._names, record.name)
        self._records[record.name] = replace(record, settings=settings)
        self._logs.revive(record.name)

    async def find(self, name: str) -> RoomRecord | None:
        return self._records.get(name)

    async def page(self, after: str = "", limit: int = 100, *, listed_only: bool = False) -> list[RoomRecord]:
        found = list[RoomRecord]()
        index = bisect_right(self._names, after)
        while index < len(self._names) and len(found) < limit:
            record = self._records[self._names[index]]
            if record.listed or not listed_only:
                found.append(record)
            index += 1
        return found

    async def delete(self, name: str) -> None:
        if self._records.pop(name, None) is not None:
            self._names.remove(name)
        self._moderation.delete(name)
        log = self._logs.delete(name)
        if log is not None:
            self._readers.left(name, log.followers)
