"""Whatever happens in whatever order, the SQLite store says what the memory store says, and says it again when reopened."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pychat.domain.errors import Refused
from pychat.domain.model import Deleted, Edited, Event, LogEvent, Member, Message, Quote, Reacted
from pychat.stores import MemoryStore, Page, Store
from pychat.stores.sqlite import SqliteStore

WORDS = ("tea", "COFFEE", "Milk")
people = st.sampled_from([Member("a", "Ada"), Member("b", "Bob")])
ids = st.sampled_from([f"id{number}" for number in range(12)])
targets = st.integers(-1, 12)
texts = st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)
dates = st.floats(0, 4e9)
happenings = st.one_of(
    st.builds(Message, ids, people, texts, dates, reply=st.none() | st.builds(Quote, targets, texts, texts)),
    st.builds(Edited, ids, people, targets, texts, dates),
    st.builds(Deleted, ids, people, targets, dates),
    st.builds(Reacted, ids, people, targets, st.sampled_from("👍🎉"), st.booleans(), dates),
)


async def said_by(store: Store) -> list[Page | list[LogEvent]]:
    """All that can be read of a room."""
    return [
        await store.events("lobby", after=0, limit=99),
        await store.events("lobby", after=3, limit=2),
        await store.history("lobby"),
        await store.history("lobby", before=5, limit=2),
        *[await store.history("lobby", matching=word, limit=3) for word in (*WORDS, "TEA milk", "none", "")],
    ]


async def appended(store: Store, batch: list[LogEvent]) -> list[LogEvent | str]:
    """What the store answers to events that come at once; the code of a refusal."""
    answers = await asyncio.gather(*(store.append("lobby", event) for event in batch), return_exceptions=True)
    found: list[LogEvent | str] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            assert isinstance(answer, Refused)
            found.append(answer.code)
        else:
            found.append(answer)
    return found


async def compare(path: Path, batches: list[list[LogEvent]]) -> None:
    """Put the same into both stores, and read both."""
    memory, sqlite = MemoryStore(), SqliteStore(path)
    told_by_memory: list[Event] = []
    told_by_sqlite: list[Event] = []
    await memory.subscribe("lobby", told_by_memory.append)  # type: ignore[arg-type]  # nothing is reopened here
    await sqlite.subscribe("lobby", told_by_sqlite.append)  # type: ignore[arg-type]  # nothing is reopened here
    for batch in batches:
        expected = await appended(memory, batch)
        assert expected == await appended(sqlite, batch)
    assert told_by_memory == told_by_sqlite
    expected_pages = await said_by(memory)
    assert expected_pages == await said_by(sqlite)
    await sqlite.aclose()
    again = SqliteStore(path)
    assert expected_pages == await said_by(again)
    await again.aclose()
    await memory.aclose()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(happenings, max_size=6), max_size=5))
def test_two_stores_say_the_same(batches):
    """Numbers, repeated ids, edits of edits, reactions to what is deleted, searches: the two agree."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(compare(Path(directory) / "chat.db", batches))
