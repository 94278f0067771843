"""The SQLite store keeps the contract of stores, and loses nothing that it acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pychat.stores import Retention, Store
from pychat.stores.sqlite import SqliteStore
from pychat.testing import StoreContract


class TestSqlite(StoreContract):
    """A log in a file."""

    @pytest.fixture(autouse=True)
    def _path(self, tmp_path):
        self.path = tmp_path / "chat.db"

    @asynccontextmanager
    async def opened(self, retention: Retention | None = None) -> AsyncIterator[Store]:
        """Open the file."""
        store = SqliteStore(self.path, retention)
        yield store
        await store.aclose()

    async def settled(self, store: Store) -> None:
        """Let the writer clean up."""
        assert isinstance(store, SqliteStore)
        await store.settled()
