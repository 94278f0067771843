"""Reads the first bytes of a connection: opens a Socket.IO WebSocket itself, and passes all else to aiohttp."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from pychat.net.http.connections import Connections
from pychat.net.websocket.frames import Frame
from pychat.net.websocket.handshake import VERSION, accept_key
from pychat.net.websocket.tcp import TcpWebSocket
from pychat.transports.socketio.adapter import Server
from pychat.transports.socketio.engineio.environ import build_environ
from pychat.transports.socketio.engineio.replies import Query
from pychat.transports.socketio.engineio.server import EngineIOServer

__all__ = ["MAX_FIELDS", "MAX_HEAD_BYTES", "HandshakeRouter"]

#: The largest head of a request, in bytes, and the most fields in it.
MAX_HEAD_BYTES = 8192
MAX_FIELDS = 100
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: With one of these a request is more than an opening handshake, or something is to be agreed on.
_ELSEWHERE = {"content-length", "transfer-encoding", "expect", "sec-websocket-protocol"}
#: Where a connection is counted, and for which address.
_Counted = tuple[Connections, str]


class HandshakeRouter(asyncio.Protocol):
    """Stands before aiohttp in a server that owns its port.

    The opening handshake of a new Socket.IO client is answered here, if it is valid in every respect. This takes half
    of the CPU time and a third of the memory. Everything else is given to aiohttp from its first byte, so only one
    place has the texts of refusals.
    """

    __slots__ = ("_connections", "_counted", "_engine", "_head", "_path", "_plain", "_transport")

    def __init__(
        self,
        server: Server,
        plain: Callable[[], asyncio.Protocol],
        path: str = "/socket.io/",
        connections: Connections | None = None,
    ) -> None:
        """`plain` makes the protocol that everything else is given to, such as aiohttp's `web.Server`.

        With `connections` each connection is counted and timed there, from now on by `plain`'s protocol.
        """
        self._engine: EngineIOServer = server.eio
        self._plain = plain
        self._path = f"GET {path}?".encode()
        self._head = bytearray()
        self._connections = connections
        self._counted: _Counted | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection has been accepted."""
        self._transport = cast("asyncio.Transport", transport)
        if self._connections is not None:
            address = self._connections.address(self._transport)
            if self._connections.opened(self._transport, address):
                self._counted = (self._connections, address)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone before it said what it wants."""
        if self._counted is not None:
            connections, address = self._counted
            connections.closed(self._transport, address)

    def data_received(self, data: bytes) -> None:
        """Decide whose connection this is, as soon as that can be known."""
        transport = self._transport
        if transport.is_closing():  # it was one too many
            return
        head = self._head
        searched = max(0, len(head) - 3)
        head += data
        if head.startswith(self._path[: len(head)]):
            end = head.find(b"\r\n\r\n", searched, MAX_HEAD_BYTES)
            if end < 0 and len(head) < MAX_HEAD_BYTES:
                return
            request = None if end < 0 else _read(bytes(head[:end]), transport, self._counted)
            if request is not None and self._engine.open_socket(request):
                if self._counted is not None:
                    self._counted[0].head_ends(transport)
                # What the client said without waiting for the answer.
                request.websocket.data_received(bytes(head[end + 4 :]))
                return
        protocol = self._plain()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(bytes(head))


class _Socket(TcpWebSocket):
    """A WebSocket whose connection is counted."""

    __slots__ = ("counted",)

    counted: _Counted | None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone."""
        if self.counted is not None:
            connections, address = self.counted
            connections.closed(self._transport, address)
            self.counted = None
        super().connection_lost(exc)


class HandshakeRequest:
    """The opening handshake of a new client."""

    __slots__ = (
        "_accept_key",
        "_counted",
        "_fields",
        "_path",
        "_transport",
        "method",
        "peer",
        "query",
        "upgrade",
        "websocket",
    )

    websocket: _Socket

    def __init__(
        self,
        transport: asyncio.Transport,
        target: str,
        fields: dict[str, str],
        accept_key: str,
        counted: _Counted | None,
    ) -> None:
        self.method = "GET"
        self.upgrade = True
        self._path, _, self.query = target.partition("?")
        self._fields = fields
        self._counted = counted
        self._accept_key = accept_key
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.peer: str = peer[0] if isinstance(peer, tuple) else ""

    def header(self, name: str) -> str | None:
        """A header by its name in small letters."""
        return self._fields.get(name)

    def accept(self, remote: str, max_message_bytes: int, max_buffer_bytes: int) -> TcpWebSocket:
        """Take the connection over; `answer` follows."""
        self.websocket = _Socket(
            self._transport, remote, max_message_bytes=max_message_bytes, max_buffer_bytes=max_buffer_bytes
        )
        self.websocket.counted = self._counted
        self._transport.set_protocol(self.websocket)
        return self.websocket

    def answer(self, first: Frame) -> None:
        """Answer the handshake, with the first frame behind it in one write."""
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + self._accept_key.encode() + b"\r\n\r\n" + first.raw
        )

    def environ(self, remote: str) -> dict[str, Any]:
        """The environ for `connect` handlers."""
        peer, server, tls = (self._transport.get_extra_info(name) for name in ("peername", "sockname", "sslcontext"))
        return build_environ(
            self._fields.items(),
            method=self.method,
            path=self._path,
            root="",
            query=self.query,
            scheme="http" if tls is None else "https",
            http_version="1.1",
            remote=(remote, peer[1] if isinstance(peer, tuple) and peer[0] == remote else 0),
            server=(server[0], server[1]) if isinstance(server, tuple) else ("unix", 0),
            software="pychat",
        )


@lru_cache(256)
def _field(name: str) -> str | None:
    """The name of a field in small letters; `None` for an invalid one. Clients send the same few."""
    return name.lower() if _NAME.fullmatch(name) else None


def _read(head: bytes, transport: asyncio.Transport, counted: _Counted | None) -> HandshakeRequest | None:
    """A valid request for a new WebSocket of Engine.IO 4; `None` for any other request."""
    text = head.decode("latin-1")
    if _CONTROL.search(text.replace("\r\n", "")):
        return None
    first, *lines = text.split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if method != "GET" or version != "HTTP/1.1" or not target.isascii() or not target.isprintable():
        return None
    if len(lines) > MAX_FIELDS:
        return None
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = _field(name)
        if not colon or key is None:
            return None
        value = value.strip(" \t")
        between = "; " if key == "cookie" else ","
        fields[key] = f"{fields[key]}{between}{value}" if key in fields else value
    query = Query(target.partition("?")[2])
    opens = (
        query.transport == "websocket"
        and query.eio == "4"
        and not query.sid
        and not query.jsonp
        and "host" in fields
        and fields.get("upgrade", "").lower() == "websocket"
        and "upgrade" in [token.strip() for token in fields.get("connection", "").lower().split(",")]
        and fields.get("sec-websocket-version") == VERSION
        and _ELSEWHERE.isdisjoint(fields)
    )
    accept = accept_key(fields.get("sec-websocket-key", "")) if opens else None
    return None if accept is None else HandshakeRequest(transport, target, fields, accept, counted)
