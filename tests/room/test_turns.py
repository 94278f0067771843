"""Expensive work is spread over turns of the event loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from pychat.room.turns import Turns


async def test_one_in_each_turn_in_order():
    """Whoever came first goes first, and at most one goes in a turn of the event loop."""
    turns, turn, went = Turns(), 0, []

    async def go(number: int) -> None:
        await turns.wait()
        went.append((number, turn))

    tasks = [asyncio.create_task(go(number)) for number in range(20)]
    while not all(task.done() for task in tasks):
        turn += 1
        await asyncio.sleep(0)
    assert [number for number, _ in went] == list(range(20))
    assert len({turn for _, turn in went}) == 20


async def test_who_gives_up_holds_up_nobody():
    """A caller that is cancelled, waiting or next, lets the following ones through."""
    turns = Turns()
    tasks = [asyncio.create_task(turns.wait()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in (tasks[0], tasks[2]):
        task.cancel()
    async with asyncio.timeout(5):
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await turns.wait()


def test_another_event_loop_begins_anew():
    """A room that is opened again under another event loop waits for nobody of the first."""
    turns = Turns()

    async def first() -> None:
        for _ in range(3):
            asyncio.create_task(turns.wait())  # noqa: RUF006
        await asyncio.sleep(0)

    asyncio.run(first())

    async def second() -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(turns.wait(), turns.wait())

    asyncio.run(second())
