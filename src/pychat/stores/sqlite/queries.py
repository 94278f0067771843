"""Queries on any connection, each from one snapshot of the database."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pychat.domain.model import LogEvent, Message
from pychat.domain.search import Search
from pychat.domain.strictjson import dumps
from pychat.stores.sqlite import rows, search_index
from pychat.stores.store import Page

__all__ = [
    "DELETED",
    "Room",
    "check_members",
    "count",
    "events",
    "history",
    "messages",
    "messages_from",
    "renew",
    "room",
    "rooms",
    "search_step",
    "secret",
    "snapshot",
    "title",
]

#: How the name of a room begins that was deleted, and whose events are being removed.
DELETED = "/deleted/"
_ROOM = "number, name, epoch, head, messages, removed"
_STANDING = f"SELECT {rows.MESSAGE} FROM events LEFT JOIN revised ON target_place = place"


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
    #: How many messages retention has removed.
    removed: int


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
    found = connection.execute(f"SELECT {_ROOM} FROM rooms WHERE name NOT GLOB '{DELETED}*' ORDER BY number")
    return [_room(columns) for columns in found]


def room(connection: sqlite3.Connection, name: str) -> Room | None:
    """Return the room of that name."""
    columns = connection.execute(f"SELECT {_ROOM} FROM rooms WHERE name = ?", (name,)).fetchone()
    return None if columns is None else _room(columns)


def title(connection: sqlite3.Connection, number: int) -> str | None:
    """Return the title that moderators gave a room, or that of its record."""
    value = "SELECT json_extract(record, '$[0].value') FROM moderation"
    of_moderators = f"{value} WHERE room = ? AND kind = 'setting' AND key = 'title'"
    for query in (of_moderators, "SELECT title FROM rooms WHERE number = ?"):
        found = connection.execute(query, (number,)).fetchone()
        if found is not None and found[0]:
            return str(found[0])
    return None


def newest_rooms(connection: sqlite3.Connection, limit: int) -> list[Room]:
    """Return the rooms that were made last."""
    found = connection.execute(f"SELECT {_ROOM} FROM rooms ORDER BY number DESC LIMIT ?", (limit,))
    return [_room(columns) for columns in found]


def rooms_after(connection: sqlite3.Connection, number: int, limit: int) -> list[Room]:
    """Return at most `limit` rooms with a higher number, the lowest first."""
    found = connection.execute(f"SELECT {_ROOM} FROM rooms WHERE number > ? ORDER BY number LIMIT ?", (number, limit))
    return [_room(columns) for columns in found]


def rooms_of(connection: sqlite3.Connection, author: str) -> list[str]:
    """Return the names of the rooms with events or the name of that author."""
    query = (
        "SELECT place >> 40 FROM events WHERE author = ?1 UNION "
        "SELECT number FROM rooms WHERE EXISTS (SELECT 1 FROM members WHERE room = number AND id = ?1) UNION "
        "SELECT room FROM moderation WHERE key IN (?1, 'member:' || ?1) OR instr(record, ?2) UNION "
        "SELECT room FROM audit WHERE instr(entry, ?2) OR instr(entry, ?3)"
    )
    numbers = connection.execute(query, (author, dumps(author), dumps(f"member:{author}"))).fetchall()
    found = (connection.execute("SELECT name FROM rooms WHERE number = ?", each).fetchone() for each in numbers)
    return [each[0] for each in found if each is not None and not each[0].startswith(DELETED)]


def is_wiping(connection: sqlite3.Connection) -> bool:
    """Return whether what was deleted or erased is still in the files."""
    return connection.execute("SELECT 1 FROM meta WHERE key = 'wipe'").fetchone() is not None


def set_wiping(connection: sqlite3.Connection, on: bool) -> None:
    """Note whether what was deleted or erased is still in the files."""
    statement = "INSERT OR REPLACE INTO meta VALUES ('wipe', 1)" if on else "DELETE FROM meta WHERE key = 'wipe'"
    connection.execute(statement)


def secret(connection: sqlite3.Connection) -> bytes:
    """Return the key that signs the tokens of all rooms."""
    match connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone():
        case [bytes() as found] if len(found) >= 16:
            return found
    raise sqlite3.DatabaseError("the secret that signs tokens is missing")


def count(connection: sqlite3.Connection) -> int:
    """Return how many events all rooms have ever had, also those that were deleted."""
    gone = "(SELECT value FROM meta WHERE key = 'deleted_events')"
    (found,) = connection.execute(
        f"SELECT coalesce(sum(head), 0) + coalesce({gone}, 0) FROM rooms WHERE name NOT GLOB '{DELETED}*'"
    ).fetchone()
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
        query = f"SELECT {rows.EVENT} FROM events WHERE place > ? AND place <= ? ORDER BY place LIMIT ?"
        return [rows.event(columns) for columns in connection.execute(query, (*span, max(limit, 0)))]


def history(connection: sqlite3.Connection, name: str, *, before: int | None, limit: int) -> Page:
    """Return the last `limit` messages before number `before`."""
    with snapshot(connection):
        found = room(connection, name)
        if found is None:
            return Page((), 0)
        query = f"{_STANDING} WHERE kind = 'message' AND place >= ? AND place < ? ORDER BY place DESC LIMIT ?"
        columns = connection.execute(query, (*_span(found, before), max(limit, 0))).fetchall()
        return Page(tuple(rows.message(each) for each in reversed(columns)), found.head)


def search_step(
    connection: sqlite3.Connection, name: str, *, before: int | None, search: Search, looked_at: int
) -> tuple[list[int], int | None]:
    """Look at the last `looked_at` messages before number `before` that have the words of a search.

    Return the numbers of those that the search finds, newest first, and the number before which to go on; `None` at
    the end.
    """
    with snapshot(connection):
        found = room(connection, name)
        if found is None:
            return [], None
        places = _with_words(connection, search, _span(found, before), looked_at)
        end = rows.seq(places[-1]) if len(places) == looked_at else None
        return [rows.seq(place) for place in _narrowed(connection, search, places)], end


def messages(connection: sqlite3.Connection, name: str, seqs: Iterable[int], search: Search) -> Page:
    """Return the messages of these numbers that the search still finds, oldest first."""
    with snapshot(connection):
        found = room(connection, name)
        if found is None:
            return Page((), 0)
        places = (rows.place(found.number, seq) for seq in sorted(seqs))
        columns = (connection.execute(f"{_STANDING} WHERE place = ?", (place,)).fetchone() for place in places)
        standing = (rows.message(each) for each in columns if each is not None)
        return Page(tuple(each for each in standing if not each.deleted and _narrows(search, each)), found.head)


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
        case [int() as number, str() as name, str() as epoch, int() as head, int() as messages, int() as removed]:
            if (
                0 < number < 1 << 23
                and messages >= 0
                and removed >= 0
                and messages + removed <= head < 1 << rows.ROOM_SHIFT
            ):
                return Room(number, name, epoch, head, messages, removed)
    raise sqlite3.DatabaseError(f"room number {columns[0]} is not as pychat wrote it")


def _span(found: Room, before: int | None) -> tuple[int, int]:
    """The places of a room before number `before`: the first one, and that behind the last one."""
    end = found.head + 1 if before is None else max(0, min(before, found.head + 1))
    return rows.place(found.number, 0), rows.place(found.number, end)


def _with_words(connection: sqlite3.Connection, search: Search, span: tuple[int, int], limit: int) -> list[int]:
    """The places of the last messages that have the words of a search, newest first."""
    query = search_index.query(search.text)
    if query is not None:
        # FTS5 reads its lists from the end, and only as far as they are asked for; a join would build the whole lists.
        found = connection.execute(
            "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (query, *span, limit),
        )
    elif search.filters:
        found = connection.execute(
            "SELECT place FROM events WHERE kind = 'message' AND place >= ? AND place < ? ORDER BY place DESC LIMIT ?",
            (*span, limit),
        )
    else:
        return []
    return [place for (place,) in found]


def _narrowed(connection: sqlite3.Connection, search: Search, places: list[int]) -> list[int]:
    """Those of the places that pass the filters of a search, and whose messages were not deleted."""
    if not places:
        return []
    # No message is read whole: there may be many, and few are wanted. Without words the places stand side by side.
    chosen, values = "kind = 'message' AND place >= ? AND place <= ?", list[object]([places[-1], places[0]])
    if search_index.query(search.text) is not None:
        chosen, values = "place IN (SELECT value FROM json_each(?))", [dumps(places)]
    query = (
        "SELECT place, name FROM events LEFT JOIN revised ON target_place = place "
        f"WHERE {chosen} AND date >= ? AND date < ? AND deleted IS NOT 1 ORDER BY place DESC"
    )
    after = -math.inf if search.after is None else search.after
    before = math.inf if search.before is None else search.before
    found = connection.execute(query, (*values, after, before))
    return [place for place, name in found if search.is_from(name)]


def _narrows(search: Search, message: Message) -> bool:
    return search.is_between(message.date) and search.is_from(message.author.name)
