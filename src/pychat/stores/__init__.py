"""Stores keep the logs of rooms. A URL selects a store."""

from __future__ import annotations

from pathlib import Path

from pychat.domain.errors import UsageError
from pychat.stores.memory import MemoryStore
from pychat.stores.moderation_records import Conflict, ModerationRecords
from pychat.stores.push_records import PushRecords, PushSubscription
from pychat.stores.reader_records import ReaderRecords, Unread, is_guest
from pychat.stores.room_records import RoomRecord, RoomRecords
from pychat.stores.store import Guests, Page, Receiver, Report, Retention, Store, Subscription
from pychat.stores.urls import redact

__all__ = [
    "Conflict",
    "Guests",
    "MemoryStore",
    "ModerationRecords",
    "Page",
    "PushRecords",
    "PushSubscription",
    "ReaderRecords",
    "Receiver",
    "Report",
    "Retention",
    "RoomRecord",
    "RoomRecords",
    "Store",
    "Subscription",
    "Unread",
    "default_store_url",
    "is_guest",
    "open_store",
    "redact",
    "sqlite_path",
]


def open_store(url: str, retention: Retention | None = None, *, grace: float = 30.0) -> Store:
    """Return the store that `url` names: `memory:`, `sqlite:PATH`, `redis://…`. Raise `UsageError` for any other URL.

    A file is opened at the store's first use. Its directory must exist; only the default directory is created.
    `retention` replaces the default of the store: `memory:` keeps the newest 10,000 messages of each room, `redis:`
    100,000, `sqlite:` all. If a server of several dies, the store holds the names of its members for `grace` seconds.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        return MemoryStore() if retention is None else MemoryStore(retention)
    if scheme == "sqlite":
        from pychat.stores.sqlite import SqliteStore  # noqa: PLC0415 -- loaded on demand

        path = sqlite_path(url)
        if url == default_store_url():
            _make(path.parent)
        return SqliteStore(path, retention)
    if scheme in {"redis", "rediss", "unix"} and rest.startswith("//"):
        return _redis_store(url, retention, grace)
    raise UsageError(
        f"There is no store “{redact(url)}”. Use memory: (kept until the server stops), sqlite:PATH (a file), "
        "or redis://host:port/db (one room on many servers)."
    )


def sqlite_path(url: str) -> Path:
    """Return the path in `sqlite:chat.db`, `sqlite:/abs/path.db` or `sqlite:~/path.db`, or raise `UsageError`."""
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
    """Return the default of `pychat serve` and `pychat export`: `chat.db` in the user's data directory."""
    import platformdirs  # noqa: PLC0415 -- loaded on demand

    return f"sqlite:{platformdirs.user_data_path('pychat', appauthor=False) / 'chat.db'}"


def __getattr__(name: str) -> object:
    if name != "CountsGuests":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import warnings  # noqa: PLC0415 -- loaded on demand

    text = "CountsGuests is no longer needed: every Store has `guests`, which may be None. Subclass Store."
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    return Store


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot create the directory {directory}: {error.strerror}. Use another --store.") from None


def _redis_store(url: str, retention: Retention | None, grace: float) -> Store:
    try:
        from pychat.stores.redis import RedisStore  # noqa: PLC0415 -- an extra
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "redis":
            raise
        raise UsageError('A store in Redis needs redis-py. In the checkout of pychat: pip install ".[redis]"') from None
    return RedisStore(url, grace=grace) if retention is None else RedisStore(url, retention, grace=grace)
