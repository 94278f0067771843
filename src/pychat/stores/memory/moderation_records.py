"""Moderation records, in memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.domain.strictjson import dumps
from pychat.stores.moderation_codec import as_stored, encode_entry
from pychat.stores.moderation_records import MAX_ENTRIES, Conflict
from pychat.stores.store import Receiver

__all__ = ["MemoryModeration"]


@dataclass(slots=True)
class _Room:
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    version: int = 0
    entries: deque[AuditEntry] = field(default_factory=lambda: deque(maxlen=MAX_ENTRIES))  # the newest last
    #: How many records there were after those that had ended were removed.
    kept: int = 0


class MemoryModeration:
    """See `pychat.stores.ModerationRecords`."""

    def __init__(
        self, receivers: Callable[[str], Sequence[Receiver]], *, date: Callable[[], float] = time.time
    ) -> None:
        """`receivers` returns the subscribers of a room, or raises `Refused` if the room was deleted."""
        self._receivers = receivers
        self._date = date
        self._rooms: dict[str, _Room] = {}

    async def load(self, room: str) -> tuple[tuple[Record, ...], int]:
        found = self._rooms.get(room)
        if found is None:
            return (), 0
        self._remove_ended(found)
        return tuple(found.records.values()), found.version

    async def change(
        self, room: str, changes: Sequence[Record | Removed], entry: AuditEntry | None, after: int
    ) -> Moderated:
        receivers = self._receivers(room)
        found = self._rooms.get(room) or _Room()
        if found.version != after:
            raise Conflict
        if entry is not None:
            entry = replace(entry, number=found.entries[-1].number + 1 if found.entries else 1)
        stored = as_stored(Moderated(tuple(changes), after + 1, entry))
        self._rooms[room] = found
        for change in stored.changes:
            if isinstance(change, Record):
                found.records[change.kind, change.key] = change
            else:
                found.records.pop((change.kind, change.key), None)
        found.version = stored.version
        if stored.entry is not None:
            found.entries.append(stored.entry)
        if len(found.records) > 2 * found.kept + 100:
            self._remove_ended(found)
        for receive in receivers:
            receive(stored)
        return stored

    async def audit(self, room: str, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        found = self._rooms.get(room)
        if found is None or not found.entries:
            return []
        newest = found.entries[-1].number
        skipped = 0 if before is None else max(0, newest + 1 - before)
        return list(islice(reversed(found.entries), skipped, skipped + max(0, limit)))

    async def erase(self, room: str, erasure: ModerationErasure) -> None:
        """Erase from the records and entries of a room."""
        found = self._rooms.get(room)
        if found is None:
            return
        found.entries = deque(map(erasure.entry, found.entries), MAX_ENTRIES)
        self._remove_ended(found)
        changes = erasure.changes(found.records.values())
        if changes:
            await self.change(room, changes, None, found.version)

    def rooms_of(self, author: str) -> set[str]:
        """Return the names of the rooms with records or entries that name a member."""
        ids = [dumps(each) for each in ModerationErasure(author).ids]
        return {
            room for room, found in self._rooms.items() if any(each in text for text in _texts(found) for each in ids)
        }

    def delete(self, room: str) -> None:
        """Delete what a room has."""
        self._rooms.pop(room, None)

    def clear(self) -> None:
        """Forget everything."""
        self._rooms.clear()

    def _remove_ended(self, found: _Room) -> None:
        """Remove the records that have ended. It takes time for all of them, so not at each change."""
        now = self._date()
        found.records = {key: each for key, each in found.records.items() if each.until is None or each.until > now}
        found.kept = len(found.records)


def _texts(found: _Room) -> Iterator[str]:
    for (_, key), record in found.records.items():
        yield dumps([key, record.data])
    yield from map(encode_entry, found.entries)
