"""Bad days: what was acknowledged is there after a kill, and a disk that fails stops messages, not people."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Event, Joined, Left, LogEvent, Member, Message, Typing
from pychat.stores import Page
from pychat.stores.sqlite import SqliteStore, writer
from tests.stores.faults import Disk

ADA, BOB = Member("a", "Ada"), Member("b", "Bob")

_TALKER = """
import asyncio, itertools, os, sys
from pychat.domain.model import Joined, Member, Message
from pychat.stores import Page
from pychat.stores.sqlite import SqliteStore

async def main(path, start):
    store = SqliteStore(path)
    await store.subscribe("lobby", lambda _: None)
    await store.signal("lobby", Joined(Member(f"member{start}", "Ada")))
    async def talk(one):
        for number in itertools.count():
            event = Message(f"{start}-{one}-{number}", Member(f"a{one}", "Ada"), f"hello {number}", 1.7e9)
            await store.append("lobby", event)
            os.write(1, f"{event.author.id} {event.id}\\n".encode())
    await asyncio.gather(*map(talk, range(8)))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def said(number: int, text: str = "hello") -> Message:
    """A message that is not stored yet."""
    return Message(f"m{number}", ADA, text, 1.7e9)


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk for faults; it runs again in the end."""
    disk = Disk()
    yield disk
    disk.read_only = False
    disk.runs.set()


@pytest.fixture
async def told() -> list[Event]:
    """What the subscriber of `store` was told."""
    return []


@pytest.fixture
async def store(tmp_path: Path, disk: Disk, told: list[Event]) -> AsyncIterator[SqliteStore]:
    """An open store on that disk."""
    store = SqliteStore(tmp_path / "chat.db", factory=disk.factory)
    await store.subscribe("lobby", told.append)  # type: ignore[arg-type]  # nothing is reopened here
    yield store
    disk.read_only = False
    disk.runs.set()
    async with asyncio.timeout(10):  # if its thread has ended, it never answers
        await store.aclose()


async def append(store: SqliteStore, room: str, event: Message) -> LogEvent:
    """Append `event` when this begins, not when it is called: in order with signals, which are coroutines too."""
    return await store.append(room, event)


async def waits(disk: Disk) -> None:
    """Until a commit waits for the disk."""
    assert await asyncio.to_thread(disk.waits.wait, 20)


async def test_a_killed_server_has_lost_nothing_that_it_acknowledged(tmp_path):
    """Killed again and again, in the middle of writing: all is there, once, numbered without a gap, and findable."""
    path = tmp_path / "chat.db"
    acknowledged: set[tuple[str, str]] = set()
    for start, lines in enumerate((1, 300, 40, 1000)):
        talker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _TALKER, str(path), str(start), stdout=asyncio.subprocess.PIPE
        )
        assert talker.stdout is not None
        heard = [await talker.stdout.readline() for _ in range(lines)]
        talker.kill()
        heard += (await talker.stdout.read()).splitlines(keepends=True)
        await talker.wait()
        whole = [line.decode().split() for line in heard if line.endswith(b"\n")]
        acknowledged |= {(author, event) for author, event in whole}
        store = SqliteStore(path)
        opening = await store.subscribe("lobby", lambda _: None)
        stored = await store.events("lobby", after=0, limit=1_000_000)
        assert {each.id for each in opening.away} == {f"member{each}" for each in range(start + 1)}
        assert [each.seq for each in stored] == list(range(1, len(stored) + 1))
        keys = [(each.author.id, each.id) for each in stored]
        assert len(set(keys)) == len(keys)
        assert acknowledged <= set(keys)
        found = (await store.history("lobby", limit=1_000_000, matching="hello")).messages
        assert [each.seq for each in found] == [each.seq for each in stored]
        await store.aclose()
    assert len(acknowledged) > 1000


async def test_what_waits_for_the_disk_is_one_commit(store, disk, told):
    """However much came while the disk was busy takes one more turn of it."""
    disk.runs.clear()
    first = asyncio.create_task(append(store, "lobby", said(0)))
    await waits(disk)
    before = disk.commits
    rest = [asyncio.create_task(append(store, "lobby", said(number))) for number in range(1, 201)]
    await asyncio.sleep(0)
    disk.runs.set()
    assert [each.seq for each in await asyncio.gather(first, *rest)] == list(range(1, 202))
    assert disk.commits == before + 2
    assert [each.seq for each in told] == list(range(1, 202))


async def test_a_statement_of_many_messages_cannot_fail_in_the_middle(store, disk, tmp_path):
    """SQLite keeps no second copy of the pages that a batch changes: it writes a message to the disk once."""
    disk.runs.clear()
    first = asyncio.create_task(append(store, "lobby", said(0)))
    await waits(disk)
    rest = [asyncio.create_task(append(store, "lobby", said(number))) for number in range(1, 65)]
    await asyncio.sleep(0)
    disk.runs.set()
    await asyncio.gather(first, *rest)
    (many,) = {sql for sql in disk.executed if "INTO events" in sql and sql.count("?") > 64}
    with sqlite3.connect(tmp_path / "chat.db") as connection:
        steps = connection.execute(f"EXPLAIN {many}", [None] * many.count("?")).fetchall()
    assert [step for step in steps if step[1].startswith("Halt") and step[2]] == []


async def test_a_large_batch_takes_about_as_many_statements_as_a_small_one(store, disk):
    """Each statement releases the GIL, and a busy event loop returns it late: their number decides how long a commit takes."""

    async def statements(messages: int) -> int:
        disk.runs.clear()
        first = asyncio.create_task(append(store, "lobby", said(messages)))
        await waits(disk)
        disk.waits.clear()
        rest = [asyncio.create_task(append(store, "lobby", said(messages + each + 1))) for each in range(messages)]
        await asyncio.sleep(0)
        disk.statements = -1  # the COMMIT that waits
        disk.runs.set()
        await asyncio.gather(first, *rest)
        return disk.statements

    one = await statements(1)
    assert one <= 5  # BEGIN, the message, its words, the room, COMMIT
    assert await statements(200) <= one + 6


async def test_nobody_waits_for_the_disk_but_the_author(store, disk, told):
    """While it does not answer, the loop turns, history is read, and nobody sees what is not stored."""
    await store.append("lobby", said(1))
    disk.runs.clear()
    happened: list[str] = []
    told.clear()

    async def say() -> None:
        await store.append("lobby", said(2))
        happened.append("answered")

    saying = asyncio.create_task(say())
    await waits(disk)
    assert [each.seq for each in (await store.history("lobby")).messages] == [1]
    assert (await store.history("lobby", matching="hello")).seq == 1
    happened.append("read")
    assert told == []
    disk.runs.set()
    await saying
    assert happened == ["read", "answered"]
    assert [each.seq for each in told] == [2]


async def test_who_stops_waiting_has_spoken_all_the_same(store, disk, told):
    """A visitor whose connection breaks meanwhile cannot take back what is being stored."""
    disk.runs.clear()
    saying = asyncio.create_task(append(store, "lobby", said(1)))
    await waits(disk)
    saying.cancel()
    disk.runs.set()
    assert (await store.append("lobby", said(1))).seq == 1
    assert [each.seq for each in told] == [1]


async def test_what_waits_is_bounded(store, disk):
    """Past it messages are refused, with when to try again; who goes is let go; and what was taken is stored."""
    disk.runs.clear()
    taken = [asyncio.create_task(append(store, "lobby", said(0)))]
    await waits(disk)
    for number in range(1, 100):
        taken.append(asyncio.create_task(append(store, "lobby", said(number, "x" * 1_000_000))))
        await asyncio.sleep(0)
    going = asyncio.create_task(store.signal("lobby", Left(ADA)))
    taken += [asyncio.create_task(append(store, "lobby", said(number))) for number in range(2000, 4000)]
    await asyncio.sleep(0)
    with pytest.raises(Refused):
        await store.signal("lobby", Typing(ADA, True))
    disk.runs.set()
    results = await asyncio.gather(*taken, return_exceptions=True)
    await going
    refused = [each for each in results if isinstance(each, Refused)]
    stored = [each for each in results if isinstance(each, Message)]
    assert {("unavailable", True)} == {(each.code, each.retry_after is not None) for each in refused}
    assert 10 <= len(stored) < len(results) == len(stored) + len(refused)
    assert [each.seq for each in stored] == [*range(1, len(stored) + 1)]
    assert (await store.append("lobby", said(5000))).seq == len(stored) + 1


async def test_who_writes_too_much_is_refused_and_nobody_else(store, disk):
    """While the disk does not answer, twenty people write all they can: who comes then has room, and so has each of them."""
    disk.runs.clear()
    first = asyncio.create_task(append(store, "lobby", said(0)))
    await waits(disk)
    authors = [Member(f"flood{number}", "Flood") for number in range(20)]
    taken: dict[str, int] = {}
    saying = [first]
    for number in range(1000):
        for author in authors:
            message = Message(f"m{number}", author, "x" * 20_000, 1.7e9)
            saying.append(asyncio.create_task(append(store, "lobby", message)))
    await asyncio.sleep(0)
    calm = [asyncio.create_task(append(store, "lobby", said(number, "y" * 2000))) for number in range(1, 101)]
    joining = asyncio.create_task(store.signal("lobby", Joined(BOB)))
    await asyncio.sleep(0)
    disk.runs.set()
    for result in await asyncio.gather(*saying, return_exceptions=True):
        if isinstance(result, Message):
            taken[result.author.id] = taken.get(result.author.id, 0) + 1
        else:
            assert isinstance(result, Refused)
            assert (result.code, result.retry_after) == ("unavailable", 1.0)
    await joining
    assert len(await asyncio.gather(*calm)) == 100
    assert len(taken) == 21
    shares = [count for author, count in taken.items() if author.startswith("flood")]
    assert max(shares) - min(shares) <= 1
    assert sum(shares) < 2000


async def test_who_writes_little_does_not_wait_behind_who_writes_much(store, disk, told):
    """Authors take turns; what each of them says stays in its order, and so do their comings and goings."""
    disk.runs.clear()
    first = asyncio.create_task(append(store, "lobby", said(0)))
    await waits(disk)
    flood = Member("flood", "Flood")
    saying = [
        asyncio.create_task(append(store, "lobby", Message(f"m{n}", flood, "x" * 9000, 1.7e9))) for n in range(500)
    ]
    await asyncio.sleep(0)
    calm = [
        asyncio.create_task(store.signal("lobby", Joined(BOB))),
        asyncio.create_task(append(store, "lobby", Message("m1", BOB, "calm", 1.7e9))),
        asyncio.create_task(append(store, "lobby", Message("m2", BOB, "calm too", 1.7e9))),
        asyncio.create_task(store.signal("lobby", Left(BOB))),
    ]
    await asyncio.sleep(0)
    told.clear()
    disk.runs.set()
    await asyncio.gather(*calm)
    assert not saying[-1].done()
    await asyncio.gather(first, *saying)
    assert [each.id for each in told if isinstance(each, Message) and each.author == flood] == [
        f"m{n}" for n in range(500)
    ]
    of_bob = [each for each in told if not isinstance(each, Message) or each.author == BOB]
    assert [type(each) for each in of_bob] == [Joined, Message, Message, Left]
    assert told.index(of_bob[-1]) < 150


async def test_a_disk_that_cannot_be_written_stops_messages_and_not_people(store, disk, told, caplog):
    """They are refused with when to try again; people come and go, history is read; and it goes on when it can."""
    await store.append("lobby", said(1))
    told.clear()
    disk.read_only = True
    for number in (2, 3):
        with pytest.raises(Refused) as caught:
            await store.append("lobby", said(number))
        assert (caught.value.code, caught.value.retry_after) == ("unavailable", 5.0)
    await store.signal("lobby", Joined(ADA))
    await store.signal("lobby", Joined(BOB))
    await store.signal("lobby", Away(ADA))
    await store.signal("lobby", Left(BOB))
    assert told == [Joined(ADA), Joined(BOB), Away(ADA), Left(BOB)]
    assert (await store.history("lobby")).seq == 1
    disk.read_only = False
    assert (await store.append("lobby", said(2))).seq == 2
    assert [record.getMessage().partition("chat.db ")[2] for record in caplog.records] == [
        "cannot be written, messages are refused: attempt to write a readonly database.",
        "can be written again.",
    ]
    path = store.path
    await store.aclose()
    again = SqliteStore(path)
    opening = await again.subscribe("lobby", lambda _: None)
    assert ((ADA,), (BOB,)) == (opening.away, opening.known)
    await again.aclose()


@contextmanager
def full(size: int) -> Iterator[None]:
    """The system lets no file of this process grow beyond `size` bytes: to SQLite, the disk is full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_refuses_and_then_takes_again(store, told):
    """What was stored before stays; what was refused is not there, and can be sent again; the file is sound."""
    stored = [await store.append("lobby", said(number)) for number in range(50)]
    wal = store.path.with_name("chat.db-wal")
    with full(wal.stat().st_size + 100_000):
        refused = 0
        for number in range(50, 300):
            try:
                stored.append(await store.append("lobby", said(number, "x" * 2000)))
            except Refused as error:
                assert error.code == "unavailable"
                refused = refused or number
        assert refused
        assert (await store.history("lobby", limit=1000)).seq == len(stored)
    stored.append(await store.append("lobby", said(refused, "now")))
    assert [each.seq for each in stored] == list(range(1, len(stored) + 1))
    assert stored == told == await store.events("lobby", after=0, limit=1000)
    await store.aclose()
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    connection.close()


async def test_a_database_that_was_moved_away_is_not_written(store):
    """What would be lost with the process is not acknowledged; when the file is back, it goes on."""
    await store.append("lobby", said(1))
    elsewhere = store.path.with_name("elsewhere.db")
    store.path.rename(elsewhere)
    with pytest.raises(Refused, match="cannot store"):
        await store.append("lobby", said(2))
    elsewhere.rename(store.path)
    assert (await store.append("lobby", said(2))).seq == 2


async def _after_a_kill(path: Path, *removed: str) -> tuple[set[str], set[str], str]:
    """What a server acknowledged around the removal of files beside its database, and what is there after its kill."""
    talker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _TALKER, str(path), "0", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert talker.stdout is not None
    assert talker.stderr is not None
    heard = [await talker.stdout.readline() for _ in range(200)]
    for suffix in removed:
        if suffix.startswith("other"):
            path.with_name("other").write_bytes(b"another file")
            path.with_name("other").replace(f"{path}{suffix.removeprefix('other')}")
        else:
            Path(f"{path}{suffix}").unlink()
    told = (await talker.stderr.readline()).decode()
    heard += [await talker.stdout.readline() for _ in range(300)]
    talker.kill()
    heard += (await talker.stdout.read()).splitlines(keepends=True)
    await talker.wait()
    store = SqliteStore(path)
    stored = await store.events("lobby", after=0, limit=1_000_000)
    await store.aclose()
    return {line.decode().split()[1] for line in heard if line.endswith(b"\n")}, {each.id for each in stored}, told


@pytest.mark.parametrize("removed", [["-wal"], ["-shm"], ["-wal", "-shm"], ["other-wal"]], ids="+".join)
async def test_a_wal_that_was_removed_takes_nothing_with_it(tmp_path, removed):
    """What was acknowledged before and after is there after a kill: the server notices, and says what it did."""
    path = tmp_path / "chat.db"
    acknowledged, stored, told = await _after_a_kill(path, *removed)
    assert "was removed or replaced while it was in use" in told
    assert "nothing is lost" in told
    assert acknowledged <= stored
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


async def test_a_wal_that_was_removed_is_noticed_where_nobody_speaks(store, caplog):
    """The next message may be tomorrow's, and the power may go before it."""
    await store.append("lobby", said(1))
    wal = Path(f"{store.path}-wal")
    wal.unlink()
    async with asyncio.timeout(20):
        while not wal.exists():
            await asyncio.sleep(0.01)
    connection = sqlite3.connect(f"file:{store.path}?immutable=1", uri=True)  # the file alone, as a kill would leave it
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)
    connection.close()
    async with asyncio.timeout(20):
        while "nothing is lost" not in caplog.text:  # said when all is done
            await asyncio.sleep(0.01)
    assert (await store.append("lobby", said(2))).seq == 2


async def test_a_wal_that_was_removed_under_a_reader_of_another_program_waits(store, caplog):
    """Messages are refused until that has ended; then all is there."""
    await store.append("lobby", said(1))
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM events").fetchone()
    await store.append("lobby", said(2))
    Path(f"{store.path}-wal").unlink()
    with pytest.raises(Refused, match="cannot store"):
        await store.append("lobby", said(3))
    assert not store.available
    other.close()
    assert (await store.append("lobby", said(3))).seq == 3
    assert store.available
    assert [each.seq for each in (await store.history("lobby")).messages] == [1, 2, 3]
    assert caplog.text.count("another program has the database open") == 1


class _Surprise(BaseException):
    """What nobody foresees."""


@pytest.mark.parametrize("surprise", [RuntimeError("unforeseen"), _Surprise("unforeseen")], ids=["error", "worse"])
@pytest.mark.parametrize("where", ["members.Members.record", "appends.Logs.append_messages", "appends.Logs.append"])
async def test_what_nobody_foresaw_refuses_a_batch_and_not_the_rest(store, told, caplog, monkeypatch, surprise, where):
    """Everybody is answered, the log has the cause with its traceback, once, and the next are stored."""

    def fail(*_: object) -> None:
        raise surprise

    await store.append("lobby", said(1))
    with monkeypatch.context() as patch:
        patch.setattr(f"pychat.stores.sqlite.{where}", fail)
        for _ in range(2):
            batch = [append(store, "lobby", said(number)) for number in (2, 3, 2)]  # a repeated id: one by one
            async with asyncio.timeout(10):
                joined, *refused = await asyncio.gather(
                    store.signal("lobby", Joined(BOB)), *batch, return_exceptions=True
                )
            assert joined is None
            assert [each.code for each in refused if isinstance(each, Refused)] == ["unavailable"] * 3
            assert not store.available
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert "unforeseen" in caplog.text
    assert (await store.append("lobby", said(2))).seq == 2
    assert store.available
    assert [each.seq for each in told if isinstance(each, Message)] == [1, 2]
    assert "can be written again" in caplog.text


async def test_a_store_that_failed_is_available_again_by_itself(store, disk, monkeypatch):
    """Whoever looks at `/readyz` sends nobody there until it is."""
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(writer, "_CHECK_SECONDS", 0.05)
    disk.read_only = True
    with pytest.raises(Refused):
        await store.append("lobby", said(1))
    assert not store.available
    disk.read_only = False
    async with asyncio.timeout(20):
        while not store.available:
            await asyncio.sleep(0.01)


async def test_one_subscriber_that_fails_takes_nothing_from_others(store, told, caplog):
    """It is against the port to raise; it is logged, and all the rest is told and answered."""

    def fail(_: Event) -> None:
        raise RuntimeError("a subscriber's mistake")

    await store.subscribe("kitchen", fail)
    heard: list[Event] = []
    await store.subscribe("kitchen", heard.append)
    assert [await store.append("kitchen", said(1))] == heard
    assert "a subscriber's mistake" in caplog.text


async def test_typing_does_not_wait_for_the_disk_but_for_its_turn(store, disk, told):
    """It is told at once where nothing waits, and else after what came before it."""
    await store.signal("lobby", Typing(ADA, True))
    commits = disk.commits
    await store.signal("lobby", Typing(ADA, False))
    assert commits == disk.commits
    disk.runs.clear()
    saying = asyncio.create_task(append(store, "lobby", said(1)))
    await waits(disk)
    typing = asyncio.create_task(store.signal("lobby", Typing(ADA, True)))
    await asyncio.sleep(0)
    assert told == [Typing(ADA, True), Typing(ADA, False)]
    disk.runs.set()
    stored = await saying
    await typing
    assert told[2:] == [stored, Typing(ADA, True)]


async def test_closing_answers_everybody(store, disk):
    """What was begun is stored; who waits to read is answered or refused, and nobody is left waiting."""
    disk.runs.clear()
    saying = [asyncio.create_task(append(store, "lobby", said(number))) for number in range(50)]
    await waits(disk)
    reading = [asyncio.create_task(store.history("lobby")) for _ in range(500)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.aclose())
    pages = await asyncio.gather(*reading, return_exceptions=True)
    assert all(isinstance(each, Page) or (isinstance(each, Refused) and each.code == "unavailable") for each in pages)
    disk.runs.set()
    await closing
    assert [each.seq for each in await asyncio.gather(*saying)] == list(range(1, 51))
