"""A bounded buffer of events for a program."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Buffer"]

_T = TypeVar("_T")


class Buffer(Generic[_T]):
    """A queue for one reader. After an event that does not fit, all events are rejected until `resume`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._waiting: deque[tuple[_T | BaseException, int]] = deque()
        self._more = asyncio.Event()
        self._end: BaseException | None = None
        #: Whether an event did not fit.
        self.full = False

    def put(self, event: _T, size: int) -> bool:
        """Add an event of `size` bytes. Return false if it or an earlier event did not fit."""
        if self.full or (self._waiting and self._size + size > self._max_bytes):
            self.full = True
            return False
        self._append(event, size)
        return True

    def fail(self, error: BaseException) -> None:
        """Raise `error` at the reader after the waiting events, and then continue."""
        self._append(error, 0)

    def end(self, error: BaseException) -> None:
        """Raise `error` at the reader after the waiting events, from then on."""
        if self._end is None:
            self._end = error
            self._more.set()

    def resume(self) -> None:
        """Accept events again: those that did not fit will be sent again."""
        self.full = False

    @property
    def drained(self) -> bool:
        """Whether the reader has taken all waiting events, and others did not fit."""
        return self.full and not self._waiting

    async def get(self) -> _T:
        """Wait for the next event. A cancelled reader loses no event."""
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
