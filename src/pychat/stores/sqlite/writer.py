"""The writer: one thread that commits waiting events in one transaction and passes the results to the event loop."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import queue
import sqlite3
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Event, Kicked, Left, LogEvent, Message, Position, Signal, Typing
from pychat.stores.sqlite import queries, rows
from pychat.stores.sqlite.damage import is_damage, line, remedy
from pychat.stores.sqlite.database import Database
from pychat.stores.sqlite.inserts import chunks
from pychat.stores.sqlite.log import CALLER_ERRORS, Log
from pychat.stores.sqlite.members import Members
from pychat.stores.sqlite.readers import Readers
from pychat.stores.sqlite.retention import RetentionTask
from pychat.stores.store import Receiver, Subscription

__all__ = ["Writer"]

_MAX_WAITING_BYTES = 32 << 20  # of events that wait for the disk; more are refused
_EVENT_BYTES = 1_000  # the size of an event without its text
_MAX_BATCH = 512  # items in a transaction: the event loop delivers them in one go, and must not be blocked for long
_MAX_BATCH_BYTES = 512 << 10  # the longest Chinese texts take 1 ms each to index: a transaction must stay short
_RETRY_SECONDS = 5.0
_CHECK_SECONDS = 1.0  # how often the files are checked while nothing is written: three calls of stat()
_BUSY_MILLISECONDS = 200  # how long to wait for another program that reads, after a side file was lost
_RECOVER_SECONDS = 0.1  # a pause after an unexpected error, so that repeated errors do not take all CPU time
_UNAVAILABLE = "The room cannot store messages just now. Try again soon."

_logger = logging.getLogger("pychat.stores.sqlite")


@dataclass(slots=True)
class _Item:
    """A waiting event (with its `columns`), signal or subscriber, and later its result."""

    room: str
    future: asyncio.Future[Any]
    event: Event | None = None
    columns: tuple[Any, ...] | None = None
    author: str = ""
    receive: Receiver | None = None
    size: int = 0
    result: Any = None
    error: Exception | None = None
    deliver: bool = False
    #: The order of arrival.
    number: int = 0


_arrival_number = attrgetter("number")


class Writer:
    """Writes items, delivers them to subscribers in the order of writing, and then resolves their futures.

    Items are written in the order of arrival if all fit one transaction. If more wait, authors take turns, so that no
    author has to wait for all events of another.

    With `PRAGMA synchronous=FULL`, fsync has written each acknowledged event to the disk. Changes of members are
    committed without fsync if no event is committed with them: they survive a killed process, but a power failure may
    lose the last seconds.
    """

    def __init__(
        self,
        database: Database,
        connection: sqlite3.Connection,
        secret: bytes,
        retention: RetentionTask,
        readers: Readers,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = connection
        self._secret = secret
        self._retention = retention
        self._readers = readers
        self._loop = loop
        #: Whether the last transaction succeeded.
        self.available = True
        self._log = Log(connection)
        self._members = Members()
        self._synchronous = "FULL"
        self._last_error: str | None = None
        # Only the writing thread uses these: the current batch, the next items by author, a function to call then.
        self._batch: list[_Item] = []
        self._author_queues: collections.OrderedDict[str, collections.deque[_Item]] = collections.OrderedDict()
        self._task: Callable[[], None] | None = None
        self._sorted = 0
        self._checked = 0.0
        #: The newest event of each room that was delivered, or is about to be.
        self._heads: dict[str, int] = {}
        # Only the thread of the event loop uses these three.
        self._receivers: defaultdict[str, list[Receiver]] = defaultdict(list)
        self._waiting = 0
        self._by_author: dict[str, int] = {}
        self._queue: queue.SimpleQueue[_Item | Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="pychat-sqlite", daemon=True)
        self._thread.start()

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        """Store and deliver `event`. Raise `Refused` if too much waits."""
        columns = rows.row(event)
        size = _EVENT_BYTES + sum(sys.getsizeof(each) for each in columns if isinstance(each, str))
        self._limit(event.author.id, size)
        return self._enqueue(_Item(room, self._loop.create_future(), event, columns, event.author.id, size=size))

    def signal(self, room: str, event: Signal) -> asyncio.Future[None]:
        """Deliver `event` and store the names. Raise `Refused` if too much waits, but never for members who go."""
        f"{event.member.id}{event.member.name}".encode()  # a lone surrogate cannot be written
        if not isinstance(event, Away | Left):
            self._limit(event.member.id, _EVENT_BYTES)
        item = _Item(room, self._loop.create_future(), event, author=event.member.id, size=_EVENT_BYTES, deliver=True)
        if isinstance(event, Typing) and not self._waiting:  # nothing to write, and nothing waits before it
            self._count(item)
            self._deliver([item])
            return item.future
        return self._enqueue(item)

    def subscribe(self, room: str, receive: Receiver) -> asyncio.Future[Subscription]:
        """Call `receive` with all events after this item of the queue."""
        return self._enqueue(_Item(room, self._loop.create_future(), receive=receive))

    def settled(self) -> asyncio.Future[None]:
        """Return a future that is done when retention has nothing to remove."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(lambda: self._retention.when_done(lambda: self._call(_resolve, future)))
        return future

    async def aclose(self) -> None:
        """Write all waiting items, and end the thread."""
        self._loop = asyncio.get_running_loop()  # the earlier loop may have ended
        ended: asyncio.Future[None] = self._loop.create_future()

        def end() -> None:
            self._call(_resolve, ended)
            raise _Stop

        self._queue.put(end)
        await ended
        self._thread.join()

    def _limit(self, author: str, size: int) -> None:
        """Refuse an item if its author would have more bytes waiting than are free.

        One author can use half of the limit; twenty at the same time can use a twenty-first each, and a twenty-first
        stays free for the next author.
        """
        free = _MAX_WAITING_BYTES - self._waiting
        if size > free - self._by_author.get(author, 0):
            raise Refused("unavailable", "The room cannot store messages as fast as they come. Try again.", 1.0)

    def _enqueue(self, item: _Item) -> asyncio.Future[Any]:
        self._count(item)
        self._queue.put(item)
        return item.future

    def _count(self, item: _Item) -> None:
        self._waiting += item.size
        self._by_author[item.author] = self._by_author.get(item.author, 0) + item.size

    def _uncount(self, item: _Item) -> None:
        self._waiting -= item.size
        left = self._by_author[item.author] - item.size
        if left:
            self._by_author[item.author] = left
        else:
            del self._by_author[item.author]

    # From here on all methods run in the writing thread, except those that `_call` passes to the event loop.

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 -- the arguments of any function
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(function, *arguments)

    def _run(self) -> None:
        running = True
        while running:
            try:
                self._step()
            except _Stop:
                running = False
            except BaseException as error:  # whatever the error is, callers wait for an answer
                self._recover(error)
        with contextlib.suppress(Exception):
            if self._members.waiting:
                self._commit([])
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                if self._database.lost() is not None:
                    self._connection.execute("PRAGMA wal_checkpoint(FULL)")
                self._connection.close()

    def _step(self) -> None:
        self._sort_by_author()
        self._fill_batch()
        batch = self._batch
        if batch:
            self._commit(batch)
            self._batch = []
            self._call(self._deliver, batch)
        if self._task is not None and not self._author_queues:
            task, self._task = self._task, None
            task()
        self._check_files()
        while self._retention.due():
            self._transact(lambda _: self._retention.step(self._log), durable=False)
            if self._author_queues or not self._queue.empty():
                break

    def _sort_by_author(self) -> None:
        """Wait for items and sort them by author, up to the next function in the queue: it runs after all before it."""
        if self._task is not None:
            return
        seconds = self._retention.seconds
        with contextlib.suppress(queue.Empty):
            if self._author_queues:
                each = self._queue.get_nowait()
            else:
                each = self._queue.get(timeout=_CHECK_SECONDS if seconds is None else min(_CHECK_SECONDS, seconds))
            while isinstance(each, _Item):
                self._sorted += 1
                each.number = self._sorted
                author_queue = self._author_queues.get(each.author)
                if author_queue is None:
                    author_queue = self._author_queues[each.author] = collections.deque()
                author_queue.append(each)
                each = self._queue.get_nowait()
            self._task = each

    def _fill_batch(self) -> None:
        """Fill the batch with one item of each author in turn; within the batch keep the order of arrival."""
        size = 0
        while self._author_queues and len(self._batch) < _MAX_BATCH and size < _MAX_BATCH_BYTES:
            author, author_queue = self._author_queues.popitem(last=False)
            item = author_queue.popleft()
            if author_queue:
                self._author_queues[author] = author_queue
            self._batch.append(item)
            size += item.size
        self._batch.sort(key=_arrival_number)

    def _recover(self, error: BaseException) -> None:
        """Handle an unexpected error: refuse the current batch, log the error, and go on."""
        batch, self._batch = self._batch, []
        for item in batch:
            if not isinstance(item.event, Signal):
                item.deliver, item.result = False, None
                item.error = Refused("unavailable", _UNAVAILABLE, _RETRY_SECONDS)
        self.available = False
        self._call(self._deliver, batch)
        with contextlib.suppress(Exception):
            self._failed(error)
        time.sleep(_RECOVER_SECONDS)

    def _check_files(self) -> None:
        """Once a second, check that the open files are still in place, and whether a failure is over.

        Neither the rescue of acknowledged events nor `/readyz` should wait for the next message.
        """
        now = time.monotonic()
        if now < self._checked + (_CHECK_SECONDS if self.available else _RETRY_SECONDS):
            return
        self._checked = now
        if not self.available or (self._connection is not None and self._database.lost() is not None):
            self.available = self._transact(_probe, durable=True)

    def _commit(self, batch: list[_Item]) -> None:
        """Write all items of `batch` or none, and set their results. After a failure the names wait."""
        for item in batch:
            if isinstance(item.event, Signal) and not isinstance(item.event, Kicked | Typing):
                self._members.record(item.room, item.event)
        durable = any(item.columns is not None for item in batch)
        done = True
        found: dict[tuple[str, str, str], LogEvent] = {}
        if durable or self._members.waiting or any(item.receive for item in batch):
            done = self._transact(lambda connection: self._write(connection, batch), durable=durable)
            self.available = done
            if not done:
                found = self._find_stored()
        added = 0
        for item in batch:
            event = item.event
            if isinstance(event, Signal):
                continue  # it is delivered in any case
            if not done:
                item.deliver = False
                item.result = None if event is None else found.get((item.room, event.author.id, event.id))
                if item.result is None:
                    item.error = Refused("unavailable", _UNAVAILABLE, _RETRY_SECONDS)
            elif item.deliver:
                self._heads[item.room] = item.result.seq
                added += 1
            elif item.receive is not None:
                self._heads[item.room] = item.result.position.seq
        if added:
            self._database.tally.add(added)

    def _write(self, connection: sqlite3.Connection, batch: list[_Item]) -> None:
        items = [item for item in batch if item.columns is not None or item.receive is not None]
        for are_messages, run in groupby(items, lambda item: isinstance(item.event, Message)):
            for chunk in chunks(list(run)):
                if are_messages and len(chunk) > 1 and self._append_messages(chunk):
                    continue
                for item in chunk:
                    if item.columns is not None:
                        self._append(item)
                    else:
                        room = self._log.room(item.room)
                        away, known = self._members.opening(connection, room.number)
                        item.result = Subscription(Position(room.epoch, room.head), self._secret, (), away, known)

    def _append_messages(self, items: Sequence[_Item]) -> bool:
        """Append one chunk of messages together. Return false, and append nothing, if they do not all go in."""
        stored = self._log.append_messages(
            [
                (item.room, item.event, item.columns)
                for item in items
                if isinstance(item.event, Message) and item.columns is not None  # all of them
            ]
        )
        if stored is None:
            return False
        for item, message in zip(items, stored, strict=True):
            item.result, item.deliver = message, True
        for room in {item.room for item in items}:
            self._retention.added(room, self._log.room(room).messages)
        return True

    def _append(self, item: _Item) -> None:
        event, columns = item.event, item.columns
        assert event is not None  # noqa: S101 -- an append
        assert columns is not None  # noqa: S101 -- same
        assert not isinstance(event, Signal)  # noqa: S101 -- same
        try:
            item.result, item.deliver = self._log.append(item.room, event, columns)
        except (Refused, *CALLER_ERRORS) as error:
            # Otherwise an error of the caller, such as a lone surrogate; nothing of the item was written.
            if isinstance(error, UnicodeDecodeError):  # the data in the file is not the caller's error
                raise sqlite3.DatabaseError("a text in it is not UTF-8") from error
            item.error = error
            return
        if item.deliver and isinstance(item.result, Message):
            self._retention.added(item.room, self._log.room(item.room).messages)

    def _transact(self, work: Callable[[sqlite3.Connection], None], *, durable: bool) -> bool:
        """Run `work` in a transaction, and return whether it succeeded."""
        try:
            if self._database.moved():
                raise OSError(f"{self._database.path} was moved away or replaced")
            if (lost := self._database.lost()) is not None:
                self._rescue(lost)
            if self._connection is None:
                self._connect()
            assert self._connection is not None  # noqa: S101 -- just made
            synchronous = "FULL" if durable else "NORMAL"
            if synchronous != self._synchronous:
                self._connection.execute(f"PRAGMA synchronous = {synchronous}")
                self._synchronous = synchronous
            self._connection.execute("BEGIN IMMEDIATE")
            self._members.write(self._connection, self._log)
            work(self._connection)
            self._log.finish()
            self._connection.execute("COMMIT")
        except Exception as error:
            self._failed(error)
            return False
        self._members.written()
        if self._last_error is not None:
            self._last_error = None
            _logger.warning("%s can be written again.", self._database.path)
        return True

    def _rescue(self, lost: Path) -> None:
        """Write the -wal, which has lost its name, to the database, and open a new connection.

        Raise `sqlite3.Error` or `OSError` on failure; the connection stays open then, and the next call tries again.
        """
        if self._connection is None:
            return
        with self._readers.paused():
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")  # callers wait
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise OSError(f"{lost} was removed or replaced, and another program has the database open")
            self._connection.close()
            self._connection = None
            self._database.clear()
            self._connect()
        _logger.warning(
            "%s was removed or replaced while it was in use. Its content has been saved to %s; nothing is lost. "
            "Do not move or remove these files while the server runs.",
            lost,
            self._database.path,
        )

    def _connect(self) -> list[tuple[str, LogEvent]]:
        """Open a new connection; deliver and return events that are stored but were not delivered.

        A failed commit may be stored all the same: if only the fsync failed, SQLite's -wal file has it whole, and the
        next connection reads it.
        """
        connection = self._database.write()
        try:
            untold = [
                (room, event)
                for room, head in self._heads.items()
                for event in queries.events(connection, room, after=head, limit=_MAX_BATCH)
            ]
        except BaseException:
            connection.close()
            raise
        self._connection, self._log, self._synchronous = connection, Log(connection), "FULL"
        for room, event in untold:
            self._heads[room] = event.seq
        if untold:
            self._call(self._deliver_events, untold)
        return untold

    def _find_stored(self) -> dict[tuple[str, str, str], LogEvent]:
        """After a failed transaction, return its events that are stored all the same, by room, author and id."""
        try:
            if self._connection is not None or self._database.moved():
                return {}
            untold = self._connect()
        except Exception:  # the next transaction tries again and reports it
            return {}
        return {(room, event.author.id, event.id): event for room, event in untold}

    def _failed(self, error: BaseException) -> None:
        """Drop the connection after an error, and log the error."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            if self._database.lost() is None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            else:  # only this connection has the acknowledged events
                self._log = Log(self._connection)
        self._retention.failed()
        why = line(error)
        if why != self._last_error:
            self._last_error = why
            unforeseen = not isinstance(error, sqlite3.Error | OSError)
            _logger.error(
                "%s cannot be written, messages are refused: %s.%s",
                self._database.path,
                why,
                f" {remedy(self._database.path)}" if is_damage(error) else "",
                exc_info=error if unforeseen else None,
            )

    def _deliver(self, batch: list[_Item]) -> None:
        """On the event loop: deliver each item in order, then resolve its future."""
        for item in batch:
            self._uncount(item)
            try:
                if item.deliver:
                    happened = item.event if item.result is None else item.result
                    assert happened is not None  # noqa: S101 -- an event or a signal
                    self._deliver_events([(item.room, happened)])
                if item.receive is not None and item.error is None:
                    self._receivers[item.room].append(item.receive)
            except Exception as error:  # the other items still need an answer
                _logger.exception("%s was stored, but delivering it failed.", item.event)
                item.error = error
            self._answer(item)

    @staticmethod
    def _answer(item: _Item) -> None:
        if item.future.done():  # the caller was cancelled
            return
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)

    def _deliver_events(self, events: Sequence[tuple[str, Event]]) -> None:
        for room, event in events:
            for receive in self._receivers[room]:
                try:
                    receive(event)
                except Exception:
                    _logger.exception("A subscriber failed at %r.", event)


class _Stop(Exception):
    """Ends the thread."""


def _probe(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('opened', 1)")


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
