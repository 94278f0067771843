"""Removes messages beyond the retention in small steps between the writer's other work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pychat.stores.sqlite.log import Log
from pychat.stores.store import Retention

__all__ = ["RetentionTask"]

_STRIDE = 500  # messages a transaction: about 10 ms
_CHECK_SECONDS = 60.0  # how often the age of messages is checked
_RETRY_SECONDS = 5.0  # after a failed transaction


class RetentionTask:
    """Decides what to remove and when. Up to a tenth more than `count`, and a minute more than `age`, may remain."""

    def __init__(self, retention: Retention, rooms: Iterable[str], *, date: Callable[[], float]) -> None:
        """`rooms` are the rooms of the database; each is checked first. `date` returns seconds since 1970."""
        self._retention = retention
        self._date = date
        self._active = retention.count is not None or retention.age is not None
        self._rooms = dict.fromkeys(rooms)
        self._due: dict[str, None] = {}
        self._not_before = 0.0
        self._when_done: list[Callable[[], None]] = []
        self._check_all()

    @property
    def seconds(self) -> float | None:
        """How long the writer may wait before the next `due`; `None` means for ever."""
        if not self._active:
            return None
        moment = self._not_before if self._due else self._checked + _CHECK_SECONDS
        return max(0.0, moment - time.monotonic())

    def added(self, room: str, messages: int) -> None:
        """Report a new message in `room`, which now has `messages`."""
        self._rooms[room] = None
        count = self._retention.count
        if count is not None and messages > count + min(count // 10, 1_000):
            self._due[room] = None

    def failed(self) -> None:
        """Report a failed transaction: check all rooms again after a pause."""
        self._check_all()
        self._not_before = time.monotonic() + _RETRY_SECONDS

    def when_done(self, call: Callable[[], None]) -> None:
        """Check all rooms, then call `call`."""
        self._check_all()
        self._when_done.append(call)

    def due(self) -> bool:
        """Return whether `step` has something to do now."""
        if self._retention.age is not None and time.monotonic() >= self._checked + _CHECK_SECONDS:
            self._check_all()
        if not self._due:
            for call in self._when_done:
                call()
            self._when_done.clear()
        return bool(self._due) and time.monotonic() >= self._not_before

    def step(self, log: Log) -> None:
        """Within a transaction, remove some messages of one room."""
        room = next(iter(self._due))
        count, age = self._retention.count, self._retention.age
        max_count, gone = _STRIDE, 0
        if count is not None and (excess := log.room(room).messages - count) > 0:
            gone = log.forget(room, max_count=min(excess, max_count))
        elif age is not None:
            gone = log.forget(room, max_count=max_count, before=self._date() - age)
        if not gone:
            del self._due[room]

    def _check_all(self) -> None:
        self._checked = time.monotonic()
        if self._active:
            self._due = dict.fromkeys(self._rooms)
