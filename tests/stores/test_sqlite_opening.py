"""Opening a database: it is ours, sound and nobody else's, or one line says why not and nothing is changed."""

from __future__ import annotations

import asyncio
import collections
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Edited, Member, Message
from pychat.room.chatroom import ChatRoom
from pychat.stores.sqlite import SqliteArchive, SqliteStore, database, schema
from pychat.testing import RecordingConnection
from pychat.transports.admission import admit

ADA = Member("a", "Ada")


async def fill(path: Path, count: int = 300) -> None:
    """Make a database with that many messages."""
    store = SqliteStore(path)
    messages = [Message(f"m{number}", ADA, f"text {number} " * 9, 1.7e9) for number in range(1, count + 1)]
    await asyncio.gather(*(store.append("lobby", message) for message in messages))
    await store.aclose()


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Where a database is."""
    path = tmp_path / "chat.db"
    await fill(path)
    return path


def content(path: Path) -> bytes:
    """What is in the file."""
    return path.read_bytes()


async def refusal(path: Path) -> str:
    """Why the store cannot be opened; the file is as it was."""
    before = content(path)
    store = SqliteStore(path)
    with pytest.raises(UsageError) as caught:
        await store.subscribe("lobby", lambda _: None)
    await store.aclose()
    assert before == content(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database " * 2_000)


def _header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 16)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _pages(path: Path) -> None:
    with path.open("r+b") as file:
        for page in range(8, 40):
            file.seek(page * 4096)
            file.write(b"\xa5" * 200)


@pytest.mark.parametrize("spoil", [_garbage, _header, _cut, _pages])
async def test_a_damaged_database_is_found_at_the_start(path, spoil: Callable[[Path], None]):
    """It is said, with what to do, and never replaced by a new one."""
    spoil(path)
    told = await refusal(path)
    assert "is damaged" in told
    assert ".recover" in told


async def test_of_a_large_database_what_opens_a_room_is_checked(path, monkeypatch):
    """Starting does not read it all; what it reads must be sound."""
    monkeypatch.setattr(database, "_FULL_CHECK_BYTES", 0)
    store = SqliteStore(path)
    assert (await store.history("lobby")).seq == 300
    await store.aclose()
    _pages(path)
    assert "is damaged" in await refusal(path)


async def test_anothers_database_is_left_alone(tmp_path):
    """A file that some other program made is no place for messages."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.commit()
    connection.close()
    assert "another program" in await refusal(path)


async def test_a_newer_database_is_left_alone(path):
    """What a newer pychat wrote, this one might spoil."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    assert "newer pychat" in await refusal(path)


async def test_a_directory_is_no_database(tmp_path):
    """Nor is anything else that is not a file."""
    with pytest.raises(UsageError, match="not a regular file"):
        await SqliteStore(tmp_path).open()


async def test_a_file_that_cannot_be_written_is_said_at_the_start(path):
    """Whoever starts a server learns it then, not from the first message."""

    class ReadOnly(sqlite3.Connection):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.execute("PRAGMA query_only = ON")

    with pytest.raises(UsageError, match="cannot be used: attempt to write a readonly database"):
        await SqliteStore(path, factory=ReadOnly).open()
    await fill(path, 1)  # and it was let go of


_HOLDER = """
import asyncio, sys
from pychat.stores.sqlite import SqliteStore

async def main():
    await SqliteStore(sys.argv[1]).open()
    print("open", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_one_server_for_one_database(path):
    """A second one, in this process or another, is told so; who only reads may; and a killed server locks nobody out."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"open\n"
        assert "in use by another pychat" in await refusal(path)
        with SqliteArchive(path) as archive:
            assert len(list(archive.messages("lobby"))) == 300
    finally:
        holder.kill()
        await holder.wait()
    one, other = SqliteStore(path), SqliteStore(path)
    await one.open()
    with pytest.raises(UsageError, match="already open in this process"):
        await other.open()
    await one.aclose()
    await other.open()  # a store that could not be opened may try again
    await other.aclose()


async def test_two_names_are_one_database(path):
    """A link does not get around the lock."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    one = SqliteStore(path)
    await one.open()
    with pytest.raises(UsageError, match="already open"):
        await SqliteStore(link).open()
    await one.aclose()


async def test_a_file_with_two_names_is_not_served(path):
    """A hard link has no part in the `-wal` beside the other name: it is said, with what to do."""
    link = path.with_name("link.db")
    link.hardlink_to(path)
    for each in (path, link):
        told = await refusal(each)
        assert "has 2 hard links" in told
        assert f"cp {each}" in told
    store = SqliteStore(path)
    link.unlink()
    assert (await store.history("lobby")).seq == 300
    link.hardlink_to(
        path
    )  # whoever makes one while it is served is told so at the second start, which is the wrong one
    assert "hard links" in await refusal(link)
    await store.aclose()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere this lock would meet those of SQLite")
async def test_one_server_for_one_file_by_whatever_name_it_is_reached(path, monkeypatch):
    """Where a file is mounted at another place it has another lock file beside it, and is locked all the same."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"open\n"
        assert f"in use by another pychat (process {holder.pid})" in await refusal(path)
        path.with_name("chat.db.lock").unlink()
        told = await refusal(path)
        assert f"in use by another pychat (process {holder.pid})" in told
        assert "--store redis://" in told
    finally:
        holder.kill()
        await holder.wait()
    await fill(path, 1)  # the lock has ended with the process


def _flips(data: bytes) -> Iterator[tuple[int, int]]:
    """Bits to flip: every header byte, the schema, and a good deal of the rest."""
    chance = random.Random(1)  # noqa: S311 -- the same each time
    yield from ((place, 1 << chance.randrange(8)) for place in range(100))
    yield from ((place, 128) for place in range(100, 4096, 29) if data[place])  # texts of the schema are no UTF-8 then
    written = [place for place in range(4096, len(data)) if data[place]]
    yield from ((place, 1 << chance.randrange(8)) for place in chance.sample(written, 150))


async def test_a_file_with_a_wrong_bit_works_or_is_refused_in_one_line(tmp_path, caplog):
    """Whichever bit it is: no traceback at the start, and none for those who read and write later."""
    path = tmp_path / "chat.db"
    await fill(path, 40)
    data = content(path)
    outcomes = collections.Counter[str]()
    for place, bit in _flips(data):
        spoiled = bytearray(data)
        spoiled[place] ^= bit
        path.write_bytes(spoiled)
        store = SqliteStore(path)
        room = ChatRoom("lobby", store=store)
        outcome = "works"
        try:
            await room.start()
            await room.history(matching="text")
            await room.post("text", author="bot")
            await room.edit(39, "changed")
            await store.events("lobby", after=0, limit=100)
        except UsageError as error:
            assert len(str(error).splitlines()) == 1
            assert str(error).isprintable()
            outcome = "refused"
        except Refused as refused:
            assert refused.code in {"unavailable", "not_found"}
            outcome = "unavailable"
        outcomes[outcome] += 1
        await room.aclose()
        await store.aclose()
        for beside in ("-wal", "-shm"):
            path.with_name(f"chat.db{beside}").unlink(missing_ok=True)
    assert outcomes["works"] > 20
    assert outcomes["refused"] > 100
    assert not [record for record in caplog.records if record.exc_info]


async def test_what_is_found_damaged_later_is_refused_and_said_once(path, caplog):
    """Who reads it is told to come again; the log has one line, which says what to do."""
    store = SqliteStore(path)
    await store.open()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE events SET text = CAST(x'ff' AS TEXT) WHERE place & 0xffff = 7")
    connection.execute("UPDATE events SET date = 1e300 WHERE place & 0xffff = 9")
    connection.commit()
    connection.close()
    for before in (9, 9, 300, 9, 300):
        if before == 300:
            assert len((await store.history("lobby", before=before)).messages) == 50
        else:
            with pytest.raises(Refused, match="cannot read"):
                await store.history("lobby", before=before)
    with pytest.raises(Refused, match="cannot read"):
        await store.history("lobby", before=10, limit=1)
    await store.aclose()
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "Could not decode to UTF-8" in caplog.text
    assert ".recover" in caplog.text
    assert "Traceback" not in caplog.text


async def test_visitors_of_a_room_that_cannot_be_opened_are_told_to_come_again(path, caplog):
    """Where a host starts without opening its rooms, the log says what to do; nobody is told `internal`."""
    holder = SqliteStore(path)
    await holder.open()
    store = SqliteStore(path)
    room = ChatRoom(store=store)
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            await admit(room.backend, RecordingConnection())
        assert (caught.value.code, caught.value.retry_after) == ("unavailable", 5.0)
    with pytest.raises(UsageError, match="already open in this process"):
        await room.start()
    assert 1 <= caplog.text.count("already open in this process") <= 2  # a few a minute
    assert "Traceback" not in caplog.text
    await holder.aclose()
    session = await admit(room.backend, RecordingConnection())  # it can be opened now
    await session.close()
    await room.aclose()
    await store.aclose()


def _rename(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT ''")


def _fail(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM events")
    raise RuntimeError("this step is wrong")


def _columns(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [column[1] for column in connection.execute("PRAGMA table_info (rooms)")]
    finally:
        connection.close()


async def test_an_older_database_is_brought_up_to_date(path, monkeypatch):
    """All steps are taken, everything is there, and the old one lies beside it, complete."""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _rename))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(UsageError, match="older pychat"):
        SqliteArchive(path)
    store = SqliteStore(path)
    assert len((await store.history("lobby", limit=1000)).messages) == 300
    assert (await store.append("lobby", Edited("e", ADA, 1, "x", 1.7e9))).seq == 301
    await store.aclose()
    assert "topic" in _columns(path)
    monkeypatch.undo()
    with SqliteArchive(path.with_name(f"chat.db.version-{schema.VERSION}")) as copy:
        assert len(list(copy.messages("lobby"))) == 300
    assert "newer pychat" in await refusal(path)


async def test_a_step_that_fails_undoes_them_all(path, monkeypatch):
    """The database is as it was, for the pychat that wrote it; the copy is there too, and a second try takes another."""
    now = schema.VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _rename, _fail))
    monkeypatch.setattr(schema, "VERSION", now + 2)
    for copy in (f"chat.db.version-{now}", f"chat.db.version-{now}-2"):
        assert "It is unchanged" in await refusal(path)
        assert path.with_name(copy).exists()
    assert "topic" not in _columns(path)
    monkeypatch.undo()
    store = SqliteStore(path)
    assert len((await store.history("lobby", limit=1000)).messages) == 300
    await store.aclose()
