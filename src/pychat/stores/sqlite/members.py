"""Members: who has which name in which room, kept so that a restart forgets nobody."""

from __future__ import annotations

import sqlite3
from typing import assert_never

from pychat.domain.model import Away, Joined, Left, Member, Renamed
from pychat.stores.sqlite.log import Log

__all__ = ["KNOWN", "Members"]

#: How many of those who left a room are remembered, the most recent.
KNOWN = 10_000
_STRIDE = 1_000  # so many more may be there before the oldest are forgotten

_UPSERT = (
    "INSERT INTO members (room, id, name, state, changed) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (room, id) DO UPDATE SET name = excluded.name, state = excluded.state, changed = excluded.changed"
)


class Members:
    """What has changed waits here until it is written, so that people can come and go while a disk is full."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], tuple[str, str]] = {}
        self._left: dict[str, int] = {}  # by room: how many have left since the oldest were forgotten
        self._crowded: set[str] = set()  # rooms in which more than `_STRIDE` have left since then
        self._changed = 0  # the highest `changed` in the database of the connection `_numbered`
        self._numbered: sqlite3.Connection | None = None

    @property
    def waiting(self) -> bool:
        """Whether there is something to write."""
        return bool(self._waiting)

    def note(self, room: str, event: Joined | Renamed | Away | Left) -> None:
        """Take in what happened."""
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
        self._waiting.pop(key, None)  # the latest change is the last
        self._waiting[key] = event.member.name, state

    def write(self, connection: sqlite3.Connection, log: Log) -> None:
        """Write what waits, within a transaction; `written` says that it is done."""
        if not self._waiting:
            return
        if connection is not self._numbered:  # asked once, for no index answers it
            (self._changed,) = connection.execute("SELECT coalesce(max(changed), 0) FROM members").fetchone()
            self._numbered = connection
        connection.executemany(
            _UPSERT,
            [
                (log.room(room).number, member_id, name, state, number)
                for number, ((room, member_id), (name, state)) in enumerate(self._waiting.items(), self._changed + 1)
            ],
        )
        self._changed += len(self._waiting)
        for room in self._crowded:
            self._forget(connection, log.room(room).number)

    def written(self) -> None:
        """What was written is committed."""
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
        """Who is away and who is known, the most recent last. Who is still noted as here went down with a server."""
        connection.execute("UPDATE members SET state = 'away' WHERE room = ? AND state = 'here'", (room,))
        query = "SELECT id, name FROM members WHERE room = ? AND state = ? ORDER BY changed DESC LIMIT ?"
        away = connection.execute(query, (room, "away", -1)).fetchall()
        known = connection.execute(query, (room, "known", KNOWN)).fetchall()
        return tuple(Member(*each) for each in reversed(away)), tuple(Member(*each) for each in reversed(known))
