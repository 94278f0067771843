"""The Engine.IO server: handshakes, polls, posts, upgrades and heartbeats, as protocol document 4 says."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import engineio

from pychat.domain.errors import Close, UsageError
from pychat.net.deadlines import Deadlines
from pychat.net.http.addresses import AddressLimiter
from pychat.net.http.answers import AnswerBudget
from pychat.net.http.gate import Gate
from pychat.net.http.hosts import HostPolicy
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.proxies import Proxies
from pychat.net.websocket.connection import CLOSE_SECONDS, Frame, Sender, WebSocketConnection
from pychat.room.tokens import Tokens
from pychat.transports.socketio.engineio.packet import PING, BadPacket
from pychat.transports.socketio.engineio.pending import Pending
from pychat.transports.socketio.engineio.polling import payload, poll, post
from pychat.transports.socketio.engineio.replies import (
    BAD_METHOD,
    BAD_REQUEST,
    BAD_VERSION,
    FORBIDDEN,
    UNKNOWN_SID,
    UNKNOWN_TRANSPORT,
    Query,
    refusal,
    turned_away,
)
from pychat.transports.socketio.engineio.request import HostRequest, Opening, PushingRequest, Reply
from pychat.transports.socketio.engineio.socket import REASONS, EngineIOSocket
from pychat.transports.socketio.engineio.websockets import read, upgrade
from pychat.transports.socketio.options import Options

__all__ = ["EngineIOServer", "Listener"]

_log = logging.getLogger("pychat.socketio")

#: After these a polling client that is between two polls is told with the next one; after the others its session
#: is unknown at once, as the protocol's test suite has it.
_TOLD = {Close.SHUTDOWN, Close.SLOW, Close.KICKED, Close.UNAVAILABLE, Close.FAILED}


_Socket = TypeVar("_Socket", bound=EngineIOSocket)
_Socket_contra = TypeVar("_Socket_contra", bound=EngineIOSocket, contravariant=True)


class Listener(Protocol[_Socket_contra]):
    """The layer above Engine.IO. Nothing here awaits."""

    def opened(self, socket: _Socket_contra, /) -> None:
        """A handshake has succeeded."""

    def message(self, socket: _Socket_contra, data: str | bytes, /) -> None:
        """A message has come. Raise `BadPacket` to have the connection closed."""

    def ended(self, socket: _Socket_contra, reason: str, /) -> None:
        """The socket is closed. Call `forget` when everybody has been told."""


class EngineIOServer(engineio.AsyncServer):
    """python-engineio's server with the parts replaced that face the network.

    Kept from the library: its options, its names and its place below `socketio.AsyncServer`. Replaced: how requests
    are answered, sockets, heartbeats and closing. No task is started for a connection beyond the host's own.
    """

    _socket_class: type[EngineIOSocket]
    _listener: Listener[Any]

    def __init__(self, *, options: Options, **kwargs: Any) -> None:  # noqa: ANN401 (the library's)
        origins = kwargs.pop("cors_allowed_origins", None)
        if callable(origins):
            raise UsageError("cors_allowed_origins takes origins here, no function; or use allowed_origins")
        super().__init__(**kwargs)
        self.options = options
        #: Bytes of one message to the server; a body of several has `max_http_buffer_size`.
        self.max_message_bytes: int = options.max_message_bytes or self.max_http_buffer_size
        if self.max_message_bytes > self.max_http_buffer_size:
            raise UsageError("max_message_bytes is at most max_http_buffer_size: a body holds at least one message")
        allowed: Any = options.allowed_origins
        if origins is not None:
            # The library's [] means "no checks at all".
            allowed = "*" if origins == [] else origins
        self.origins = OriginPolicy(allowed)
        self.hosts = HostPolicy(options.allowed_hosts)
        self.proxies = Proxies(options.trusted_proxies)
        self.answers = AnswerBudget()
        self.sockets: dict[str, EngineIOSocket] = {}
        self._parting: dict[str, EngineIOSocket] = {}
        self._carriers: set[Sender] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet: asyncio.Future[None] | None = None
        pending = AddressLimiter(options.max_pending, options.max_pending_per_address)
        self.gate = Gate(AddressLimiter(options.max_connections, options.max_connections_per_address), pending)
        self._connecting = Pending(options.connect_timeout, pending, self._never_connected)
        self.upgrading = Deadlines[EngineIOSocket](options.upgrade_timeout, self._never_upgraded)
        self.halves = Deadlines[EngineIOSocket](options.attachment_timeout, self._never_whole)
        self.pings = Deadlines[EngineIOSocket](self.ping_interval + self.ping_interval_grace_period, self._ping)
        self._pongs = Deadlines[EngineIOSocket](self.ping_timeout, self._pong_late)
        self._partings = Deadlines[EngineIOSocket](CLOSE_SECONDS, self._part)

    def serve_to(self, listener: Listener[_Socket], socket_class: type[_Socket]) -> None:
        """Tell `listener` of each socket, and make those of `socket_class`. Call it once, before serving."""
        self._listener = listener
        self._socket_class = socket_class
        #: What a socket calls with a message: the listener's own method.
        self.message: Callable[[Any, str | bytes], None] = listener.message

    # What socketio.AsyncServer calls.

    def attach(self, app: Any, engineio_path: str = "engine.io") -> None:  # noqa: ANN401 (aiohttp's)
        """Serve `/<path>/`, and nothing below it, in an aiohttp application."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_aiohttp)

    async def handle_request(self, *args: Any, **_kwargs: Any) -> Any:  # noqa: ANN401 (the library's)
        """Serve one request: `(request)` of aiohttp, or `(scope, receive, send)` of ASGI."""
        if len(args) == 1:
            return await self.handle_aiohttp(args[0])
        return await self.handle_asgi(*args)

    async def handle_aiohttp(self, request: Any) -> Any:  # noqa: ANN401 (aiohttp is not imported before it is used)
        """Serve one aiohttp request, whatever its path; returns the response."""
        from pychat.transports.socketio.engineio import host_aiohttp

        return await host_aiohttp.handle(self.serve, self.answers, request)

    async def handle_asgi(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI's)
        """Serve one ASGI `http` or `websocket` scope, whatever its path."""
        from pychat.transports.socketio.engineio import host_asgi

        await host_asgi.handle(self.serve, self.answers, scope, receive, send)

    async def send(self, sid: str, data: Any) -> None:  # noqa: ANN401 (the library's)
        """Send a message: text, bytes, or what becomes JSON."""
        socket = self.sockets.get(sid)
        if socket is None:
            return
        if isinstance(data, (bytes, bytearray)):
            socket.send_bytes(bytes(data))
        else:
            socket.send(Frame("4" + (data if isinstance(data, str) else json.dumps(data, allow_nan=False))))

    async def send_packet(self, sid: str, pkt: Any) -> None:  # noqa: ANN401 (the library's)
        """Send a packet of the library."""
        socket = self.sockets.get(sid)
        if socket is not None:
            encoded = pkt.encode()
            if isinstance(encoded, str):
                socket.send(Frame(encoded))
            else:
                socket.send_bytes(encoded)

    async def disconnect(self, sid: str | None = None) -> None:
        """Close one socket, or all of them."""
        for socket in list(self.sockets.values()) if sid is None else filter(None, [self.sockets.get(sid)]):
            socket.close(Close.KICKED, REASONS.SERVER_DISCONNECT)

    def _get_socket(self, sid: str) -> EngineIOSocket:
        # The library refuses sessions that are closed; a `disconnect` handler may still read what it saved there.
        try:
            return self.sockets[sid]
        except KeyError:
            raise KeyError("Session not found") from None

    async def shutdown(self, deadline: float = CLOSE_SECONDS) -> None:
        """Close every socket with `Close.SHUTDOWN` and let `disconnect` handlers run, for `deadline` seconds at most.

        From now on handshakes are answered 503. Connections that are stuck at the deadline are cut.
        """
        self.gate.closing = True
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline
        for socket in list(self.sockets.values()):
            socket.close(Close.SHUTDOWN, REASONS.SERVER_DISCONNECT)
        while self._carriers or self._tasks or self._parting:
            left = until - loop.time()
            if left <= 0:
                break
            self._quiet = loop.create_future()
            await asyncio.wait([self._quiet], timeout=left)
        for carrier in list(self._carriers):
            carrier.abort()
        for task in list(self._tasks):
            task.cancel()
        for wheel in (self._connecting, self.upgrading, self.halves, self.pings, self._pongs, self._partings):
            wheel.clear()
        self._parting.clear()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1)

    def reopen(self) -> None:
        """Begin anew, with no sockets."""
        self.gate.closing = False
        self._quiet = None
        for wheel in (self._connecting, self.upgrading, self.halves, self.pings, self._pongs, self._partings):
            wheel.clear()
        self.sockets.clear()
        self._parting.clear()
        self._carriers.clear()
        self._tasks.clear()

    # For the layer above.

    def generate_id(self) -> str:
        """A fresh socket id that nobody can guess, as long as the library's: 120 random bits, URL-safe."""
        return (Tokens.new_id() + Tokens.new_id())[:20]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that `shutdown` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("A task of the Socket.IO server failed", exc_info=task.exception())
        self._less()

    def connected(self, socket: EngineIOSocket) -> None:
        """It is CONNECTed to a namespace: no deadline any more."""
        socket.early = 0
        self._connecting.stop(socket)

    def unconnected(self, socket: EngineIOSocket) -> None:
        """It is CONNECTed to nothing (any more)."""
        socket.greeted = False
        if not socket.closed:
            self._connecting.start(socket)

    def ponged(self, socket: EngineIOSocket) -> None:
        """The ping has been answered."""
        if self._pongs.stop(socket):
            self.pings.start(socket)

    def ended(self, socket: EngineIOSocket, reason: str) -> None:
        """A socket has closed itself."""
        for wheel in (self._connecting, self.upgrading, self.halves, self.pings, self._pongs):
            wheel.stop(socket)
        told_later = socket.poll is None or socket.outbox
        if socket.last is not None and told_later and socket.why in _TOLD:
            self._parting[socket.sid] = socket
            self._partings.start(socket)
        self._listener.ended(socket, reason)

    def forget(self, socket: EngineIOSocket) -> None:
        """Everybody has been told that it is over."""
        if self.sockets.pop(socket.sid, None) is not None:
            self.gate.leave(socket.remote)

    def _less(self) -> None:
        if self._quiet is not None and not self._quiet.done() and not (self._carriers or self._tasks or self._parting):
            self._quiet.set_result(None)

    # Deadlines.

    def _ping(self, socket: EngineIOSocket) -> None:
        socket.alive = False
        self._pongs.start(socket)
        socket.send(PING)

    def _pong_late(self, socket: EngineIOSocket) -> None:
        # A pong may wait unread behind messages: when something came since the ping, or while its socket
        # is not being read for its handlers' sake, the client is no dead one. One that does not poll is.
        held_up = socket.overfull and socket.reader is None
        if socket.alive or held_up:
            socket.alive = False
            self._pongs.start(socket)
            return
        socket.close(Close.TIMEOUT, REASONS.PING_TIMEOUT)

    def _never_connected(self, socket: EngineIOSocket) -> None:
        socket.close(Close.TIMEOUT, REASONS.TRANSPORT_CLOSE)

    def _never_upgraded(self, socket: EngineIOSocket) -> None:
        if socket.probe is not None:
            socket.probe.close(1000)

    def _never_whole(self, socket: EngineIOSocket) -> None:
        socket.complain(BadPacket("Attachments that were announced did not come in time"))

    def _part(self, socket: EngineIOSocket) -> None:
        self._parting.pop(socket.sid, None)
        self._less()

    # Requests.

    def open_socket(self, request: PushingRequest) -> bool:
        """Open a socket on a new WebSocket that pushes what it reads; false where `serve` is to say why not."""
        remote = self.proxies.client(request.peer, request.header("x-forwarded-for"))
        host = self.proxies.host(request.peer, request.header("host"), request.header("x-forwarded-host"))
        allowed = "websocket" in self.transports and self.origins.allows(request.header("origin"), host)
        if not allowed or self._misdirected(request) is not None or self.gate.refusal(remote) is not None:
            return False
        carrier = request.accept(remote, self.max_message_bytes, self.options.max_buffer_bytes)
        self._carriers.add(carrier)
        carrier.reader = self._open(request, remote, carrier)
        return True

    async def serve(self, request: HostRequest) -> Reply | WebSocketConnection:
        """Serve one request: an answer, or the WebSocket that has ended."""
        remote = self.proxies.client(request.peer, request.header("x-forwarded-for"))
        host = self.proxies.host(request.peer, request.header("host"), request.header("x-forwarded-host"))
        misdirected = self._misdirected(request)
        if misdirected is not None:
            return refusal(421, (FORBIDDEN[0], misdirected))
        origin = request.header("origin")
        if not self.origins.allows(origin, host):
            return refusal(403, FORBIDDEN)
        reply = await self._route(request, remote)
        if isinstance(reply, Reply) and origin is not None:
            reply.headers += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
            if self.cors_credentials:
                reply.headers.append(("Access-Control-Allow-Credentials", "true"))
        return reply

    def _misdirected(self, request: Opening) -> str | None:
        """Why this server is not the one that was asked for, if so."""
        given = request.header("host"), request.header("x-forwarded-host")
        return self.hosts.refusal(self.proxies, request.peer, *given)

    async def _route(self, request: HostRequest, remote: str) -> Reply | WebSocketConnection:
        if request.method == "OPTIONS":
            asked = request.header("access-control-request-headers")
            headers = [("Access-Control-Allow-Methods", "GET, POST, OPTIONS"), ("Access-Control-Max-Age", "600")]
            return Reply(204, b"", headers + ([("Access-Control-Allow-Headers", asked)] if asked else []))
        query = Query(request.query)
        if query.transport not in self.transports:
            return refusal(400, UNKNOWN_TRANSPORT)
        if query.eio != "4":
            return refusal(400, BAD_VERSION)
        if query.jsonp or request.upgrade != (query.transport == "websocket"):
            return refusal(400, BAD_REQUEST)
        if not query.sid:
            if request.method != "GET":
                return refusal(400, BAD_METHOD)
            return await self._handshake(request, remote)
        socket = self.sockets.get(query.sid) or self._parting.get(query.sid)
        if socket is None or socket.closed:
            return self._goodbye(socket, request) if socket is not None else refusal(400, UNKNOWN_SID)
        if request.upgrade:
            return await upgrade(self, socket, request, remote)
        if socket.carrier is not None:
            return refusal(400, BAD_REQUEST)
        if request.method == "GET":
            return await poll(self, socket, request)
        if request.method == "POST":
            return await post(self, socket, request)
        reply = refusal(405, BAD_REQUEST)
        reply.headers.append(("Allow", "GET, POST, OPTIONS"))
        return reply

    def _goodbye(self, socket: EngineIOSocket, request: HostRequest) -> Reply:
        """A client of a closed socket asks again: tell it once how the socket ended."""
        if request.method != "GET" or request.upgrade or socket.told() or socket.poll is not None:
            return refusal(400, UNKNOWN_SID)
        body = socket.take()
        if socket.told():
            self._partings.stop(socket)
            self._part(socket)
        return payload(body)

    async def _handshake(self, request: HostRequest, remote: str) -> Reply | WebSocketConnection:
        refused = self.gate.refusal(remote)
        if refused is not None:
            return turned_away(refused)
        if request.upgrade:
            carrier = await self.accept(request, remote)
            socket = self._open(request, remote, carrier)
            try:
                await read(socket, carrier)
            finally:
                self.released(socket, carrier)
            return carrier
        socket = self._open(request, remote, None)
        reply = payload(socket.take())
        if self.cookie:
            attributes = {"path": "/", "SameSite": "Lax"}
            attributes.update(self.cookie if isinstance(self.cookie, dict) else {"name": self.cookie})
            reply.headers.append(("Set-Cookie", self._generate_sid_cookie(socket.sid, attributes)))
        return reply

    def _open(self, request: Opening, remote: str, carrier: Sender | None) -> EngineIOSocket:
        sid = self.generate_id()
        socket = self._socket_class(self, sid, remote)
        socket.environ = request.environ(remote)
        self.sockets[sid] = socket
        self.gate.limits.add(remote)
        self._connecting.start(socket)
        self.pings.start(socket)
        if carrier is not None:
            socket.adopt(carrier)
        upgrades = '["websocket"]' if carrier is None and self.upgradable() else "[]"
        socket.send(
            Frame(
                f'0{{"sid":"{sid}","upgrades":{upgrades},"pingInterval":{round(self.pings.seconds * 1000)},'
                f'"pingTimeout":{round(self.ping_timeout * 1000)},"maxPayload":{self.max_http_buffer_size}}}'
            )
        )
        self._listener.opened(socket)
        return socket

    def upgradable(self) -> bool:
        """Whether a polling client may change to WebSocket."""
        return bool(self.allow_upgrades) and "websocket" in self.transports

    async def accept(self, request: HostRequest, remote: str) -> WebSocketConnection:
        """Accept a WebSocket, which `shutdown` waits for until it is `released`."""
        carrier = await request.accept(remote, self.max_message_bytes, self.options.max_buffer_bytes)
        self._carriers.add(carrier)
        return carrier

    def released(self, socket: EngineIOSocket | None, carrier: Sender) -> None:
        """The host is done with this WebSocket, however that came."""
        if socket is not None:
            socket.close(None, REASONS.TRANSPORT_CLOSE)
        self._carriers.discard(carrier)
        self._less()
