"""The open connections of a transport whose host runs a task for each, and how all of them are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

from pychat.domain.errors import Close
from pychat.net.http.gate import Gate
from pychat.net.websocket.connection import CLOSE_SECONDS

__all__ = ["OpenConnections"]


class _Closing(Protocol):
    def close(self, why: Close) -> None:
        """Tell the client why, and close."""


C = TypeVar("C", bound=_Closing)


class OpenConnections(Generic[C]):
    """Each open connection with the task that serves it. `gate` admits them, until `aclose`."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._tasks: dict[C, asyncio.Task[Any] | None] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[C]:
        """The connections that are open now; they may close during the iteration."""
        return iter(tuple(self._tasks))

    def add(self, connection: C) -> None:
        """The current task serves `connection` from now on."""
        self._tasks[connection] = asyncio.current_task()

    def remove(self, connection: C) -> None:
        """The connection has ended."""
        del self._tasks[connection]

    def reopen(self) -> None:
        """Start again, after `aclose`, or when the previous event loop has ended."""
        self._gate.closing = False
        self._tasks.clear()

    async def aclose(self, why: Close) -> None:
        """Close every connection, telling why; wait at most `CLOSE_SECONDS` for their tasks to end."""
        self._gate.closing = True
        for connection in self:
            connection.close(why)
        tasks = [task for task in self._tasks.values() if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
