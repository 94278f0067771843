"""Entering a room of a million messages against one of a hundred: to open it, and to read and search its history."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from pychat import ChatRoom
from pychat.model import Member, Message
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

    found = {"open the room": await median(rounds, enter)}
    room = ChatRoom(store=url)
    found["newest 50"] = await median(rounds, room.history)
    found["50 in the middle"] = await median(rounds, lambda: room.history(before=count // 2))
    found["search one word"] = await median(rounds, lambda: room.history(matching="word7"))
    await room.aclose()
    return found


async def main() -> None:
    """Fill two files, measure both, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (100, given.messages):
            url = f"sqlite:{Path(folder) / f'{count}.db'}"
            await fill(url, count)
            found.append(await measure(url, count, given.rounds))
    print(f"{'milliseconds, median':24}{'100':>10}{given.messages:>12,}{'ratio':>8}")
    for name, small in found[0].items():
        print(f"{name:24}{small:10.2f}{found[1][name]:12.2f}{found[1][name] / small:8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
