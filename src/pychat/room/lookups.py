"""Limits how fast one visitor can look for rooms that do not exist."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pychat.domain.errors import Refused
from pychat.domain.limits import TokenBucket
from pychat.room.clock import Clock

__all__ = ["Lookups"]

_RATE, _BURST = 2.0, 60.0  # of looks for rooms that do not exist: a second, and at once
_UNDER_WAY = 8  # looks of one visitor; the next ones wait, so that those before are counted, and the app is not flooded
_REMEMBERED = 10_000  # visitors who looked for such rooms


class _Looker:
    """One visitor who looks for rooms."""

    __slots__ = ("bucket", "looking", "turns")

    def __init__(self) -> None:
        self.bucket = TokenBucket(_RATE, _BURST)
        self.turns = asyncio.Semaphore(_UNDER_WAY)
        self.looking = 0


class Lookups:
    """Counts the looks for rooms that do not exist, for each user or address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looking: dict[str, _Looker] = {}
        self._missed: OrderedDict[str, _Looker] = OrderedDict()

    @asynccontextmanager
    async def look(self, key: str) -> AsyncIterator[None]:
        """Look for a room, in turn. `unknown_room` is counted. Raise `Refused` if there were too many.

        Without a `key`, nothing is counted.
        """
        if not key:
            yield
            return
        looker = self._looking.get(key) or self._missed.get(key) or _Looker()
        self._looking[key] = looker
        looker.looking += 1
        try:
            async with looker.turns:
                wait = looker.bucket.wait(self._clock.steady())
                if wait:
                    text = f"You looked for too many rooms. Wait {max(wait, 0.1):.1f} seconds."
                    raise Refused("rate_limited", text, wait)
                try:
                    yield
                except Refused as refused:
                    if refused.code == "unknown_room":
                        self._count(key, looker)
                    raise
        finally:
            looker.looking -= 1
            if not looker.looking:
                del self._looking[key]

    def _count(self, key: str, looker: _Looker) -> None:
        looker.bucket.take(self._clock.steady())
        self._missed[key] = looker
        self._missed.move_to_end(key)
        if len(self._missed) > _REMEMBERED:
            self._missed.popitem(last=False)

    def clear(self) -> None:
        """Forget everybody: the chat was closed, and may open again on another event loop."""
        self._missed.clear()
