"""Rooms of one SQLite store that are opened at the same moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pychat.domain.model import Member, Message
from pychat.stores import open_store
from pychat.stores.store import Report


async def test_rooms_that_open_at_the_same_moment_all_open(tmp_path: Path) -> None:
    """The writer takes them as one batch. Each is answered, and each receives its own events."""
    store = open_store(f"sqlite:{tmp_path / 'chat.db'}")
    received: dict[str, list[Report]] = {f"room{number}": [] for number in range(50)}
    async with asyncio.timeout(20):
        await asyncio.gather(*(store.subscribe(room, events.append) for room, events in received.items()))
        for room in received:
            await store.append(room, Message("m1", Member("a", "Ada"), "Hello", 1_700_000_000.0))
    assert all(len(events) == 1 for events in received.values())
    await store.aclose()
