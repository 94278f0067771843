"""Writes to the log within a transaction: numbers events, detects repeated ones, and applies revisions."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import LogEvent, Message, numbered
from pychat.domain.revision import check, revise
from pychat.stores.sqlite import queries, rows, search_index
from pychat.stores.sqlite.inserts import Insert

__all__ = ["CALLER_ERRORS", "Log", "RoomState"]

#: Errors of an event that cannot be written, such as one with a lone surrogate: nothing of it was written.
CALLER_ERRORS = (ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError)

_EVENTS = Insert(f"OR IGNORE INTO events ({rows.EVENT})", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
_REMOVE = "DELETE FROM events WHERE place = ? AND id = ? AND author = ?"
_INDEX = Insert("INTO words (rowid, text)", "(?, ?)")
_UNINDEX = Insert("INTO words (words, rowid, text)", "('delete', ?, ?)")
_FIRST = f"SELECT {rows.EVENT} FROM events WHERE author = ? AND id = ? AND place >> 40 = ?"  # noqa: S608 -- constants
_STANDING = f"SELECT {rows.MESSAGE} FROM events LEFT JOIN revised ON target_place = place WHERE"  # noqa: S608 -- same


@dataclass(slots=True)
class RoomState:
    """The state of a room within the transaction."""

    number: int
    epoch: str
    head: int
    messages: int


class Log:
    """The rooms of a database, for the writing thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rooms: dict[str, RoomState] = {}
        self._changed: dict[int, RoomState] = {}  # by number: what `finish` has to write

    def room(self, name: str) -> RoomState:
        """Return the state of the room; create the room if it does not exist."""
        state = self._rooms.get(name)
        if state is None:
            found = queries.room(self._connection, name)
            if found is None:
                epoch = secrets.token_urlsafe(6)
                self._connection.execute("INSERT INTO rooms (name, epoch) VALUES (?, ?)", (name, epoch))
                found = queries.room(self._connection, name)
                assert found is not None  # noqa: S101 -- just made
            state = self._rooms[name] = RoomState(found.number, found.epoch, found.head, found.messages)
        return state

    def append_messages(self, messages: Sequence[tuple[str, Message, tuple[Any, ...]]]) -> list[LogEvent] | None:
        """Store one chunk of messages of any rooms with few statements, and return them with their numbers.

        Return `None`, and store nothing, if one of them is stored already, is repeated, or cannot be written.
        """
        heads: dict[str, int] = {}
        stored, events = list[LogEvent](), list[tuple[Any, ...]]()
        try:
            for name, message, columns in messages:
                room = self.room(name)
                heads[name] = seq = heads.get(name, room.head) + 1
                stored.append(numbered(message, seq))
                events.append((rows.place(room.number, seq), *columns))
            inserted = _EVENTS.chunk(self._connection, events)
        except CALLER_ERRORS:  # while parameters were bound, before anything was written
            return None
        if inserted < len(events):
            self._connection.executemany(_REMOVE, [(row[0], row[2], row[3]) for row in events])
            return None
        texts = [search_index.searchable(message.text) for _, message, _ in messages]
        _INDEX.chunk(self._connection, [(row[0], text) for row, text in zip(events, texts, strict=True)])
        for name, head in heads.items():
            room = self._rooms[name]
            room.messages += head - room.head
            room.head = head
            self._changed[room.number] = room
        return stored

    def append(self, name: str, event: LogEvent, columns: tuple[Any, ...]) -> tuple[LogEvent, bool]:
        """Store `event` with its `columns`, unless it is stored already. Return the stored event and whether it is new.

        Raise `Refused` if an earlier event does not allow it.
        """
        room = self.room(name)
        seq = room.head + 1
        place = rows.place(room.number, seq)
        revised = None
        if not isinstance(event, Message) and 0 < event.target < seq:
            revised = self._message(rows.place(room.number, event.target))
            try:
                if revised is not None:
                    check(revised, event)
            except Refused:
                first = self._first(room, event)
                if first is None:
                    raise
                return first, False
        if not _EVENTS.chunk(self._connection, [(place, *columns)]):
            first = self._first(room, event)
            assert first is not None  # noqa: S101 -- it caused the conflict
            return first, False
        stored = numbered(event, seq)
        room.head = seq
        self._changed[room.number] = room
        if isinstance(stored, Message):
            room.messages += 1
            _INDEX.chunk(self._connection, [(place, search_index.searchable(stored.text))])
        elif revised is not None:
            self._revise(rows.place(room.number, stored.target), revised, stored)
        return stored, True

    def _first(self, room: RoomState, event: LogEvent) -> LogEvent | None:
        columns = self._connection.execute(_FIRST, (event.author.id, event.id, room.number)).fetchone()
        return None if columns is None else rows.event(columns)

    def _message(self, place: int) -> Message | None:
        columns = self._connection.execute(f"{_STANDING} place = ? AND kind = 'message'", (place,)).fetchone()
        return None if columns is None else rows.message(columns)

    def _revise(self, place: int, before: Message, event: Any) -> None:  # noqa: ANN401 -- what revise() takes
        after = revise(before, event)
        if after == before:
            return
        self._connection.execute(
            "INSERT OR REPLACE INTO revised (target_place, text, edited, deleted, reactions, mentions) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (place, *rows.revision(after)),
        )
        if after.text != before.text:
            _UNINDEX.chunk(self._connection, [(place, search_index.searchable(before.text))])
            if not after.deleted:
                _INDEX.chunk(self._connection, [(place, search_index.searchable(after.text))])

    def forget(self, name: str, *, max_count: int, before: float | None = None) -> int:
        """Remove at most `max_count` of the oldest messages of a room; if given, only those from before that date.

        Events between them are removed too. Return how many messages were removed.
        """
        room = self.room(name)
        start, end = rows.place(room.number, 0), rows.place(room.number, room.head + 1)
        oldest = self._connection.execute(
            f"{_STANDING} kind = 'message' AND place > ? AND place < ? ORDER BY place LIMIT ?",
            (start, end, max_count + 1),
        ).fetchall()
        messages = [rows.message(columns) for columns in oldest]
        gone = messages[:max_count]
        if before is not None:
            gone = list(takewhile(lambda each: each.date < before, gone))
        if len(gone) < len(messages):
            end = rows.place(room.number, messages[len(gone)].seq)
        _UNINDEX.all(
            self._connection,
            [
                (rows.place(room.number, each.seq), search_index.searchable(each.text))
                for each in gone
                if not each.deleted
            ],
        )
        if gone:
            self._connection.execute("DELETE FROM events WHERE place > ? AND place < ?", (start, end))
            self._connection.execute("DELETE FROM revised WHERE target_place > ? AND target_place < ?", (start, end))
            room.messages -= len(gone)
            self._changed[room.number] = room
        return len(gone)

    def finish(self) -> None:
        """Write the state of each changed room; call it last before the commit."""
        for room in self._changed.values():
            self._connection.execute(
                "UPDATE rooms SET head = ?, messages = ? WHERE number = ?", (room.head, room.messages, room.number)
            )
        self._changed.clear()
