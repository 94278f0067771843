"""A clock whose hands a test moves."""

from __future__ import annotations

from pychat.clock import Clock

__all__ = ["FakeClock"]


class FakeClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, date: float = 1_700_000_000.0) -> None:
        self._date = date
        self._steady = 0.0

    def date(self) -> float:
        """Seconds since 1970, as last moved or set."""
        return self._date

    def steady(self) -> float:
        """Seconds that were let pass."""
        return self._steady

    def move(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._date += seconds
        self._steady += seconds

    def set_date(self, date: float) -> None:
        """Set the wall clock, as an administrator might; no time passes."""
        self._date = date
