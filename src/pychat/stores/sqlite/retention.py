"""Retaining: removes what is too much or too old, in small strides between what else the writer has to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pychat.stores.sqlite.log import Log
from pychat.stores.store import Retention

__all__ = ["RetentionTask"]

_STRIDE = 500  # messages a transaction: some 10 ms
_LOOK_SECONDS = 60.0  # how often the age of the oldest is looked at
_RETRY_SECONDS = 5.0  # after a transaction that failed


class RetentionTask:
    """When to forget, and what. Up to a tenth more than `count`, and a minute more than `age`, may be there."""

    def __init__(self, retention: Retention, rooms: Iterable[str], *, date: Callable[[], float]) -> None:
        """`rooms` are those of the database; each is looked at first. `date` is in seconds since 1970."""
        self._retention = retention
        self._date = date
        self._active = retention.count is not None or retention.age is not None
        self._rooms = dict.fromkeys(rooms)
        self._due: dict[str, None] = {}
        self._not_before = 0.0
        self._when_done: list[Callable[[], None]] = []
        self._look()

    @property
    def seconds(self) -> float | None:
        """How long the writer may wait before it calls `step`; `None` is for ever."""
        if not self._active:
            return None
        moment = self._not_before if self._due else self._looked + _LOOK_SECONDS
        return max(0.0, moment - time.monotonic())

    def added(self, room: str, messages: int) -> None:
        """There is one more message in `room`, which makes so many."""
        self._rooms[room] = None
        count = self._retention.count
        if count is not None and messages > count + min(count // 10, 1_000):
            self._due[room] = None

    def failed(self) -> None:
        """A transaction failed; whatever was done in it is to be done again, not at once."""
        self._look()
        self._not_before = time.monotonic() + _RETRY_SECONDS

    def when_done(self, call: Callable[[], None]) -> None:
        """Look at every room, then `call`."""
        self._look()
        self._when_done.append(call)

    def due(self) -> bool:
        """Whether there is something to do now."""
        if self._retention.age is not None and time.monotonic() >= self._looked + _LOOK_SECONDS:
            self._look()
        if not self._due:
            for call in self._when_done:
                call()
            self._when_done.clear()
        return bool(self._due) and time.monotonic() >= self._not_before

    def step(self, log: Log) -> None:
        """Within a transaction: remove one stride of one room."""
        room = next(iter(self._due))
        count, age = self._retention.count, self._retention.age
        most, gone = _STRIDE, 0
        if count is not None and (excess := log.room(room).messages - count) > 0:
            gone = log.forget(room, most=min(excess, most))
        elif age is not None:
            gone = log.forget(room, most=most, before=self._date() - age)
        if not gone:
            del self._due[room]

    def _look(self) -> None:
        self._looked = time.monotonic()
        if self._active:
            self._due = dict.fromkeys(self._rooms)
