"""A disk that can be stopped, counted and spoiled: the class of connections that tests hand to the SQLite store."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any


class Disk:
    """One disk. `factory` makes connections on it."""

    def __init__(self) -> None:
        #: How many transactions have been committed.
        self.commits = 0
        #: How many statements have been executed.
        self.statements = 0
        #: All statements that were executed one by one.
        self.executed: set[str] = set()
        #: Commits wait while this is not set, as on a disk that does not answer.
        self.runs = threading.Event()
        self.runs.set()
        #: Set when a commit begins to wait.
        self.waits = threading.Event()
        #: Whether SQLite shall refuse to write.
        self.read_only = False

    @property
    def factory(self) -> type[sqlite3.Connection]:
        """The class of connections on this disk."""
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                if sql == "BEGIN IMMEDIATE":
                    super().execute(f"PRAGMA query_only = {disk.read_only:d}")
                if sql == "COMMIT":
                    if not disk.runs.is_set():
                        disk.waits.set()
                        disk.runs.wait()
                    disk.commits += 1
                disk.statements += 1
                disk.executed.add(sql)
                return super().execute(sql, *parameters)

            def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
                rows = list(parameters)
                disk.statements += len(rows)
                return super().executemany(sql, rows)

        return Connection
