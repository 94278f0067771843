"""Moderation records in memory, for stores that keep none. They last as long as the store object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.stores import Conflict, ModerationRecords, Store
from pychat.stores.moderation_records import MAX_ENTRIES

__all__ = ["MemoryRecords", "records_of"]

_of_stores: WeakKeyDictionary[Store, MemoryRecords] = WeakKeyDictionary()


class _Room:
    """The records of one room."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.entries: list[AuditEntry] = []
        self.version = 0
        self.numbered = 0
        self.deliver: Callable[[Moderated], None] | None = None


class MemoryRecords(ModerationRecords):
    """The moderation records of the rooms of one process: see `ModerationRecords`."""

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}

    def follow(self, room: str, deliver: Callable[[Moderated], None]) -> None:
        """Deliver the changes of a room to `deliver` from now on."""
        self._rooms.setdefault(room, _Room()).deliver = deliver

    async def load(self, room: str) -> tuple[tuple[Record, ...], int]:
        """See `ModerationRecords.load`."""
        kept = self._rooms.get(room)
        return ((), 0) if kept is None else (tuple(kept.records.values()), kept.version)

    async def change(
        self, room: str, changes: Sequence[Record | Removed], entry: AuditEntry | None, after: int
    ) -> Moderated:
        """See `ModerationRecords.change`."""
        kept = self._rooms.setdefault(room, _Room())
        if kept.version != after:
            raise Conflict
        for change in changes:
            if isinstance(change, Record):
                kept.records[change.kind, change.key] = change
            else:
                kept.records.pop((change.kind, change.key), None)
        if entry is not None:
            kept.numbered += 1
            entry = replace(entry, number=kept.numbered)
            kept.entries.append(entry)
            del kept.entries[:-MAX_ENTRIES]
        kept.version += 1
        moderated = Moderated(tuple(changes), kept.version, entry)
        if kept.deliver is not None:
            kept.deliver(moderated)
        return moderated

    async def audit(self, room: str, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """See `ModerationRecords.audit`."""
        kept = self._rooms.get(room)
        entries = [] if kept is None else kept.entries
        return [each for each in reversed(entries) if before is None or each.number < before][:limit]


def records_of(store: Store, room: str, deliver: Callable[[Moderated], None]) -> ModerationRecords:
    """The moderation records of `store`. If it keeps none, changes of `room` in memory are delivered to `deliver`."""
    if store.moderation is not None:
        return store.moderation
    memory = _of_stores.get(store)
    if memory is None:
        memory = _of_stores[store] = MemoryRecords()
    memory.follow(room, deliver)
    return memory
