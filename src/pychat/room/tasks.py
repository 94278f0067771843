"""The background tasks of one room, which continue even if their caller was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

__all__ = ["Tasks"]

_T = TypeVar("_T")


class Tasks:
    """Holds a reference to each running task, so that none is collected before it ends."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[object]] | None = None  # `None` while there is none: a set takes 216 bytes

    def __len__(self) -> int:
        """How many tasks are running."""
        return 0 if self._running is None else len(self._running)

    def spawn(self, work: Coroutine[object, object, object]) -> None:
        """Run `work` in a task of its own."""
        self._hold(asyncio.get_running_loop().create_task(work), self._drop)

    async def finish(self, work: Coroutine[object, object, _T]) -> _T:
        """Await `work`. It runs to its end even if the caller is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._hold(task, self._ended)
        try:
            return await asyncio.shield(task)
        finally:
            del task  # or its exception would hold this frame, and this frame the exception

    def _hold(self, task: asyncio.Task[object], done: Callable[[asyncio.Task[object]], None]) -> None:
        if self._running is None:
            self._running = {task}
        else:
            self._running.add(task)
        task.add_done_callback(done)

    def _drop(self, task: asyncio.Task[object]) -> None:
        if self._running is not None:
            self._running.discard(task)
            if not self._running:
                self._running = None

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._drop(task)
        if not task.cancelled():
            task.exception()  # retrieved here, in case nobody awaits it any more
