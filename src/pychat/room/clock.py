"""The clock of a room: the date for messages, a steady time for measurements, and timers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol, TypeVarTuple

__all__ = ["Clock", "Timer"]

_Args = TypeVarTuple("_Args")


class Timer(Protocol):
    """Something that will be called in a while."""

    def cancel(self) -> None:
        """Never mind. Nothing, if it was called already."""


class Clock:
    """The system's clocks. Tests pass one whose hands they move."""

    def date(self) -> float:
        """Seconds since 1970 (UTC). May jump, in either direction: nothing but dates may hang on it."""
        return time.time()

    def steady(self) -> float:
        """The seconds since some moment. It never jumps."""
        return time.monotonic()

    def call_later(self, delay: float, callback: Callable[[*_Args], object], *args: *_Args) -> Timer:
        """Call `callback` when `delay` steady seconds have passed, on the event loop that runs now."""
        return asyncio.get_running_loop().call_later(delay, callback, *args)
