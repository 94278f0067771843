"""The writing connection: runs transactions, and reconnects after failures without losing an acknowledged event."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from pychat.domain.model import Event, LogEvent
from pychat.stores.sqlite import queries
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.damage import is_damage, line, remedy
from pychat.stores.sqlite.database import BUSY_SECONDS, Database
from pychat.stores.sqlite.fair_queue import MAX_BATCH
from pychat.stores.sqlite.members import Members
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.retention import RetentionTask

__all__ = ["Transactions"]

_BUSY_MILLISECONDS = 200  # how long to wait for another program that reads, after a side file was lost

_logger = logging.getLogger("pychat.stores.sqlite")


class Transactions:
    """Runs one transaction after another. Only for the writing thread.

    With `PRAGMA synchronous=FULL`, fsync has written each acknowledged event to the disk. Changes of members are
    committed without fsync if no event is committed with them: they survive a killed process, but a power failure may
    lose the last seconds.
    """

    def __init__(
        self,
        database: Database,
        connection: sqlite3.Connection,
        read_pool: ReadPool,
        retention: RetentionTask,
        tell: Callable[[str, Event], None],
    ) -> None:
        """`tell` delivers an event of a room that was stored by a transaction that failed."""
        self._database = database
        self._connection: sqlite3.Connection | None = connection
        self._read_pool = read_pool
        self._retention = retention
        self._tell = tell
        self._logs = Logs(connection)
        self._synchronous = "FULL"
        self._last_error: str | None = None
        #: Changes of members, written with the next transaction.
        self.members = Members()
        #: The newest event of each room that was delivered, or is about to be.
        self.heads: dict[str, int] = {}

    @property
    def endangered(self) -> bool:
        """Whether acknowledged events are in a file that was removed or replaced."""
        return self._connection is not None and self._database.lost() is not None

    def run(self, work: Callable[[sqlite3.Connection, Logs], object], *, durable: bool) -> bool:
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
            self.members.write(self._connection, self._logs)
            work(self._connection, self._logs)
            self._logs.finish()
            self._connection.execute("COMMIT")
        except Exception as error:
            self.failed(error)
            return False
        self.members.written()
        if self._last_error is not None:
            self._last_error = None
            _logger.warning("%s can be written again.", self._database.path)
        return True

    def let_go(self, room: str) -> None:
        """Forget how far the events of a room were delivered: it has no subscribers."""
        self.heads.pop(room, None)

    def checkpoint(self) -> bool:
        """Move the -wal file into the database and empty it. Return false if it is in use, or after an error."""
        if self._connection is None:
            return False
        try:
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        except sqlite3.Error as error:
            self.failed(error)
            return False
        return not busy

    def find_stored(self) -> dict[tuple[str, str, str], LogEvent]:
        """After a failed transaction, return its events that are stored all the same, by room, author and id."""
        try:
            if self._connection is not None or self._database.moved():
                return {}
            untold = self._connect()
        except Exception:  # the next transaction tries again and reports it
            return {}
        return {(room, event.author.id, event.id): event for room, event in untold}

    def failed(self, error: BaseException) -> None:
        """Drop the connection after an error, and log the error."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            if self._database.lost() is None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            else:  # only this connection has the acknowledged events
                self._logs = Logs(self._connection)
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

    def close(self) -> None:
        """Write the waiting changes of members, and close the connection."""
        with contextlib.suppress(Exception):
            if self.members.waiting:
                self.run(lambda *_: None, durable=False)
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                if self._database.lost() is not None:
                    self._connection.execute("PRAGMA wal_checkpoint(FULL)")
                self._connection.close()

    def _rescue(self, lost: Path) -> None:
        """Write the -wal, which has lost its name, to the database, and open a new connection.

        Raise `sqlite3.Error` or `OSError` on failure; the connection stays open then, and the next call tries again.
        """
        if self._connection is None:
            return
        with self._read_pool.paused():
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
                for room, head in self.heads.items()
                for event in queries.events(connection, room, after=head, limit=MAX_BATCH)
            ]
        except BaseException:
            connection.close()
            raise
        self._connection, self._logs, self._synchronous = connection, Logs(connection), "FULL"
        for room, event in untold:
            self.heads[room] = event.seq
            self._tell(room, event)
        return untold
