"""Removes deleted rooms and erased texts from the files, in small steps between the writer's other work.

To delete a row is not enough: its bytes stay in the search index until its parts are merged, in free pages until they
are used again, and in the -wal file until it is overwritten.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator

from pychat.stores.sqlite import queries
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.transactions import Transactions

__all__ = ["WipeTask"]

_MESSAGES = 500  # of deleted rooms that are removed in one transaction: about 10 ms
_INDEX_PAGES = 200  # of the search index that are merged in one transaction
_FREE_PAGES = 256  # that are overwritten in one transaction: 1 MiB
_RETRY_SECONDS = 0.2  # after a failed transaction, or while another program reads the -wal file


class WipeTask:
    """Only for the writing thread. After `begin` it runs to its end, and once more if `begin` was called meanwhile."""

    def __init__(self, transactions: Transactions, *, pending: bool) -> None:
        """`pending` is true if a process was killed before it had wiped all."""
        self._transactions = transactions
        self._steps: Iterator[bool] | None = None
        self._again = pending
        self._not_before = 0.0
        self._when_done: list[Callable[[], None]] = []

    @property
    def seconds(self) -> float | None:
        """How long the writer may wait before the next `due`; `None` means for ever."""
        return max(0.0, self._not_before - time.monotonic()) if self._steps is not None or self._again else None

    def begin(self) -> None:
        """Wipe what was deleted up to now."""
        self._again = True

    def when_done(self, call: Callable[[], None]) -> None:
        """Call `call` when nothing is left to wipe."""
        if self._steps is None and not self._again:
            call()
        else:
            self._when_done.append(call)

    def due(self) -> bool:
        """Return whether `step` has something to do now."""
        if self._steps is None and self._again:
            self._again, self._steps = False, self._wipe()
        return self._steps is not None and time.monotonic() >= self._not_before

    def step(self) -> None:
        """Do the next step. After a failure, begin again after a pause."""
        assert self._steps is not None  # noqa: S101 -- it is due
        succeeded = next(self._steps, None)
        if succeeded is None:
            self._steps = None
            if not self._again:
                waiting, self._when_done = self._when_done, []
                for call in waiting:
                    call()
        elif not succeeded:
            self._not_before = time.monotonic() + _RETRY_SECONDS

    def finish(self, seconds: float) -> None:
        """Wipe to the end, but not for longer than that: the next process continues."""
        end = time.monotonic() + seconds
        while self.due() and time.monotonic() < end:
            self.step()

    def _wipe(self) -> Iterator[bool]:
        """Yield after each step whether it succeeded."""
        yield from self._until_done(_reclaim)  # what a process left that was killed
        yield from self._until_done(lambda _, logs: logs.sweep(_MESSAGES))
        yield from self._until_done(_begin_merge)
        yield from self._until_done(_merge)
        yield from self._until_done(_overwrite)
        yield from self._until_done(_reclaim)
        while not self._transactions.checkpoint():
            yield False
        if not self._again:
            yield from self._until_done(_finish)

    def _until_done(self, work: Callable[[sqlite3.Connection, Logs], bool]) -> Iterator[bool]:
        """Run `work` in transactions until it returns false."""
        more = True

        def run(connection: sqlite3.Connection, logs: Logs) -> None:
            nonlocal more
            more = work(connection, logs)

        while more:
            succeeded = self._transactions.run(run, durable=False)
            if not succeeded:
                more = True
            yield succeeded


def _finish(connection: sqlite3.Connection, _: Logs) -> bool:
    queries.set_wiping(connection, False)
    return False


def _begin_merge(connection: sqlite3.Connection, _: Logs) -> bool:
    """Begin to merge all parts of the search index: a deleted word stays in its part until then."""
    connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (-_INDEX_PAGES,))
    return False


def _merge(connection: sqlite3.Connection, _: Logs) -> bool:
    before = connection.total_changes
    connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (_INDEX_PAGES,))
    return connection.total_changes - before >= 2  # documented: with less, there was nothing to merge


def _overwrite(connection: sqlite3.Connection, _: Logs) -> bool:
    """Use free pages for zeros."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    if free:
        pages = min(free, _FREE_PAGES)
        connection.execute("INSERT INTO wiped VALUES (zeroblob(?))", (max(1, pages * (size - 4) - 64),))
    return bool(free)


def _reclaim(connection: sqlite3.Connection, _: Logs) -> bool:
    """Free some of the pages that have zeros."""
    return connection.execute("DELETE FROM wiped WHERE rowid = (SELECT max(rowid) FROM wiped)").rowcount > 0
