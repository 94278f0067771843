"""Readers: a few threads that read, each on a connection of its own, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pychat.errors import Refused

from .database import Database

__all__ = ["Readers"]

_THREADS = 2  # a slow search leaves one for those who join
_WAITING = 10_000
_RETRY_SECONDS = 2.0

_logger = logging.getLogger("pychat.stores.sqlite")
_T = TypeVar("_T")


class Readers:
    """Runs queries off the loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(_THREADS, "pychat-sqlite-read")
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._waiting = 0
        self._closed = False

    async def read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `query` makes of a connection. Raise `Refused` where nothing can be read, or too much waits."""
        if self._waiting >= _WAITING:
            raise Refused("unavailable", "The room is too busy to look that up. Try again.", _RETRY_SECONDS)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)
        except (sqlite3.Error, OSError) as error:
            _logger.exception("%s cannot be read.", self._database.path)
            text = "The room cannot read its messages just now. Try again soon."
            raise Refused("unavailable", text, _RETRY_SECONDS) from error
        finally:
            self._waiting -= 1

    def _read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._closed:
            raise Refused("unavailable", "The server is going away. Try again when it is back.", _RETRY_SECONDS)
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

    def close(self) -> None:
        """End the threads, when what they do is done; what waits is refused."""
        self._closed = True
        self._pool.shutdown()
        while not self._idle.empty():
            self._idle.get().close()
