"""The two clocks that a room is given: one that dates messages, one that measures time and is never set."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """The system's clocks. Tests pass one whose hands they move."""

    def date(self) -> float:
        """Seconds since 1970 (UTC). May jump, in either direction: nothing but dates may hang on it."""
        return time.time()

    def steady(self) -> float:
        """Seconds since some moment; never jumps."""
        return time.monotonic()
