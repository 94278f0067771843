"""What members have read, in a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable

from pychat.domain.strictjson import dumps
from pychat.stores.reader_records import MAX_GUESTS, Unread, is_guest
from pychat.stores.sqlite import rows
from pychat.stores.sqlite.appends import Logs, RoomRow
from pychat.stores.sqlite.item import Effect
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.writer import Writer

__all__ = ["SqliteReaders"]

_NEAR = 1_000  # messages after a position that are counted to find its ordinal, before those before it are
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM events WHERE kind = 'message' AND place > ? AND place <= ? LIMIT ?)"
_POSITION = "SELECT seq, ordinal FROM readers WHERE member = ? AND room = ?"
_PRUNE_EVERY = 1_000  # new guests
_PRUNE = """
    DELETE FROM readers WHERE room = :room AND member IN (
        SELECT member FROM readers WHERE room = :room AND member NOT LIKE 'user:%'
        ORDER BY seq DESC LIMIT -1 OFFSET :guests
    )
"""
_UNREAD = f"""
    SELECT member, name, seq, min(messages, messages + removed - ordinal), (
        SELECT count(*) FROM mentions
        WHERE mentions.member = readers.member
        AND place > (room << {rows.ROOM_SHIFT} | seq) AND place < (room + 1) << {rows.ROOM_SHIFT}
    )
    FROM readers JOIN rooms ON number = room WHERE member IN (SELECT value FROM json_each(?)) ORDER BY member, name
"""


class SqliteReaders:
    """See `pychat.stores.ReaderRecords`."""

    def __init__(self, writer: Callable[[], Awaitable[Writer]], read_pool: Callable[[], Awaitable[ReadPool]]) -> None:
        self._writer = writer
        self._new_guests = 0
        self._read_pool = read_pool

    async def follow(self, member_id: str, room: str, seq: int | None = None) -> None:
        def work(connection: sqlite3.Connection, logs: Logs) -> None:
            state = logs.room(room)
            if connection.execute(_POSITION, (member_id, state.number)).fetchone() is None:
                end = state.head if seq is None else max(0, min(seq, state.head))
                ordinal = _ordinal(connection, state, end, (0, 0))
                if is_guest(member_id):
                    self._new_guests += 1
                    if self._new_guests % _PRUNE_EVERY == 0:
                        connection.execute(_PRUNE, {"room": state.number, "guests": MAX_GUESTS})
                connection.execute("INSERT INTO readers VALUES (?, ?, ?, ?)", (member_id, state.number, end, ordinal))

        writer = await self._writer()
        await writer.change(room, work, author=member_id, durable=False, effect=Effect.REFUSED)

    async def unfollow(self, member_id: str, room: str) -> None:
        query = "DELETE FROM readers WHERE member = ? AND room = (SELECT number FROM rooms WHERE name = ?)"
        await self._execute(member_id, query, (member_id, room))

    async def mark(self, reads: Iterable[tuple[str, str, int]]) -> None:
        batch = list(reads)

        def work(connection: sqlite3.Connection, logs: Logs) -> None:
            for member_id, room, seq in batch:
                state = logs.find(room)
                before = None if state is None else connection.execute(_POSITION, (member_id, state.number)).fetchone()
                if state is None or before is None or before[0] >= min(seq, state.head):
                    continue
                end = min(seq, state.head)
                connection.execute(
                    "UPDATE readers SET seq = ?, ordinal = ? WHERE member = ? AND room = ?",
                    (end, _ordinal(connection, state, end, before), member_id, state.number),
                )

        if batch:
            await (await self._writer()).change("", work, author=batch[0][0], durable=False)

    async def unread(self, member_ids: Collection[str]) -> dict[str, tuple[Unread, ...]]:
        members = dumps(list(member_ids))
        read_pool = await self._read_pool()
        found = await read_pool.read(lambda connection: connection.execute(_UNREAD, (members,)).fetchall())
        unread: dict[str, list[Unread]] = {member_id: [] for member_id in member_ids}
        for member_id, *columns in found:
            unread[member_id].append(Unread(*columns))
        return {member_id: tuple(each) for member_id, each in unread.items()}

    async def block(self, member_id: str, other: str, on: bool) -> None:
        query = (
            "INSERT OR IGNORE INTO blocks VALUES (?, ?)" if on else "DELETE FROM blocks WHERE (member, other) = (?, ?)"
        )
        await self._execute(member_id, query, (member_id, other))

    async def blocked(self, member_id: str) -> frozenset[str]:
        query = "SELECT other FROM blocks WHERE member = ?"
        read_pool = await self._read_pool()
        found = await read_pool.read(lambda connection: connection.execute(query, (member_id,)).fetchall())
        return frozenset(other for (other,) in found)

    async def forget(self, member_id: str) -> None:
        await self._execute(member_id, "DELETE FROM readers WHERE member = ?", (member_id,))
        await self._execute(member_id, "DELETE FROM blocks WHERE member = ?", (member_id,))

    async def _execute(self, member_id: str, query: str, values: tuple[str, ...]) -> None:
        def work(connection: sqlite3.Connection, _: Logs) -> None:
            connection.execute(query, values)

        await (await self._writer()).change("", work, author=member_id)


def _ordinal(connection: sqlite3.Connection, room: RoomRow, seq: int, before: tuple[int, int]) -> int:
    """Return how many messages the room has had up to number `seq`; `before` is an earlier number and its ordinal."""
    place, end = rows.place(room.number, seq), rows.place(room.number, room.head)
    (after,) = connection.execute(_COUNT, (place, end, _NEAR + 1)).fetchone()
    if after <= _NEAR:
        return room.ordinal - int(after)
    known, ordinal = before
    (between,) = connection.execute(_COUNT, (rows.place(room.number, known), place, -1)).fetchone()
    return max(ordinal, room.removed) + int(between)
