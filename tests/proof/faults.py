"""Faults of a database, put between any two statements; and kills, which leave behind the files of that moment."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["FAULTS", "KILLS", "Faults", "copy_of_the_moment"]

#: What can go wrong with a transaction: it does not begin, a statement fails, the commit does, or the commit is done
#: and reported as failed (as where fsync fails, and a later reader finds what was written).
FAULTS = ("begin", "statement", "commit", "commit unheard")
#: When a server can be killed: before a commit, with a part of it in the -wal file, after it and before any answer, or
#: when it has nothing to do.
KILLS = ("kill before commit", "kill in commit", "kill after commit", "kill when idle")


def copy_of_the_moment(database: Path, to: Path) -> None:
    """What kill -9 leaves: the database and its -wal file as they are, whatever SQLite still has in mind."""
    shutil.copyfile(database, to)
    wal = database.with_name(f"{database.name}-wal")
    if wal.exists():
        shutil.copyfile(wal, to.with_name(f"{to.name}-wal"))


class Faults:
    """Makes one thing go wrong, in the thread that writes, when it is told what."""

    def __init__(self, database: Path, killed: Callable[[], None]) -> None:
        """`killed` is called at a kill, before anything that comes of it."""
        self.database = database
        self.left = database.with_name(f"{database.stem}-left.db")
        self._killed = killed
        #: The fault to come; `None` when there is none, or it has struck.
        self.next: str | None = None

    def factory(self) -> type[sqlite3.Connection]:
        """A class of connections that have these faults."""
        faults = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                return faults._around(sql, lambda: super(Connection, self).execute(sql, *values))

        return Connection

    def kill(self) -> None:
        """Keep what is there now, for the next life."""
        self.next = None
        self._killed()
        copy_of_the_moment(self.database, self.left)

    def _around(self, sql: str, execute: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        fault = self.next
        if fault == "begin" and sql == "BEGIN IMMEDIATE":
            self._fail()
        if fault == "statement" and sql.startswith("INSERT INTO events"):
            execute()
            self._fail()
        if sql != "COMMIT" or fault is None:
            return execute()
        if fault == "commit":
            self._fail()
        if fault == "kill before commit":
            self.kill()
        before = self._wal().stat().st_size
        done = execute()
        if fault == "commit unheard":
            self._fail()
        if fault in ("kill after commit", "kill in commit"):
            self.kill()
        if fault == "kill in commit":
            after = self._wal().stat().st_size
            with self.left.with_name(f"{self.left.name}-wal").open("r+b") as wal:
                wal.truncate(before + (after - before) // 2)
        return done

    def _fail(self) -> None:
        self.next = None
        raise sqlite3.OperationalError("injected fault")

    def _wal(self) -> Path:
        return self.database.with_name(f"{self.database.name}-wal")
