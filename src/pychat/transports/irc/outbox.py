"""The bounded output buffer of one IRC connection: one write in each turn of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pychat.net.slow_readers.send_budget import SendBudget

__all__ = ["Outbox"]

_CLOSE_SECONDS = 3.0  # in which a client must read the last bytes


def _ignore() -> None:
    """Do nothing: the connection is closed."""


class Outbox:
    """Bytes for one connection. `write` and `close` never wait and never raise."""

    def __init__(self, writer: asyncio.StreamWriter, remote: str, max_bytes: int, on_full: Callable[[], None]) -> None:
        """`on_full` is called when more than `max_bytes` wait, not counting the largest amount of one turn."""
        self.remote = remote
        self._writer = writer
        self._budget = SendBudget(max_bytes)
        self._on_full = on_full
        self._gathered: list[bytes] = []
        self._size = 0  # of `_gathered`
        self._closed = False
        self._abort_timer: asyncio.TimerHandle | None = None

    @property
    def buffered(self) -> int:
        """The bytes that the client has not read."""
        return self._size + self._writer.transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        """True if nothing can be sent any more."""
        return self._writer.is_closing()

    def write(self, data: bytes) -> None:
        """Send `data` at the end of this turn."""
        if self._closed or not data:
            return
        waiting = self._writer.transport.get_write_buffer_size()
        if not self._budget.admits(waiting, self._size + len(data), data, self):
            self._on_full()
            return
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        self._gathered.append(data)
        self._size += len(data)

    async def drain(self) -> None:
        """Wait until the client has read most of the bytes."""
        self._flush()
        await self._writer.drain()

    def close(self, last: bytes) -> None:
        """Send the waiting bytes and `last`, and close. Abort after 3 seconds if the client does not read them."""
        if not self._closed:
            self._flush()
            self._closed = True
            if not self._writer.is_closing():
                self._writer.write(last)
                self._abort_timer = asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self._writer.transport.abort)
            self._writer.close()

    def drop(self) -> None:
        """Tell the client that it is too far behind, and cut the connection."""
        self._on_full()
        self._writer.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        try:
            await self._writer.wait_closed()
        except OSError as error:
            error.__traceback__ = None  # asyncio keeps the error with the stream, and would keep all its frames
        finally:
            if self._abort_timer is not None:
                self._abort_timer.cancel()
            self._on_full = _ignore  # breaks the reference cycle with the client

    def _flush(self) -> None:
        data, self._gathered, self._size = b"".join(self._gathered), [], 0
        if data and not self._writer.is_closing():
            self._writer.write(data)
