"""A timeout of the Redis store ends what takes too long, and does not count what blocks the event loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from pychat.stores.redis.loop_timeout import LoopTimeout


async def test_what_takes_too_long_is_ended() -> None:
    """It is cancelled, and the caller gets a `TimeoutError`."""
    never = asyncio.Event()
    with pytest.raises(TimeoutError):
        async with LoopTimeout(0.05):
            await never.wait()


async def test_an_answer_that_came_while_the_loop_was_blocked_counts() -> None:
    """Although the time was over before the task could see the answer."""
    answer = asyncio.Event()
    async with LoopTimeout(0.5):
        asyncio.get_running_loop().call_soon(lambda: (time.sleep(1), answer.set()))
        await answer.wait()


async def test_a_caller_who_is_cancelled_is_not_told_of_a_timeout() -> None:
    """The two are not mixed up, and nothing remains to run."""
    never = asyncio.Event()

    async def wait() -> None:
        async with LoopTimeout(60):
            await never.wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
