"""Calls hooks after an event, one after another, in the background."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

from pychat.domain.model import Edited, Message

__all__ = ["HookQueue"]

_log = logging.getLogger("pychat.hooks")
_MAX_BYTES = 8 * 1024 * 1024  # bytes of events that may wait
_EVENT_BYTES = 1000  # of an event and the call, beside the text
_TEXTS = (Message, Edited)  # events with a text
_TIMEOUT = 3.0  # seconds at the end, for what is waiting

_Call = Coroutine[Any, Any, object]


class HookQueue:
    """A queue of calls, bounded in bytes. Its task runs only while there are calls."""

    __slots__ = ("_bytes", "_missed", "_task", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[tuple[_Call, int]] = deque()
        self._bytes = 0
        self._missed = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """True while calls are queued, or one is running."""
        return self._task is not None and not self._task.done()

    def add(self, call: _Call, subject: object) -> None:
        """Queue `call`, which is about `subject`. If the queue is full, drop the call and log that."""
        size = _EVENT_BYTES + (4 * len(subject.text) if isinstance(subject, _TEXTS) else 0)
        if self._bytes + size > _MAX_BYTES:
            if not self._missed:
                _log.error("The hooks are too slow: %r is not told what happens now.", call)
            self._missed += 1
            call.close()
            return
        self._bytes += size
        self._waiting.append((call, size))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Finish the queued calls, for at most 3 seconds."""
        task = self._task
        if (
            task is None or task.done() or task is asyncio.current_task()
        ):  # a hook that closes the room cannot wait for itself
            return
        _, late = await asyncio.wait({task}, timeout=_TIMEOUT)
        if late:
            task.cancel()
            _log.error("The hooks were too slow: %d calls were not made or finished.", len(self._waiting) + 1)
            await asyncio.wait({task})

    async def _work(self) -> None:
        while self._waiting:
            call, size = self._waiting.popleft()
            try:
                await call
            except Exception:
                _log.exception("A hook failed: %r", call)
            self._bytes -= size
            if self._missed and self._bytes < _MAX_BYTES // 2:
                _log.error("The hooks have caught up; they were not told of %d events.", self._missed)
                self._missed = 0

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            return
        # The room or the event loop ends: what waits is never begun.
        self._bytes = 0
        for call, _size in self._waiting:
            call.close()
        self._waiting.clear()
