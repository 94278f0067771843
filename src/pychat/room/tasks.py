"""The background tasks of one room, which continue even if their caller was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

__all__ = ["Tasks"]

_T = TypeVar("_T")


class Tasks:
    """Holds a reference to each running task, so that none is collected before it ends."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        """How many tasks are running."""
        return len(self._running)

    def spawn(self, work: Coroutine[object, object, object]) -> None:
        """Run `work` in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, work: Coroutine[object, object, _T]) -> _T:
        """Await `work`. It runs to its end even if the caller is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        finally:
            del task  # or its exception would hold this frame, and this frame the exception

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved here, in case nobody awaits it any more
