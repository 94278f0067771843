"""Guests who come and go as somebody new each time do not fill a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pychat.stores import Store, open_store
from pychat.stores.memory import reader_records as memory
from pychat.stores.redis import reader_records as redis_records
from pychat.stores.sqlite import reader_records as sqlite
from tests.stores.redis_server import RedisServer, redis_server


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """An empty one."""
    with redis_server() as server:
        yield server


@pytest.mark.parametrize("kind", ["memory", "sqlite", "redis"])
async def test_a_room_keeps_the_read_positions_of_so_many_guests(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A new guest takes the place of another one; users keep theirs."""
    for module in (memory, sqlite, redis_records):
        monkeypatch.setattr(module, "MAX_GUESTS", 20)
    monkeypatch.setattr(sqlite, "_PRUNE_EVERY", 5)
    store = _store(kind, tmp_path, request)
    reads = store.readers
    assert reads is not None
    await store.subscribe("lobby", lambda _: None)
    guests = [f"guest{number}" for number in range(100)]
    for number in range(3):
        await reads.follow(f"user:{number}", "lobby")
    for guest in guests:
        await reads.follow(guest, "lobby")
    assert 0 < sum(bool(found) for found in (await reads.unread(guests)).values()) <= 25
    users = await reads.unread([f"user:{number}" for number in range(3)])
    assert all(users.values())
    assert (await reads.unread(["guest99"]))["guest99"], "the newest guest has one"
    await store.aclose()


def _store(kind: str, folder: Path, request: pytest.FixtureRequest) -> Store:
    if kind == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        return open_store(server.url)
    return open_store("memory:" if kind == "memory" else f"sqlite:{folder / 'chat.db'}")
