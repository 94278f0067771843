"""How far a room's log has been told to this server, for those who wait for more of it."""

from __future__ import annotations

import asyncio

from pychat.room.clock import Clock

__all__ = ["Progress"]


class Progress:
    """Wakes whoever waits for an event of the log. Costs nothing per event while nobody waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._awaited: dict[int, asyncio.Event] = {}

    async def wait(self, seq: int, seconds: float) -> None:
        """Return when event number `seq` has been told, the log was begun anew, or at most after `seconds`."""
        awaited = self._awaited.setdefault(seq, asyncio.Event())
        timer = self._clock.call_later(seconds, awaited.set)
        try:
            await awaited.wait()
        finally:
            timer.cancel()
            if awaited.is_set() and self._awaited.get(seq) is awaited:
                del self._awaited[seq]

    def told(self, seq: int) -> None:
        """Event number `seq` has been told."""
        if self._awaited:
            awaited = self._awaited.pop(seq, None)
            if awaited is not None:
                awaited.set()

    def release(self) -> None:
        """Wake everybody: the log was begun anew, or the room closes."""
        awaited, self._awaited = self._awaited, {}
        for each in awaited.values():
            each.set()
