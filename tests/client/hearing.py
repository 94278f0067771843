"""How tests wait for what a client hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from pychat import Message
from pychat.client import RoomClient

__all__ = ["event", "texts", "until"]

_T = TypeVar("_T")
TIMEOUT = 10.0


async def event(chat: RoomClient, kind: type[_T]) -> _T:
    """The next event of this kind; those before it are passed over."""
    async with asyncio.timeout(TIMEOUT):
        async for each in chat:
            if isinstance(each, kind):
                return each
    raise AssertionError(f"the iterator ended before any {kind.__name__}")


async def texts(chat: RoomClient, last: str) -> list[str]:
    """The texts of the messages that come, up to this one."""
    heard: list[str] = []
    while not heard or heard[-1] != last:
        heard.append((await event(chat, Message)).text)
    return heard


async def until(it_is_so: Callable[[], bool]) -> None:
    """Wait for what has no event."""
    async with asyncio.timeout(TIMEOUT):
        while not it_is_so():
            await asyncio.sleep(0.005)
