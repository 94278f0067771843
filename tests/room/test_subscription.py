"""The log of a room while it is opened: whoever comes at whichever moment gets in, or is refused, and holds up nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pychat.domain.limits import Limits
from pychat.domain.model import Erased, Event
from pychat.domain.moderation import Moderated, Record
from pychat.room.subscription import LogSubscription, Snapshot
from pychat.stores import MemoryStore, Subscription
from pychat.stores.store import Receiver


class LosingStore(MemoryStore):
    """A store that says, while the log is opened for the first time, that it has lost its place."""

    lost = False

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Open the log, and lose it once."""
        opening = await super().subscribe(room, receive)
        if not self.lost:
            self.lost = True
            receive(replace(opening))
        return opening


async def no_records() -> tuple[tuple[Record, ...], int]:
    """The moderation records of a room that has none."""
    return (), 0


class Listener:
    """A room that opens its log anew when it was lost."""

    log: LogSubscription
    loads = 0

    def load(self, snapshot: Snapshot) -> None:
        """The log was loaded."""
        self.loads += 1

    def received(self, event: Event) -> None:
        """Nothing is said here."""

    def reopened(self, opening: Subscription) -> None:
        """The log was lost."""
        self.log.lose()

    def erased(self, what: Erased) -> None:
        """Nothing is erased here."""

    def moderated(self, what: Moderated) -> None:
        """Nobody moderates here."""

    def deleted(self) -> None:
        """The room is not deleted here."""


@pytest.mark.timeout(10)
async def test_whoever_comes_just_when_the_log_is_lost_again_holds_up_nobody():
    """A visitor who comes in the very turn in which an opening ends, and is lost, waits for the next opening."""
    listener = Listener()
    listener.log = log = LogSubscription(LosingStore(), "lobby", Limits(), listener, no_records)
    loop = asyncio.get_running_loop()
    later: list[asyncio.Task[None]] = []
    first = asyncio.create_task(log.open())
    # Its first step begins the opening, whose only step comes in the next turn; this visitor's comes right behind that.
    loop.call_soon(lambda: later.append(asyncio.create_task(log.open())))
    await first
    await later[0]
    assert log.epoch is not None
    assert listener.loads == 2
