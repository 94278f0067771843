"""The writer: one thread that commits whatever waits as one transaction, and hands what became of it to the loop."""

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
from operator import attrgetter
from pathlib import Path
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Event, Kicked, Left, LogEvent, Message, Position, Signal, Typing
from pychat.stores.sqlite import queries, rows
from pychat.stores.sqlite.damage import is_damage, line, remedy
from pychat.stores.sqlite.database import Database
from pychat.stores.sqlite.log import Log
from pychat.stores.sqlite.members import Members
from pychat.stores.sqlite.readers import Readers
from pychat.stores.sqlite.retention import RetentionTask
from pychat.stores.store import Receiver, Subscription

__all__ = ["Writer"]

_WAITING_BYTES = 32 << 20  # of events that wait for the disk; past it they are refused
_EVENT_BYTES = 1_000  # what an event takes beside its text
_AT_ONCE = 512  # items in a transaction: the loop tells of them in one go, and should not be held long
_AT_ONCE_BYTES = 512 << 10  # the longest texts of Chinese take 1 ms each: nobody should wait long for the next turn
_RETRY_SECONDS = 5.0
_LOOK_SECONDS = 1.0  # how often the files are looked at where nothing is written: three calls of stat()
_BUSY_MILLISECONDS = 200  # for another program that reads, where a file was lost
_STUMBLED_SECONDS = 0.1  # a thread that fails at once, again and again, leaves the processor to others
_UNAVAILABLE = "The room cannot store messages just now. Try again soon."

_logger = logging.getLogger("pychat.stores.sqlite")


@dataclass(slots=True)
class _Item:
    """Something that waits: an event (with its `columns`), a signal or a subscriber; then what became of it."""

    room: str
    future: asyncio.Future[Any]
    event: Event | None = None
    columns: tuple[Any, ...] | None = None
    author: str = ""
    receive: Receiver | None = None
    size: int = 0
    result: Any = None
    error: Exception | None = None
    tell: bool = False
    #: Its place among all that came.
    number: int = 0


_number = attrgetter("number")


class Writer:
    """What is put in is written, told in the order in which it was written, and then answered.

    That is the order in which it came, where it fits one transaction. Where more waits, authors take turns, so that
    nobody waits behind all that somebody else has to say.

    With `PRAGMA synchronous=FULL`, an answered event has been handed to the disk with fsync. NORMAL would lose the
    last seconds with the power. Who comes and goes is committed without
    fsync where no event is committed with it: a killed process forgets none of it, a lost power may.
    """

    def __init__(
        self,
        database: Database,
        connection: sqlite3.Connection,
        secret: bytes,
        retaining: RetentionTask,
        readers: Readers,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = connection
        self._secret = secret
        self._retaining = retaining
        self._readers = readers
        self._loop = loop
        #: Whether the last transaction went well.
        self.available = True
        self._log = Log(connection)
        self._members = Members()
        self._synchronous = "FULL"
        self._trouble: str | None = None
        # Only the thread touches these three: what it works at, what comes next by author, and what comes after that.
        self._batch: list[_Item] = []
        self._lanes: collections.OrderedDict[str, collections.deque[_Item]] = collections.OrderedDict()
        self._order: Callable[[], None] | None = None
        self._sorted = 0
        self._looked = 0.0
        #: The newest event of each room that was told, or is about to be.
        self._heads: dict[str, int] = {}
        # Only the loop's thread touches these three.
        self._receivers: defaultdict[str, list[Receiver]] = defaultdict(list)
        self._waiting = 0
        self._by_author: dict[str, int] = {}
        self._queue: queue.SimpleQueue[_Item | Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="pychat-sqlite", daemon=True)
        self._thread.start()

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        """Have `event` stored and told. Raise `Refused` where too much waits."""
        columns = rows.row(event)
        size = _EVENT_BYTES + sum(sys.getsizeof(each) for each in columns if isinstance(each, str))
        self._limit(event.author.id, size)
        return self._put(_Item(room, self._loop.create_future(), event, columns, event.author.id, size=size))

    def signal(self, room: str, event: Signal) -> asyncio.Future[None]:
        """Have `event` told, and the names noted. Raise `Refused` where too much waits, but never to who goes."""
        f"{event.member.id}{event.member.name}".encode()  # half a character could never be written
        if not isinstance(event, Away | Left):
            self._limit(event.member.id, _EVENT_BYTES)
        item = _Item(room, self._loop.create_future(), event, author=event.member.id, size=_EVENT_BYTES, tell=True)
        if isinstance(event, Typing) and not self._waiting:  # there is nothing to write, and nothing to come after
            self._count(item)
            self._deliver([item])
            return item.future
        return self._put(item)

    def subscribe(self, room: str, receive: Receiver) -> asyncio.Future[Subscription]:
        """Have `receive` told from its place in the queue on."""
        return self._put(_Item(room, self._loop.create_future(), receive=receive))

    def settled(self) -> asyncio.Future[None]:
        """Done when retention has nothing to do."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(lambda: self._retaining.when_done(lambda: self._call(_resolve, future)))
        return future

    async def aclose(self) -> None:
        """Write what waits, and end the thread."""
        self._loop = asyncio.get_running_loop()  # the one before may have ended
        ended: asyncio.Future[None] = self._loop.create_future()

        def end() -> None:
            self._call(_resolve, ended)
            raise _End

        self._queue.put(end)
        await ended
        self._thread.join()

    def _limit(self, author: str, size: int) -> None:
        """Refuse where too much waits: more of one author's than what is still free.

        So one author gets half of what there is, twenty who write at once get a twenty-first each, and as much stays
        free for whoever comes next.
        """
        free = _WAITING_BYTES - self._waiting
        if size > free - self._by_author.get(author, 0):
            raise Refused("unavailable", "The room cannot store messages as fast as they come. Try again.", 1.0)

    def _put(self, item: _Item) -> asyncio.Future[Any]:
        self._count(item)
        self._queue.put(item)
        return item.future

    def _count(self, item: _Item) -> None:
        self._waiting += item.size
        self._by_author[item.author] = self._by_author.get(item.author, 0) + item.size

    def _discount(self, item: _Item) -> None:
        self._waiting -= item.size
        left = self._by_author[item.author] - item.size
        if left:
            self._by_author[item.author] = left
        else:
            del self._by_author[item.author]

    # What follows runs in the thread, but for what `_call` hands to the loop.

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 -- what it takes
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(function, *arguments)

    def _run(self) -> None:
        running = True
        while running:
            try:
                self._step()
            except _End:
                running = False
            except BaseException as error:  # whatever it is, people wait for an answer
                self._stumbled(error)
        with contextlib.suppress(Exception):
            if self._members.waiting:
                self._commit([])
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                if self._database.lost() is not None:
                    self._connection.execute("PRAGMA wal_checkpoint(FULL)")
                self._connection.close()

    def _step(self) -> None:
        self._sort()
        self._take()
        batch = self._batch
        if batch:
            self._commit(batch)
            self._batch = []
            self._call(self._deliver, batch)
        if self._order is not None and not self._lanes:
            order, self._order = self._order, None
            order()
        self._look()
        while self._retaining.due():
            self._transact(lambda _: self._retaining.step(self._log), durable=False)
            if self._lanes or not self._queue.empty():
                break

    def _sort(self) -> None:
        """Wait for something to do, and sort what waits by author, up to an order: that comes after all before it."""
        if self._order is not None:
            return
        seconds = self._retaining.seconds
        with contextlib.suppress(queue.Empty):
            if self._lanes:
                each = self._queue.get_nowait()
            else:
                each = self._queue.get(timeout=_LOOK_SECONDS if seconds is None else min(_LOOK_SECONDS, seconds))
            while isinstance(each, _Item):
                self._sorted += 1
                each.number = self._sorted
                lane = self._lanes.get(each.author)
                if lane is None:
                    lane = self._lanes[each.author] = collections.deque()
                lane.append(each)
                each = self._queue.get_nowait()
            self._order = each

    def _take(self) -> None:
        """Put into the batch what comes next: one of each author's in turn; within the batch, as it came."""
        size = 0
        while self._lanes and len(self._batch) < _AT_ONCE and size < _AT_ONCE_BYTES:
            author, lane = self._lanes.popitem(last=False)
            item = lane.popleft()
            if lane:
                self._lanes[author] = lane
            self._batch.append(item)
            size += item.size
        self._batch.sort(key=_number)

    def _stumbled(self, error: BaseException) -> None:
        """Something happened that nobody foresaw: refuse what was under way, say why, and go on."""
        batch, self._batch = self._batch, []
        for item in batch:
            if not isinstance(item.event, Signal):
                item.tell, item.result = False, None
                item.error = Refused("unavailable", _UNAVAILABLE, _RETRY_SECONDS)
        self.available = False
        self._call(self._deliver, batch)
        with contextlib.suppress(Exception):
            self._failed(error)
        time.sleep(_STUMBLED_SECONDS)

    def _look(self) -> None:
        """Once a second, look whether the files are still those that are open, and whether a failure is over.

        What was acknowledged should not have to wait for the next message, nor should `/readyz`.
        """
        now = time.monotonic()
        if now < self._looked + (_LOOK_SECONDS if self.available else _RETRY_SECONDS):
            return
        self._looked = now
        if not self.available or (self._connection is not None and self._database.lost() is not None):
            self.available = self._transact(_probe, durable=True)

    def _commit(self, batch: list[_Item]) -> None:
        """Write all of `batch`, or nothing of it but the names, which wait; note in each item what became of it."""
        for item in batch:
            if isinstance(item.event, Signal) and not isinstance(item.event, Kicked | Typing):
                self._members.note(item.room, item.event)
        durable = any(item.columns is not None for item in batch)
        done = True
        found: dict[tuple[str, str, str], LogEvent] = {}
        if durable or self._members.waiting or any(item.receive for item in batch):
            done = self._transact(lambda connection: self._write(connection, batch), durable=durable)
            self.available = done
            if not done:
                found = self._look_again()
        added = 0
        for item in batch:
            event = item.event
            if isinstance(event, Signal):
                continue  # it is told in any case
            if not done:
                item.tell = False
                item.result = None if event is None else found.get((item.room, event.author.id, event.id))
                if item.result is None:
                    item.error = Refused("unavailable", _UNAVAILABLE, _RETRY_SECONDS)
            elif item.tell:
                self._heads[item.room] = item.result.seq
                added += 1
            elif item.receive is not None:
                self._heads[item.room] = item.result.position.seq
        if added:
            self._database.tally.add(added)

    def _write(self, connection: sqlite3.Connection, batch: list[_Item]) -> None:
        for item in batch:
            if item.columns is not None:
                self._append(item)
            elif item.receive is not None:
                room = self._log.room(item.room)
                away, known = self._members.opening(connection, room.number)
                item.result = Subscription(Position(room.epoch, room.head), self._secret, (), away, known)

    def _append(self, item: _Item) -> None:
        event, columns = item.event, item.columns
        assert event is not None  # noqa: S101 -- an append
        assert columns is not None  # noqa: S101 -- same
        assert not isinstance(event, Signal)  # noqa: S101 -- same
        try:
            item.result, item.tell = self._log.append(item.room, event, columns)
        except (Refused, ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            # Else a caller's mistake, such as half a character; nothing of it was written.
            if isinstance(error, UnicodeDecodeError):  # what stands in the file is none of theirs
                raise sqlite3.DatabaseError("a text in it is not UTF-8") from error
            item.error = error
            return
        if item.tell and isinstance(item.result, Message):
            self._retaining.added(item.room, self._log.room(item.room).messages)

    def _transact(self, work: Callable[[sqlite3.Connection], None], *, durable: bool) -> bool:
        """Do `work` in a transaction, and return whether that was possible."""
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
        if self._trouble is not None:
            self._trouble = None
            _logger.warning("%s can be written again.", self._database.path)
        return True

    def _rescue(self, lost: Path) -> None:
        """Write what is in the -wal, which has lost its name, to the database; begin anew beside it.

        Raise `sqlite3.Error` or `OSError` where that cannot be: it is tried again, and nothing is closed meanwhile.
        """
        if self._connection is None:
            return
        with self._readers.paused():
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")  # people wait
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise OSError(f"{lost} was removed or replaced, and another program has the database open")
            self._connection.close()
            self._connection = None
            self._database.clear()
            self._connect()
        _logger.warning(
            "%s was removed or replaced while it was in use. What it held is in %s now: nothing is lost. "
            "Leave the three files where they are until the server has stopped.",
            lost,
            self._database.path,
        )

    def _connect(self) -> list[tuple[str, LogEvent]]:
        """Begin anew with another connection; tell, and return, what turns out to be stored and was not told.

        A commit that failed may have been done all the same: SQLite's -wal file can hold it whole where only the
        fsync failed, and whoever opens the file next takes it in.
        """
        connection = self._database.write()
        try:
            untold = [
                (room, event)
                for room, head in self._heads.items()
                for event in queries.events(connection, room, after=head, limit=_AT_ONCE)
            ]
        except BaseException:
            connection.close()
            raise
        self._connection, self._log, self._synchronous = connection, Log(connection), "FULL"
        for room, event in untold:
            self._heads[room] = event.seq
        if untold:
            self._call(self._tell, untold)
        return untold

    def _look_again(self) -> dict[tuple[str, str, str], LogEvent]:
        """After a transaction that failed: what of it is stored all the same, by room, author and id."""
        try:
            if self._connection is not None or self._database.moved():
                return {}
            untold = self._connect()
        except Exception:  # it will be tried again, and told, with the next transaction
            return {}
        return {(room, event.author.id, event.id): event for room, event in untold}

    def _failed(self, error: BaseException) -> None:
        """Begin anew with another connection, whatever the state of this one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            if self._database.lost() is None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            else:  # it alone has what was acknowledged
                self._log = Log(self._connection)
        self._retaining.failed()
        why = line(error)
        if why != self._trouble:
            self._trouble = why
            unforeseen = not isinstance(error, sqlite3.Error | OSError)
            _logger.error(
                "%s cannot be written, messages are refused: %s.%s",
                self._database.path,
                why,
                f" {remedy(self._database.path)}" if is_damage(error) else "",
                exc_info=error if unforeseen else None,
            )

    def _deliver(self, batch: list[_Item]) -> None:
        """On the loop: tell everyone, in order, then answer."""
        for item in batch:
            self._discount(item)
            try:
                if item.tell:
                    happened = item.event if item.result is None else item.result
                    assert happened is not None  # noqa: S101 -- an event or a signal
                    self._tell([(item.room, happened)])
                if item.receive is not None and item.error is None:
                    self._receivers[item.room].append(item.receive)
            except Exception as error:  # the others are to be answered all the same
                _logger.exception("%s was stored, and could not be told.", item.event)
                item.error = error
            self._answer(item)

    @staticmethod
    def _answer(item: _Item) -> None:
        if item.future.done():  # who asked has gone
            return
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)

    def _tell(self, events: Sequence[tuple[str, Event]]) -> None:
        for room, event in events:
            for receive in self._receivers[room]:
                try:
                    receive(event)
                except Exception:
                    _logger.exception("A subscriber failed at %r.", event)


class _End(Exception):
    """The thread shall end."""


def _probe(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('opened', 1)")


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
