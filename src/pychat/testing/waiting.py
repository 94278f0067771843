"""Waits in a test: for turns of the event loop, for seconds of the fake clock, and up to a timeout in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pychat.room.workers import working
from pychat.testing.clock import FakeClock
from pychat.testing.faults import FaultyStore

__all__ = ["Waiting"]

_T = TypeVar("_T")
_QUIET = 10  # turns of the loop without work, after which everything counts as finished
_POLL_SECONDS = 0.001  # between two checks for the work of threads, sockets or other tasks


class Waiting:
    """Waits on the running event loop. `timeout` is in real seconds."""

    def __init__(self, clock: FakeClock, store: FaultyStore, timeout: float) -> None:
        self.clock = clock
        self.store = store
        self.timeout = timeout

    async def until(self, so: Callable[[], bool]) -> bool:
        """Wait until `so` returns true. Return false after the timeout."""
        for _ in range(_QUIET):
            if so():
                return True
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        end = loop.time() + self.timeout
        while not so():
            if loop.time() >= end:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def settle(self) -> None:
        """Wait until everything that pychat has started is finished."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.timeout
        quiet = 0
        while quiet < _QUIET:
            busy = self.store.busy or working()  # hooks that are plain functions run in threads
            await asyncio.sleep(_POLL_SECONDS if busy and quiet == 0 else 0)
            quiet = 0 if busy and loop.time() < end else quiet + 1

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass on the clock. The effects of each timer are finished before the next one fires."""
        end = self.clock.steady() + seconds
        await self.settle()
        while (due := self.clock.next_timer) is not None and self.clock.steady() + due <= end + 1e-6:
            self.clock.move(due)
            await self.settle()
        self.clock.move(max(0.0, end - self.clock.steady()))

    async def answer(self, doing: Awaitable[_T], to: str) -> _T:
        """Await `doing`, up to the timeout. `to` names it in the error."""
        __tracebackhide__ = True
        try:
            async with asyncio.timeout(self.timeout):
                return await doing
        except TimeoutError:
            why = (
                "The store's delay passes only when the clock is moved: begin this with asyncio.create_task, "
                "then `await chat.sleep(…)`."
                if self.store.delay
                else "A hook or a store may be waiting for something; `chat.timeout` says how long a test waits."
            )
            raise AssertionError(f"{to} had no answer in {self.timeout:g} seconds. {why}") from None
