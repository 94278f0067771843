"""The database file. Before the first write it is checked, identified as pychat's, and locked."""

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

__all__ = ["BUSY_SECONDS", "Database"]

_log = logging.getLogger("pychat.stores.sqlite")

_OPEN: set[Path] = set()  # in this process
_SIDE_FILES = ("-wal", "-shm")  # files that SQLite keeps beside an open database
#: How long to wait for another program that writes.
BUSY_SECONDS = 5
_FULL_CHECK_BYTES = 64 << 20  # larger files are checked in part: `quick_check` reads about 0.5 GB a second
_CHECKED_MESSAGES = (
    1000  # newest messages and events of each room that must be readable: about what opening a room reads
)
_CHECKED_ROOMS = 1_000  # the newest rooms, whose messages are checked
_START_BYTES = 1 << 20  # free disk space that starting may need
_MAX_WAL_BYTES = 64 << 20  # size of the -wal file after a burst


class Database:
    """One file, locked while it is open: no other pychat can serve it, but anyone can read it.

    There are two advisory locks, and the operating system releases both when the process ends: one on a file beside
    the database (`chat.db.lock`), and on Linux one on the file itself, which works across paths.
    """

    def __init__(self, path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        """`factory` is the class of connections; tests pass one with faults."""
        # Symbolic links to a file are one database, and its -wal is beside the file.
        self.path = path.resolve()
        self._factory = factory
        self._lock = FileLock(f"{self.path}.lock", timeout=0, thread_local=False)
        #: Records how many events the database has held.
        self.tally = Tally(Path(f"{self.path}.events"))
        self._inode: tuple[int, int] | None = None
        self._side_files: dict[str, tuple[int, int] | None] = {}
        self._file: int | None = None

    def open(self) -> sqlite3.Connection:
        """Lock, check and upgrade the file; return the connection for writing. Raise `UsageError`."""
        self._prepare_path()
        if self.path in _OPEN:
            raise UsageError(
                f"{self.path} is already open in this process. To share it between rooms, pass them one store: "
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
        """Release the locks. Close all connections first: closing the file ends SQLite's own locks on it (POSIX)."""
        _OPEN.discard(self.path)
        self.tally.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._lock.release()

    def write(self) -> sqlite3.Connection:
        """Open a connection for writing."""
        connection = self._connect("rw")
        try:
            # SQLite's default is a checkpoint each 1000 pages. FULL: commits survive a power failure.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_MAX_WAL_BYTES}")
            connection.execute("PRAGMA secure_delete = FAST")  # overwrites deleted data where that needs no extra write
            connection.execute("PRAGMA cache_size = -16000")  # KiB
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # this creates the side files
            self._side_files = {suffix: self._identity(suffix) for suffix in _SIDE_FILES}
        except BaseException:
            connection.close()
            raise
        return connection

    def read(self) -> sqlite3.Connection:
        """Open a connection for reading. Raise `OSError` if it would not see the commits of the writing connection."""
        if (lost := self.lost()) is not None:
            raise OSError(f"{lost} was removed or replaced")
        connection = self._connect("rw")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def moved(self) -> bool:
        """Return whether the file was moved or replaced: writes would be lost with the process."""
        return self._identity("") != self._inode

    def lost(self) -> Path | None:
        """Return the side file that was removed or replaced since the writing connection opened it, if any.

        Writes then go to a file without a name, which is lost with the process.
        """
        for suffix, known in self._side_files.items():
            if self._identity(suffix) != known:
                return Path(f"{self.path}{suffix}")
        return None

    def clear(self) -> None:
        """Remove files that others put in the place of lost side files. No connection may be open."""
        for suffix, known in self._side_files.items():
            if self._identity(suffix) not in (known, None):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._side_files = {}

    def _identity(self, suffix: str) -> tuple[int, int] | None:
        """Return device and inode of the file with that suffix; `None` if there is none."""
        try:
            found = os.stat(f"{self.path}{suffix}")  # noqa: PTH116 -- at each commit: a Path takes twice as long
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _lock_file(self) -> None:
        """Lock the file itself: through another mount, the lock file and the -wal beside it are others.

        Only on Linux: there flock() and the locks of SQLite are independent.
        """
        if not sys.platform.startswith("linux"):
            return
        import fcntl  # noqa: PLC0415 -- not on all platforms

        self._file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(self._in_use(self.path)) from None
        except OSError:  # a file system without such locks
            pass

    def _in_use(self, locked: Path) -> str:
        process_id = _lock_holder(locked)
        if process_id is not None and _is_worker() and _parent(process_id) == os.getppid():
            return (
                f"{self.path} is in use by another worker of this server (process {process_id}); only one process can "
                "serve a file. Start one worker (--workers 1), or use Redis (redis://…), which workers can share."
            )
        by = "another pychat" if process_id is None else f"another pychat (process {process_id})"
        return (
            f"{self.path} is in use by {by}: only one process at a time can serve a file. Stop it, or use another "
            "--store here. To share a room between processes or workers, use --store redis://…"
        )

    def _prepare_path(self) -> None:
        if not self.path.parent.is_dir():
            raise UsageError(f"There is no directory {self.path.parent}. Create it, or use another --store.")
        if self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode):
            raise UsageError(f"{self.path} is not a regular file. Use --store sqlite:PATH with the path of a file.")
        with contextlib.suppress(FileExistsError):
            try:
                # It holds messages, and the secret that signs tokens: only the owner may read it.
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                raise
            except OSError as error:
                raise UsageError(f"{self.path} cannot be created: {os.strerror(error.errno or 0)}.") from None
        names = self.path.stat().st_nlink
        if names > 1:
            # SQLite keeps the newest messages in a file named after the path that it was opened by. Under another path
            # they are missing, and two servers would each have their own.
            raise UsageError(
                f"{self.path} has {names} hard links, and SQLite needs a file with one. Remove the others "
                f"(find / -xdev -samefile {self.path} lists them), or serve a copy: cp {self.path} another.db."
            )

    def _open(self) -> sqlite3.Connection:
        with self._readable_errors():
            connection = self._connect("rw")
            try:
                found = schema.version(connection, self.path)
                self._check(connection)
                if found == 0:
                    schema.create(connection)
                elif found < schema.VERSION:
                    schema.migrate(connection, self.path, found)
                self._check_rooms(connection)
                # After the checks, because it writes. Some network file systems do not support it.
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                if mode != "wal":
                    raise UsageError(
                        f"SQLite cannot use write-ahead logging (WAL) for {self.path}. Put the file on a local disk."
                    )
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('opened', 1)")
                held, holds = self.tally.read(), queries.count(connection)
                if holds < held and queries.renew(connection):
                    _log.warning(
                        "%s has %d events, but had %d before: was a backup restored? Clients will load the room anew.",
                        self.path, holds, held,
                    )  # fmt: skip
                connection.execute("COMMIT")
                self.tally.start(holds)
                found_at = self.path.stat()
                self._inode = found_at.st_dev, found_at.st_ino
                return self.write()
            finally:
                connection.close()

    def _check(self, connection: sqlite3.Connection) -> None:
        """Check all of a small database; of a large one only the parts that opening a room needs."""
        tables: list[str] = [""]
        if self.path.stat().st_size > _FULL_CHECK_BYTES:
            tables = ["('meta')", "('rooms')", "('members')"]
        for table in tables:
            (said,) = connection.execute(f"PRAGMA quick_check{table or '(1)'}").fetchone()
            if said != "ok":
                raise sqlite3.DatabaseError(said.removeprefix("*** in database main ***\n").splitlines()[0])

    def _check_rooms(self, connection: sqlite3.Connection) -> None:
        """Read what opening each room needs. The tables must have their newest form."""
        queries.secret(connection)
        for room in queries.newest_rooms(connection, _CHECKED_ROOMS):
            queries.check_members(connection, room.number)
            queries.history(connection, room.name, before=None, limit=_CHECKED_MESSAGES)
            queries.events(connection, room.name, after=room.head - _CHECKED_MESSAGES, limit=_CHECKED_MESSAGES)

    def _connect(self, mode: str) -> sqlite3.Connection:
        # A connection moves from the opening thread to the writing thread; never do two threads use it at once.
        return sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=self._factory,
        )

    @contextlib.contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if is_damage(error):
                raise UsageError(
                    f"{self.path} is damaged ({line(error)}); pychat has not changed it. {remedy(self.path)}"
                ) from error
            # SQLite reports a full disk in several ways, such as "disk I/O error".
            full = shutil.disk_usage(self.path.parent).free < _START_BYTES
            raise UsageError(f"{self.path} cannot be used: {'the disk is full' if full else line(error)}.") from error


def _lock_holder(locked: Path) -> int | None:
    """Return the id of the process that locks the file, if Linux reports it."""
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
    """Return whether this is a worker process of a server (gunicorn forks them)."""
    return multiprocessing.parent_process() is not None or "gunicorn" in os.environ.get("SERVER_SOFTWARE", "")


def _parent(process: int) -> int | None:
    """Return the parent of a process, if Linux reports it."""
    try:
        status = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
        return int(status.rpartition(")")[2].split()[1])  # proc(5): pid, (name), state, parent
    except (OSError, ValueError, IndexError):
        return None
