"""Moderation records in a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence

from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.stores.moderation_codec import as_stored
from pychat.stores.moderation_records import Conflict
from pychat.stores.sqlite import moderation_rows, queries
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.item import Effect
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.writer import Writer
from pychat.stores.store import Report

__all__ = ["SqliteModeration"]


class SqliteModeration:
    """See `pychat.stores.ModerationRecords`."""

    def __init__(
        self,
        writer: Callable[[], Awaitable[Writer]],
        read_pool: Callable[[], Awaitable[ReadPool]],
        date: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._read_pool = read_pool
        self._date = date

    async def load(self, room: str) -> tuple[tuple[Record, ...], int]:
        def read(connection: sqlite3.Connection) -> tuple[tuple[Record, ...], int]:
            with queries.snapshot(connection):
                found = queries.room(connection, room)
                return ((), 0) if found is None else moderation_rows.load(connection, found.number, self._date())

        return await (await self._read_pool()).read(read)

    async def change(
        self, room: str, changes: Sequence[Record | Removed], entry: AuditEntry | None, after: int
    ) -> Moderated:
        as_stored(Moderated(tuple(changes), after + 1, entry))  # what cannot be stored must not fail a transaction
        reports = list[Report]()

        def work(connection: sqlite3.Connection, logs: Logs) -> Moderated | None:
            number = logs.room(room).number
            stored = moderation_rows.change(connection, number, changes, entry, after, self._date())
            reports[:] = [] if stored is None else [stored]
            return stored

        author = "" if entry is None else entry.by.id
        stored = await (await self._writer()).change(room, work, author=author, reports=reports, effect=Effect.REFUSED)
        if stored is None:
            raise Conflict
        return stored

    async def audit(self, room: str, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        def read(connection: sqlite3.Connection) -> list[AuditEntry]:
            with queries.snapshot(connection):
                found = queries.room(connection, room)
                return [] if found is None else moderation_rows.audit(connection, found.number, before, limit)

        return await (await self._read_pool()).read(read)
