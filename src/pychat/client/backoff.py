"""The delay before the next attempt to connect. It grows with each failure and has a random part."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]

_FIRST_SECONDS = 1.0
_MAX_SECONDS = 6.0  # the random part adds up to half: all clients are back after 9 seconds


class Backoff:
    """Delays in seconds. `random` returns a number from 0 to 1."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0

    def reset(self) -> None:
        """Start anew after a stable connection."""
        self._failures = 0

    def next(self, min_seconds: float = 0.0) -> float:
        """The delay after one more failure; at least `min_seconds`, the delay that the server asked for."""
        # The exponent is limited so that the number stays small.
        delay = min(_MAX_SECONDS, _FIRST_SECONDS * 2.0 ** min(self._failures, 10)) * (0.5 + self._random())
        self._failures += 1
        return max(delay, min_seconds)
