"""The members of each room and their names, stored so that they survive a restart."""

from __future__ import annotations

import sqlite3
from typing import assert_never

from pychat.domain.model import Away, Joined, Left, Member, Renamed
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.bulk_insert import BulkInsert

__all__ = ["KNOWN", "Members"]

#: How many members who left a room are remembered, the most recent ones.
KNOWN = 10_000
_STRIDE = 1_000  # the oldest are removed after this many more

_UPSERT = BulkInsert(
    "INTO members (room, id, name, state, changed)",
    "(?, ?, ?, ?, ?)",
    "ON CONFLICT (room, id) DO UPDATE SET name = excluded.name, state = excluded.state, changed = excluded.changed",
)


class Members:
    """Changes wait here until they are written, so that people can join and leave while the disk is full."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], tuple[str, str]] = {}
        self._left: dict[str, int] = {}  # by room: how many have left since the oldest were forgotten
        self._crowded: set[str] = set()  # rooms in which more than `_STRIDE` have left since then
        self._changed = 0  # the highest `changed` in the database of the connection `_numbered`
        self._numbered: sqlite3.Connection | None = None

    @property
    def waiting(self) -> bool:
        """Whether there are changes to write."""
        return bool(self._waiting)

    def record(self, room: str, event: Joined | Renamed | Away | Left) -> None:
        """Record a change."""
        match event:
            case Joined() | Renamed():
                state = "here"
            case Away():
                state = "away"
            case Left():
                state = "known"
                self._left[room] = self._left.get(room, _STRIDE) + 1
                if self._left[room] > _STRIDE:
                    self._crowded.add(room)
            case _:
                assert_never(event)
        key = room, event.member.id
        self._waiting.pop(key, None)  # keep the order of the latest changes
        self._waiting[key] = event.member.name, state

    def write(self, connection: sqlite3.Connection, logs: Logs) -> None:
        """Write the waiting changes within a transaction; call `written` after the commit."""
        if not self._waiting:
            return
        if connection is not self._numbered:  # asked once, for no index answers it
            (self._changed,) = connection.execute("SELECT coalesce(max(changed), 0) FROM members").fetchone()
            self._numbered = connection
        _UPSERT.all(
            connection,
            [
                (logs.room(room).number, member_id, name, state, number)
                for number, ((room, member_id), (name, state)) in enumerate(self._waiting.items(), self._changed + 1)
            ],
        )
        self._changed += len(self._waiting)
        for room in self._crowded:
            self._forget(connection, logs.room(room).number)

    def written(self) -> None:
        """The transaction with the waiting changes was committed."""
        self._waiting.clear()
        self._left.update(dict.fromkeys(self._crowded, 0))
        self._crowded.clear()

    @staticmethod
    def _forget(connection: sqlite3.Connection, room: int) -> None:
        connection.execute(
            "DELETE FROM members WHERE room = ? AND state = 'known' AND changed <= (SELECT changed FROM members "
            "WHERE room = ? AND state = 'known' ORDER BY changed DESC LIMIT 1 OFFSET ?)",
            (room, room, KNOWN),
        )

    @staticmethod
    def opening(connection: sqlite3.Connection, room: int) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
        """Return away and known members, the most recent last. Members stored as here become away: the server died."""
        connection.execute("UPDATE members SET state = 'away' WHERE room = ? AND state = 'here'", (room,))
        query = "SELECT id, name FROM members WHERE room = ? AND state = ? ORDER BY changed DESC LIMIT ?"
        away = connection.execute(query, (room, "away", -1)).fetchall()
        known = connection.execute(query, (room, "known", KNOWN)).fetchall()
        return tuple(Member(*each) for each in reversed(away)), tuple(Member(*each) for each in reversed(known))
