"""Queries: what is read of a database, each from one snapshot of it, on any connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pychat.domain.model import LogEvent, Message
from pychat.stores.sqlite import rows
from pychat.stores.sqlite import search_index as words
from pychat.stores.store import Page

__all__ = [
    "Room",
    "check_members",
    "count",
    "events",
    "history",
    "renew",
    "room",
    "rooms",
    "secret",
    "snapshot",
    "standing",
]

_STANDING = f"SELECT {rows.MESSAGE} FROM events LEFT JOIN revised ON target_place = place"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class Room:
    """What a database knows of a room: its number there, and how much is in it."""

    number: int
    name: str
    epoch: str
    #: The number of the newest event.
    head: int
    #: How many messages there are.
    messages: int


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is read inside is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


def rooms(connection: sqlite3.Connection) -> list[Room]:
    """Every room, the oldest first."""
    found = connection.execute("SELECT number, name, epoch, head, messages FROM rooms ORDER BY number")
    return [_room(columns) for columns in found]


def room(connection: sqlite3.Connection, name: str) -> Room | None:
    """The room of that name."""
    query = "SELECT number, name, epoch, head, messages FROM rooms WHERE name = ?"
    columns = connection.execute(query, (name,)).fetchone()
    return None if columns is None else _room(columns)


def secret(connection: sqlite3.Connection) -> bytes:
    """What signs the tokens of all rooms."""
    match connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone():
        case [bytes() as found] if len(found) >= 16:
            return found
    raise sqlite3.DatabaseError("the secret that signs tokens is missing")


def count(connection: sqlite3.Connection) -> int:
    """How many events there ever were, in all rooms."""
    (found,) = connection.execute("SELECT coalesce(sum(head), 0) FROM rooms").fetchone()
    return int(found)


def renew(connection: sqlite3.Connection) -> bool:
    """Give each room another epoch; whether there is any. It neither begins nor commits."""
    changed = connection.execute("UPDATE rooms SET epoch = lower(hex(randomblob(6)))").rowcount
    return changed > 0


def events(connection: sqlite3.Connection, name: str, *, after: int, limit: int) -> list[LogEvent]:
    """At most `limit` events after number `after`, as they were first stored."""
    with snapshot(connection):
        found = room(connection, name)
        if found is None:
            return []
        span = rows.place(found.number, min(max(after, 0), found.head)), rows.place(found.number, found.head)
        query = f"SELECT {rows.EVENT} FROM events WHERE place > ? AND place <= ? ORDER BY place LIMIT ?"  # noqa: S608
        return [rows.event(columns) for columns in connection.execute(query, (*span, max(limit, 0)))]


def history(connection: sqlite3.Connection, name: str, *, before: int | None, limit: int, matching: str | None) -> Page:
    """The last `limit` messages before number `before`, as they stand; with `matching`, those that hold its words."""
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


def standing(connection: sqlite3.Connection, after: int, end: int, limit: int) -> list[Message]:
    """At most `limit` messages from after one place to another, oldest first, as they stand."""
    query = f"{_STANDING} WHERE kind = 'message' AND place > ? AND place <= ? ORDER BY place LIMIT ?"
    return [rows.message(columns) for columns in connection.execute(query, (after, end, limit))]


def check_members(connection: sqlite3.Connection, room: int) -> None:
    """Raise `sqlite3.DatabaseError` where a member of that room is not as pychat wrote it."""
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
    query = words.query(matching)
    if query is None:
        return []
    # FTS5 walks its lists from the end and stops at the limit; a join would make it build them whole.
    found = connection.execute(
        "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
        (query, *span, limit),
    )
    return [connection.execute(f"{_STANDING} WHERE place = ?", each).fetchone() for each in found.fetchall()]
