"""Makes the commands of a client wait while it does not read its answers."""

from __future__ import annotations

import asyncio
from typing import Protocol

__all__ = ["UNREAD_BYTES", "wait_for_reader"]

#: With more bytes than this waiting for a client, its next command waits too.
UNREAD_BYTES = 64 * 1024

_FIRST_PAUSE, _MAX_PAUSE = 0.01, 1.0  # seconds between two looks


class _Buffered(Protocol):
    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""


async def wait_for_reader(connection: _Buffered) -> None:
    """Wait while more than `UNREAD_BYTES` wait for the client. A connection that is cut has nothing that waits."""
    pause = _FIRST_PAUSE
    while connection.buffered > UNREAD_BYTES:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_PAUSE)
