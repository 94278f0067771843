"""Stores: where the log of a room is kept. A URL picks one."""

from __future__ import annotations

from pychat.errors import UsageError

from .base import Store
from .memory import MemoryStore

__all__ = ["MemoryStore", "Store", "open_store"]


def open_store(url: str) -> Store:
    """The store that `url` names: `memory:`. Raise `UsageError` for any other."""
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return MemoryStore()
    msg = f"There is no store “{url}”. This version has memory: (messages are kept until the server stops)."
    raise UsageError(msg)
