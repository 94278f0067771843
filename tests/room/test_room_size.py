"""What a room takes in memory, so that a process can have 10,000 of them open."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

from pychat import Chat, Request, RoomSettings, User
from pychat.domain.notices import Notice
from pychat.room.connection import Encoder
from pychat.room.session import Session
from pychat.testing import FakeClock

_ROOMS = 200
_WARM = 20
_MAX_BYTES = 6 * 1024


class _Nothing(Encoder):
    def encode(self, notice: Notice) -> None:
        """Encode nothing."""


class _Silent:
    """A connection that leads nowhere, and takes next to nothing."""

    __slots__ = ()

    encoder: Encoder = _Nothing()

    def send(self, frame: object) -> None:
        """Drop it."""

    def close(self, why: object) -> None:
        """Stay as it is."""


async def _find(_name: str, _request: Request) -> RoomSettings:
    return RoomSettings()


async def _bytes_each(*, apart: bool) -> float:
    """What each of so many members takes: all in one room, or `apart` in a room of their own each."""
    sessions: list[Session] = []
    clock = FakeClock()

    async def enter(number: int) -> None:
        name, user = f"room-{number if apart else 0}", User(f"{number}", f"Member {number}")
        room, grant = await chat.directory.find(name, user, Request("GET", "/ws", {}, {}, "192.0.2.1", name, None))
        sessions.append(await room.connect(_Silent(), user=user, grant=grant))

    async def settled() -> int:
        while any(len(room.core.tasks) for room in chat.directory):
            await asyncio.sleep(0)
        for _ in range(3):  # presence is told, and then nothing is left to tell
            await asyncio.sleep(0)
            clock.move(1)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    async with Chat(find_room=_find, clock=clock) as chat:
        for number in range(_WARM):
            await enter(number)
        tracemalloc.start()
        try:
            before = await settled()
            for number in range(_WARM, _WARM + _ROOMS):
                await enter(number)
            return (await settled() - before) / _ROOMS
        finally:
            tracemalloc.stop()


async def test_a_room_is_small_beside_its_connection() -> None:
    """A room with one member takes at most 6 KiB more than the same member takes in a room with many."""
    await _bytes_each(apart=True)  # the keys of names, and what else is made once
    together, apart = await _bytes_each(apart=False), await _bytes_each(apart=True)
    assert apart - together <= _MAX_BYTES
