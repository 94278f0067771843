"""The records of rooms in a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from pychat.domain.strictjson import dumps, loads
from pychat.stores.room_records import RoomRecord
from pychat.stores.sqlite import queries
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.item import Effect
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.writer import Writer

__all__ = ["SqliteRooms"]

_COLUMNS = "name, title, settings, people"


class SqliteRooms:
    """See `pychat.stores.RoomRecords`."""

    def __init__(self, writer: Callable[[], Awaitable[Writer]], read_pool: Callable[[], Awaitable[ReadPool]]) -> None:
        self._writer = writer
        self._read_pool = read_pool

    async def secret(self) -> bytes:
        return await (await self._read_pool()).read(queries.secret)

    async def save(self, record: RoomRecord) -> None:
        columns = record.title, dumps(record.settings), dumps(record.people), record.listed

        def work(connection: sqlite3.Connection, logs: Logs) -> None:
            number = logs.room(record.name).number
            query = "UPDATE rooms SET title = ?, settings = ?, people = ?, listed = ? WHERE number = ?"
            connection.execute(query, (*columns, number))

        await (await self._writer()).change(record.name, work, effect=Effect.OPENS)

    async def find(self, name: str) -> RoomRecord | None:
        query = f"SELECT {_COLUMNS} FROM rooms WHERE name = ? AND title IS NOT NULL"
        found = await self._find(query, (name,))
        return found[0] if found else None

    async def page(self, after: str = "", limit: int = 100, *, listed_only: bool = False) -> list[RoomRecord]:
        # `title` is compared as the index says it: then SQLite reads only as many rows as it returns.
        chosen = "listed = 1" if listed_only else "title IS NOT NULL"
        query = f"SELECT {_COLUMNS} FROM rooms WHERE {chosen} AND name > ? ORDER BY name LIMIT ?"
        return await self._find(query, (after, limit))

    async def delete(self, name: str) -> None:
        def work(connection: sqlite3.Connection, logs: Logs) -> None:
            logs.delete(name)
            queries.set_wiping(connection, True)

        writer = await self._writer()
        await writer.change(name, work, effect=Effect.DELETES)
        writer.wipe()

    async def _find(self, query: str, values: tuple[Any, ...]) -> list[RoomRecord]:
        read_pool = await self._read_pool()
        return await read_pool.read(lambda connection: [_record(row) for row in connection.execute(query, values)])


def _record(row: tuple[Any, ...]) -> RoomRecord:
    name, title, settings, people = row
    try:
        return RoomRecord(name, title, loads(settings, surrogates=True), tuple(loads(people, surrogates=True)))
    except (TypeError, ValueError):
        raise sqlite3.DatabaseError(f"the record of room {name} is not as pychat wrote it") from None
