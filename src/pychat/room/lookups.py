"""Limits how fast one visitor can look for rooms that do not exist."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pychat.domain.errors import Refused
from pychat.domain.rates import Rate, Usage
from pychat.room.rate_limiter import RateLimiter, too_much

__all__ = ["Lookups"]

_UNDER_WAY = 8  # looks of one visitor; the next ones wait, so that those before are counted, and the app is not flooded


class _Looker:
    """One visitor who looks for rooms."""

    __slots__ = ("looking", "turns")

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(_UNDER_WAY)
        self.looking = 0


class Lookups:
    """Counts the looks for rooms that do not exist, for each user or address."""

    def __init__(self, rates: RateLimiter) -> None:
        self._rates = rates
        self._looking: dict[Usage, _Looker] = {}

    @asynccontextmanager
    async def look(self, usage: Usage | None, rate: Rate) -> AsyncIterator[None]:
        """Look for a room, in turn. `unknown_room` is counted. Raise `Refused` if there were too many.

        Without a `usage`, nothing is counted.
        """
        if usage is None:
            yield
            return
        looker = self._looking.setdefault(usage, _Looker())
        looker.looking += 1
        try:
            async with looker.turns:
                wait = usage.wait(rate, self._rates.clock.steady())
                if wait:
                    raise too_much(wait, "You looked for too many rooms.")
                try:
                    yield
                except Refused as refused:
                    if refused.code == "unknown_room":
                        self._rates.take(rate, usage)
                    raise
        finally:
            looker.looking -= 1
            if not looker.looking:
                del self._looking[usage]
