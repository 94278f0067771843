"""Waits for an event of a room's log to reach this server."""

from __future__ import annotations

import asyncio

from pychat.room.clock import Clock

__all__ = ["Progress"]


class Progress:
    """Wakes the callers that wait for an event of the log. Costs nothing per event while none waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._awaited: dict[int, asyncio.Event] = {}

    async def wait(self, seq: int, seconds: float) -> None:
        """Return when event number `seq` was received, or the log was begun anew; at most after `seconds`."""
        awaited = self._awaited.setdefault(seq, asyncio.Event())
        timer = self._clock.call_later(seconds, awaited.set)
        try:
            await awaited.wait()
        finally:
            timer.cancel()
            if awaited.is_set() and self._awaited.get(seq) is awaited:
                del self._awaited[seq]

    def told(self, seq: int) -> None:
        """Event number `seq` was received."""
        if self._awaited:
            awaited = self._awaited.pop(seq, None)
            if awaited is not None:
                awaited.set()

    def release(self) -> None:
        """Wake all callers: the log was begun anew, or the room closes."""
        awaited, self._awaited = self._awaited, {}
        for each in awaited.values():
            each.set()
