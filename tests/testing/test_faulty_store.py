"""A store of which no fault was asked is a store like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pychat.stores import MemoryStore, Retention, Store
from pychat.testing import FaultyStore, StoreContract


class TestFaultless(StoreContract):
    """Around a store in memory."""

    durable = False

    @asynccontextmanager
    async def opened(self, retention: Retention | None = None) -> AsyncIterator[Store]:
        """Make a new one."""
        store = FaultyStore(None if retention is None else MemoryStore(retention))
        yield store
        await store.aclose()

    @asynccontextmanager
    async def beside(self, store: Store) -> AsyncIterator[Store]:
        """The same: servers that share it are in one process."""
        yield store
