"""Limits how many reading requests run at the same time: a few in total, and one for each author."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

__all__ = ["Turns"]

_AT_ONCE = 4


class Turns:
    """A queue before the store: a client with many requests waits for its own, and others are served in between."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._all: asyncio.Semaphore
        self._each: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """Wait for the turn of `who`, and hold it within the block."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a mount may be started again, in another loop
            self._loop, self._all = loop, asyncio.Semaphore(_AT_ONCE)
            self._each.clear()
        lock = self._each.get(who)
        if lock is None:
            lock = self._each[who] = asyncio.Lock()
        async with lock, self._all:
            yield
