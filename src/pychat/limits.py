"""How much one visitor may do: sizes, and token buckets that are told the time."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits", "TokenBucket"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a room. Rates are a visitor's, counted for each connection."""

    #: The longest nickname, in characters.
    name: int = 32
    #: The longest message, in characters.
    text: int = 2_000
    #: Commands a second that a visitor may keep up; 0 lifts the limit.
    rate: float = 20.0
    #: Commands that a visitor may send at once.
    burst: int = 200
    #: With more names than this in the room, people are counted and no longer listed to everyone.
    listed: int = 250
    #: Messages that a newcomer is shown.
    history: int = 50
    #: Messages that one answer, or one recovery, may hold.
    page: int = 1_000


class TokenBucket:
    """`rate` tokens a second flow in, `burst` fit. Time is given, in seconds of any steady clock."""

    __slots__ = ("_burst", "_level", "_rate", "_then")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = float(burst)
        self._then: float | None = None

    def take(self, now: float) -> float:
        """Take one token: 0.0, or the seconds until there is one (and none is taken). A rate of 0 has no limit."""
        if not self._rate:
            return 0.0
        if self._then is not None:
            self._level = min(self._burst, self._level + max(0.0, now - self._then) * self._rate)
        self._then = now
        if self._level >= 1.0:
            self._level -= 1.0
            return 0.0
        return (1.0 - self._level) / self._rate
