"""Many rooms in one process: the memory of 10,000 open ones with a member each, and of 50,000 that were left again."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.found import Found
from benchmarks.load import Result
from pychat import Chat, Request, RoomSettings, User
from pychat.domain.errors import Close
from pychat.domain.notices import Notice
from pychat.room.connection import Encoder
from pychat.room.session import Session
from pychat.testing import FakeClock

OPEN = 10_000
LEFT = 50_000
WARM = 5_000  # rooms that are opened and left before: the allocator keeps the memory of the first
AT_ONCE = 1_000  # rooms that are open at one time, of those that are left again


class _Nothing(Encoder):
    def encode(self, notice: Notice) -> None:
        """Encode nothing."""


class _Silent:
    """A connection that leads nowhere: what it takes is not the room's."""

    __slots__ = ()

    encoder: Encoder = _Nothing()

    def send(self, frame: object) -> None:
        """Drop it."""

    def close(self, why: Close) -> None:
        """Stay as it is."""


async def _find(_name: str, _request: Request) -> RoomSettings:
    return RoomSettings()


async def enter(chat: Chat, name: str, user: User | None) -> Session:
    """Let somebody into the room of that name, as a transport does."""
    room, grant = await chat.directory.find(name, user, Request("GET", "/ws", {}, {}, "192.0.2.1", name, None))
    return await room.connect(_Silent(), user=user, grant=grant)


def memory() -> int:
    """The bytes of memory that this process takes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def open_rooms(number: int, *, apart: bool) -> float:
    """The bytes that each of so many people takes: all in one room, or `apart` in a room of their own each."""
    people: list[Session] = []
    async with Chat(find_room=_find) as chat:
        for begin, end in ((0, AT_ONCE), (AT_ONCE, AT_ONCE + number)):
            before = memory()
            people += [
                await enter(chat, f"room-{each if apart else 0}", User(f"{each}", f"Member {each}"))
                for each in range(begin, end)
            ]
            await asyncio.sleep(1)  # presence is told
        return (memory() - before) / number


async def leave_rooms(number: int) -> float:
    """The bytes that remain of each of so many rooms that were opened, and left by the one who was there."""
    clock = FakeClock()
    async with Chat(find_room=_find, grace=0, clock=clock) as chat:
        before = 0
        for begin in range(0, WARM + number, AT_ONCE):
            if begin == WARM:
                before = memory()
            people = [await enter(chat, f"room-{each}", None) for each in range(begin, begin + AT_ONCE)]
            for each in people:
                await each.join("Ada")
                await each.close()
            while len(chat.directory.rooms):
                clock.move(60)  # after which an empty room is let go
                await asyncio.sleep(0)
        del people, each
        return (memory() - before) / number


@dataclass
class OpenRooms:
    """Rooms by the thousand, as a cell."""

    title: str = "rooms in one process"
    servers: tuple[str, ...] = ("pychat",)
    takes: float = 60
    most_rounds: dict[str, int] = field(default_factory=lambda: {"": 1})

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Measure each in a process of its own."""
        del name, seconds
        for what in ("together", "apart", "left"):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.open_rooms", what], capture_output=True, text=True, check=True
            )
            yield {"label": what, **json.loads(done.stdout)}


def room_kib(found: Found) -> float | None:
    """The KiB that an open room with one member takes beside the connection."""
    together, apart = (found.median("open_rooms", "pychat", label, "bytes") for label in ("together", "apart"))
    return None if together is None or apart is None else (apart - together) / 1024


if __name__ == "__main__":
    work = leave_rooms(LEFT) if sys.argv[1] == "left" else open_rooms(OPEN, apart=sys.argv[1] == "apart")
    print(json.dumps({"bytes": asyncio.run(work)}))
