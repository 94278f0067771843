"""A fake clock that a test moves, with timers."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import TypeVarTuple

from pychat.domain.errors import UsageError
from pychat.room.clock import Clock

__all__ = ["FakeClock"]

_ROUNDING = 1e-6  # seconds, because 0.1 + 0.2 is more than 0.3
_Args = TypeVarTuple("_Args")


class FakeClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, date: float = 1_700_000_000.0) -> None:
        self._date = date
        self._steady = 0.0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._numbers = count()

    def date(self) -> float:
        """Seconds since 1970, as last moved or set."""
        return self._date

    def steady(self) -> float:
        """The seconds that have passed."""
        return self._steady

    def call_later(self, delay: float, callback: Callable[[*_Args], object], *args: *_Args) -> _Timer:
        """Call `callback` when the clock has been moved by `delay` seconds."""
        timer = _Timer(lambda: callback(*args))
        heapq.heappush(self._timers, (self._steady + delay, next(self._numbers), timer))
        return timer

    @property
    def next_timer(self) -> float | None:
        """The seconds until the next timer is due; `None` if there is no timer."""
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self._steady) if self._timers else None

    def move(self, seconds: float) -> None:
        """Let `seconds` pass. Timers fire in order, each at its own time.

        Tasks that a timer starts run later, on the event loop. `Chat.sleep` waits for them too.
        """
        if seconds < 0:
            raise UsageError("Time only passes forwards. To set the date back, use set_date.")
        end = self._steady + seconds
        while self.next_timer is not None and self._timers[0][0] <= end + _ROUNDING:
            due, _, timer = heapq.heappop(self._timers)
            self._pass(max(0.0, due - self._steady))
            timer.fire()
        self._pass(end - self._steady)

    def set_date(self, date: float) -> None:
        """Set the date, as an administrator may do. No time passes."""
        self._date = date

    def _pass(self, seconds: float) -> None:
        self._date += seconds
        self._steady += seconds


class _Timer:
    """One scheduled call."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None

    def fire(self) -> None:
        call, self.call = self.call, None
        if call is not None:
            call()
