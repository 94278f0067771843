"""The SQL of an append, within a transaction: numbers events, detects repeated ones, and applies revisions."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pychat.domain.erasure import deletion, requoted, withdrawal
from pychat.domain.errors import Refused
from pychat.domain.model import LogEvent, Message, Reacted, numbered
from pychat.domain.revision import check, revise
from pychat.domain.strictjson import dumps
from pychat.stores.sqlite import queries, rows, search_index
from pychat.stores.sqlite.bulk_insert import BulkInsert

__all__ = ["CALLER_ERRORS", "Logs", "RoomRow"]

#: Errors of an event that cannot be written, such as one with a lone surrogate: nothing of it was written.
CALLER_ERRORS = (ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError)

_EVENTS = BulkInsert(f"OR IGNORE INTO events ({rows.EVENT})", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
_REMOVE = "DELETE FROM events WHERE place = ? AND id = ? AND author = ?"
_INDEX = BulkInsert("INTO words (rowid, text)", "(?, ?)")
_UNINDEX = BulkInsert("INTO words (words, rowid, text)", "('delete', ?, ?)")
_MENTIONS = BulkInsert("OR IGNORE INTO mentions (member, place)", "(?, ?)")
_MAX_CACHED = 10_000  # rooms
_FIRST = f"SELECT {rows.EVENT} FROM events WHERE author = ? AND id = ? AND place >> 40 = ?"
_STANDING = f"SELECT {rows.MESSAGE} FROM events LEFT JOIN revised ON target_place = place WHERE"


@dataclass(slots=True)
class RoomRow:
    """The state of a room within the transaction."""

    number: int
    epoch: str
    head: int
    messages: int
    removed: int

    @property
    def ordinal(self) -> int:
        """How many messages the room has had."""
        return self.removed + self.messages


class Logs:
    """The logs of all rooms of a database, for the writing thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rooms: dict[str, RoomRow] = {}
        self._changed: dict[int, RoomRow] = {}  # by number: what `finish` has to write

    def room(self, name: str) -> RoomRow:
        """Return the state of the room; create the room if it does not exist."""
        state = self.find(name)
        if state is None:
            epoch = secrets.token_urlsafe(6)
            self._connection.execute("INSERT INTO rooms (name, epoch) VALUES (?, ?)", (name, epoch))
            state = self.find(name)
            assert state is not None  # noqa: S101 -- just made
        return state

    def find(self, name: str) -> RoomRow | None:
        """Return the state of the room, if it exists."""
        state = self._rooms.get(name)
        if state is None:
            found = queries.room(self._connection, name)
            if found is not None:
                state = RoomRow(found.number, found.epoch, found.head, found.messages, found.removed)
                self._rooms[name] = state
        return state

    def oldest(self, number: int) -> float | None:
        """Return the date of the oldest message of room `number`."""
        found = self._connection.execute(
            "SELECT date FROM events WHERE kind = 'message' AND place > ? AND place < ? ORDER BY place LIMIT 1",
            (rows.place(number, 0), rows.place(number + 1, 0)),
        ).fetchone()
        return None if found is None else found[0]

    def rooms_after(self, number: int, limit: int) -> list[queries.Room]:
        """Return at most `limit` rooms with a higher number."""
        return queries.rooms_after(self._connection, number, limit)

    def delete(self, name: str) -> None:
        """Delete a room. Its events are removed later: see `sweep`."""
        state = self.find(name)
        if state is None:
            return
        self.finish()
        self._rooms.pop(name, None)
        self._connection.execute(
            "INSERT INTO meta VALUES ('deleted_events', ?1) ON CONFLICT (key) DO UPDATE SET value = value + ?1",
            (state.head,),
        )
        for table in ("readers", "members", "moderation", "audit"):
            self._connection.execute(f"DELETE FROM {table} WHERE room = ?", (state.number,))
        self._connection.execute(
            "UPDATE rooms SET name = ? || number, title = NULL, settings = NULL, people = NULL, listed = NULL "
            "WHERE number = ?",
            (queries.DELETED, state.number),
        )

    def sweep(self, max_count: int) -> bool:
        """Remove at most `max_count` messages of a deleted room. Return false if nothing is left of any."""
        found = self._connection.execute(
            f"SELECT name FROM rooms WHERE name GLOB '{queries.DELETED}*' LIMIT 1"
        ).fetchone()
        if found is None:
            return False
        if not self.forget(found[0], max_count=max_count):
            state = self._rooms.pop(found[0])
            self._changed.pop(state.number, None)
            span = rows.place(state.number, 0), rows.place(state.number, state.head)
            self._connection.execute("DELETE FROM events WHERE place > ? AND place <= ?", span)
            self._connection.execute("DELETE FROM rooms WHERE number = ?", (state.number,))
        return True

    def append_messages(self, messages: Sequence[tuple[str, Message, tuple[Any, ...]]]) -> list[LogEvent] | None:
        """Store one chunk of messages of any rooms with few statements, and return them with their numbers.

        Return `None`, and store nothing, if one of them is stored already, is repeated, or cannot be written.
        """
        heads: dict[str, int] = {}
        stored, events = list[LogEvent](), list[tuple[Any, ...]]()
        try:
            for name, message, columns in messages:
                room = self.room(name)
                if message.reply is not None:
                    message, columns = self._requoted(room, message, columns)  # noqa: PLW2901
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
        self._mention((row[0], message) for row, (_, message, _) in zip(events, messages, strict=True))
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
        if isinstance(event, Message):
            event, columns = self._requoted(room, event, columns)
        elif 0 < event.target < seq:
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
            self._mention([(place, stored)])
        elif revised is not None:
            self._revise(rows.place(room.number, stored.target), revised, stored)
        return stored, True

    def erase(self, name: str, seqs: Collection[int], date: float) -> tuple[list[int], list[LogEvent]]:
        """Erase messages. Return the numbers of those that had something to erase, and the events for the clients."""
        room, changed, told = self.room(name), list[int](), list[LogEvent]()
        for seq in seqs:
            place = rows.place(room.number, seq)
            standing = self._message(place)
            if standing is None:
                continue
            if not standing.deleted:
                self._tell(name, deletion(standing, date), told)
            said = "kind = 'message' AND text IS NOT NULL"
            erased = "UPDATE events SET text = NULL, reply = NULL, mentions = NULL, name = '' WHERE place = ? AND"
            if self._connection.execute(f"{erased} {said}", (place,)).rowcount:
                changed.append(seq)
            self._connection.execute("DELETE FROM revised WHERE target_place = ?", (place,))
            self._connection.execute(
                "UPDATE events SET text = '', mentions = NULL, name = '' "
                "WHERE place >> 40 = ? AND target = ? AND kind = 'edited'",
                (room.number, seq),
            )
            self._connection.execute(
                "UPDATE events SET reply = ? "
                "WHERE place >> 40 = ? AND CAST(substr(reply, 2) AS INTEGER) = ? AND reply IS NOT NULL",
                (dumps([seq, "", ""]), room.number, seq),
            )
        return changed, told

    def erase_other(self, name: str, seqs: Collection[int], date: float) -> list[LogEvent]:
        """Erase reactions, edits, and the names in deletions. Return the events for the clients."""
        room, told = self.room(name), list[LogEvent]()
        for seq in seqs:
            place = rows.place(room.number, seq)
            columns = self._connection.execute(f"SELECT {rows.EVENT} FROM events WHERE place = ?", (place,)).fetchone()
            event = None if columns is None else rows.event(columns)
            if isinstance(event, Reacted):
                standing = self._message(rows.place(room.number, event.target))
                if standing is not None and event.author.id in dict(standing.reactions).get(event.emoji, ()):
                    number = secrets.token_urlsafe(6)
                    self._tell(name, withdrawal(event.target, event.emoji, event.author.id, date, number), told)
            self._connection.execute(
                "UPDATE events SET name = '', text = CASE WHEN text IS NULL THEN NULL ELSE '' END, mentions = NULL, "
                "kind = CASE kind WHEN 'reacted' THEN 'unreacted' ELSE kind END WHERE place = ? AND kind <> 'message'",
                (place,),
            )
        return told

    def _tell(self, name: str, event: LogEvent, told: list[LogEvent]) -> None:
        stored, is_new = self.append(name, event, rows.row(event))
        if is_new:
            told.append(stored)

    def _requoted(self, room: RoomRow, message: Message, columns: tuple[Any, ...]) -> tuple[Message, tuple[Any, ...]]:
        if message.reply is None:
            return message, columns
        quoted = self._message(rows.place(room.number, message.reply.seq)) if message.reply.seq > 0 else None
        if quoted is None or not quoted.deleted:
            return message, columns
        message = requoted(message)
        return message, rows.row(message)

    def _mention(self, messages: Iterable[tuple[int, Message]]) -> None:
        found = [(each, place) for place, message in messages for each in dict.fromkeys(message.mentions)]
        if found:
            _MENTIONS.all(self._connection, found)

    def _first(self, room: RoomRow, event: LogEvent) -> LogEvent | None:
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
        if after.mentions != before.mentions:
            self._connection.execute("DELETE FROM mentions WHERE place = ?", (place,))
            self._mention([(place, after)])
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
            self._connection.execute("DELETE FROM mentions WHERE place > ? AND place < ?", (start, end))
            room.messages -= len(gone)
            room.removed += len(gone)
            self._changed[room.number] = room
        return len(gone)

    def finish(self) -> None:
        """Write the state of each changed room; call it last before the commit."""
        for room in self._changed.values():
            self._connection.execute(
                "UPDATE rooms SET head = ?, messages = ?, removed = ? WHERE number = ?",
                (room.head, room.messages, room.removed, room.number),
            )
        self._changed.clear()
        if len(self._rooms) > _MAX_CACHED:
            self._rooms.clear()
