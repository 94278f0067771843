"""Counts failed attempts to guess a secret, by address and by room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from pychat.domain.addresses import address_key
from pychat.domain.errors import Refused
from pychat.domain.limits import TokenBuckets
from pychat.room.clock import Clock

__all__ = ["Attempts"]

# Wrong attempts a second, and at once. A person mistypes a password some times, and a class of a school sits behind
# one address. With both, a guesser with any number of addresses has 86,460 attempts a day at one room.
_OF_ADDRESS, _OF_ADDRESS_AT_ONCE = 0.1, 10
_OF_ROOM, _OF_ROOM_AT_ONCE = 1.0, 60
_MAX_WAITING = 32  # attempts of one address


class _Line(asyncio.Lock):
    """The attempts of one address wait in line, so that all at once cannot be more than one after another."""

    waiting = 0


class Attempts:
    """Only wrong attempts count. Each attempt of an address waits for the one before it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_address = TokenBuckets(_OF_ADDRESS, _OF_ADDRESS_AT_ONCE)
        self._of_room = TokenBuckets(_OF_ROOM, _OF_ROOM_AT_ONCE)
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, room: str, address: str) -> AsyncIterator[None]:
        """Make an attempt inside the block. A block that raises `Refused` was a wrong one.

        Raise `Refused` with `rate_limited` after too many wrong attempts of the address or at the room.
        """
        key = address_key(address)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
        if line.waiting >= _MAX_WAITING:
            raise _too_many(1.0)
        line.waiting += 1
        try:
            async with line:
                self._check(key, room)
                try:
                    yield
                except Refused as refused:
                    if not refused.kind.is_temporary:
                        now = self._clock.steady()
                        self._of_address.take(key, now)
                        self._of_room.take(room, now)
                    raise
        finally:
            line.waiting -= 1

    def _check(self, address: str, room: str) -> None:
        now = self._clock.steady()
        wait = max(self._of_address.wait(address, now), self._of_room.wait(room, now))
        if wait:
            raise _too_many(wait)


def _too_many(seconds: float) -> Refused:
    return Refused("rate_limited", f"Too many wrong attempts. Wait {max(seconds, 1.0):.0f} seconds.", seconds)
