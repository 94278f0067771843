"""A streaming response over aiohttp: writes finished chunks directly to the socket's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import HttpVersion11, web

from pychat.net.http.stream import Chunk
from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.websocket.connection import CLOSE_SECONDS, DEFAULT_BUFFER_BYTES, WebSocketClosed

__all__ = ["AiohttpStream"]


class _Watch:
    """Stands where aiohttp has the parser of a body: hears that the connection is lost, and passes over what comes."""

    __slots__ = ("_gone",)

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        return False, b""

    def feed_eof(self) -> None:
        self._gone()


class AiohttpStream:
    """One response of an aiohttp server. The handler must return `response` when `gone` has returned."""

    __slots__ = (
        "__weakref__",
        "_budget",
        "_chunked",
        "_cut",
        "_ended",
        "_gone",
        "_transport",
        "on_slow",
        "remote",
        "response",
    )

    def __init__(
        self,
        response: web.StreamResponse,
        request: web.BaseRequest,
        *,
        remote: str,
        chunked: bool,
        max_buffer_bytes: int,
    ) -> None:
        if request.transport is None:
            raise WebSocketClosed
        self.response = response
        self.remote = remote
        self.on_slow: Callable[[], None] | None = None
        self._transport: asyncio.WriteTransport = request.transport
        self._chunked = chunked
        self._budget = SendBudget(max_buffer_bytes)
        self._ended = False
        self._cut: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # aiohttp tells a handler nothing of a client that goes. Its WebSockets hear of it so: through a parser.
        watch: Any = _Watch(self._leave)
        request.protocol.set_parser(watch)

    @classmethod
    async def open(
        cls,
        request: web.BaseRequest,
        headers: Mapping[str, str],
        first: Chunk,
        *,
        remote: str | None = None,
        max_buffer_bytes: int = DEFAULT_BUFFER_BYTES,
    ) -> AiohttpStream:
        """Begin the response with `headers` and the `first` chunk for the client at the address `remote`.

        Raises `WebSocketClosed` if the client has gone.
        """
        response = web.StreamResponse(headers=headers)
        chunked = request.version >= HttpVersion11
        if chunked:
            response.enable_chunked_encoding()
        # No request follows on this connection, so that it can be cut at any time.
        response.force_close()
        try:
            await response.prepare(request)
            await response.write(first.body)  # through aiohttp, which sends the head with the first bytes of the body
        except ConnectionError:
            raise WebSocketClosed from None
        address = (request.remote or "") if remote is None else remote
        return cls(response, request, remote=address, chunked=chunked, max_buffer_bytes=max_buffer_bytes)

    def send(self, chunk: Chunk) -> None:
        """Send a chunk; for a receiver that is too far behind, call `on_slow` instead."""
        transport = self._transport
        if self._ended or transport.is_closing():
            return
        raw = chunk.framed if self._chunked else chunk.body
        if self._budget.admits(transport.get_write_buffer_size(), len(raw), chunk, self):
            transport.write(raw)
        else:
            self.fall_behind()

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""
        return self._transport.get_write_buffer_size()

    def fall_behind(self) -> None:
        """Call `on_slow`."""
        if self.on_slow is not None:
            self.on_slow()

    def end(self, last: Chunk) -> None:
        """Write `last` behind what waits; the connection is cut if that cannot be sent in time."""
        if self._ended:
            return
        self._ended = True
        if not self._transport.is_closing():
            self._transport.write(last.framed if self._chunked else last.body)
        self._cut = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
        self._leave()

    async def gone(self) -> None:
        """Wait until the connection is lost, or the body has ended."""
        await self._gone

    def drop(self) -> None:
        """Call `on_slow`, and cut the connection."""
        self.fall_behind()
        self._transport.abort()

    def _leave(self) -> None:
        self._ended = True
        if not self._gone.done():
            self._gone.set_result(None)
