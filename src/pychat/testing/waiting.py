"""How a test waits: for turns of the event loop, for seconds of its own clock, and a little real time at the most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pychat.room.workers import working
from pychat.testing.clock import FakeClock
from pychat.testing.faults import FaultyStore

__all__ = ["Waiting"]

_T = TypeVar("_T")
_QUIET = 10  # turns of the loop in which nothing is begun: what was begun before has led nowhere further
_GLANCE = 0.001  # seconds between two looks at what threads, sockets or other tasks may bring


class Waiting:
    """Waits on the running event loop; `patience` is in real seconds, which only failures and other programs take."""

    def __init__(self, clock: FakeClock, store: FaultyStore, patience: float) -> None:
        self.clock = clock
        self.store = store
        self.patience = patience

    async def until(self, so: Callable[[], bool]) -> bool:
        """Wait until it is `so`; whether it is."""
        for _ in range(_QUIET):
            if so():
                return True
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        end = loop.time() + self.patience
        while not so():
            if loop.time() >= end:
                return False
            await asyncio.sleep(_GLANCE)
        return True

    async def settle(self) -> None:
        """Let everything happen that has been set going, as far as it is pychat's."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.patience
        quiet = 0
        while quiet < _QUIET:
            busy = self.store.busy or working()  # hooks that are plain functions run in threads
            await asyncio.sleep(_GLANCE if busy and quiet == 0 else 0)
            quiet = 0 if busy and loop.time() < end else quiet + 1

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass on the clock; what each timer sets going has happened before the next one goes off."""
        end = self.clock.steady() + seconds
        await self.settle()
        while (due := self.clock.next_timer) is not None and self.clock.steady() + due <= end + 1e-6:
            self.clock.move(due)
            await self.settle()
        self.clock.move(max(0.0, end - self.clock.steady()))

    async def answer(self, doing: Awaitable[_T], to: str) -> _T:
        """What comes of `doing`; do not wait for ever for the answer `to` it."""
        __tracebackhide__ = True
        try:
            async with asyncio.timeout(self.patience):
                return await doing
        except TimeoutError:
            why = (
                "The store's delay passes only when the clock is moved: begin this with asyncio.create_task, "
                "then `await chat.sleep(…)`."
                if self.store.delay
                else "A hook or a store may be waiting for something; `chat.patience` says how long a test waits."
            )
            raise AssertionError(f"{to} had no answer in {self.patience:g} seconds. {why}") from None
