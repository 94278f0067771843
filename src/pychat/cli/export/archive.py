"""Opens a store for export: the port `Archive`, and the stores that have one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self

from pychat.domain.errors import UsageError
from pychat.domain.model import Message
from pychat.stores import redact, sqlite_path

__all__ = ["Archive", "open_archive"]


class Archive(Protocol):
    """Reads a store without an event loop and in constant memory, also while a server uses it."""

    def rooms(self) -> dict[str, int]:
        """The number of messages of each room."""
        ...

    def title(self, name: str) -> str:
        """The title of a room, if moderators or the app have stored one; otherwise its name."""
        ...

    def messages(self, name: str) -> Iterator[Message]:
        """All messages of a room as they stand, oldest first, up to the one that is the newest now."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_archive(url: str) -> Archive:
    """Open the archive of a store. Raise `UsageError` if that store has none."""
    scheme, _, _ = url.partition(":")
    if scheme == "sqlite":
        from pychat.stores.sqlite import SqliteArchive

        return SqliteArchive(sqlite_path(url))
    if scheme == "memory":
        raise UsageError("The store memory: exists only inside the server, so its messages cannot be exported.")
    raise UsageError(f"“{redact(url)}” cannot be exported. Only SQLite stores can: --store sqlite:chat.db.")
