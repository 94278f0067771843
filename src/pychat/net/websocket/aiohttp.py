"""A WebSocket over aiohttp: aiohttp answers the handshake, and passes on the data."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

from aiohttp import hdrs, web

from pychat.domain.errors import Close
from pychat.net.websocket.connection import DEFAULT_BUFFER_BYTES, DEFAULT_MESSAGE_BYTES, WebSocketClosed
from pychat.net.websocket.frames import Frame, frame_bytes
from pychat.net.websocket.handshake import VERSION, accept_key
from pychat.net.websocket.protocol import BYTES_PER_TURN, FRAMES_PER_TURN, State
from pychat.net.websocket.tcp import TcpWebSocket

__all__ = ["AiohttpWebSocket"]

_PING = Frame()
_PING.raw = frame_bytes(0x89, b"")


class _Upgrade(web.StreamResponse):
    """The answer to a handshake. What follows belongs to the WebSocket: nothing is written at its end."""

    _length_check = False

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


class AiohttpWebSocket(TcpWebSocket):
    """One WebSocket of an aiohttp server, read as every other is: the same frames, limits and close codes.

    The handler must return `response` when `receive` has raised.
    """

    __slots__ = (
        "_beat",
        "_code",
        "_discards",
        "_heard",
        "_heartbeat",
        "_queue",
        "_queued",
        "_subprotocol",
        "_waiter",
        "response",
    )

    def __init__(
        self,
        response: web.StreamResponse,
        transport: asyncio.Transport,
        remote: str,
        *,
        protocol: str | None,
        heartbeat: float | None,
        max_message_bytes: int,
        max_buffer_bytes: int,
    ) -> None:
        super().__init__(transport, remote, max_message_bytes=max_message_bytes, max_buffer_bytes=max_buffer_bytes)
        self.response = response
        self.reader = self
        self._subprotocol = protocol
        self._queue: deque[str | bytes] | None = None  # messages that `receive` was not there for
        self._queued = 0  # bytes in it
        self._waiter: asyncio.Future[str | bytes | None] | None = None
        self._code: int | None = None
        self._discards = False  # this server has closed it: messages that wait are dropped
        self._heartbeat = heartbeat
        self._heard = True  # something, since the last ping
        self._beat: asyncio.TimerHandle | None = None
        if heartbeat is not None:
            self._beat = asyncio.get_running_loop().call_later(heartbeat, self._ping)

    @classmethod
    async def accept(
        cls,
        request: web.BaseRequest,
        *,
        max_message_bytes: int = DEFAULT_MESSAGE_BYTES,
        max_buffer_bytes: int = DEFAULT_BUFFER_BYTES,
        protocols: Iterable[str] = (),
        heartbeat: float | None = None,
        remote: str | None = None,
    ) -> AiohttpWebSocket:
        """Answer the upgrade request. `heartbeat` is in seconds: WebSocket pings, for transports without their own.

        `remote` replaces the address of the connection where proxies are trusted. Raises `web.HTTPException` for
        what is no WebSocket handshake of version 13, and `WebSocketClosed` when the client has gone already.
        """
        accept = _check(request)
        protocol = _agreed(request, protocols)
        response = _Upgrade(
            status=101, headers={"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Accept": accept}
        )
        if protocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = protocol
        response.force_close()  # no request follows
        try:
            await response.prepare(request)
        except ConnectionError:
            raise WebSocketClosed from None
        transport = request.transport
        if transport is None:
            raise WebSocketClosed
        websocket = cls(
            response,
            transport,
            (request.remote or "") if remote is None else remote,
            protocol=protocol,
            heartbeat=heartbeat,
            max_message_bytes=max_message_bytes,
            max_buffer_bytes=max_buffer_bytes,
        )
        parser: Any = websocket  # where aiohttp has the parser of its own WebSockets
        request.protocol.set_parser(parser)  # feeds what came behind the handshake
        return websocket

    @property
    def protocol(self) -> str | None:
        """The subprotocol that was agreed on."""
        return self._subprotocol

    async def receive(self) -> str | bytes:
        """Wait for the next message; raise `WebSocketClosed` when there will be none."""
        while True:
            if self._queue:
                data: str | bytes | None = self._queue.popleft()
                assert data is not None  # noqa: S101 -- for the type checker
                self._queued -= len(data)
                if not self._queue:
                    self._queue = None
                    if self._paused:
                        self.resume()
            elif self._protocol.state is State.CLOSED:
                raise WebSocketClosed(self._code)
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                try:
                    data = await self._waiter
                finally:
                    self._waiter = None
            if data is not None and not self._discards:
                return data

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write a close frame behind what waits; the connection is cut if the client does not answer in time."""
        self._discards = True
        super().close(code, reason)

    def abort(self) -> None:
        """Cut the connection at once."""
        self._discards = True
        super().abort()

    # It is its own reader.

    def message_received(self, data: str | bytes) -> None:
        """Hand a message to `receive`, or keep it: a bounded number, then the socket is not read."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(data)
            return
        if self._queue is None:
            self._queue = deque()
        self._queue.append(data)
        self._queued += len(data)
        if len(self._queue) >= FRAMES_PER_TURN or self._queued >= BYTES_PER_TURN:
            self.pause()

    def ended(self, code: int | None) -> None:
        """There will be no more."""
        self._code = code
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What aiohttp calls.

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Bytes have come; nothing of them is left to aiohttp."""
        self._heard = True
        self.data_received(data)
        return False, b""

    def feed_eof(self) -> None:
        """The connection has gone."""
        self.connection_lost(None)

    def _ping(self) -> None:
        """Ask whether the client is there; close if it did not answer the last time."""
        self._beat = None
        if self._protocol.state is not State.OPEN or self._heartbeat is None:
            return
        if not self._heard and not self._paused:
            self.close(Close.TIMEOUT.code, Close.TIMEOUT.reason)
            return
        self._heard = False
        self.send(_PING)
        self._beat = asyncio.get_running_loop().call_later(self._heartbeat, self._ping)


def _check(request: web.BaseRequest) -> str:
    """The `Sec-WebSocket-Accept` for a handshake that is in order."""
    headers = request.headers
    tokens = [token.strip().lower() for value in headers.getall(hdrs.CONNECTION, ()) for token in value.split(",")]
    if headers.get(hdrs.UPGRADE, "").strip().lower() != "websocket" or "upgrade" not in tokens:
        raise web.HTTPBadRequest(text="This is no WebSocket handshake: Upgrade and Connection do not ask for one.\n")
    if headers.getall(hdrs.SEC_WEBSOCKET_VERSION, ()) != [VERSION]:
        raise web.HTTPUpgradeRequired(
            text=f"This server speaks version {VERSION} of the WebSocket protocol (RFC 6455).\n",
            headers={hdrs.SEC_WEBSOCKET_VERSION: VERSION, hdrs.UPGRADE: "websocket", hdrs.CONNECTION: "upgrade"},
        )
    keys = headers.getall(hdrs.SEC_WEBSOCKET_KEY, ())
    accept = accept_key(keys[0]) if len(keys) == 1 else None
    if accept is None:
        raise web.HTTPBadRequest(text="Sec-WebSocket-Key is not 16 bytes in base64.\n")
    return accept


def _agreed(request: web.BaseRequest, protocols: Iterable[str]) -> str | None:
    """The first subprotocol of the client's that is spoken here."""
    known = set(protocols)
    offered = ",".join(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ())).split(",")
    return next((name.strip() for name in offered if name.strip() in known), None)
