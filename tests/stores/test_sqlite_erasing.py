"""What is erased from a SQLite store, or deleted with its room, is no longer in its files."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pychat.domain.model import Deleted, Edited, Joined, Left, Member, Message, Quote, Reacted
from pychat.stores import RoomRecord
from pychat.stores.sqlite import SqliteStore, wiping

ADA, BOB = Member("a", "Ada"), Member("b", "Bob")
DATE = 1_700_000_000.0
LENGTHS = (1, 5, 30, 120, 400)  # in words of 13 characters: the longest texts need pages of their own


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of the test is."""
    return tmp_path / "chat.db"


class Words:
    """Makes texts of random words, and finds them in files."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def text(self, words: int) -> str:
        """A text of so many words, each of which is in no other text."""
        made = [secrets.token_hex(6) for _ in range(words)]
        self.made += made
        return " ".join(made)

    def found(self, path: Path) -> set[str]:
        """Those of the words that are in the database or its -wal file, in any form.

        The search index keeps only the end of a word that begins like the word before it.
        """
        files = [path, path.with_name(f"{path.name}-wal")]
        content = b"".join(each.read_bytes() for each in files if each.exists()).lower()
        ends = set(re.findall(rb"(?=([0-9a-f]{8}))", content))
        return {word for word in self.made if word[4:].encode() in ends}


async def fill(store: SqliteStore, room: str, author: Member, words: Words, count: int = 200) -> None:
    """Write messages of all lengths, with edits, deletions and replies of others that quote them."""
    chance = random.Random(7)  # noqa: S311 -- no secret
    head = (await store.history(room)).seq
    for number in range(count):
        text = words.text(chance.choice(LENGTHS))
        said = await store.append(room, Message(f"said-{head}-{number}", author, text, DATE))
        await store.append(room, Message(f"{said.seq}", BOB, f"filler {number} " * chance.choice(LENGTHS), DATE))
        if number % 3 == 0:
            edit = Edited(f"edit-{head}-{number}", author, said.seq, words.text(chance.choice(LENGTHS)), DATE)
            await store.append(room, edit)
        if number % 4 == 0:
            reply = Message(f"r{said.seq}", BOB, "indeed", DATE, reply=Quote(said.seq, author.name, text[:200]))
            await store.append(room, reply)
        if number % 7 == 0:
            await store.append(room, Deleted(f"delete-{head}-{number}", author, said.seq, DATE))
    assert (await store.history(room)).seq > head


async def test_erased_texts_are_not_in_the_files(path):
    """Neither in the log, the index and free pages of the database nor in its -wal file, while it is served."""
    store, words = SqliteStore(path), Words()
    who = Member("c", "Cleopatra")
    await store.subscribe("lobby", lambda _: None)
    await store.signal("lobby", Joined(who))
    await fill(store, "lobby", who, words)
    await store.signal("lobby", Left(who))
    assert len(words.found(path)) > len(words.made) // 2
    assert len(await store.erase("lobby", author="c")) == 200
    await store.settled()
    assert words.found(path) == set()
    assert b"Cleopatra" not in path.read_bytes()
    assert (await store.history("lobby", matching=words.made[0])).messages == ()
    assert len((await store.history("lobby", matching="filler", limit=999)).messages) == 200
    await store.aclose()
    assert words.found(path) == set()
    check(path)


async def test_some_erased_messages_among_many_are_not_in_the_files(path):
    """Those around them are."""
    store, words, kept = SqliteStore(path), Words(), Words()
    seqs = list[int]()
    await store.subscribe("lobby", lambda _: None)
    for number in range(600):
        here = words if number % 50 == 0 else kept
        said = await store.append("lobby", Message(f"m{number}", ADA, here.text(20), DATE))
        if here is words:
            seqs.append(said.seq)
    assert await store.erase("lobby", seqs=seqs) == seqs
    await store.settled()
    assert words.found(path) == set()
    assert len((await store.history("lobby", matching=kept.made[-1])).messages) == 1
    await store.aclose()
    check(path)


async def test_a_deleted_room_is_not_in_the_files(path):
    """Nor its record. Other rooms are as they were, and its number may be used again."""
    store, words, title = SqliteStore(path), Words(), secrets.token_hex(8)
    for room in ("kitchen", "lobby"):
        await store.subscribe(room, lambda _: None)
    await store.rooms.save(RoomRecord("lobby", title, {"x": title}, (title,)))
    await store.append("kitchen", Message("m", ADA, "stays", DATE))
    await fill(store, "lobby", ADA, words, 100)
    await store.rooms.delete("lobby")
    await store.subscribe("lobby", lambda _: None)
    await store.append("lobby", Message("m", ADA, "new", DATE))
    await store.settled()
    assert words.found(path) == set()
    assert title.encode() not in path.read_bytes()
    await store.rooms.delete("lobby")
    await store.settled()
    await store.subscribe("attic", lambda _: None)
    assert [(await store.history(room, matching=word)).seq for room, word in (("kitchen", "stays"), ("attic", "new"))] == [
        1, 0
    ]  # fmt: skip
    assert len((await store.history("kitchen", matching="stays")).messages) == 1
    await store.aclose()
    check(path)


async def test_a_killed_process_leaves_the_rest_to_the_next(path, monkeypatch):
    """What was erased is not readable at once, and not in the files soon after the next start."""
    store, words = SqliteStore(path), Words()
    await store.subscribe("lobby", lambda _: None)
    await fill(store, "lobby", ADA, words, 100)
    with monkeypatch.context() as patched:
        patched.setattr(wiping.WipeTask, "due", lambda _: False)
        assert len(await store.erase("lobby", author="a")) == 100
        await store.aclose()
    assert words.found(path)
    store = SqliteStore(path)
    assert not any(each.text for each in (await store.history("lobby", limit=999)).messages if each.author.id == "a")
    await store.settled()
    assert words.found(path) == set()
    await store.aclose()


async def test_a_reader_of_the_files_delays_it(path):
    """While another program reads an old state, the -wal file cannot be emptied: it is as soon as that has ended."""
    store, words = SqliteStore(path), Words()
    await store.subscribe("lobby", lambda _: None)
    await fill(store, "lobby", ADA, words, 20)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    await store.erase("lobby", author="a")
    settled = asyncio.ensure_future(store.settled())
    await store.append("lobby", Message("later", BOB, "others can write", DATE))
    done, _ = await asyncio.wait([settled], timeout=0.5)
    assert not done
    assert words.found(path)
    reader.close()
    async with asyncio.timeout(20):
        await settled
    assert words.found(path) == set()
    await store.aclose()


async def test_deleted_rooms_are_not_a_restored_backup(path):
    """After a restart the other rooms have the epoch that they had."""
    store = SqliteStore(path)
    before = await store.subscribe("lobby", lambda _: None)
    for room in ("lobby", "kitchen"):
        await store.subscribe(room, lambda _: None)
        for number in range(20):
            await store.append(room, replace(Message("", ADA, "text", DATE), id=f"m{number}"))
    await store.append("kitchen", Reacted("r", ADA, 1, "👍", True, DATE))
    await store.rooms.delete("kitchen")
    await store.settled()
    await store.aclose()
    store = SqliteStore(path)
    assert (await store.subscribe("lobby", lambda _: None)).position.epoch == before.position.epoch
    await store.aclose()


def check(path: Path) -> None:
    """The database is sound."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    connection.close()
