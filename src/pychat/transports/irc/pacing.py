"""Limits what one IRC client costs: the lines that it sends, and the lines that answer it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.domain.limits import Limits
from pychat.domain.rates import Charge, Usage, take
from pychat.room.rate_limiter import RateLimiter
from pychat.transports.irc.line import LINE_BYTES, SERVER, Line
from pychat.transports.irc.outbox import Outbox

__all__ = ["Pacer", "Turns"]

_SLICE = 32  # lines of answers, after which other clients have a turn
_MEMBERS_PER_LINE = 100  # looking at this many members costs as much as one line
_MAX_PAUSE = 2.0  # seconds


class Turns(Protocol):
    """What all clients of a server share: its limits, what was used of them, and turns of the event loop."""

    rates: RateLimiter
    limits: Limits
    #: A client that is silent for this many seconds gets a `PING`.
    ping_seconds: float

    async def turn(self) -> None:
        """Wait for one turn of the event loop. Clients wait in order, one at a time."""


class Pacer:
    """Counts the lines of one client, and makes a client wait whose person or address has had too many."""

    def __init__(self, server: Turns, outbox: Outbox, remote: str) -> None:
        self._server = server
        self._outbox = outbox
        charges = server.limits.table.charges
        self._lines, self._answers = charges["irc-line"], charges["irc-answer"]
        #: What the client has used; that of the person, when it is known who it is.
        self.usage = Usage()
        self._address = server.rates.address(remote)
        self._spent = 0  # lines since the last turn

    async def take_in(self, size: int) -> None:
        """Count `size` bytes from the client, as lines of the maximum length. Wait if they are too many."""
        await self._pay(self._lines, size / LINE_BYTES)

    async def take_line(self) -> None:
        """Count a line from the client. Wait if there are too many: the client is then read more slowly."""
        self._spent += 1
        await self._pay(self._lines, 1)

    def spend(self) -> None:
        """Count a line of an answer."""
        self._spent += 1

    def end(self) -> None:
        """The client has gone."""
        self._server.rates.remember(self.usage, self._address)

    async def look_at(self, members: int) -> None:
        """Count `members` that a command is about to look at. Wait if they are too many."""
        self._spent += 1 + members // _MEMBERS_PER_LINE
        await self.pace()

    async def pace(self) -> None:
        """Wait if the client has had too many lines of answers; after every 32 lines, let others have a turn.

        Await this before each command, and between the lines of a long answer.
        """
        if self._spent >= _SLICE:
            spent, self._spent = self._spent, 0
            await self._pay(self._answers, spent)
            await self._server.turn()

    async def _pay(self, charges: tuple[Charge, ...], lines: float) -> None:
        """Count so many lines, as soon as there may be so many. Return early if the connection closes."""
        waited, clock = 0.0, self._server.rates.clock
        while not self._outbox.is_closing() and (
            wait := take(charges, self.usage, self._address, clock.steady(), lines)
        ):
            await asyncio.sleep(wait := min(wait, _MAX_PAUSE, self._server.ping_seconds))
            waited += wait
            if waited >= self._server.ping_seconds:
                waited = 0.0
                # Nothing is read meanwhile, so only a write shows that the client is gone.
                self._outbox.write(Line("PING", (SERVER,)).encode())
