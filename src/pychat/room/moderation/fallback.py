"""The moderation records of a store; those in memory if the store keeps none."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from pychat.domain.moderation import Moderated
from pychat.stores import ModerationRecords, Store
from pychat.stores.memory.moderation_records import MemoryModeration
from pychat.stores.store import Receiver, Report

__all__ = ["Follower", "records_of"]


class Follower(Protocol):
    """Follows the records of a room."""

    room: str

    def received(self, moderated: Moderated) -> None:
        """The records were changed."""


class _Rooms(WeakValueDictionary[str, Follower]):
    """The rooms of a store that keeps no records."""

    def receivers(self, room: str) -> list[Receiver]:
        """The receivers of changes."""
        follower = self.get(room)

        def receive(report: Report) -> None:
            if follower is not None and isinstance(report, Moderated):
                follower.received(report)

        return [receive]


_of_stores: WeakKeyDictionary[Store, tuple[MemoryModeration, _Rooms]] = WeakKeyDictionary()


def records_of(store: Store, follower: Follower) -> ModerationRecords:
    """The moderation records of `store`. If it keeps none, they are in memory as long as the store object lives."""
    if store.moderation is not None:
        return store.moderation
    if store not in _of_stores:
        rooms = _Rooms()
        _of_stores[store] = MemoryModeration(rooms.receivers), rooms
    memory, rooms = _of_stores[store]
    rooms[follower.room] = follower
    return memory
