"""Requests that look things up take turns."""

from __future__ import annotations

import asyncio
import gc

from pychat.web.api.turns import Turns


async def test_few_at_once_and_one_of_each() -> None:
    """Four at once, one of each who asks; who asks for much does not stand before others; who gives up leaves no gap."""
    turns, begun, go = Turns(), list[str](), asyncio.Event()

    async def ask(who: str) -> None:
        async with turns.turn(who):
            begun.append(who)
            await go.wait()

    greedy = [asyncio.create_task(ask("a")) for _ in range(50)]
    others = [asyncio.create_task(ask(who)) for who in "bcdef"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ["a", "b", "c", "d"] == begun
    greedy[1].cancel()
    others[3].cancel()
    await asyncio.gather(greedy[1], others[3], return_exceptions=True)
    go.set()
    await asyncio.gather(*greedy[2:], *others[:3], others[4])
    assert 49 == begun.count("a")
    assert "f" in begun
    assert begun.index("f") < 10
    del greedy, others
    gc.collect()
    assert not turns._each


def test_a_second_loop_has_turns_too() -> None:
    """What waited in an event loop that has ended does not stand in the way of the next."""
    turns = Turns()

    async def crowd() -> None:
        async def ask(who: str) -> None:
            async with turns.turn(who):
                await asyncio.sleep(0)

        await asyncio.gather(*(ask(f"{number % 7}") for number in range(30)))

    asyncio.run(crowd())
    asyncio.run(crowd())
