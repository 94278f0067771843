"""The SQLite store: the log of rooms in one file. `store` is the port, each other file one noun behind it."""

from __future__ import annotations

from pychat.stores.sqlite.archive import SqliteArchive
from pychat.stores.sqlite.store import SqliteStore

__all__ = ["SqliteArchive", "SqliteStore"]
