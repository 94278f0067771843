"""Give a room another store or clock for one test."""

# ruff: noqa: SLF001 -- only tests may do this, so `ChatRoom` has no method for it

from __future__ import annotations

from collections.abc import Callable

from pychat.room.chatroom import ChatRoom
from pychat.room.clock import Clock
from pychat.stores import Store

__all__ = ["renew"]


def renew(room: ChatRoom, store: Store | None = None, clock: Clock | None = None) -> Callable[[], None]:
    """Restart `room` with another store or clock, and the same settings and hooks. Call the result to undo this.

    Connections stay with the old state of the room, and are not closed.
    """
    before = dict(vars(room))
    if store is not None:
        room._store, room._url = store, None
    room.clock = clock or room.clock
    room._core = room._begin(store=room._store, clock=room.clock, hooks=room._core.hooks.copy())
    return lambda: vars(room).update(before)
