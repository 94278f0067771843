"""The SQLite store: implements the store port with one writing thread and a few reading threads."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path

from pychat.domain.erasure import Choice
from pychat.domain.errors import UsageError
from pychat.domain.model import LogEvent, Signal
from pychat.domain.search import Search
from pychat.stores.search_turns import SearchTurns
from pychat.stores.sqlite import queries
from pychat.stores.sqlite.database import Database
from pychat.stores.sqlite.erasing import erase
from pychat.stores.sqlite.moderation_records import SqliteModeration
from pychat.stores.sqlite.push_records import SqlitePush
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.reader_records import SqliteReaders
from pychat.stores.sqlite.retention import RetentionTask
from pychat.stores.sqlite.room_records import SqliteRooms
from pychat.stores.sqlite.writer import Writer
from pychat.stores.store import Page, Receiver, Retention, Store, Subscription

__all__ = ["SqliteStore"]

_FIRST_STEP, _LONGEST_STEP = 200, 4_000  # messages that a search looks at in one go


class SqliteStore(Store):
    """Keeps rooms in one SQLite file. It is locked by this process until `aclose`; others may read it meanwhile.

    Events that `append` returns are on the disk: the file is in WAL mode with `synchronous=FULL`, so an acknowledged
    event survives a killed process and a power failure, if the disk honours fsync. All events that arrive during one
    fsync share the next one.

    Changes of members survive a killed process. A power failure may lose those of the last seconds.
    """

    def __init__(
        self,
        path: str | Path,
        retention: Retention | None = None,
        *,
        date: Callable[[], float] = time.time,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        """`path` is opened at the first use, or by `open`. Without `retention` all messages are kept.

        `date` and `factory` (the class of connections) are for tests.
        """
        self.path = Path(path)
        self._retention = retention or Retention()
        self._date = date
        self._factory = factory
        self._opening: asyncio.Task[None] | None = None
        self._database: Database | None = None
        self._writer: Writer | None = None
        self._read_pool: ReadPool | None = None
        self._rooms = SqliteRooms(self._writing, self._reading)
        self._reads = SqliteReaders(self._writing, self._reading)
        self._push = SqlitePush(self._writing, self._reading, date)
        self._moderation = SqliteModeration(self._writing, self._reading, date)
        self._searches = SearchTurns()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def available(self) -> bool:
        return not self._closed and (self._writer is None or self._writer.available)

    @property
    def rooms(self) -> SqliteRooms:
        return self._rooms

    @property
    def readers(self) -> SqliteReaders:
        return self._reads

    @property
    def moderation(self) -> SqliteModeration:
        return self._moderation

    @property
    def push(self) -> SqlitePush:
        return self._push

    async def open(self) -> None:
        """Lock, check and upgrade the file. All other methods call it first if necessary.

        Raise `UsageError` if the file is damaged, in use, from a newer pychat, or not writable: nothing has been
        changed then.
        """
        if self._closed:
            raise UsageError("This store is closed. Open a new one.")
        loop = asyncio.get_running_loop()
        if self._writer is not None and self._loop is loop:
            return
        if self._opening is not None and self._opening.get_loop() is not loop:
            self._opening = None  # the event loop that it ran on has ended
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        opening = self._opening
        try:
            await asyncio.shield(opening)
        finally:
            if opening.done() and self._opening is opening:
                self._opening = None

    async def _open(self) -> None:
        if self._writer is not None:  # of an event loop that has ended
            await self._shut()
        database = Database(self.path, self._factory)

        def start() -> tuple[sqlite3.Connection, bytes, bool]:
            connection = database.open()
            return connection, queries.secret(connection), queries.is_wiping(connection)

        self._loop = loop = asyncio.get_running_loop()
        connection, secret, wiping = await loop.run_in_executor(None, start)
        retaining = RetentionTask(self._retention, date=self._date)
        self._database = database
        self._read_pool = ReadPool(database)
        self._writer = Writer(database, connection, secret, retaining, self._read_pool, loop, wiping=wiping)

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        return await (await self._writing()).subscribe(room, receive)

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        if self._writer is not None:
            self._writer.unsubscribe(room, receive)

    def append(self, room: str, event: LogEvent) -> Awaitable[LogEvent]:
        return self._open_and_append(room, event) if self._writer is None else self._writer.append(room, event)

    async def _open_and_append(self, room: str, event: LogEvent) -> LogEvent:
        return await (await self._writing()).append(room, event)

    async def signal(self, room: str, event: Signal) -> None:
        await (self._writer or await self._writing()).signal(room, event)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        read_pool = await self._reading()
        return await read_pool.read(lambda connection: queries.events(connection, room, after=after, limit=limit))

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        read_pool = await self._reading()
        if matching is not None:
            return await self._search(read_pool, room, before, limit, Search.parse(matching))
        return await read_pool.read(lambda connection: queries.history(connection, room, before=before, limit=limit))

    async def _search(self, pool: ReadPool, room: str, before: int | None, limit: int, search: Search) -> Page:
        """Find messages in steps: those who enter a room do not wait for a long search."""
        found, end, looked_at = list[int](), before, _FIRST_STEP
        while not search.empty and len(found) < limit:
            step = partial(queries.search_step, name=room, before=end, search=search, looked_at=looked_at)
            async with self._searches.step():
                more, end = await pool.read(step)
            found += more
            if end is None:
                break
            looked_at = min(2 * looked_at, _LONGEST_STEP)
        return await pool.read(lambda connection: queries.messages(connection, room, found[: max(limit, 0)], search))

    async def erase(
        self,
        room: str,
        *,
        author: str | None = None,
        before: float | None = None,
        seqs: Collection[int] | None = None,
    ) -> list[int]:
        choice = Choice.of(author, before, seqs)
        return await erase(await self._writing(), await self._reading(), room, choice, self._date)

    async def rooms_of(self, author: str) -> list[str]:
        read_pool = await self._reading()
        return await read_pool.read(lambda connection: queries.rooms_of(connection, author))

    async def settled(self) -> None:
        """Wait until nothing is left to remove: by retention, of deleted rooms, and of erased messages."""
        await (await self._writing()).settled()

    async def aclose(self) -> None:
        if self._opening is not None:
            await asyncio.wait([self._opening])
        self._closed = True
        await self._shut()

    async def _shut(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None or self._read_pool is None or self._database is None:
            return
        await asyncio.get_running_loop().run_in_executor(None, self._read_pool.close)
        await writer.aclose()
        self._database.close()

    async def _writing(self) -> Writer:
        await self.open()
        assert self._writer is not None  # noqa: S101 -- open
        return self._writer

    async def _reading(self) -> ReadPool:
        await self.open()
        assert self._read_pool is not None  # noqa: S101 -- open
        return self._read_pool
