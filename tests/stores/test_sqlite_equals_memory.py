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
from pychat.stores.sqlite import SqliteArchive, SqliteStore

ROOMS = ("lobby", "kitchen")
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
rooms = st.sampled_from(ROOMS)
#: SQLite cannot write these: lone surrogates, and an integer of more than 64 bits.
UNWRITABLE: list[LogEvent] = [
    Message("\ud800", Member("a", "Ada"), "tea", 0.0),
    Message("id1", Member("a", "Ada"), "\udfff", 0.0),
    Edited("id1", Member("a", "Ada"), 1 << 70, "tea", 0.0),
]
unwritable = st.sampled_from(UNWRITABLE)
messages = st.builds(Message, ids | st.uuids().map(str), people, texts, dates)
few_of_all = st.lists(st.tuples(rooms, happenings | unwritable), max_size=6)
many_messages = st.lists(st.tuples(rooms, messages | unwritable), min_size=20, max_size=80)


async def said_by(store: Store, room: str) -> list[Page | list[LogEvent]]:
    """All that can be read of a room."""
    return [
        await store.events(room, after=0, limit=99),
        await store.events(room, after=3, limit=2),
        await store.history(room),
        await store.history(room, before=5, limit=2),
        *[await store.history(room, matching=word, limit=3) for word in (*WORDS, "TEA milk", "none", "")],
    ]


async def appended(store: Store, batch: list[tuple[str, LogEvent]]) -> list[LogEvent | str]:
    """What the store answers to events that come at once; the code of a refusal."""
    answers = await asyncio.gather(*(store.append(*each) for each in batch), return_exceptions=True)
    found: list[LogEvent | str] = []
    for answer in answers:
        if isinstance(answer, Refused):
            found.append(answer.code)
        elif isinstance(answer, BaseException):
            assert isinstance(answer, UnicodeEncodeError | OverflowError)
        else:
            found.append(answer)
    return found


async def compare(path: Path, batches: list[list[tuple[str, LogEvent]]]) -> None:
    """Put the same into both stores, and read both. What SQLite cannot write is refused alone."""
    memory, sqlite = MemoryStore(), SqliteStore(path)
    told_by_memory: list[Event] = []
    told_by_sqlite: list[Event] = []
    for room in ROOMS:
        await memory.subscribe(room, told_by_memory.append)  # type: ignore[arg-type]  # nothing is reopened here
        await sqlite.subscribe(room, told_by_sqlite.append)  # type: ignore[arg-type]  # nothing is reopened here
    for batch in batches:
        expected = await appended(memory, [(room, event) for room, event in batch if event not in UNWRITABLE])
        assert expected == await appended(sqlite, batch)
    assert told_by_memory == told_by_sqlite
    expected_pages = [await said_by(memory, room) for room in ROOMS]
    assert expected_pages == [await said_by(sqlite, room) for room in ROOMS]
    await sqlite.aclose()
    again = SqliteStore(path)
    assert expected_pages == [await said_by(again, room) for room in ROOMS]
    await again.aclose()
    with SqliteArchive(path) as archive:
        counts = {
            room: sum(isinstance(event, Message) for event in await memory.events(room, after=0, limit=999))
            for room in ROOMS
        }
        assert counts == {room: archive.rooms().get(room, 0) for room in ROOMS}
    await memory.aclose()


@settings(max_examples=30, deadline=None)
@given(st.lists(few_of_all | many_messages, max_size=5))
def test_two_stores_say_the_same(batches):
    """Numbers, ids repeated within a batch and later, edits of edits, reactions to what is deleted, searches: they agree.

    Rooms are mixed, and events that SQLite cannot write fail alone.
    """
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(compare(Path(directory) / "chat.db", batches))
