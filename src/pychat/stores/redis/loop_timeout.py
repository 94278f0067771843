"""A timeout that counts only the time in which the event loop runs."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["LoopTimeout"]

_STEPS = 8


class LoopTimeout:
    """Like `asyncio.timeout`, but the time in which something blocks the event loop does not count.

    After a long block, a timer is due at once. With `asyncio.timeout`, it cancels the task before the task can see
    the answer that came meanwhile. Here the time is counted in steps, and a step that took too long is repeated.
    """

    __slots__ = ("_due", "_left", "_loop", "_step", "_timeout", "_timer")

    def __init__(self, seconds: float) -> None:
        self._step = seconds / _STEPS
        self._left = _STEPS
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._wait()

    def _wait(self) -> None:
        self._due = self._loop.time() + self._step
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        if self._loop.time() - self._due < self._step:
            self._left -= 1
        if self._left:
            self._wait()
        else:
            self._timeout.reschedule(self._due)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raise `TimeoutError` if the time is over."""
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)
