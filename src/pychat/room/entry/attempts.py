"""Counts failed attempts to guess a secret, by address and by room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from pychat.domain.addresses import address_key
from pychat.domain.errors import Refused
from pychat.domain.rates import Rates
from pychat.room.rate_limiter import RateLimiter, too_much

__all__ = ["Attempts"]

_MAX_WAITING = 32  # attempts of one address


class _Line(asyncio.Lock):
    """The attempts of one address wait in line, so that all at once cannot be more than one after another."""

    waiting = 0


class Attempts:
    """Only wrong attempts count. Each attempt of an address waits for the one before it."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, room: str, rates: Rates, address: str) -> AsyncIterator[None]:
        """Make an attempt inside the block. A block that raises `Refused` was a wrong one.

        Raise `Refused` with `rate_limited` after too many wrong attempts of the address or at the room.
        """
        key = address_key(address)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
        if line.waiting >= _MAX_WAITING:
            raise too_much(1.0, "Too many attempts at once.")
        line.waiting += 1
        try:
            async with line:
                now, at_room = self._limiter.clock.steady, self._limiter.person(f"at {room}")
                own = self._limiter.address(address)
                wait = at_room.wait(rates["room-attempts"], now())
                if own is not None:
                    wait = max(wait, own.wait(rates["address-attempts"], now()))
                if wait:
                    raise too_much(wait, "Too many wrong attempts.")
                try:
                    yield
                except Refused as refused:
                    if not refused.kind.is_temporary:
                        at_room.take(rates["room-attempts"], now())
                        if own is not None:
                            own.take(rates["address-attempts"], now())
                        self._limiter.remember(own, at_room)
                    raise
        finally:
            line.waiting -= 1
