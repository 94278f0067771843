"""Accepts TLS connections. A handshake is counted and timed from the first moment, like a request's head.

The servers of asyncio and uvloop tell their protocol of a connection when its handshake is done. Until then they hold
an open file for it that nobody counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from pychat.domain.log_limit import RateLimitedLogger
from pychat.net.http.connections import Connections
from pychat.net.http.gate import Handshakes

__all__ = ["TlsListener"]

_log = RateLimitedLogger(logging.getLogger("pychat.connections"), time.monotonic, lines=1)

#: How long a closed connection waits for the other side's end of TLS.
_GOODBYE_SECONDS = 2.0
_PAUSE_SECONDS = 1.0  # where the system has no file left for a connection


class TlsListener:
    """Listens for TLS connections, and gives each to a protocol of `make` after its handshake.

    `connections` counts and times handshakes. The protocol counts the connection itself, from `connection_made` on.
    A handshake costs a millisecond of the processor: with `rate`, connections of an address that opens too many a
    second are closed before that.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        make: Callable[[], asyncio.Protocol],
        connections: Connections,
        rate: Handshakes | None = None,
    ) -> None:
        self._rate = rate
        self._context = context
        self._make = make
        self._connections = connections
        self._handshakes: set[_Handshake] = set()
        self._accepting: list[asyncio.Task[None]] = []
        self.sockets: list[socket.socket] = []

    async def start(self, host: str | None, port: int) -> None:
        """Listen on all addresses of `host`. Raise `OSError`."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
                listening = socket.create_server(address[:2], family=family, backlog=1024)
                listening.setblocking(False)
                self.sockets.append(listening)
        except OSError:
            self.close()
            raise
        self._accepting = [loop.create_task(self._accept(each)) for each in self.sockets]

    def close(self) -> None:
        """Stop listening, and cut unfinished handshakes. Open connections stay."""
        for task in self._accepting:
            task.cancel()
        for handshake in list(self._handshakes):
            handshake.abort()
        for each in self.sockets:
            each.close()

    async def wait_closed(self) -> None:
        """Wait until nothing more is accepted."""
        await asyncio.gather(*self._accepting, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except ConnectionError:  # it has gone already
                continue
            except OSError as error:
                _log.error("No connection can be accepted for a moment: %s", error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            handshake = _Handshake(connection, self._connections)
            if self._too_many(handshake.address):
                handshake.close()
            elif self._connections.opened(handshake, handshake.address):
                self._handshakes.add(handshake)
                handshake.start(self._context, self._make, self._handshakes.discard)
            await asyncio.sleep(0)  # a socket that is always ready would keep the event loop

    def _too_many(self, address: str) -> bool:
        """Count a handshake of an address; true if it had too many already."""
        if self._rate is None or not address:
            return False
        if self._rate.wait(address):
            _log.warning("%s opens too many connections: more are refused for a moment.", address)
            return True
        self._rate.count(address)
        return False


class _Handshake(asyncio.Transport):
    """An accepted connection, until its handshake is done. For `Connections` it is a transport."""

    def __init__(self, connection: socket.socket, connections: Connections) -> None:
        super().__init__({"peername": connection.getpeername()})
        self._socket = connection
        self._connections = connections
        self._task: asyncio.Task[None]
        self._counted = False
        self._begun = False
        self.address = connections.address(self)

    def start(
        self, context: ssl.SSLContext, make: Callable[[], asyncio.Protocol], ended: Callable[[_Handshake], None]
    ) -> None:
        """Begin. `ended` is called in the end, however it ends."""
        self._counted = True

        def done(_: object) -> None:
            self.uncount()
            if not self._begun:
                self._socket.close()
            ended(self)

        self._task = asyncio.get_running_loop().create_task(self._shake_hands(context, make))
        self._task.add_done_callback(done)

    async def _shake_hands(self, context: ssl.SSLContext, make: Callable[[], asyncio.Protocol]) -> None:
        self._begun = True
        with contextlib.suppress(OSError):  # those of TLS are too
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: _Secured(self, make), self._socket, ssl=context, ssl_shutdown_timeout=_GOODBYE_SECONDS
            )

    def uncount(self) -> None:
        """It is a handshake no longer."""
        if self._counted:
            self._counted = False
            self._connections.closed(self, self.address)

    def write(self, data: Any) -> None:  # noqa: ANN401 -- as in the base class
        """Drop an answer in plain text."""

    def close(self) -> None:
        """It was one too many."""
        self._socket.close()

    def abort(self) -> None:
        """It took too long, or its place is needed."""
        self._task.cancel()


class _Secured(asyncio.Protocol):
    """Hands a connection over when its handshake is done, in the same step, so that it is counted once."""

    def __init__(self, handshake: _Handshake, make: Callable[[], asyncio.Protocol]) -> None:
        self._handshake = handshake
        self._make = make

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        self._handshake.uncount()
        protocol = self._make()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
