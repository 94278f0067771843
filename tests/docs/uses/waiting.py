"""Waiting for another program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(it_is_so: Callable[[], bool]) -> None:
    """Poll until another program has done it; there is no event to await."""
    async with asyncio.timeout(10):
        while not it_is_so():
            await asyncio.sleep(0.01)
