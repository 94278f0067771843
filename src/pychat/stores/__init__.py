"""Stores: where the log of a room is kept. A URL picks one."""

from __future__ import annotations

from pathlib import Path

from pychat.domain.errors import UsageError
from pychat.stores.memory import MemoryStore
from pychat.stores.store import CountsGuests, Guests, Page, Receiver, Retention, Store, Subscription
from pychat.stores.urls import redact

__all__ = [
    "CountsGuests",
    "Guests",
    "MemoryStore",
    "Page",
    "Receiver",
    "Retention",
    "Store",
    "Subscription",
    "default_store_url",
    "open_store",
    "redact",
    "sqlite_path",
]


def open_store(url: str, retention: Retention | None = None, *, grace: float = 30.0) -> Store:
    """The store that `url` names: `memory:`, `sqlite:PATH`, `redis://…`. Raise `UsageError` for any other.

    A file is opened at the store's first use. Its directory must be there, but for the default one, which is made.
    `retention` replaces the store's own: `memory:` keeps the newest 10,000
    messages of each room, `redis:` 100,000, `sqlite:` everything. `grace` is for how many seconds a store of several
    servers holds the names of a server that died.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return MemoryStore() if retention is None else MemoryStore(retention)
    if scheme == "sqlite":
        from pychat.stores.sqlite import SqliteStore  # noqa: PLC0415 -- only who uses it loads it

        path = sqlite_path(url)
        if url == default_store_url():
            _make(path.parent)
        return SqliteStore(path, retention)
    if scheme in {"redis", "rediss", "unix"} and rest.startswith("//"):
        return _redis_store(url, retention, grace)
    raise UsageError(
        f"There is no store “{redact(url)}”. There are memory: (kept until the server stops), sqlite:PATH (a file), "
        "and redis://host:port/db (one room on many servers)."
    )


def sqlite_path(url: str) -> Path:
    """The path in `sqlite:chat.db`, `sqlite:/abs/path.db` or `sqlite:~/path.db`. Raise `UsageError` if it has none."""
    rest = url.partition(":")[2]
    if rest == ":memory:":
        raise UsageError(f"There is no store “{url}”. To keep messages until the server stops, use memory:.")
    if not rest or "\0" in rest or rest.startswith("//"):
        raise UsageError(f"There is no path in “{url}”. Write sqlite:chat.db, or sqlite:/path/to/chat.db.")
    try:
        return Path(rest).expanduser()
    except RuntimeError as error:
        raise UsageError(f"“{url}”: {error}") from None


def default_store_url() -> str:
    """Where `pychat serve` and `pychat export` look, unless told otherwise: `chat.db` among the user's data."""
    import platformdirs  # noqa: PLC0415 -- only who asks needs it

    return f"sqlite:{platformdirs.user_data_path('pychat', appauthor=False) / 'chat.db'}"


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The directory {directory} cannot be made: {error.strerror}. Give another --store.") from None


def _redis_store(url: str, retention: Retention | None, grace: float) -> Store:
    try:
        from pychat.stores.redis import RedisStore  # noqa: PLC0415 -- an extra, and not everybody's
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "redis":
            raise
        raise UsageError('A store in Redis needs redis-py. In the checkout of pychat: pip install ".[redis]"') from None
    return RedisStore(url, grace=grace) if retention is None else RedisStore(url, retention, grace=grace)
