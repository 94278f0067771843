"""An older copy in the place of a SQLite file is noticed: the room is numbered anew, for whoever comes back."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from pychat import ChatRoom, Position
from pychat.stores.sqlite import SqliteStore
from pychat.testing import Person


async def said(path: Path, count: int) -> Position:
    """Open the file at `path`, say so much, and close it; where the room stood then."""
    store = SqliteStore(path)
    room = ChatRoom(store=store)
    await room.start()
    for number in range(count):
        await room.post(f"{number}", author="bot")
    position = room.position
    await store.aclose()
    return position


async def test_an_older_copy_gets_a_new_epoch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever comes back with no more than a number is not told that nothing is missing; one line says what was found."""
    file, backup = tmp_path / "chat.db", tmp_path / "backup.db"
    before = await said(file, 5)
    shutil.copy(file, backup)
    seen = await said(file, 5)
    assert (seen.epoch, seen.seq) == (before.epoch, 10)
    shutil.copy(backup, file)
    with caplog.at_level(logging.WARNING):
        restored = await said(file, 7)
        assert (await said(file, 0)).epoch == restored.epoch  # it was noticed, and is over
    assert (restored.epoch != seen.epoch, restored.seq) == (True, 12)
    (line,) = caplog.messages
    assert line == f"{file} has 5 events, but had 10 before: was a backup restored? Clients will load the room anew."
    store = SqliteStore(file)
    person = await Person.enter(ChatRoom(store=store), since=Position(seen.epoch, 10))
    welcome = await person.event("welcome")
    assert (welcome["recovered"], [each["seq"] for each in welcome["messages"]]) == (False, list(range(1, 13)))
    await store.aclose()


@pytest.mark.parametrize("noted", [None, b"", b"many", b"0" * 100, b"\xff"])
async def test_what_cannot_be_known_changes_nothing(tmp_path: Path, noted: bytes | None) -> None:
    """A file that was moved, or a note that makes no sense: the epoch stays."""
    file = tmp_path / "chat.db"
    before = await said(file, 5)
    note = tmp_path / "chat.db.events"
    assert int(note.read_bytes()) == 5
    assert note.stat().st_mode & 0o777 == 0o600
    if noted is None:
        note.unlink()
    else:
        note.write_bytes(noted)
    assert (await said(file, 1)).epoch == before.epoch
    assert int(note.read_bytes()) == 6


async def test_a_fresh_file_in_the_place_of_one_is_no_backup(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever starts afresh is told nothing."""
    file = tmp_path / "chat.db"
    await said(file, 5)
    file.unlink()
    with caplog.at_level(logging.WARNING):
        await said(file, 1)
    assert caplog.messages == []
    assert int((tmp_path / "chat.db.events").read_bytes()) == 1
