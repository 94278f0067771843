"""Read-only access to a database, also while a server writes to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pychat.domain.errors import UsageError
from pychat.domain.model import Message
from pychat.stores.sqlite import queries, rows, schema

__all__ = ["SqliteArchive"]

_PAGE = 500  # messages a query; a long read would keep the server's -wal file growing


class SqliteArchive:
    """Reads the rooms of a database and their messages, oldest first, in constant memory. Synchronous."""

    def __init__(self, path: str | Path) -> None:
        """Open `path`. Raise `UsageError` if it is unreadable, or not a database of this version of pychat."""
        self.path = Path(path).resolve()
        if not self.path.exists():
            raise UsageError(f"There is no database {self.path}. Name one with --store sqlite:PATH.")
        try:
            self._connection = self._open()
        except sqlite3.Error as error:
            raise UsageError(f"{self.path} cannot be read: {error}.") from error

    def _open(self) -> sqlite3.Connection:
        # Open with write access if possible: reading after a crash merges the -wal file. Without a -wal file, and
        # without the permission to create one, nobody is writing, and the file itself is complete.
        failure: sqlite3.Error = sqlite3.OperationalError("unable to open database file")
        for mode in ("mode=rw", "mode=ro", "mode=ro&immutable=1"):
            if "immutable" in mode and self.path.with_name(f"{self.path.name}-wal").exists():
                break
            try:
                connection = sqlite3.connect(f"{self.path.as_uri()}?{mode}", uri=True, timeout=5, isolation_level=None)
            except sqlite3.OperationalError as error:
                failure = error
                continue
            try:
                connection.execute("PRAGMA query_only = ON")
                if schema.version(connection, self.path) != schema.VERSION:
                    raise UsageError(
                        f"{self.path} is from an older pychat. Serve it once with this version to upgrade it."
                    )
                connection.execute("SELECT 1 FROM rooms").fetchone()
                return connection
            except sqlite3.OperationalError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
        raise failure

    def rooms(self) -> dict[str, int]:
        """Return the number of messages of each room, without the logs of whispers."""
        rooms = queries.rooms(self._connection)
        return {room.name: room.messages for room in rooms if not room.name.startswith("~")}

    def title(self, name: str) -> str:
        """Return the title that moderators gave a room, or its record; otherwise its name."""
        try:
            room = queries.room(self._connection, name)
            return name if room is None else queries.title(self._connection, room.number) or name
        except sqlite3.Error as error:
            raise UsageError(f"{self.path} cannot be read: {error}.") from error

    def messages(self, name: str) -> Iterator[Message]:
        """Yield all messages of a room, up to the newest at the start. Raise `UsageError` on a read error."""
        try:
            room = queries.room(self._connection, name)
            if room is None:
                return
            last, end = rows.place(room.number, 0), rows.place(room.number, room.head)
            while page := queries.messages_from(self._connection, last, end, _PAGE):
                yield from page
                last = rows.place(room.number, page[-1].seq)
        except sqlite3.Error as error:
            raise UsageError(f"{self.path} cannot be read to its end: {error}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
