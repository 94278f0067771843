"""Queries on any connection, each from one snapshot of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pychat.domain.model import LogEvent, Message
from pychat.stores.sqlite import rows, search_index
from pychat.stores.store import Page

__all__ = [
    "Room",
    "check_members",
    "count",
    "events",
    "history",
    "messages_from",
    "renew",
    "room",
    "rooms",
    "secret",
    "snapshot",
]

_STANDING = f"SELECT {rows.MESSAGE} FROM events LEFT JOIN revised ON target_place = place"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class Room:
    """The row of a room."""

    number: int
    name: str
    epoch: str
    #: The sequence number of the newest event.
    head: int
    #: The number of stored messages.
    messages: int


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read from one snapshot within the block."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


def rooms(connection: sqlite3.Connection) -> list[Room]:
    """Return all rooms, the oldest first."""
    found = connection.execute("SELECT number, name, epoch, head, messages FROM rooms ORDER BY number")
    return [_room(columns) for columns in found]


def room(connection: sqlite3.Connection, name: str) -> Room | None:
    """Return the room of that name."""
    query = "SELECT number, name, epoch, head, messages FROM rooms WHERE name = ?"
    columns = connection.execute(query, (name,)).fetchone()
    return None if columns is None else _room(columns)


def secret(connection: sqlite3.Connection) -> bytes:
    """Return the key that signs the tokens of all rooms."""
    match connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone():
        case [bytes() as found] if len(found) >= 16:
            return found
    raise sqlite3.DatabaseError("the secret that signs tokens is missing")


def count(connection: sqlite3.Connection) -> int:
    """Return how many events all rooms have ever had."""
    (found,) = connection.execute("SELECT coalesce(sum(head), 0) FROM rooms").fetchone()
    return int(found)


def renew(connection: sqlite3.Connection) -> bool:
    """Give each room a new epoch, within the caller's transaction. Return whether there are rooms."""
    changed = connection.execute("UPDATE rooms SET epoch = lower(hex(randomblob(6)))").rowcount
    return changed > 0


def events(connection: sqlite3.Connection, name: str, *, after: int, limit: int) -> list[LogEvent]:
    """Return at most `limit` events after number `after`, as they were first stored."""
    with snapshot(connection):
        found = room(connection, name)
        if found is None:
            return []
        span = rows.place(found.number, min(max(after, 0), found.head)), rows.place(found.number, found.head)
        query = f"SELECT {rows.EVENT} FROM events WHERE place > ? AND place <= ? ORDER BY place LIMIT ?"  # noqa: S608
        return [rows.event(columns) for columns in connection.execute(query, (*span, max(limit, 0)))]


def history(connection: sqlite3.Connection, name: str, *, before: int | None, limit: int, matching: str | None) -> Page:
    """Return the last `limit` messages before number `before`; with `matching`, only those with all of its words."""
    with snapshot(connection):
        found = room(connection, name)
        if found is None:
            return Page((), 0)
        end = found.head + 1 if before is None else max(0, min(before, found.head + 1))
        span = rows.place(found.number, 0), rows.place(found.number, end)
        if matching is None:
            query = f"{_STANDING} WHERE kind = 'message' AND place >= ? AND place < ? ORDER BY place DESC LIMIT ?"
            columns = connection.execute(query, (*span, max(limit, 0))).fetchall()
        else:
            columns = _matching(connection, matching, span, max(limit, 0))
        return Page(tuple(rows.message(each) for each in reversed(columns)), found.head)


def messages_from(connection: sqlite3.Connection, after: int, end: int, limit: int) -> list[Message]:
    """Return at most `limit` messages after place `after` and up to place `end`, oldest first."""
    query = f"{_STANDING} WHERE kind = 'message' AND place > ? AND place <= ? ORDER BY place LIMIT ?"
    return [rows.message(columns) for columns in connection.execute(query, (after, end, limit))]


def check_members(connection: sqlite3.Connection, room: int) -> None:
    """Raise `sqlite3.DatabaseError` if a stored member of that room is invalid."""
    query = (
        "SELECT count(*) FROM members WHERE room = ? AND NOT (typeof(id) = 'text' AND typeof(name) = 'text' "
        "AND state IN ('here', 'away', 'known') AND typeof(changed) = 'integer')"
    )
    (wrong,) = connection.execute(query, (room,)).fetchone()
    if wrong:
        raise sqlite3.DatabaseError(f"{wrong} members of room number {room} are not as pychat wrote them")


def _room(columns: tuple[object, ...]) -> Room:
    match columns:
        case [int() as number, str() as name, str() as epoch, int() as head, int() as messages]:
            if 0 < number < 1 << 23 and 0 <= messages <= head < 1 << rows.ROOM_SHIFT:
                return Room(number, name, epoch, head, messages)
    raise sqlite3.DatabaseError(f"room number {columns[0]} is not as pychat wrote it")


def _matching(
    connection: sqlite3.Connection, matching: str, span: tuple[int, int], limit: int
) -> list[tuple[object, ...]]:
    query = search_index.query(matching)
    if query is None:
        return []
    # FTS5 reads its lists from the end and stops at the limit; a join would make it build the whole lists.
    found = connection.execute(
        "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
        (query, *span, limit),
    )
    return [connection.execute(f"{_STANDING} WHERE place = ?", each).fetchone() for each in found.fetchall()]
