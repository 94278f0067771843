"""Stores: where the log of a room is kept. A URL picks one."""

from __future__ import annotations

from pychat.errors import UsageError
from pychat.stores.base import Opening, Page, Receiver, Retention, Store
from pychat.stores.memory import MemoryStore

__all__ = ["MemoryStore", "Opening", "Page", "Receiver", "Retention", "Store", "open_store"]


def open_store(url: str, retention: Retention | None = None) -> Store:
    """The store that `url` names: `memory:`, `redis://`, `rediss://`, `unix://`. Raise `UsageError` for any other."""
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return MemoryStore() if retention is None else MemoryStore(retention)
    if scheme in {"redis", "rediss", "unix"} and rest.startswith("//"):
        return _redis_store(url, retention)
    raise UsageError(
        f"There is no store “{url}”. There are memory: (kept until the server stops) "
        "and redis://host:port/db (one room on many servers)."
    )


def _redis_store(url: str, retention: Retention | None) -> Store:
    try:
        from pychat.stores.redis import RedisStore  # noqa: PLC0415 -- an extra, and not everybody's
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "redis":
            raise
        raise UsageError("A store in Redis needs redis-py: pip install pychat[redis]") from None
    return RedisStore(url) if retention is None else RedisStore(url, retention)
