"""Spreads expensive work over turns of the event loop."""

from __future__ import annotations

import asyncio

__all__ = ["Turns"]


class Turns:
    """Lets one caller through in each turn of the event loop, in the order in which they came."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Wait until those who came before have had a turn each."""
        before, mine = self._last, asyncio.get_running_loop().create_future()
        self._last = mine
        try:
            if before is not None and not before.done():
                await asyncio.wait([before])
            await asyncio.sleep(0)
        finally:
            mine.set_result(None)
