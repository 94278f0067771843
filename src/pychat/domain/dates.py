"""Dates as text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import floor

__all__ = ["iso"]


@lru_cache(1024)  # a message is encoded for everyone, and again in its author's answer, which may follow much later
def iso(date: float) -> str:
    """`date` as ISO 8601 in UTC with milliseconds, as JavaScript's `toISOString` writes it."""
    second = floor(date)
    micros = round((date - second) * 1e6)
    if micros == 1_000_000:
        second, micros = second + 1, 0
    return f"{_iso_second(second)}.{micros // 1000:03}Z"


@lru_cache(16)  # consecutive messages are of the same seconds
def _iso_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]
