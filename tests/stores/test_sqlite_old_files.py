"""A database that an older pychat wrote: its data is there, and it takes what only newer ones can store."""

from __future__ import annotations

import gzip
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pychat.domain.model import Member, Message
from pychat.domain.moderation import AuditEntry, Record
from pychat.stores import RoomRecord, Unread
from pychat.stores.sqlite import SqliteArchive, SqliteStore, schema

BOB = Member("user:7", "Bob")
VERSION_1 = Path(__file__).with_name("version-1.db.gz")  # written by the last pychat of that version

VERSION_3 = Path(__file__).with_name("version-3.db.gz")  # the same, with records of rooms, read positions and a mention


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of version 1: two rooms of 21 messages and five other events each."""
    path = tmp_path / "chat.db"
    path.write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    return path


@pytest.fixture
def path_3(tmp_path: Path) -> Path:
    """A file of version 3."""
    path = tmp_path / "three.db"
    path.write_bytes(gzip.decompress(VERSION_3.read_bytes()))
    return path


def shape(path: Path) -> dict[str, object]:
    """The tables of a database with their columns, and its indexes."""
    connection = sqlite3.connect(path)
    try:
        names = connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
        columns = "SELECT name FROM pragma_table_info(?)"
        tables = {name: set(connection.execute(columns, (name,))) for _, name, _ in names}
    finally:
        connection.close()
    return {"names": set(names), "tables": tables}


async def test_a_file_of_version_1_has_its_messages(path):
    """With edits, deletions, reactions, replies and names; searches find them, and a copy of the old file is kept."""
    store = SqliteStore(path)
    for room in ("lobby", "kitchen"):
        opening = await store.subscribe(room, lambda _: None)
        assert opening.position.seq == 26
        assert ([each.name for each in opening.away], [each.name for each in opening.known]) == (["Ada"], ["Bob"])
        messages = (await store.history(room)).messages
        assert [each.seq for each in messages] == [*range(1, 21), 26]
        assert (messages[2].text, messages[3].deleted, messages[4].reactions) == (
            "edited tea",
            True,
            (("👍", ("user:7",)),),
        )
        assert messages[9].reply is not None
        assert messages[9].reply.text == "text 9"
        assert len(await store.events(room, after=0, limit=99)) == 26
        assert [each.seq for each in (await store.history(room, matching="tea")).messages] == [3]
    await store.aclose()
    assert sqlite3.connect(path.with_name("chat.db.version-1")).execute("PRAGMA user_version").fetchone() == (1,)
    with SqliteArchive(path) as archive:
        assert archive.rooms() == {"lobby": 21, "kitchen": 21}


async def test_a_file_of_version_1_takes_what_is_new(path):
    """Mentions, read positions, records of rooms, erasing and deletions, as in a new file."""
    store = SqliteStore(path)
    await store.subscribe("lobby", lambda _: None)
    await store.readers.follow("user:1", "lobby", 10)
    await store.readers.follow("user:2", "lobby")
    stored = await store.append("lobby", Message("new", BOB, "hi @You", 1.7e9, mentions=("user:1", "user:2")))
    assert stored.seq == 27
    assert await store.readers.unread(["user:1", "user:2"]) == {
        "user:1": (Unread("lobby", 10, 12, 1),),
        "user:2": (Unread("lobby", 26, 1, 1),),
    }
    await store.rooms.save(RoomRecord("lobby", "The lobby"))
    assert await store.rooms.page() == [RoomRecord("lobby", "The lobby")]
    assert sorted(await store.rooms_of("a")) == ["kitchen", "lobby"]
    assert await store.erase("lobby", author="a") == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    await store.rooms.delete("kitchen")
    await store.settled()
    assert await store.rooms_of("a") == ["lobby"]
    assert (await store.history("kitchen")).messages == ()
    await store.aclose()


async def test_an_upgraded_file_is_like_a_new_one(path, path_3, tmp_path):
    """It has the same tables, columns and indexes."""
    for each in (path, path_3, tmp_path / "new.db"):
        store = SqliteStore(each)
        await store.open()
        await store.aclose()
    assert shape(path) == shape(path_3) == shape(tmp_path / "new.db")


async def test_a_file_of_version_3_takes_moderation_records(path_3):
    """It keeps what it had, and a copy of the old file is kept; a room that is deleted takes its records along."""
    connection = sqlite3.connect(path_3)
    (secret,) = connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
    epochs = dict(connection.execute("SELECT name, epoch FROM rooms"))
    connection.close()
    store = SqliteStore(path_3)
    for room, numbers in (("lobby", [*range(1, 21)]), ("kitchen", [*range(1, 21), 24])):
        opening = await store.subscribe(room, lambda _: None)
        assert (opening.position.epoch, opening.secret) == (epochs[room], secret)
        assert ([each.name for each in opening.away], [each.name for each in opening.known]) == (["Ada"], ["Bob"])
        assert [each.seq for each in (await store.history(room)).messages] == numbers
        assert await store.moderation.load(room) == ((), 0)
        assert await store.moderation.audit(room) == []
    assert await store.readers.unread(["user:7"]) == {
        "user:7": (Unread("kitchen", 3, 18, 1), Unread("lobby", 3, 17, 1)),
    }
    assert await store.readers.blocked("user:7") == {"a"}
    assert await store.rooms.find("lobby") == RoomRecord("lobby", "Lobby", {"listed": True})
    ban, entry = Record("ban", "member:a", {"reason": "spam"}), AuditEntry(1.7e9, BOB, "ban", "a")
    for room in ("lobby", "kitchen"):
        await store.moderation.change(room, [ban], entry, 0)
    await store.rooms.delete("kitchen")
    await store.settled()
    await store.aclose()
    store = SqliteStore(path_3)
    assert await store.moderation.load("lobby") == ((ban,), 1)
    assert await store.moderation.audit("lobby") == [replace(entry, number=1)]
    assert await store.moderation.load("kitchen") == ((), 0)
    await store.aclose()
    assert sqlite3.connect(path_3.with_name("three.db.version-3")).execute("PRAGMA user_version").fetchone() == (3,)
    with SqliteArchive(path_3) as archive:
        assert archive.rooms() == {"lobby": 20}


async def test_mentions_of_version_2_are_counted(path):
    """A file of the version that had mentions, and no read positions."""
    connection = sqlite3.connect(path)
    schema.MIGRATIONS[0](connection)
    connection.execute("UPDATE events SET mentions = '[\"b\",\"c\"]' WHERE kind = 'message' AND place >> 40 = 1")
    connection.execute("UPDATE revised SET mentions = '[\"c\"]' WHERE target_place & 255 = 3")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    for member, mentions in (("b", 18), ("c", 19)):  # of 21 one was edited, one deleted, and one has reactions
        await store.readers.follow(member, "lobby", 0)
        assert (await store.readers.unread([member]))[member] == (Unread("lobby", 0, 21, mentions),)
    await store.aclose()
