"""How long to wait before the next attempt to connect: longer each time, and never together with everybody else."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]

_FIRST = 1.0
_LONGEST = 6.0  # and half as much again by chance: 9 seconds after a store is back, all are


class Backoff:
    """Delays in seconds. `random` gives a number from 0 up to 1."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0

    def reset(self) -> None:
        """A connection has held: what fails next is the first failure."""
        self._failures = 0

    def next(self, least: float = 0.0) -> float:
        """The delay after one more failure; at least `least`, where the server said when to come back."""
        # Nobody counts that far, and powers grow.
        delay = min(_LONGEST, _FIRST * 2.0 ** min(self._failures, 10)) * (0.5 + self._random())
        self._failures += 1
        return max(delay, least)
