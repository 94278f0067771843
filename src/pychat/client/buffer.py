"""The events that wait for a program to take them: in order, and no more bytes than it was made for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Buffer"]

_T = TypeVar("_T")


class Buffer(Generic[_T]):
    """A queue for one reader. What does not fit is not taken, nor is anything after it until `resume`."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._waiting: deque[tuple[_T | BaseException, int]] = deque()
        self._more = asyncio.Event()
        self._end: BaseException | None = None
        #: Whether something did not fit.
        self.full = False

    def put(self, event: _T, size: int) -> bool:
        """Take an event of `size` bytes; false if it does not fit, or would come after one that did not."""
        if self.full or (self._waiting and self._size + size > self._most):
            self.full = True
            return False
        self._append(event, size)
        return True

    def fail(self, error: BaseException) -> None:
        """Raise `error` at the reader, after what waits; then go on."""
        self._append(error, 0)

    def end(self, error: BaseException) -> None:
        """Raise `error` at the reader, after what waits, for good."""
        if self._end is None:
            self._end = error
            self._more.set()

    def resume(self) -> None:
        """Take events again: what did not fit is about to come once more."""
        self.full = False

    @property
    def drained(self) -> bool:
        """Whether the reader has taken all there was, and not all that came."""
        return self.full and not self._waiting

    async def get(self) -> _T:
        """The next event, when there is one. A reader that is cancelled misses nothing."""
        while not self._waiting:
            if self._end is not None:
                raise self._end
            self._more.clear()
            await self._more.wait()
        event, size = self._waiting.popleft()
        self._size -= size
        if isinstance(event, BaseException):
            raise event
        return event

    def _append(self, event: _T | BaseException, size: int) -> None:
        self._waiting.append((event, size))
        self._size += size
        self._more.set()
