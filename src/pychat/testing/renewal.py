"""Give a room another store or clock for one test."""

# ruff: noqa: SLF001 -- only tests may do this, so `RoomBackend` has no method for it

from __future__ import annotations

from collections.abc import Callable

from pychat.room.backend import RoomBackend
from pychat.room.chatroom import ChatRoom
from pychat.room.clock import Clock
from pychat.stores import Store

__all__ = ["renew"]


def renew(room: ChatRoom, store: Store | None = None, clock: Clock | None = None) -> Callable[[], None]:
    """Restart `room` with another store or clock, and the same settings and hooks. Call the result to undo this.

    Connections stay with the old state of the room, and are not closed.
    """
    backend = room.backend
    before = {name: getattr(backend, name) for name in RoomBackend.__slots__ if name != "__weakref__"}
    if store is not None:
        backend._store, backend._url = store, None
    backend.clock = clock or backend.clock
    backend.core = backend._begin(backend.core.hooks.copy())

    def undo() -> None:
        for name, value in before.items():
            setattr(backend, name, value)

    return undo
