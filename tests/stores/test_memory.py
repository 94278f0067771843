"""The memory store keeps the contract of stores, for as long as it lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pychat.stores import MemoryStore, Retention, Store
from pychat.testing import StoreContract


class TestMemory(StoreContract):
    """A log in this process."""

    durable = False

    @asynccontextmanager
    async def opened(self, retention: Retention | None = None) -> AsyncIterator[Store]:
        """Make a new one."""
        store = MemoryStore() if retention is None else MemoryStore(retention)
        yield store
        await store.aclose()
