"""What goes out to one client: written once a turn of the event loop, bounded in bytes, and closed with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pychat.net.budget import SendBudget

__all__ = ["Outbox"]

_FAREWELL_SECONDS = 3.0  # that a client has to read the last of it


def _nobody() -> None:
    """Whom the outbox of a closed connection tells."""


class Outbox:
    """The way out of one connection. Never waits, never raises."""

    def __init__(self, writer: asyncio.StreamWriter, remote: str, max_bytes: int, on_full: Callable[[], None]) -> None:
        """`on_full` is called when more than `max_bytes` wait, beside the largest amount of one turn."""
        self.remote = remote
        self._writer = writer
        self._budget = SendBudget(max_bytes)
        self._on_full = on_full
        self._gathered: list[bytes] = []
        self._size = 0  # of what this turn has brought
        self._closed = False
        self._farewell: asyncio.TimerHandle | None = None

    def fall_behind(self) -> None:
        """Tell the client that it is too far behind, and close."""
        self._on_full()

    @property
    def buffered(self) -> int:
        """The bytes that the client has not taken."""
        return self._size + self._writer.transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._writer.is_closing()

    def write(self, data: bytes) -> None:
        """Send `data` at the end of this turn."""
        if self._closed or not data:
            return
        waiting = self._writer.transport.get_write_buffer_size()
        if not self._budget.admits(waiting, self._size + len(data), self):
            self.fall_behind()
            return
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        self._gathered.append(data)
        self._size += len(data)

    async def drain(self) -> None:
        """Wait until the client has taken most of what it was sent."""
        self._flush()
        await self._writer.drain()

    def close(self, last: bytes) -> None:
        """Send what waits, then `last`, and close; cut the line if the client does not take it."""
        if not self._closed:
            self._flush()
            self._closed = True
            if not self._writer.is_closing():
                self._writer.write(last)
                self._farewell = asyncio.get_running_loop().call_later(_FAREWELL_SECONDS, self._writer.transport.abort)
            self._writer.close()

    async def wait_closed(self) -> None:
        """Return when nothing is left of the connection."""
        try:
            await self._writer.wait_closed()
        except OSError as broke:  # gone is gone
            broke.__traceback__ = (
                None  # asyncio keeps the error with the stream, and with it every frame it went through
            )
        finally:
            if self._farewell is not None:
                self._farewell.cancel()
            self._on_full = _nobody  # who is told knows the outbox: the two let go of each other

    def _flush(self) -> None:
        data, self._gathered, self._size = b"".join(self._gathered), [], 0
        if data and not self._writer.is_closing():
            self._writer.write(data)
