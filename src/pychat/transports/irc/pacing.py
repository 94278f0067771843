"""Limits what one IRC client costs: the lines that it sends, and the lines that answer it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.domain.limits import Limits, TokenBucket
from pychat.room.clock import Clock
from pychat.transports.irc.line import LINE_BYTES, SERVER, Line
from pychat.transports.irc.outbox import Outbox

__all__ = ["Pacer", "Turns"]

_LINES_PER_SECOND, _LINES_AT_ONCE = 50, 500  # each room has a lower limit of its own
_ANSWERS_PER_SECOND, _ANSWERS_AT_ONCE = 500, 5_000  # in lines
_SLICE = 32  # lines of answers, after which other clients have a turn
_MEMBERS_PER_LINE = 100  # looking at this many members costs as much as one line
_MAX_PAUSE = 2.0  # seconds


class Turns(Protocol):
    """What all clients of a server share: its clock, its limits, and turns of the event loop."""

    clock: Clock
    limits: Limits
    #: A client that is silent for this many seconds gets a `PING`.
    ping_seconds: float

    async def turn(self) -> None:
        """Wait for one turn of the event loop. Clients wait in order, one at a time."""


class Pacer:
    """Counts the lines of one client, and makes a client wait that has had too many."""

    def __init__(self, server: Turns, outbox: Outbox) -> None:
        self._server = server
        self._outbox = outbox
        limited = bool(server.limits.rate)
        self._lines = TokenBucket(_LINES_PER_SECOND if limited else 0, _LINES_AT_ONCE)
        self._answers = TokenBucket(_ANSWERS_PER_SECOND if limited else 0, _ANSWERS_AT_ONCE)
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

    async def _pay(self, bucket: TokenBucket, tokens: float) -> None:
        """Wait until `bucket` has so many tokens, and take them. Return early if the connection closes."""
        waited = 0.0
        while not self._outbox.is_closing() and (wait := bucket.take(self._server.clock.steady(), tokens)):
            await asyncio.sleep(wait := min(wait, _MAX_PAUSE, self._server.ping_seconds))
            waited += wait
            if waited >= self._server.ping_seconds:
                waited = 0.0
                # Nothing is read meanwhile, so only a write shows that the client is gone.
                self._outbox.write(Line("PING", (SERVER,)).encode())
