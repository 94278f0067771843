"""A TCP cable between a client and a server, which tests can cut, or let through in one direction only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

__all__ = ["Cable", "cable"]


class Cable:
    """All connections of clients to one server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        #: Where clients find the server through this cable, without a slash at the end.
        self.url = ""
        #: While true, what the server says is lost.
        self.deaf = False
        #: Seconds by which all that the server says comes late.
        self.delay = 0.0
        #: While true, whoever connects is cut off at once.
        self.unplugged = False
        #: How often somebody has connected.
        self.connected = 0

    def cut(self) -> None:
        """Every connection breaks, with no goodbye."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until it ends."""
        self.connected += 1
        if self.unplugged:
            writer.transport.abort()
            return
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        try:
            await asyncio.gather(
                self._pour(reader, onward, answers=False), self._pour(onward_reader, writer, answers=True)
            )
        finally:
            self._writers -= {writer, onward}

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if answers and self.delay:
                    await asyncio.sleep(self.delay)
                if not (answers and self.deaf):
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort() if answers and self.deaf else writer.close()


@contextlib.asynccontextmanager
async def cable(url: str) -> AsyncIterator[Cable]:
    """Lay a cable to the server at `url`."""
    port = urlsplit(url).port
    assert port is not None
    laid = Cable(port)
    server = await asyncio.start_server(laid.carry, "127.0.0.1", 0)
    laid.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield laid
    finally:
        laid.cut()
        server.close()
        await server.wait_closed()
