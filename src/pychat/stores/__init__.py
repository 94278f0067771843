"""Stores: where the log of a room is kept. A URL picks one."""

from __future__ import annotations

from pychat.errors import UsageError
from pychat.stores.base import Opening, Page, Receiver, Retention, Store
from pychat.stores.memory import MemoryStore

__all__ = ["MemoryStore", "Opening", "Page", "Receiver", "Retention", "Store", "open_store"]


def open_store(url: str, retention: Retention | None = None) -> Store:
    """The store that `url` names: `memory:`. Raise `UsageError` for any other."""
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return MemoryStore() if retention is None else MemoryStore(retention)
    raise UsageError(f"There is no store “{url}”. This version has memory: (kept until the server stops).")
