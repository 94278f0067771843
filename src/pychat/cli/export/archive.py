"""What can be exported: the port that a store's archive keeps, and which URL has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self

from pychat.domain.errors import UsageError
from pychat.domain.model import Message
from pychat.stores import redact, sqlite_path

__all__ = ["Archive", "open_archive"]


class Archive(Protocol):
    """A store that is only read, without a loop and in constant memory, whether it is served meanwhile or not."""

    def rooms(self) -> dict[str, int]:
        """How many messages each room has."""
        ...

    def messages(self, name: str) -> Iterator[Message]:
        """All messages of a room as they stand, oldest first, up to the newest of now."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_archive(url: str) -> Archive:
    """The archive of the store that `url` names. Raise `UsageError` if there is none."""
    scheme, _, _ = url.partition(":")
    if scheme == "sqlite":
        from pychat.stores.sqlite import SqliteArchive

        return SqliteArchive(sqlite_path(url))
    if scheme == "memory":
        raise UsageError("memory: keeps its messages within the server; there is nothing to export from outside.")
    raise UsageError(f"“{redact(url)}” cannot be exported. Give a --store such as sqlite:chat.db.")
