"""Reading threads, each with its own connection, so that the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from pychat.domain.errors import Refused
from pychat.stores.sqlite.damage import is_damage, line, remedy
from pychat.stores.sqlite.database import Database

__all__ = ["ReadPool"]

_THREADS = 2  # one can run a slow search while the other serves joins
_MAX_WAITING = 10_000
_RETRY_SECONDS = 2.0
_MAX_DAMAGE = 100  # kinds of damage that are logged
_PAUSE_SECONDS = 2.0  # how long the writer waits for queries to finish

_logger = logging.getLogger("pychat.stores.sqlite")
_T = TypeVar("_T")


class ReadPool:
    """Runs queries in threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(_THREADS, "pychat-sqlite-read")
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._waiting = 0
        self._closed = False
        self._last_error: str | None = None
        self._damage: set[str] = set()
        self._gate = threading.Condition()
        # The gate guards these two.
        self._reading = 0
        self._paused = False

    async def read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return the result of `query` on a connection. Raise `Refused` if reading fails or too many queries wait."""
        if self._waiting >= _MAX_WAITING:
            raise Refused("unavailable", "The room is too busy to look that up. Try again.", _RETRY_SECONDS)
        self._waiting += 1
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)
        except Refused:
            raise
        except Exception as error:
            self._failed(error)
            text = "The room cannot read its messages just now. Try again soon."
            raise Refused("unavailable", text, _RETRY_SECONDS) from error
        finally:
            self._waiting -= 1
        if self._last_error is not None:
            self._last_error = None
            _logger.warning("%s can be read again.", self._database.path)
        return found

    def _failed(self, error: Exception) -> None:
        """Log each kind of damage once, for other pages stay readable; log another error once until a read succeeds."""
        why = line(error)
        if is_damage(error):
            if why not in self._damage and len(self._damage) < _MAX_DAMAGE:
                self._damage.add(why)
                text = "%s cannot be read in part, and requests for that part are refused: %s. %s"
                _logger.error(text, self._database.path, why, remedy(self._database.path))
        elif why != self._last_error:
            self._last_error = why
            unforeseen = not isinstance(error, sqlite3.Error | OSError)
            text = "%s cannot be read, searches and older messages are refused: %s."
            _logger.error(text, self._database.path, why, exc_info=error if unforeseen else None)

    def _read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._gate:
            self._gate.wait_for(lambda: not self._paused)
            self._reading += 1
        try:
            return self._query(query)
        finally:
            with self._gate:
                self._reading -= 1
                self._gate.notify_all()

    def _query(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._closed:
            raise Refused("unavailable", "The server is shutting down. Try again when it is back.", _RETRY_SECONDS)
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._database.read()
        try:
            result = query(connection)
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return result

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within the block all reading connections are closed, and queries wait. Not for the thread of the event loop.

        Raise `TimeoutError` if a running query does not finish in time.
        """
        with self._gate:
            self._paused = True
            ended = self._gate.wait_for(lambda: not self._reading, _PAUSE_SECONDS)
        try:
            if not ended:
                raise TimeoutError("a search takes too long")
            self._close_idle()
            yield
        finally:
            with self._gate:
                self._paused = False
                self._gate.notify_all()

    def close(self) -> None:
        """Finish running queries, refuse waiting ones, and end the threads."""
        self._closed = True
        self._pool.shutdown()
        self._close_idle()

    def _close_idle(self) -> None:
        while not self._idle.empty():
            self._idle.get().close()
