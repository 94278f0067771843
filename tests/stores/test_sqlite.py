"""The SQLite store keeps the contract of stores, and what it adds to that: words, retention by age, names, places."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from pychat.domain.errors import UsageError
from pychat.domain.model import Deleted, Edited, Joined, Left, Member, Message
from pychat.stores import MemoryStore, Retention, Store, default_store_url, open_store
from pychat.stores.sqlite import SqliteStore, members
from pychat.stores.sqlite import retention as retaining
from pychat.testing import StoreContract

ADA, BOB = Member("a", "Ada"), Member("b", "Bob")
DATE = 1_700_000_000.0


def said(number: int | str, text: str | None = None, author: Member = ADA, date: float = DATE) -> Message:
    """A message that is not stored yet."""
    return Message(f"m{number}", author, f"text {number}" if text is None else text, date)


def nobody(_: object) -> None:
    """Hears nothing."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of the test is."""
    return tmp_path / "chat.db"


class TestSqlite(StoreContract):
    """A log in a file."""

    @pytest.fixture(autouse=True)
    def _path(self, path):
        self.path = path

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


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """An open store."""
    opened = SqliteStore(path)
    await opened.subscribe("lobby", nobody)
    yield opened
    await opened.aclose()


async def found(store: Store, words: str) -> list[int]:
    """The numbers of the messages that hold `words`."""
    return [each.seq for each in (await store.history("lobby", matching=words)).messages]


async def test_words_of_every_script_are_found(store):
    """Scripts without spaces, emoji, letters in either composition, cases beyond ASCII; accents tell words apart."""
    for number, text in enumerate(
        ["我们喝茶吧", "cafe\u0301 ☕ 🎉", "ΟΔΟΣ", "cafe", "ไม่เป็นไร", "お茶をどうぞ", "👍🏽!"], 1
    ):
        await store.append("lobby", said(number, text))
    assert [await found(store, words) for words in ("喝茶", "茶喝", "café", "🎉", "οδος", "cafe", "เป็น", "お茶", "👍")] == [
        [1], [], [2], [2], [3], [4], [5], [6], [7]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ('tea AND "', [2]),
        ("NOT tea", [2]),
        ("text:tea", []),
        ("tea*", [1, 2]),
        ("te*", []),
        ("^tea", [1, 2]),
        ("{tea", [1, 2]),
        ("-tea", [1, 2]),
        ("tea + tea", [1, 2]),
        ("tea\0", [1, 2]),
        ("te\ud800a", [1, 2]),
        (" ", []),
        ("\0", []),
    ],
)
async def test_nothing_in_a_search_is_syntax(store, words, numbers):
    """What people type is words: what FTS5 would make of it is not done, and nothing fails."""
    await store.append("lobby", said(1, "tea"))
    await store.append("lobby", said(2, "NOT this: text AND tea"))
    assert numbers == await found(store, words)


async def test_hundreds_of_words_must_all_be_there(store):
    """However long a search is, no word of it is passed over."""
    many = [f"w{number}" for number in range(900)]
    await store.append("lobby", said(1, " ".join(many)))
    await store.append("lobby", said(2, " ".join(many[:-1])))
    assert await found(store, " ".join(reversed(many))) == [1]


async def test_half_a_character_is_its_authors_mistake_alone(store):
    """What has no UTF-8 is refused to who sends it, and what waits beside it is stored."""
    with pytest.raises(UnicodeEncodeError):
        await store.append("lobby", said(1, "\ud800"))
    with pytest.raises(UnicodeEncodeError):
        await store.signal("lobby", Joined(Member("c", "\ud800")))
    assert (await store.append("lobby", said(2))).seq == 1


@pytest.mark.parametrize("target", [-1, 0, 2, 3, 1 << 40, (1 << 40) + 1, (2 << 40) + 1])
async def test_a_target_that_is_no_message_changes_none(store, target):
    """Whatever number an edit is for, another room's message is not what it reaches."""
    await store.append("kitchen", said(1))
    await store.append("lobby", said(1))
    stored = await store.append("lobby", Edited("e", ADA, target, "changed", DATE))
    assert await store.events("lobby", after=1, limit=9) == [stored]
    assert [each.text for each in (await store.history("kitchen")).messages] == ["text 1"]
    assert [each.text for each in (await store.history("lobby")).messages] == ["text 1"]


async def test_what_is_old_is_forgotten(path):
    """Retention by age removes messages with their words, their edits and the events between, in every room."""
    now = DATE
    store = SqliteStore(path, Retention(age=100), date=lambda: now)
    for room in ("lobby", "kitchen"):
        await store.subscribe(room, nobody)
        await store.append(room, said(1, "old tea"))
        await store.append(room, Edited("e", ADA, 1, "old coffee", DATE))
        await store.append(room, said(2, "new tea", date=DATE + 60))
        await store.append(room, Deleted("d", ADA, 1, DATE + 61))
    await store.settled()
    assert [each.seq for each in (await store.history("lobby")).messages] == [1, 3]
    now = DATE + 101
    await store.settled()
    for room in ("lobby", "kitchen"):
        assert [each.seq for each in await store.events(room, after=0, limit=9)] == [3, 4]
        assert [each.seq for each in (await store.history(room)).messages] == [3]
    assert await found(store, "tea") == [3]
    assert await found(store, "coffee") == []
    now = DATE + 1000
    await store.settled()
    assert await store.events("lobby", after=0, limit=9) == []
    assert (await store.history("lobby")).seq == 4
    assert (await store.append("lobby", said(9, date=now))).seq == 5
    await store.aclose()


async def test_strides_of_retention_add_up(path, monkeypatch):
    """However small the strides, all that is too much goes, before the store says that it has settled."""
    monkeypatch.setattr(retaining, "_STRIDE", 3)
    store = SqliteStore(path)
    for number in range(1, 101):
        await store.append("lobby", said(number))
    await store.aclose()
    store = SqliteStore(path, Retention(count=20))
    await store.settled()
    assert [each.seq for each in (await store.history("lobby", limit=200)).messages] == list(range(81, 101))
    assert await found(store, "text 80") == []
    assert await found(store, "text 81") == [81]
    await store.aclose()


async def test_the_last_names_of_some_thousands_are_remembered(path, monkeypatch):
    """Who left last is known; those before are forgotten, and who is away never is."""
    monkeypatch.setattr(members, "KNOWN", 5)
    monkeypatch.setattr(members, "_STRIDE", 2)
    store = SqliteStore(path)
    await store.subscribe("lobby", nobody)
    await store.signal("lobby", Joined(ADA))
    people = [Member(f"p{number}", f"Person {number}") for number in range(20)]
    for who in people:
        await store.signal("lobby", Joined(who))
        await store.signal("lobby", Left(who))
    await store.aclose()
    store = SqliteStore(path)
    opening = await store.subscribe("lobby", nobody)
    assert ((ADA,), tuple(people[-5:])) == (opening.away, opening.known)
    await store.aclose()


async def test_the_file_is_its_owners_alone(store, path):
    """It holds what people said, and the secret of their tokens."""
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir() if not each.name.endswith(".lock")} == {
        0o600
    }


async def test_a_closed_store_says_so(path):
    """To use it after `aclose` is a mistake; to close it again is none, nor to close what was never used."""
    store = SqliteStore(path)
    await store.aclose()
    await store.aclose()
    with pytest.raises(UsageError, match="closed"):
        await store.append("lobby", said(1))
    assert not path.exists()


async def test_a_message_is_first_stored_as_it_was_said(store):
    """A repeated message is answered with what was said, whatever has become of it."""
    first = await store.append("lobby", said(1))
    await store.append("lobby", Edited("e", ADA, 1, "changed", DATE + 1))
    assert first == await store.append("lobby", said(1))
    changed = replace(first, text="changed", edited=DATE + 1)
    assert (changed,) == (await store.history("lobby")).messages


async def test_a_url_names_a_file(tmp_path, monkeypatch):
    """Relative, absolute, at home; the directory of the default is made, no other is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data" / "pychat")
    for url, place in [
        ("sqlite:one.db", "one.db"),
        (f"sqlite:{tmp_path / 'two.db'}", "two.db"),
        ("sqlite:~/three.db", "three.db"),
        (default_store_url(), "data/pychat/chat.db"),
    ]:
        store = open_store(url)
        await store.append("lobby", said(1))
        await store.aclose()
        assert (tmp_path / place).exists()
    store = open_store("sqlite:none/chat.db")
    with pytest.raises(UsageError, match="no directory"):
        await store.append("lobby", said(1))
    assert isinstance(open_store("memory:"), MemoryStore)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite::memory:", "use memory:"),
        ("sqlite:", "no path"),
        ("sqlite://x/y", "no path"),
        ("mysql:x", "sqlite:PATH"),
    ],
)
def test_what_is_no_file_is_refused_with_a_hint(url, told):
    """The line says what to write instead."""
    with pytest.raises(UsageError, match=told):
        open_store(url)
