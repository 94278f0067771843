"""The Engine.IO server: handshakes, polls, posts and upgrades (protocol 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pychat.net.http.hosts import HostPolicy
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.proxies import Proxies
from pychat.net.slow_readers.answer_budget import AnswerBudget
from pychat.net.websocket.connection import Sender, WebSocketConnection
from pychat.net.websocket.frames import Frame
from pychat.transports.socketio.engineio.polling import payload, poll, post, posted
from pychat.transports.socketio.engineio.replies import (
    BAD_METHOD,
    BAD_REQUEST,
    BAD_VERSION,
    FORBIDDEN,
    UNKNOWN_SID,
    UNKNOWN_TRANSPORT,
    Query,
    cookie,
    refusal,
    turned_away,
)
from pychat.transports.socketio.engineio.request import HostRequest, Opening, PushingRequest, Reply
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Listener
from pychat.transports.socketio.engineio.sockets import SocketRegistry
from pychat.transports.socketio.engineio.websockets import read, upgrade
from pychat.transports.socketio.options import Options

__all__ = ["EngineIOServer"]


class EngineIOServer:
    """AnswerBatch requests of aiohttp, ASGI and `HandshakeRouter`; its `registry` keeps the sockets that they open."""

    def __init__(self, options: Options, opened: Callable[[EngineIOSocket], Listener]) -> None:
        """`opened` is called with each new socket, and returns the listener for it."""
        self.options = options
        self.registry = SocketRegistry(options)
        self._opened = opened
        self.origins = OriginPolicy(options.allowed_origins)
        self.hosts = HostPolicy(options.allowed_hosts)
        self.proxies = Proxies(options.trusted_proxies)
        self.answers = AnswerBudget()
        # A handshake is the same for all but its id and its upgrades.
        self._handshake_end = (
            f'"pingInterval":{round(options.ping_seconds * 1000)},"pingTimeout":{round(options.ping_timeout * 1000)},'
            f'"maxPayload":{options.max_http_buffer_size}}}'
        )
        upgradable = options.allow_upgrades and "websocket" in options.transports
        self._upgrades = '["websocket"]' if upgradable else "[]"

    async def handle_aiohttp(self, request: Any) -> Any:  # noqa: ANN401 (aiohttp is not imported before it is used)
        """Serve one aiohttp request, whatever its path; returns the response."""
        from pychat.transports.socketio.engineio import host_aiohttp

        return await host_aiohttp.handle(self.serve, self.answers, request)

    async def handle_asgi(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI's)
        """Serve one ASGI `http` or `websocket` scope, whatever its path."""
        from pychat.transports.socketio.engineio import host_asgi

        await host_asgi.handle(self.serve, self.answers, scope, receive, send)

    def open_socket(self, request: PushingRequest) -> bool:
        """Open a socket on a new WebSocket that pushes what it reads; false where `serve` is to say why not."""
        remote = self.proxies.client(request.peer, request.header("x-forwarded-for"))
        host = self.proxies.host(request.peer, request.header("host"), request.header("x-forwarded-host"))
        allowed = "websocket" in self.options.transports and self.origins.allows(request.header("origin"), host)
        if not allowed or self._misdirected(request) is not None or self.registry.gate.refusal(remote) is not None:
            return False
        websocket = request.accept(remote, self.options.message_bytes, self.options.max_buffer_bytes)
        self.registry.websockets.add(websocket)
        websocket.reader = self._open(request, remote, websocket, request.answer)
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
            if self.options.cors_credentials:
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
        if query.transport not in self.options.transports:
            return refusal(400, UNKNOWN_TRANSPORT)
        if query.eio != "4":
            return refusal(400, BAD_VERSION)
        if query.jsonp or request.upgrade != (query.transport == "websocket"):
            return refusal(400, BAD_REQUEST)
        if not query.sid:
            if request.method != "GET":
                return refusal(400, BAD_METHOD)
            return await self._handshake(request, remote)
        socket = self.registry.sockets.get(query.sid) or self.registry.parting.get(query.sid)
        if socket is None or socket.closed:
            return self._goodbye(socket, request) if socket is not None else refusal(400, UNKNOWN_SID)
        if request.upgrade:
            return await self._upgrade(socket, request, remote)
        if socket.outbox is None:
            return refusal(400, BAD_REQUEST)
        if request.method == "GET":
            return await poll(socket, socket.outbox, request)
        if request.method == "POST":
            return await post(socket, request)
        reply = refusal(405, BAD_REQUEST)
        reply.headers.append(("Allow", "GET, POST, OPTIONS"))
        return reply

    def _goodbye(self, socket: EngineIOSocket, request: HostRequest) -> Reply:
        """A client of a closed socket asks again: give it what waits, and then the end of the socket, once.

        What it posts is dropped, but not refused: after a refusal it would not poll again, and so never know why.
        """
        outbox = socket.outbox
        if request.upgrade or outbox is None or outbox.finished():
            return refusal(400, UNKNOWN_SID)
        if request.method == "POST":
            return posted()
        if request.method != "GET" or outbox.poll is not None:
            return refusal(400, UNKNOWN_SID)
        body = outbox.take()
        if outbox.finished():
            self.registry.part(socket)
        return payload(body)

    async def _handshake(self, request: HostRequest, remote: str) -> Reply | WebSocketConnection:
        refused = self.registry.gate.refusal(remote)
        if refused is not None:
            return turned_away(refused)
        if request.upgrade:
            websocket = await self._accept(request, remote)
            socket = self._open(request, remote, websocket)
            try:
                await read(socket, websocket)
            finally:
                self.registry.released(socket, websocket)
            return websocket
        socket = self._open(request, remote, None)
        assert socket.outbox is not None  # noqa: S101 -- it polls
        reply = payload(socket.outbox.take())
        if self.options.cookie:
            reply.headers.append(("Set-Cookie", cookie(self.options.cookie, socket.sid)))
        return reply

    async def _upgrade(self, socket: EngineIOSocket, request: HostRequest, remote: str) -> Reply | WebSocketConnection:
        """Let a WebSocket take over from polling. Returns the WebSocket that has ended, or a refusal."""
        if self._upgrades == "[]":
            return refusal(400, BAD_REQUEST)
        websocket = await self._accept(request, remote)
        await upgrade(self.registry, socket, websocket)
        return websocket

    def _open(
        self, request: Opening, remote: str, websocket: Sender | None, send: Callable[[Frame], None] | None = None
    ) -> EngineIOSocket:
        """Open a socket. `send` sends the first frame, unless the socket does that itself."""
        socket = self.registry.add(remote, websocket)
        socket.environ = request.environ(remote)
        upgrades = self._upgrades if websocket is None else "[]"
        first = Frame(f'0{{"sid":"{socket.sid}","upgrades":{upgrades},{self._handshake_end}')
        (send or socket.send)(first)
        socket.listener = self._opened(socket)
        return socket

    async def _accept(self, request: HostRequest, remote: str) -> WebSocketConnection:
        """Accept a WebSocket, which `shutdown` waits for until it is `released`."""
        websocket = await request.accept(remote, self.options.message_bytes, self.options.max_buffer_bytes)
        self.registry.websockets.add(websocket)
        return websocket
