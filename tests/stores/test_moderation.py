"""Moderation records of each store: the audit log does not grow for ever, and nothing of them outlives its end."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pychat.domain.model import Member, Message
from pychat.domain.moderation import AuditEntry, Moderated, Record
from pychat.stores import ModerationRecords, Report, Store
from pychat.stores.memory import MemoryStore
from pychat.stores.memory import moderation_records as memory
from pychat.stores.redis import RedisStore
from pychat.stores.redis import moderation_records as redis_records
from pychat.stores.sqlite import SqliteStore
from pychat.stores.sqlite import moderation_rows as sqlite
from tests.stores.redis_server import RedisServer, redis_server

ADA = Member("a", "Ada")
DATE = 1_700_000_000.0


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis."""
    with redis_server() as server:
        assert server.do("CONFIG", "SET", "rdbcompression", "no") == "+OK"
        yield server


class Date:
    """A date that a test sets."""

    now = DATE

    def __call__(self) -> float:
        """The seconds since 1970."""
        return self.now


@pytest.fixture
def date() -> Date:
    """The date of the store."""
    return Date()


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, date: Date, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    """An empty store of each kind, which keeps few entries."""
    for module in (memory, sqlite, redis_records):
        monkeypatch.setattr(module, "MAX_ENTRIES", 20)
    store: Store
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        server.do("FLUSHALL")
        store = RedisStore(server.url, date=date)
    else:
        store = MemoryStore(date=date) if request.param == "memory" else SqliteStore(tmp_path / "chat.db", date=date)
    await store.subscribe("lobby", lambda _: None)
    yield store
    await store.aclose()


@pytest.fixture
def records(store: Store) -> ModerationRecords:
    """The records of the store."""
    assert store.moderation is not None
    return store.moderation


async def test_the_audit_log_keeps_the_newest_entries(records: ModerationRecords) -> None:
    """Numbers go on, and older entries are gone."""
    for version in range(33):
        await records.change("lobby", [], AuditEntry(DATE, ADA, f"{version}"), version)
    found = await records.audit("lobby", None, 999)
    assert [(each.number, each.action) for each in found] == [(number, f"{number - 1}") for number in range(33, 13, -1)]
    assert [each.number for each in await records.audit("lobby", 16)] == [15, 14]
    assert await records.audit("lobby", 14) == []


async def test_a_record_ends_when_its_time_is_over(records: ModerationRecords, date: Date) -> None:
    """Not before, and without a change of the version."""
    ban, mute = Record("ban", "member:b", {}, DATE + 10), Record("mute", "member:b", {}, DATE + 10.5)
    await records.change("lobby", [ban, mute], None, 0)
    date.now = DATE + 9.9
    assert len((await records.load("lobby"))[0]) == 2
    date.now = DATE + 10
    assert await records.load("lobby") == ((mute,), 1)
    date.now = DATE + 11
    assert await records.load("lobby") == ((), 1)


async def test_records_that_have_ended_do_not_fill_the_store(
    store: Store, records: ModerationRecords, date: Date, redis: RedisServer, tmp_path: Path
) -> None:
    """A later change removes them for good: what people ask for, such as to get in, ends by itself."""
    for round_ in range(10):
        date.now = DATE + 100 * round_
        changes = [Record("asking", f"{round_}-{number}", {"text": "hello"}, date.now + 50) for number in range(100)]
        await records.change("lobby", changes, None, round_)
    assert len((await records.load("lobby"))[0]) == 100
    if isinstance(records, memory.MemoryModeration):
        assert len(records._rooms["lobby"].records) <= 400
    elif isinstance(store, RedisStore):
        assert redis.do("HLEN", "pychat:{lobby}:moderation") == ":100"
        assert redis.do("ZCARD", "pychat:{lobby}:moderation:ends") == ":100"
    else:
        with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
            assert connection.execute("SELECT count(*) FROM moderation").fetchone() == (100,)


async def test_what_is_erased_is_in_no_file_and_no_value(
    store: Store, records: ModerationRecords, redis: RedisServer, tmp_path: Path, date: Date
) -> None:
    """Neither in the records, nor in the audit log, nor in what servers read, also of records that have ended."""
    changes = [
        Record("ban", "member:b", {"name": "Bob Quillyfeather", "reason": "zizanie in the lobby"}),
        Record("mute", "member:b", {"name": "Bob Quillyfeather", "reason": "zizanie in the lobby"}, DATE + 1),
        Record("held", "1", {"author": "b", "name": "Bob Quillyfeather", "text": "zizanie for sale"}),
    ]
    entry = AuditEntry(
        DATE, ADA, "ban", "b", "Bob Quillyfeather", "zizanie again", data={"member": "b", "text": "zizanie"}
    )
    said = await store.append("lobby", Message("m", Member("c", "Cleo"), "zizanie", DATE))
    changes.append(Record("report", "r", {"target": said.seq, "member": "c", "name": "Cleo", "text": "zizanie"}))
    await records.change("lobby", changes, entry, 0)
    date.now = DATE + 5
    await store.erase("lobby", author="b")
    assert await store.erase("lobby", seqs=[said.seq]) == [said.seq]
    assert len((await records.load("lobby"))[0]) == 2
    held = b""
    if isinstance(store, RedisStore):
        connection = store._read_connection
        keys = await connection.execute("KEYS", "*")
        assert b"pychat:{lobby}:audit" in keys
        held = b"".join([await connection.execute("DUMP", key) for key in keys])
    elif isinstance(store, SqliteStore):
        await store.settled()
        held = b"".join(path.read_bytes() for path in tmp_path.glob("chat.db*"))
        assert b"member:b" in held
    assert b"zizanie" not in held
    assert b"Quilly" not in held


async def test_a_room_in_which_a_member_is_only_recorded_is_found(store: Store, records: ModerationRecords) -> None:
    """For example a member who was banned and never wrote; and not the rooms of members with a similar id."""
    for room in ("one", "two", "three", "four"):
        await store.subscribe(room, lambda _: None)
    await records.change("one", [Record("ban", "member:user:7")], None, 0)
    await records.change("one", [Record("ban", "member:user:77")], None, 1)
    await records.change("two", [Record("report", "5", {"by": "user:7", "text": "spam"})], None, 0)
    await records.change("three", [], AuditEntry(DATE, ADA, "ban", "member:user:7", "Bob"), 0)
    await records.change(
        "four", [Record("role", "user:77", {"name": "users"})], AuditEntry(DATE, ADA, "x", "user:77"), 0
    )
    assert sorted(await store.rooms_of("user:7")) == ["one", "three", "two"]
    assert sorted(await store.rooms_of("user")) == []


async def test_a_change_is_told_once_whatever_else_happens(store: Store, records: ModerationRecords) -> None:
    """Subscribers of a room get each version once, in order."""
    told = list[Report]()
    await store.subscribe("kitchen", told.append)
    for version in range(50):
        await records.change("kitchen", [Record("pin", f"{version}")], None, version)
    assert [each.version for each in told if isinstance(each, Moderated)] == list(range(1, 51))
