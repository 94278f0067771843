"""The database file: it is found sound, ours, and nobody else's before a byte of it is written."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pychat.domain.errors import UsageError
from pychat.stores.sqlite import queries, schema
from pychat.stores.sqlite.damage import is_damage, line, remedy
from pychat.stores.sqlite.tally import Tally

__all__ = ["Database"]

_log = logging.getLogger("pychat.stores.sqlite")

_OPEN: set[Path] = set()  # in this process
_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside the file while it is open
_BUSY_SECONDS = 5  # how long to wait for another program that writes
_CHECKED_WHOLE = 64 << 20  # bytes; `quick_check` reads about 0.5 GB a second, and starting should take no longer
_OPENED = 1000  # messages and events of each room that must be readable: about what opening it reads
_CREATED = 1 << 20  # bytes that starting may need
_WAL_KEPT = 64 << 20  # bytes that the -wal file may keep after a burst


class Database:
    """One file, locked while this lives: another pychat cannot serve it, anyone can read it.

    Two locks are held, both advisory, and both end with the process however that ends: one on a file beside it
    (`chat.db.lock`), and on Linux one on the file itself, whatever it is called elsewhere.
    """

    def __init__(self, path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        """`factory` makes connections; tests hand in one that has faults."""
        # Two links to a file are one database, and its -wal lies where the file does.
        self.path = path.resolve()
        self._factory = factory
        self._lock = FileLock(f"{self.path}.lock", timeout=0, thread_local=False)
        #: Notes how many events the database has held.
        self.tally = Tally(Path(f"{self.path}.events"))
        self._inode: tuple[int, int] | None = None
        self._beside: dict[str, tuple[int, int] | None] = {}
        self._file: int | None = None

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
            raise UsageError(self._in_use(Path(f"{self.path}.lock"))) from None
        except OSError as error:
            raise UsageError(f"{self.path}.lock cannot be written: {os.strerror(error.errno or 0)}.") from None
        try:
            self._lock_file()
            connection = self._open()
            _OPEN.add(self.path)
            return connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others have it. Close all connections first: closing the file ends SQLite's own locks on it (POSIX)."""
        _OPEN.discard(self.path)
        self.tally.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None
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
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # this opens the files beside it
            self._beside = {suffix: self._identity(suffix) for suffix in _BESIDE}
        except BaseException:
            connection.close()
            raise
        return connection

    def read(self) -> sqlite3.Connection:
        """A connection that reads. Raise `OSError` where it would not see what the one that writes has written."""
        if (lost := self.lost()) is not None:
            raise OSError(f"{lost} was removed or replaced")
        connection = self._connect("rw")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def moved(self) -> bool:
        """Whether the file is no longer where it was: then what is written would be lost with the process."""
        return self._identity("") != self._inode

    def lost(self) -> Path | None:
        """Which of the files that SQLite keeps beside it is no longer the one that the writing connection has open.

        What is written then reaches a file without a name, which ends with the process.
        """
        for suffix, known in self._beside.items():
            if self._identity(suffix) != known:
                return Path(f"{self.path}{suffix}")
        return None

    def clear(self) -> None:
        """Remove what others have put in the place of lost files; no connection is open, nothing waits in a -wal."""
        for suffix, known in self._beside.items():
            if self._identity(suffix) not in (known, None):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._beside = {}

    def _identity(self, suffix: str) -> tuple[int, int] | None:
        """What the file of that name is, whatever it is called."""
        try:
            found = os.stat(f"{self.path}{suffix}")  # noqa: PTH116 -- at each commit: a Path takes twice as long
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _lock_file(self) -> None:
        """Lock the file itself: by another mount it is reached beside another lock file, and another -wal.

        On Linux alone flock() and the locks of SQLite have nothing to do with each other.
        """
        if not sys.platform.startswith("linux"):
            return
        import fcntl  # noqa: PLC0415 -- not on every platform

        self._file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(self._in_use(self.path)) from None
        except OSError:  # a file system without such locks
            pass

    def _in_use(self, locked: Path) -> str:
        holder = _holder(locked)
        if holder is not None and _is_worker() and _parent(holder) == os.getppid():
            return (
                f"{self.path} is in use by another worker of this server (process {holder}), and one process can serve "
                "a file. Start one worker (--workers 1), or keep rooms in Redis (redis://…): then they are one."
            )
        by = "another pychat" if holder is None else f"another pychat (process {holder})"
        return (
            f"{self.path} is in use by {by}: one process at a time can serve a file. Stop that one, or give this one "
            "another --store. Several processes or workers are one room with --store redis://…"
        )

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
        names = self.path.stat().st_nlink
        if names > 1:
            # SQLite keeps the newest messages in a file beside the name that it was opened by: under another name they
            # are missing, and two servers would each have their own.
            raise UsageError(
                f"{self.path} has {names} names (hard links), and SQLite needs it to have one. Remove the others "
                f"(find / -xdev -samefile {self.path} lists them), or serve a copy: cp {self.path} another.db."
            )

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
                held, holds = self.tally.read(), queries.count(connection)
                if holds < held and queries.renew(connection):
                    _log.warning(
                        "%s holds %d events, and has held %d: a backup? Clients are told to begin anew.",
                        self.path, holds, held,
                    )  # fmt: skip
                connection.execute("COMMIT")
                self.tally.start(holds)
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
            queries.secret(connection)
            for room in queries.rooms(connection):
                queries.check_members(connection, room.number)
                queries.history(connection, room.name, before=None, limit=_OPENED, matching=None)
                queries.events(connection, room.name, after=room.head - _OPENED, limit=_OPENED)

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
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if is_damage(error):
                raise UsageError(
                    f"{self.path} is damaged ({line(error)}); pychat left it as it is. {remedy(self.path)}"
                ) from error
            # A full disk has many names: "disk I/O error", for one.
            full = shutil.disk_usage(self.path.parent).free < _CREATED
            raise UsageError(f"{self.path} cannot be used: {'the disk is full' if full else line(error)}.") from error


def _holder(locked: Path) -> int | None:
    """The process that holds a lock on that file, where Linux tells."""
    try:
        number = str(locked.stat().st_ino)
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            match line.split():
                case [_, "FLOCK", _, "WRITE", process, place, *_] if place.rpartition(":")[2] == number:
                    return int(process) if int(process) > 0 else None
    except (OSError, ValueError):
        pass
    return None


def _is_worker() -> bool:
    """Whether this is one of several processes that a server may start (gunicorn forks them)."""
    return multiprocessing.parent_process() is not None or "gunicorn" in os.environ.get("SERVER_SOFTWARE", "")


def _parent(process: int) -> int | None:
    """The parent of a process, where Linux tells."""
    try:
        status = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
        return int(status.rpartition(")")[2].split()[1])  # proc(5): pid, (name), state, parent
    except (OSError, ValueError, IndexError):
        return None
