"""Searches of a long room hold up nobody: they run in steps, one at a time, and leave the other threads alone."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from pychat.domain.errors import Refused
from pychat.domain.model import Deleted, Member, Message
from pychat.stores.search_turns import SearchTurns
from pychat.stores.sqlite import SqliteStore, queries

ADA = Member("a", "Ada")
TIMEOUT = 30


async def filled(path: Path, count: int) -> SqliteStore:
    """A store with a room of that many messages."""
    store = SqliteStore(path)
    await asyncio.gather(*(store.append("lobby", Message(f"m{n}", ADA, "tea", 1.7e9 + n)) for n in range(count)))
    return store


@pytest.mark.parametrize("matching", ["from:nobody", "tea from:nobody", "after:2999-01-01", "tea after:2999-01-01"])
async def test_who_enters_does_not_wait_for_searches(tmp_path, monkeypatch, matching: str) -> None:
    """While any number of searches look for what is nowhere, the last messages are read at once."""
    store = await filled(tmp_path / "chat.db", 20)
    go_on = threading.Event()

    narrowed = queries._narrowed

    def slowly(connection: Any, search: Any, places: list[int]) -> list[int]:
        go_on.wait(TIMEOUT)
        return narrowed(connection, search, places)

    monkeypatch.setattr(queries, "_narrowed", slowly)
    searches = [asyncio.create_task(store.history("lobby", matching=matching)) for _ in range(10)]
    await asyncio.sleep(0)
    async with asyncio.timeout(TIMEOUT / 2):
        assert len((await store.history("lobby")).messages) == 20
    assert not any(search.done() for search in searches)
    go_on.set()
    async with asyncio.timeout(TIMEOUT):
        assert [(await search).messages for search in searches] == [()] * 10
    await store.aclose()


@pytest.mark.parametrize("matching", ["from:nobody", "tea from:nobody", "tea after:2999-01-01"])
async def test_a_step_is_short_however_long_the_room_is(tmp_path, monkeypatch, matching: str) -> None:
    """A search of 10,000 messages takes more steps than one of 100, and none that looks at more than 4,000."""
    looked_at: list[int] = []
    narrowed = queries._narrowed

    def counted(connection: Any, search: Any, places: list[int]) -> list[int]:
        looked_at.append(len(places))
        return narrowed(connection, search, places)

    monkeypatch.setattr(queries, "_narrowed", counted)
    steps = {}
    for count in (100, 10_000):
        store = await filled(tmp_path / f"{count}.db", count)
        assert (await store.history("lobby", matching=matching)).messages == ()
        assert len(
            (await store.history("lobby", matching=matching.replace("nobody", "ada"), limit=count)).messages
        ) in (
            0,
            count,
        )
        await store.aclose()
        steps[count] = looked_at.copy()
        looked_at.clear()
    assert max(steps[100]) == 100
    assert max(steps[10_000]) <= 4_000
    assert sum(steps[10_000]) <= 20_000


async def test_what_is_deleted_during_a_search_is_not_found(tmp_path, monkeypatch) -> None:
    """The messages are read as they stand when the search has ended."""
    store = await filled(tmp_path / "chat.db", 300)
    loop, step, deleted = asyncio.get_running_loop(), queries.search_step, []

    def between(connection: Any, **given: Any) -> Any:
        if given["before"] is not None and not deleted:
            deletion = store.append("lobby", Deleted("d", ADA, 300, 1.8e9))
            deleted.append(asyncio.run_coroutine_threadsafe(_done(deletion), loop).result(TIMEOUT))
        return step(connection, **given)

    monkeypatch.setattr(queries, "search_step", between)
    found = [each.seq for each in (await store.history("lobby", matching="tea", limit=1_000)).messages]
    assert deleted
    assert found == list(range(1, 300))
    await store.aclose()


async def _done(appended: Any) -> Any:
    return await appended


async def test_searches_take_turns() -> None:
    """A long search does not go before a short one that comes later; too many that wait are refused."""
    turns, order = SearchTurns(), list[str]()

    async def search(name: str, steps: int) -> None:
        for _ in range(steps):
            async with turns.step():
                order.append(name)

    async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as group:
        group.create_task(search("long", 20))
        group.create_task(search("short", 2))
    assert len(order) - 1 - order[::-1].index("short") <= 6

    async with turns.step():
        waiting = [asyncio.create_task(search("more", 1)) for _ in range(100)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            async with turns.step():
                raise AssertionError
        assert refused.value.code == "unavailable"
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(*waiting)
