"""A carrier over aiohttp: aiohttp reads, finished frames go straight to the socket's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from aiohttp import WSMsgType, web

from pychat.carriers.base import (
    CLOSE_SECONDS,
    DEFAULT_BUFFER_BYTES,
    DEFAULT_MESSAGE_BYTES,
    NO_CODE,
    CarrierClosed,
    Frame,
    close_frame,
    frame_bytes,
)
from pychat.errors import Close

__all__ = ["AiohttpCarrier"]

_BINARY = 0x82


class AiohttpCarrier:
    """One WebSocket of an aiohttp server.

    A send is one `transport.write()`: no task, no await, no queue. aiohttp's own frames (pongs) go through the same
    transport, so the order holds. The handler must return `response` when `receive` has raised.
    """

    __slots__ = ("_closing", "_cut", "_largest", "_limit", "_transport", "on_slow", "remote", "response")

    def __init__(
        self, response: web.WebSocketResponse, transport: asyncio.Transport, remote: str, max_buffer_bytes: int
    ) -> None:
        self.response = response
        self.remote = remote
        self.on_slow: Callable[[], None] | None = None
        self._transport = transport
        self._limit = max_buffer_bytes
        self._largest = 0  # frame that came since the buffer was last empty, in bytes
        self._closing = False
        self._cut: asyncio.TimerHandle | None = None

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
    ) -> AiohttpCarrier:
        """Answer the upgrade request. `heartbeat` is in seconds: WebSocket pings, for transports without their own.

        `remote` replaces the address of the connection where proxies are trusted. Raises `web.HTTPBadRequest` for
        what is no WebSocket handshake, and `CarrierClosed` when the client has gone already.
        """
        response = web.WebSocketResponse(
            # The reader refuses a message of exactly this size; ours is the largest that is taken.
            max_msg_size=max_message_bytes + 1,
            protocols=tuple(protocols),
            heartbeat=heartbeat,
            autoclose=False,
            autoping=True,
            # Each member's copy would be compressed anew, with hundreds of KiB of state for each connection.
            compress=False,
            timeout=CLOSE_SECONDS,
        )
        try:
            await response.prepare(request)
        except ConnectionError:
            raise CarrierClosed from None
        transport = request.transport
        if transport is None:
            raise CarrierClosed
        return cls(response, transport, (request.remote or "") if remote is None else remote, max_buffer_bytes)

    @property
    def protocol(self) -> str | None:
        """The subprotocol that was agreed on."""
        return self.response.ws_protocol

    @property
    def buffered(self) -> int:
        """Bytes that wait for the receiver, beyond what the kernel has taken."""
        return self._transport.get_write_buffer_size()

    def send(self, frame: Frame) -> None:
        """Send a frame; a receiver that is too far behind is closed with `Close.SLOW`."""
        transport = self._transport
        if self._closing or transport.is_closing():
            return
        waiting, size = transport.get_write_buffer_size(), len(frame.raw)
        if not waiting or size > self._largest:
            self._largest = size
        # What was missed goes in one frame: it is not counted, only what comes beside it.
        if waiting + size > self._limit + self._largest:
            self._slow()
        else:
            transport.write(frame.raw)

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        frame = Frame()
        frame.raw = frame_bytes(_BINARY, data)
        self.send(frame)

    def _slow(self) -> None:
        self.close(Close.SLOW.code, Close.SLOW.reason)
        if self.on_slow is not None:
            self.on_slow()

    async def receive(self) -> str | bytes:
        """Wait for the next message; raise `CarrierClosed` when there will be none."""
        while True:
            message = await self.response.receive()
            kind = message.type
            if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
                if not self._closing:
                    data: str | bytes = message.data
                    return data
            elif kind is not WSMsgType.PING and kind is not WSMsgType.PONG:
                break
        told: int | None = None
        if kind is WSMsgType.CLOSE and not self._closing:
            self._closing = True
            told = message.data or NO_CODE
            if not self._transport.is_closing():
                code = message.data if 1000 <= message.data < 5000 and message.data != 1005 else 1000
                self._transport.write(close_frame(code, ""))
        self._closing = True
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._cut_later()
        elif self._cut is not None:
            self._cut.cancel()
        raise CarrierClosed(told)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write a close frame behind what waits; the connection is cut if the peer does not answer in time."""
        if self._closing:
            return
        self._closing = True
        if not self._transport.is_closing():
            self._transport.write(close_frame(code, reason))
        self._cut_later()

    def abort(self) -> None:
        """Cut the connection at once."""
        self._closing = True
        if self._cut is not None:
            self._cut.cancel()
        self._transport.abort()

    def _cut_later(self) -> None:
        if self._cut is None:
            self._cut = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
