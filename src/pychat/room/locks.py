"""Locks by key. The callers with the same key wait in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Locks"]


class Locks:
    """One lock for each key that is in use."""

    __slots__ = ("_locks",)

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, list[None]]] | None = None  # `None` while no key is in use

    def __len__(self) -> int:
        """How many keys are in use."""
        return 0 if self._locks is None else len(self._locks)

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of `key`, after those who asked before."""
        if self._locks is None:
            self._locks = {}
        locks = self._locks
        lock, users = locks.setdefault(key, (asyncio.Lock(), []))
        users.append(None)
        try:
            async with lock:
                yield
        finally:
            users.pop()
            if not users:
                del locks[key]
                if not locks:
                    self._locks = None
