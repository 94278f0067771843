"""The clients that are connected to an IRC server, also by nick."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from pychat.transports.irc.client import Client
from pychat.transports.irc.nicks import casefold

__all__ = ["Clients"]


class Clients(Mapping[Client, "asyncio.Task[object] | None"]):
    """Each client with the task that serves it."""

    def __init__(self) -> None:
        self._tasks: dict[Client, asyncio.Task[object] | None] = {}
        self._by_nick: dict[str, dict[Client, None]] = {}

    def __getitem__(self, client: Client) -> asyncio.Task[object] | None:
        return self._tasks[client]

    def __iter__(self) -> Iterator[Client]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, client: Client, task: asyncio.Task[object] | None) -> None:
        """Add a client without a nick."""
        self._tasks[client] = task

    def rename(self, client: Client, before: str, after: str) -> None:
        """Index a client under another nick."""
        self._unindex(client, before)
        self._by_nick.setdefault(casefold(after), {})[client] = None

    def remove(self, client: Client) -> None:
        """Remove a client."""
        del self._tasks[client]
        self._unindex(client, client.nick)

    def called(self, nick: str) -> Iterable[Client]:
        """The clients that have this nick: usually one, or several of the same person."""
        return self._by_nick.get(casefold(nick), ())

    def _unindex(self, client: Client, nick: str) -> None:
        key = casefold(nick)
        same = self._by_nick.get(key, {})
        same.pop(client, None)
        if not same:
            self._by_nick.pop(key, None)
