"""Whatever is recorded in whatever order, the stores say the same, and what subscribers were told leads to the same."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pychat.domain.model import Member
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.stores import Conflict, MemoryStore, ModerationRecords, Report, Store
from pychat.stores.redis import RedisStore
from pychat.stores.sqlite import SqliteStore
from tests.stores.redis_server import RedisServer, redis_server

NOW = 1_000.0
ROOMS = ("lobby", "kitchen")
_prefixes = itertools.count()

kinds = st.sampled_from(["ban", "mute", "held"])
keys = st.sampled_from(["member:a", "a", "b", "address:192.0.2.0/24", ""])
texts = st.sampled_from(["", "a", "b", "spam", "☕"])
values = st.recursive(st.none() | st.integers(-5, 5) | texts, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
data = st.dictionaries(
    st.sampled_from(["name", "reason", "text", "by", "member", "author", "value"]), values, max_size=3
)
ends = st.sampled_from([None, NOW - 1, NOW, NOW + 0.5, 5_000])
changes = st.lists(st.builds(Record, kinds, keys, data, ends) | st.builds(Removed, kinds, keys), max_size=4)
people = st.sampled_from([Member("a", "Ada"), Member("b", "Bob", ("moderator",))])
entries = st.none() | st.builds(
    AuditEntry, st.sampled_from([1.0, 2.5]), people, kinds, keys, texts, texts, ends, data=data
)
steps = st.lists(
    st.tuples(
        st.sampled_from(ROOMS),
        st.tuples(st.just("change"), changes, entries, st.sampled_from([0, 0, 0, 0, -1, 1]))
        | st.tuples(st.just("erase"), st.sampled_from("ab")),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis."""
    with redis_server() as server:
        yield server


class Room:
    """What a subscriber of a room knows from what it was told."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.version = 0

    def hear(self, report: Report) -> None:
        """Apply a change."""
        if isinstance(report, Moderated):
            assert report.version == self.version + 1
            self.version = report.version
            for change in report.changes:
                if isinstance(change, Record):
                    self.records[change.kind, change.key] = change
                else:
                    self.records.pop((change.kind, change.key), None)

    def current(self) -> set[str]:
        """The records that have not ended."""
        return {repr(each) for each in self.records.values() if each.until is None or each.until > NOW}


def of(store: Store) -> ModerationRecords:
    """The records of a store."""
    assert store.moderation is not None
    return store.moderation


async def outcome(store: Store, steps: list[tuple[str, Any]]) -> list[Any]:
    """What a store answers to all steps, and what can be read in the end."""
    told = {room: Room() for room in ROOMS}
    answers = list[Any]()
    for room in ROOMS:
        await store.subscribe(room, told[room].hear)
    for room, step in steps:
        if step[0] == "erase":
            answers.append(await store.erase(room, author=step[1]))
            continue
        _, changed, entry, off = step
        try:
            answers.append(repr(await of(store).change(room, changed, entry, told[room].version + off)))
        except Conflict:
            answers.append("conflict")
    for room in ROOMS:
        records, version = await of(store).load(room)
        assert {repr(each) for each in records} == told[room].current()
        assert version == told[room].version
        answers += [sorted(map(repr, records)), version, repr(await of(store).audit(room))]
        answers += [repr(await of(store).audit(room, 3, 2))]
    return answers


async def compare(folder: Path, url: str, steps: list[tuple[str, Any]]) -> None:
    """Let every store do the same."""
    stores: list[Store] = [
        MemoryStore(date=lambda: NOW),
        SqliteStore(folder / "chat.db", date=lambda: NOW),
        RedisStore(f"{url}?prefix=p{next(_prefixes)}", date=lambda: NOW),
    ]
    try:
        first, *others = [await outcome(store, steps) for store in stores]
        assert others == [first, first]
    finally:
        for store in stores:
            await store.aclose()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_all_stores_say_the_same(redis: RedisServer, steps: list[tuple[str, Any]]) -> None:
    """Records, versions, conflicts, the audit log and erasings agree."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), redis.url, steps))
