"""The database file: it is found sound, ours, and nobody else's before a byte of it is written."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pychat.errors import UsageError

from . import queries, schema

__all__ = ["Database"]

_OPEN: set[Path] = set()  # in this process
_BUSY_SECONDS = 5  # how long to wait for another program that writes
_CHECKED_WHOLE = 64 << 20  # bytes; `quick_check` reads about 0.5 GB a second, and starting should take no longer
_CREATED = 1 << 20  # bytes that starting may need
_WAL_KEPT = 64 << 20  # bytes that the -wal file may keep after a burst


class Database:
    """One file, locked while this lives: another pychat cannot serve it, anyone can read it.

    The lock is advisory, on a file beside it (`chat.db.lock`), and ends with the process however that ends.
    """

    def __init__(self, path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        """`factory` makes connections; tests hand in one that has faults."""
        # Two links to a file are one database, and its -wal lies where the file does.
        self.path = path.resolve()
        self._factory = factory
        self._lock = FileLock(f"{self.path}.lock", timeout=0, thread_local=False)
        self._inode: tuple[int, int] | None = None

    def open(self) -> sqlite3.Connection:
        """Lock it, check it, bring it up to date; return the connection that writes. Raise `UsageError`."""
        self._place()
        if self.path in _OPEN:
            raise UsageError(
                f"{self.path} is open already in this process. Rooms share it if they are handed one store: "
                "store = pychat.stores.open_store(…); ChatRoom(…, store=store)."
            )
        try:
            self._lock.acquire()
        except Timeout:
            raise UsageError(
                f"{self.path} is in use by another pychat; stop it, or give this one another --store."
            ) from None
        except OSError as error:
            raise UsageError(f"{self.path}.lock cannot be written: {os.strerror(error.errno or 0)}.") from None
        try:
            connection = self._open()
            _OPEN.add(self.path)
            return connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others have it."""
        _OPEN.discard(self.path)
        self._lock.release()

    def write(self) -> sqlite3.Connection:
        """Another connection that writes, where the one before had a fault."""
        connection = self._connect("rw")
        try:
            # A checkpoint each 1000 pages is SQLite's default; FULL: what is committed survives the power.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
            connection.execute("PRAGMA secure_delete = FAST")  # zeroes what is removed where that costs no write
            connection.execute("PRAGMA cache_size = -16000")  # KiB
        except BaseException:
            connection.close()
            raise
        return connection

    def read(self) -> sqlite3.Connection:
        """A connection that reads."""
        connection = self._connect("rw")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def moved(self) -> bool:
        """Whether the file is no longer where it was: then what is written would be lost with the process."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return True
        return (now.st_dev, now.st_ino) != self._inode

    def _place(self) -> None:
        if not self.path.parent.is_dir():
            raise UsageError(f"There is no directory {self.path.parent}. Make it, or give another --store.")
        if self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode):
            raise UsageError(f"{self.path} is not a file. Give --store sqlite: and the path of one.")
        with contextlib.suppress(FileExistsError):
            try:
                # It holds what people said, and the secret that proves who they are: it is its owner's alone.
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                raise
            except OSError as error:
                raise UsageError(f"{self.path} cannot be made: {os.strerror(error.errno or 0)}.") from None

    def _open(self) -> sqlite3.Connection:
        with self._in_words():
            connection = self._connect("rw")
            try:
                found = schema.version(connection, self.path)
                self._check(connection, found)
                if found == 0:
                    schema.create(connection)
                elif found < schema.VERSION:
                    schema.migrate(connection, self.path, found)
                # After the checks, for it writes. Some network file systems cannot do it.
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                if mode != "wal":
                    raise UsageError(f"{self.path} is where SQLite cannot keep a log (WAL). Put it on a local disk.")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('opened', 1)")
                connection.execute("COMMIT")
                found_at = self.path.stat()
                self._inode = found_at.st_dev, found_at.st_ino
                return self.write()
            finally:
                connection.close()

    def _check(self, connection: sqlite3.Connection, found: int) -> None:
        """Read all of a small database, and of a large one what a room needs to open."""
        tables: list[str] = [""]
        if self.path.stat().st_size > _CHECKED_WHOLE:
            tables = ["('meta')", "('rooms')", "('members')"]
        for table in tables:
            (said,) = connection.execute(f"PRAGMA quick_check{table or '(1)'}").fetchone()
            if said != "ok":
                raise sqlite3.DatabaseError(said.removeprefix("*** in database main ***\n").splitlines()[0])
        if found:
            for room in queries.rooms(connection):
                queries.history(connection, room.name, before=None, limit=50, matching=None)

    def _connect(self, mode: str) -> sqlite3.Connection:
        # Connections pass from the thread that opens to the one that writes; never two use one at once.
        return sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=self._factory,
        )

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:  # full, read-only, locked, a disk's failure
            # A full disk has many names: "disk I/O error", for one.
            full = shutil.disk_usage(self.path.parent).free < _CREATED
            raise UsageError(f"{self.path} cannot be used: {'the disk is full' if full else error}.") from error
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"{self.path} is damaged ({error}); pychat left it as it is. Put a backup in its place, or save what "
                "can be saved with the program sqlite3 and its .recover, or start afresh with another --store."
            ) from error
