"""Keeps the searches of a store from slowing down everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pychat.domain.errors import Refused

__all__ = ["SearchTurns"]

_MAX_WAITING = 100
_RETRY_SECONDS = 2.0


class SearchTurns:
    """Searches run in short steps, one step at a time. After each, all searches rest for as long as it took."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock: asyncio.Lock
        self._waiting = 0

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """Wait for the turn of a step, and hold it within the block. Raise `Refused` if too many wait."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a store may be used again, in another loop
            self._loop, self._lock, self._waiting = loop, asyncio.Lock(), 0
        lock = self._lock
        if self._waiting >= _MAX_WAITING:
            raise Refused("unavailable", "Too many people search at the moment. Try again.", _RETRY_SECONDS)
        self._waiting += 1
        try:
            await lock.acquire()
        finally:
            self._waiting -= 1
        began = loop.time()
        try:
            yield
        finally:
            loop.call_later(loop.time() - began, lock.release)
