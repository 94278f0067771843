"""Entering a room of a million messages against one of a hundred: to open it, and to read and search its history."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import Result
from pychat import ChatRoom
from pychat.domain.model import Member, Message
from pychat.stores import open_store

AT_ONCE = 2000


async def fill(url: str, count: int) -> None:
    """Write `count` messages."""
    store = open_store(url)
    await store.subscribe("lobby", lambda _: None)
    author = Member("a", "Ada")
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(count, start + AT_ONCE))
        await asyncio.gather(
            *(store.append("lobby", Message(f"m{n}", author, f"message {n} of word{n % 997}", n)) for n in numbers)
        )
    await store.aclose()


async def median(rounds: int, work: Callable[[], Awaitable[object]]) -> float:
    """The median of so many rounds, in milliseconds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


async def measure(url: str, count: int, rounds: int) -> dict[str, float]:
    """What it takes to open the room, and to read it in several places."""

    async def enter() -> None:
        room = ChatRoom(store=url)
        await room.start()
        await room.aclose()

    found = {"open": await median(rounds, enter)}
    room = ChatRoom(store=url)
    found["newest"] = await median(rounds, room.history)
    found["middle"] = await median(rounds, lambda: room.history(before=count // 2))
    found["search"] = await median(rounds, lambda: room.history(matching="word7"))
    await room.aclose()
    return found


async def both(many: int, rounds: int) -> AsyncIterator[Result]:
    """What was found of a file of 100 messages, and of one of so many."""
    with tempfile.TemporaryDirectory() as folder:
        for label, count in (("few", 100), ("many", many)):
            url = f"sqlite:{Path(folder) / f'{label}.db'}"
            await fill(url, count)
            yield {"label": label, "count": count, **await measure(url, count, rounds)}


@dataclass
class History:
    """A long history, as a cell."""

    title: str = "a room of a million messages"
    servers: tuple[str, ...] = ("sqlite",)
    takes: float = 75
    most_rounds: dict[str, int] = field(default_factory=lambda: {"": 1})
    messages: int = 1_000_000

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Measure eleven times."""
        del name, seconds

        async def run() -> list[Result]:
            return [each async for each in both(self.messages, 11)]

        yield from asyncio.run(run())
