"""The Redis store keeps the contract of stores, on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from pychat.stores import Retention, Store
from pychat.stores.redis import RedisStore
from pychat.testing import StoreContract
from tests.stores.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis that all tests of a module share; each finds it empty."""
    with redis_server() as server:
        yield server


class TestRedis(StoreContract):
    """A log in Redis."""

    @pytest.fixture(autouse=True)
    def _empty(self, redis: RedisServer) -> None:
        redis.do("FLUSHALL")
        self.url = redis.url

    @asynccontextmanager
    async def opened(self, retention: Retention | None = None) -> AsyncIterator[Store]:
        """Open what this test has in Redis."""
        store = RedisStore(self.url) if retention is None else RedisStore(self.url, retention)
        yield store
        await store.aclose()
