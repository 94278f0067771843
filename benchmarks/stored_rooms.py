"""A hundred thousand rooms in one store against ten: to open one, to list them, and to count unread messages."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.history import AT_ONCE, median
from benchmarks.load import Result
from pychat import ChatRoom
from pychat.domain.model import Member, Message
from pychat.stores import RoomRecord, open_store
from pychat.stores.sqlite import SqliteStore

__all__ = ["FOLLOWED", "StoredRooms"]

FOLLOWED = 500  # rooms of one person
UNREAD = 10_000  # messages of one of these rooms; the others have one
ADA = Member("a", "Ada")


def name(number: int) -> str:
    """The name of a room."""
    return f"room-{number:06}"


async def fill(url: str, count: int) -> None:
    """Make so many rooms with a message in each, and somebody who follows the first of them."""
    store = open_store(url)
    for start in range(0, count, AT_ONCE):
        names = [name(number) for number in range(start, min(count, start + AT_ONCE))]
        await asyncio.gather(*(store.rooms.save(RoomRecord(each, each)) for each in names if store.rooms))
        await asyncio.gather(
            *(store.append(each, Message("m", ADA, "hello", 1.7e9, mentions=("b",))) for each in names)
        )
    assert store.readers is not None
    for number in range(min(count, FOLLOWED)):
        await store.readers.follow("b", name(number), 0)
    for start in range(0, UNREAD, AT_ONCE):
        texts = [Message(f"n{start + each}", ADA, "hello", 1.7e9) for each in range(AT_ONCE)]
        await asyncio.gather(*(store.append(name(0), each) for each in texts))
    await store.aclose()


async def measure(path: Path, count: int, rounds: int) -> dict[str, float]:
    """What each of these takes, in milliseconds."""

    async def start() -> None:
        store = SqliteStore(path)
        await store.open()
        await store.aclose()

    found = {"start": await median(5, start)}
    store = SqliteStore(path)
    await store.open()
    opened = iter(range(1, count, max(1, count // (rounds + 2))))

    async def enter() -> None:
        room = ChatRoom(name(next(opened)), store=store)
        await room.start()
        await room.aclose()

    found["open"] = await median(min(rounds, 8), enter)
    found["unread"] = await median(rounds, lambda: store.readers.unread(["b"]))
    found["page"] = await median(rounds, lambda: store.rooms.page(name(count // 2), 100))
    found["listed"] = await median(rounds, lambda: store.rooms.page(name(count // 2), 100, listed_only=True))
    await store.aclose()
    return found


async def both(many: int, rounds: int) -> AsyncIterator[Result]:
    """What was found of a file of ten rooms, and of one of so many."""
    with tempfile.TemporaryDirectory() as folder:
        for label, count in (("few", 10), ("many", many)):
            path = Path(folder) / f"{label}.db"
            await fill(f"sqlite:{path}", count)
            yield {"label": label, "count": count, **await measure(path, count, rounds)}


@dataclass
class StoredRooms:
    """Many rooms in one store, as a cell."""

    title: str = "a hundred thousand rooms in one store"
    servers: tuple[str, ...] = ("sqlite",)
    takes: float = 60
    most_rounds: dict[str, int] = field(default_factory=lambda: {"": 1})
    rooms: int = 100_000

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Measure each of them many times."""
        del name, seconds

        async def run() -> list[Result]:
            return [each async for each in both(self.rooms, 51)]

        yield from asyncio.run(run())
