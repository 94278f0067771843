"""Removes messages beyond the retention in small steps between the writer's other work."""

from __future__ import annotations

import time
from collections.abc import Callable

from pychat.stores.sqlite.appends import Logs
from pychat.stores.store import Retention

__all__ = ["RetentionTask"]

_STRIDE = 500  # messages a transaction: about 10 ms
_ROOMS = 200  # rooms that are checked in a transaction: about 1 ms
_CHECK_SECONDS = 60.0  # how often the age of messages is checked
_RETRY_SECONDS = 5.0  # after a failed transaction


class RetentionTask:
    """Decides what to remove and when. Up to a tenth more than `count`, and a minute more than `age`, may remain."""

    def __init__(self, retention: Retention, *, date: Callable[[], float]) -> None:
        """`date` returns seconds since 1970."""
        self._retention = retention
        self._date = date
        self._active = retention.count is not None or retention.age is not None
        self._due: dict[str, None] = {}
        self._checked_room: int | None = None  # the number of the last room that was checked; `None` if all were
        self._not_before = 0.0
        self._when_done: list[Callable[[], None]] = []
        self._check_all()

    @property
    def seconds(self) -> float | None:
        """How long the writer may wait before the next `due`; `None` means for ever."""
        if not self._active:
            return None
        moment = self._not_before if self._has_work else self._checked + _CHECK_SECONDS
        return max(0.0, moment - time.monotonic())

    def added(self, room: str, messages: int) -> None:
        """Report a new message in `room`, which now has `messages`."""
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
        if not self._has_work:
            for call in self._when_done:
                call()
            self._when_done.clear()
        return self._has_work and time.monotonic() >= self._not_before

    def step(self, logs: Logs) -> None:
        """Within a transaction, remove some messages of one room, or look for rooms that have too many."""
        if not self._due:
            self._check_some(logs)
            return
        room = next(iter(self._due))
        count, age = self._retention.count, self._retention.age
        max_count, gone = _STRIDE, 0
        if count is not None and (excess := logs.room(room).messages - count) > 0:
            gone = logs.forget(room, max_count=min(excess, max_count))
        elif age is not None:
            gone = logs.forget(room, max_count=max_count, before=self._date() - age)
        if not gone:
            del self._due[room]

    def _check_all(self) -> None:
        self._checked = time.monotonic()
        if self._active:
            self._checked_room = 0

    @property
    def _has_work(self) -> bool:
        return bool(self._due) or self._checked_room is not None

    def _check_some(self, logs: Logs) -> None:
        count, age = self._retention.count, self._retention.age
        rooms = logs.rooms_after(self._checked_room or 0, _ROOMS)
        for room in rooms:
            if count is not None and room.messages > count:
                self._due[room.name] = None
            elif age is not None and room.messages:
                oldest = logs.oldest(room.number)
                if oldest is not None and oldest < self._date() - age:
                    self._due[room.name] = None
        self._checked_room = rooms[-1].number if rooms else None
