"""Counts failed attempts to guess a secret, by address, and those at a password by room too."""

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
    async def attempt(self, room: str, rates: Rates, address: str, *, at_password: bool = True) -> AsyncIterator[None]:
        """Make an attempt inside the block. A block that raises `Refused` was a wrong one.

        Raise `Refused` with `rate_limited` after too many wrong attempts of the address, or of all addresses at the
        password of the room. What is too long to be guessed has no limit for all: strangers could keep everybody out.
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
                now, own = self._limiter.clock.steady, self._limiter.address(address)
                at_room = self._limiter.person(f"at {room}") if at_password or own is None else None
                counted = [(own, rates["address-attempts"]), (at_room, rates["room-attempts"])]
                wait = max(0.0 if usage is None else usage.wait(rate, now()) for usage, rate in counted)
                if wait:
                    raise too_much(wait, "Too many wrong attempts.")
                try:
                    yield
                except Refused as refused:
                    if not refused.kind.is_temporary:
                        for usage, rate in counted:
                            self._limiter.take(rate, usage)
                    raise
        finally:
            line.waiting -= 1
