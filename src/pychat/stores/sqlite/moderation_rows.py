"""The SQL of moderation: the records and the audit log of a room, within a transaction or a snapshot."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.domain.strictjson import dumps
from pychat.stores.moderation_codec import as_stored, decode_entry, decode_record, encode_entry, encode_record
from pychat.stores.moderation_records import MAX_ENTRIES

__all__ = ["audit", "change", "erase", "load"]

_REPLACE = "INSERT OR REPLACE INTO moderation (room, kind, key, record, until) VALUES (?, ?, ?, ?, ?)"
_MAX_NUMBER = (1 << 63) - 1  # of SQLite
_REMOVE = "DELETE FROM moderation WHERE room = ? AND kind = ? AND key = ?"


def load(connection: sqlite3.Connection, room: int, now: float) -> tuple[tuple[Record, ...], int]:
    """Return the records of room number `room` that have not ended, and their version."""
    query = "SELECT kind, key, record FROM moderation WHERE room = ? AND (until IS NULL OR until > ?)"
    return tuple(_record(room, row) for row in connection.execute(query, (room, now))), _version(connection, room)


def change(
    connection: sqlite3.Connection,
    room: int,
    changes: Sequence[Record | Removed],
    entry: AuditEntry | None,
    after: int,
    now: float,
) -> Moderated | None:
    """Change the records. Return what was changed; `None`, and change nothing, if their version is not `after`."""
    if _version(connection, room) != after:
        return None
    if entry is not None:
        (newest,) = connection.execute("SELECT max(number) FROM audit WHERE room = ?", (room,)).fetchone()
        entry = replace(entry, number=(newest or 0) + 1)
    stored = as_stored(Moderated(tuple(changes), after + 1, entry))
    _remove_ended(connection, room, now)
    for each in stored.changes:
        if isinstance(each, Record):
            connection.execute(_REPLACE, (room, each.kind, each.key, encode_record(each), each.until))
        else:
            connection.execute(_REMOVE, (room, each.kind, each.key))
    if stored.entry is not None:
        number = stored.entry.number
        connection.execute("INSERT INTO audit VALUES (?, ?, ?)", (room, number, encode_entry(stored.entry)))
        connection.execute("DELETE FROM audit WHERE room = ? AND number <= ?", (room, number - MAX_ENTRIES))
    connection.execute("UPDATE rooms SET moderation = ? WHERE number = ?", (stored.version, room))
    return stored


def audit(connection: sqlite3.Connection, room: int, before: int | None, limit: int) -> list[AuditEntry]:
    """Return entries of the audit log, the newest first."""
    query = (
        "SELECT number, entry FROM audit WHERE room = ?1 AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3"
    )
    return [_entry(room, row) for row in connection.execute(query, (room, before, max(0, limit)))]


def erase(connection: sqlite3.Connection, room: int, erasure: ModerationErasure, now: float) -> Moderated | None:
    """Erase from the records and the audit log of a room. Return what was changed in the records."""
    for each in erasure.ids:
        query = "SELECT number, entry FROM audit WHERE room = ? AND instr(entry, ?)"
        for number, text in connection.execute(query, (room, dumps(each))).fetchall():
            after = encode_entry(erasure.entry(_entry(room, (number, text))))
            connection.execute("UPDATE audit SET entry = ? WHERE room = ? AND number = ?", (after, room, number))
    _remove_ended(connection, room, now)
    records, version = load(connection, room, now)
    changes = erasure.changes(records)
    return change(connection, room, changes, None, version, now) if changes else None


def _remove_ended(connection: sqlite3.Connection, room: int, now: float) -> None:
    connection.execute("DELETE FROM moderation WHERE room = ? AND until <= ?", (room, now))


def _version(connection: sqlite3.Connection, room: int) -> int:
    (version,) = connection.execute("SELECT moderation FROM rooms WHERE number = ?", (room,)).fetchone()
    if not isinstance(version, int):
        raise _damaged(room)
    return version


def _record(room: int, row: tuple[Any, ...]) -> Record:
    try:
        return decode_record(*row)
    except (TypeError, ValueError):
        raise _damaged(room) from None


def _entry(room: int, row: tuple[Any, ...]) -> AuditEntry:
    number, text = row
    try:
        return decode_entry(text, number)
    except (TypeError, ValueError):
        raise _damaged(room) from None


def _damaged(room: int) -> sqlite3.DatabaseError:
    return sqlite3.DatabaseError(f"the moderation of room number {room} is not as pychat wrote it")
