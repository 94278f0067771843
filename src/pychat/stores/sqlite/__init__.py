"""The SQLite store: the logs of rooms in one file. `store` implements the store port with the other modules."""

from __future__ import annotations

from pychat.stores.sqlite.archive import SqliteArchive
from pychat.stores.sqlite.store import SqliteStore

__all__ = ["SqliteArchive", "SqliteStore"]
