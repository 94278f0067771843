"""What the Engine.IO layer needs from a host's request, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pychat.net.websocket.connection import WebSocketConnection
from pychat.net.websocket.frames import Frame
from pychat.net.websocket.tcp import TcpWebSocket

__all__ = ["HostRequest", "Opening", "PushingRequest", "Reply", "Serve"]


@dataclass(slots=True)
class Reply:
    """An HTTP answer: status, body, and headers beside Content-Length."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


class Opening(Protocol):
    """What a new session is told of the request that opens it."""

    #: The address of the connection; empty for a Unix socket.
    peer: str

    def header(self, name: str) -> str | None:
        """A header by its name in small letters; several of that name are joined by commas."""

    def environ(self, remote: str) -> dict[str, Any]:
        """The WSGI-like dictionary that python-socketio hands to `connect` handlers."""


class PushingRequest(Opening, Protocol):
    """The opening handshake of a WebSocket that pushes what it reads."""

    def accept(self, remote: str, max_message_bytes: int, max_buffer_bytes: int) -> TcpWebSocket:
        """Take the connection over; `answer` follows."""

    def answer(self, first: Frame) -> None:
        """Answer the handshake, with the first frame behind it."""


class HostRequest(Opening, Protocol):
    """One HTTP request of aiohttp or ASGI."""

    #: The HTTP method, in capitals.
    method: str
    #: The query string, without the question mark.
    query: str
    #: Whether this is the opening handshake of a WebSocket.
    upgrade: bool

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises `BodyTooLarge` past `limit` bytes, `BodyMalformed`, `ConnectionError`."""

    async def hold(self, wake: asyncio.Future[bool]) -> bool:
        """Wait for `wake`, or for the client to go: false then."""

    async def accept(self, remote: str, max_message_bytes: int, max_buffer_bytes: int) -> WebSocketConnection:
        """Accept the WebSocket. Raises `WebSocketClosed` when the client has gone."""


#: Serves one request: an answer, or the WebSocket that has ended.
Serve = Callable[[HostRequest], Awaitable[Reply | WebSocketConnection]]
