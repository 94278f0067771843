"""The writer: one thread that commits waiting items in batches and passes the results to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Left, LogEvent, Signal, Typing
from pychat.stores.sqlite import rows
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.backlog import Backlog
from pychat.stores.sqlite.committer import Committer
from pychat.stores.sqlite.database import Database
from pychat.stores.sqlite.delivery import Delivery
from pychat.stores.sqlite.fair_queue import FairQueue
from pychat.stores.sqlite.item import EVENT_BYTES, Effect, Item
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.retention import RetentionTask
from pychat.stores.sqlite.transactions import Transactions
from pychat.stores.sqlite.wiping import WipeTask
from pychat.stores.store import Receiver, Report, Subscription

__all__ = ["Writer"]

_T = TypeVar("_T")

_RETRY_SECONDS = 5.0
_LAST_SECONDS = 5.0  # how long closing may take to remove what was deleted
_CHECK_SECONDS = 1.0  # how often the files are checked while nothing is written: three calls of stat()
_RECOVER_SECONDS = 0.1  # a pause after an unexpected error, so that repeated errors do not take all CPU time


class Writer:
    """Writes items, delivers them to subscribers in the order of writing, and then resolves their futures.

    Items are written in the order of arrival if all fit one transaction; if more wait, authors take turns.
    """

    def __init__(
        self,
        database: Database,
        connection: sqlite3.Connection,
        secret: bytes,
        retention: RetentionTask,
        read_pool: ReadPool,
        loop: asyncio.AbstractEventLoop,
        *,
        wiping: bool,
    ) -> None:
        """`wiping` is true if what was deleted or erased is still in the files."""
        self._queue = FairQueue()
        # The thread of the event loop uses these two.
        self._backlog = Backlog()
        self._delivery = Delivery(loop, self._backlog)
        # Only the writing thread uses these.
        self._retention = retention
        self._transactions = Transactions(
            database, connection, read_pool, retention, lambda *told: self._delivery.call(self._delivery.publish, *told)
        )
        self._committer = Committer(self._transactions, retention, database.tally, secret)
        self._wiping = WipeTask(self._transactions, pending=wiping)
        self._batch: list[Item] = []
        self._checked = 0.0
        self._thread = threading.Thread(target=self._run, name="pychat-sqlite", daemon=True)
        self._thread.start()

    @property
    def available(self) -> bool:
        """Whether the last transaction succeeded."""
        return self._committer.available

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        """Store and deliver `event`. The future raises `Refused` if too much waits."""
        columns = rows.row(event)
        size = EVENT_BYTES + sum(map(sys.getsizeof, columns))
        item = Item(room, self._future(), event, columns, author=event.author.id, size=size, effect=Effect.REFUSED)
        try:
            self._backlog.check(item.author, size)
        except Refused as refused:
            item.future.set_exception(refused.with_traceback(None))
            return item.future
        return self._enqueue(item)

    def signal(self, room: str, event: Signal) -> asyncio.Future[None]:
        """Deliver `event` and store the names. Raise `Refused` if too much waits, but never for members who go."""
        f"{event.member.id}{event.member.name}".encode()  # a lone surrogate cannot be written
        if not isinstance(event, Away | Left):
            self._backlog.check(event.member.id, EVENT_BYTES)
        item = Item(
            room,
            self._future(),
            signal=event,
            author=event.member.id,
            size=EVENT_BYTES,
            deliver=True,
            effect=Effect.REFUSED,
        )
        if isinstance(event, Typing) and not self._backlog:  # nothing to write, and nothing waits before it
            self._backlog.add(item)
            self._delivery.deliver([item])
            return item.future
        return self._enqueue(item)

    def subscribe(self, room: str, receive: Receiver) -> asyncio.Future[Subscription]:
        """Call `receive` with all events after this item of the queue."""
        return self._enqueue(Item(room, self._future(), receive=receive, effect=Effect.OPENS))

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        """Stop calling `receive`."""
        self._delivery.unsubscribe(room, receive)
        self._queue.put(lambda: self._transactions.let_go(room))

    def change(
        self,
        room: str,
        work: Callable[[sqlite3.Connection, Logs], _T],
        *,
        author: str = "",
        reports: Sequence[Report] = (),
        durable: bool = True,
        effect: Effect = Effect.NONE,
    ) -> asyncio.Future[_T]:
        """Call `work` in a transaction, after all that `author` has sent; then deliver `reports`. Return its result."""
        item = Item(
            room, self._future(), work=work, reports=reports, durable=durable, effect=effect, author=author, size=1
        )
        return self._enqueue(item)

    def settled(self) -> asyncio.Future[None]:
        """Return a future that is done when nothing is left to remove."""
        future = self._future()
        wipe = self._wiping.when_done
        self._queue.put(lambda: self._retention.when_done(lambda: wipe(lambda: self._delivery.call(_resolve, future))))
        return future

    def wipe(self) -> None:
        """Remove what was deleted or erased from the files, in the background."""
        self._queue.put(self._wiping.begin)

    async def aclose(self) -> None:
        """Write all waiting items, and end the thread."""
        self._delivery.loop = asyncio.get_running_loop()  # the earlier loop may have ended
        ended = self._future()

        def end() -> None:
            self._delivery.call(_resolve, ended)
            raise _Stop

        self._queue.put(end)
        await ended
        self._thread.join()

    def _future(self) -> asyncio.Future[Any]:
        return self._delivery.loop.create_future()

    def _enqueue(self, item: Item) -> asyncio.Future[Any]:
        self._backlog.add(item)
        self._queue.put(item)
        return item.future

    # From here on all methods run in the writing thread.

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
            self._wiping.finish(_LAST_SECONDS)
        self._transactions.close()

    def _step(self) -> None:
        waits = (_CHECK_SECONDS, self._retention.seconds, self._wiping.seconds)
        self._queue.fill(self._batch, min(each for each in waits if each is not None))
        if self._batch:
            self._committer.commit(self._batch)
            batch, self._batch = self._batch, []
            self._delivery.call(self._delivery.deliver, batch)
        function = self._queue.function()
        if function is not None:
            function()
        self._check_files()
        while self._retention.due():
            self._transactions.run(lambda _, logs: self._retention.step(logs), durable=False)
            if self._queue:
                break
        while self._wiping.due():
            self._wiping.step()
            if self._queue:
                break

    def _recover(self, error: BaseException) -> None:
        """Handle an unexpected error: refuse the current batch, log the error, and go on."""
        batch, self._batch = self._batch, []
        for item in batch:
            item.fail()
        self._committer.available = False
        self._delivery.call(self._delivery.deliver, batch)
        with contextlib.suppress(Exception):
            self._transactions.failed(error)
        time.sleep(_RECOVER_SECONDS)

    def _check_files(self) -> None:
        """Once a second, check that the open files are still in place, and whether a failure is over.

        Neither the rescue of acknowledged events nor `/readyz` should wait for the next message.
        """
        now = time.monotonic()
        if now < self._checked + (_CHECK_SECONDS if self.available else _RETRY_SECONDS):
            return
        self._checked = now
        if not self.available or self._transactions.endangered:
            self._committer.probe()


class _Stop(Exception):
    """Ends the thread."""


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
