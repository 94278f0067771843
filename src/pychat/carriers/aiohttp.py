"""A carrier over aiohttp: aiohttp reads, finished frames go straight to the socket's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import WSMsgType, web

from pychat.carriers.base import (
    CLOSE_SECONDS,
    DEFAULT_BUFFER_BYTES,
    DEFAULT_MESSAGE_BYTES,
    NO_CODE,
    CarrierClosed,
    close_frame,
)
from pychat.carriers.outgoing import Outgoing

__all__ = ["AiohttpCarrier"]

_BINARY = 0x82


class AiohttpCarrier(Outgoing):
    """One WebSocket of an aiohttp server.

    A send is one `transport.write()`: no task, no await, no queue. aiohttp's own frames (pongs) go through the same
    transport, so the order holds. The handler must return `response` when `receive` has raised.
    """

    __slots__ = ("response",)

    def __init__(
        self, response: web.WebSocketResponse, transport: asyncio.Transport, remote: str, max_buffer_bytes: int
    ) -> None:
        super().__init__(transport, remote, max_buffer_bytes)
        self.response = response

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
        self._end_transport()
        raise CarrierClosed(told)
