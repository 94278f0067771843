"""The Engine.IO server: handshakes, polls, posts, upgrades and heartbeats, as protocol document 4 says."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import Coroutine
from typing import Any, Protocol

import engineio

from pychat.carriers.bare import BareCarrier
from pychat.carriers.base import CLOSE_SECONDS, Carrier, CarrierClosed, Frame, Sender
from pychat.carriers.origin import OriginPolicy
from pychat.carriers.peer import Proxies
from pychat.errors import Close, UsageError
from pychat.tokens import Tokens
from pychat.transports.socketio.deadlines import Deadlines
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.packet import BadPacket
from pychat.transports.socketio.request import BodyTooLarge, HostRequest, Opening, PushingRequest, Reply
from pychat.transports.socketio.session import PING, PROBE, PROBE_PONG, UPGRADE, Session

__all__ = ["EngineServer", "Listener", "Query"]

_log = logging.getLogger("pychat.socketio")

# The error codes of Engine.IO's reference server.
_UNKNOWN_TRANSPORT = (0, "Transport unknown")
_UNKNOWN_SID = (1, "Session ID unknown")
_BAD_METHOD = (2, "Bad handshake method")
_BAD_REQUEST = (3, "Bad request")
_FORBIDDEN = (4, "Forbidden")
_BAD_VERSION = (5, "Unsupported protocol version")

#: After these a polling client that is between two polls is told with the next one; after the others its session
#: is unknown at once, as the protocol's test suite has it.
_TOLD = {Close.SHUTDOWN, Close.SLOW, Close.KICKED}

#: Bodies up to this size are compressed on the spot; larger ones in a thread, so that nobody else waits.
_COMPRESS_HERE = 32 * 1024


class Listener(Protocol):
    """What stands above Engine.IO. Nothing here awaits."""

    def opened(self, session: Session) -> None:
        """A handshake has succeeded."""

    def packet(self, session: Session, data: str | bytes) -> None:
        """A message has come. Raise `BadPacket` to have the connection closed."""

    def ended(self, session: Session, reason: str) -> None:
        """The session is over; call `forget` when everybody has been told."""


class Query:
    """The three parameters of a request that matter."""

    __slots__ = ("eio", "jsonp", "sid", "transport")

    def __init__(self, query: str) -> None:
        # Nothing that matters here is ever percent-encoded; the first of a name counts.
        values = dict(part.partition("=")[::2] for part in reversed(query.split("&")))
        self.transport = values.get("transport", "")
        self.eio = values.get("EIO", "")
        self.sid = values.get("sid", "")
        self.jsonp = "j" in values


def _error(status: int, error: tuple[int, str], retry_after: int | None = None) -> Reply:
    code, message = error
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return Reply(status, json.dumps({"code": code, "message": message}, separators=(",", ":")).encode(), headers)


class EngineServer(engineio.AsyncServer):
    """python-engineio's server with the parts replaced that face the network.

    Kept from the library: its options, its names and its place below `socketio.AsyncServer`. Replaced: how requests
    are answered, sessions, heartbeats and closing. No task is started for a connection beyond the host's own.
    """

    listener: Listener

    def __init__(self, *, options: Options, **kwargs: Any) -> None:  # noqa: ANN401 (the library's)
        origins = kwargs.pop("cors_allowed_origins", None)
        if callable(origins):
            raise UsageError("cors_allowed_origins takes origins here, no function; or use allowed_origins")
        super().__init__(**kwargs)
        self.options = options
        allowed: Any = options.allowed_origins
        if origins is not None:
            # The library's [] means "no checks at all".
            allowed = "*" if origins == [] else origins
        self.origins = OriginPolicy(allowed)
        self.proxies = Proxies(options.trusted_proxies)
        self.sockets: dict[str, Session] = {}
        self._parting: dict[str, Session] = {}
        self._carriers: set[Sender] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet: asyncio.Future[None] | None = None
        self._shutting_down = False
        self._connecting = Deadlines[Session](options.connect_timeout, self._never_connected)
        self._upgrading = Deadlines[Session](options.upgrade_timeout, self._never_upgraded)
        self._pings = Deadlines[Session](self.ping_interval + self.ping_interval_grace_period, self._ping)
        self._pongs = Deadlines[Session](self.ping_timeout, self._pong_late)
        self._partings = Deadlines[Session](CLOSE_SECONDS, self._part)

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
        from pychat.transports.socketio import host_aiohttp

        return await host_aiohttp.handle(self, request)

    async def handle_asgi(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI's)
        """Serve one ASGI `http` or `websocket` scope, whatever its path."""
        from pychat.transports.socketio import host_asgi

        await host_asgi.handle(self, scope, receive, send)

    async def send(self, sid: str, data: Any) -> None:  # noqa: ANN401 (the library's)
        """Send a message: text, bytes, or what becomes JSON."""
        session = self.sockets.get(sid)
        if session is None:
            return
        if isinstance(data, (bytes, bytearray)):
            session.send_bytes(bytes(data))
        else:
            session.send(Frame("4" + (data if isinstance(data, str) else json.dumps(data, allow_nan=False))))

    async def send_packet(self, sid: str, pkt: Any) -> None:  # noqa: ANN401 (the library's)
        """Send a packet of the library."""
        session = self.sockets.get(sid)
        if session is not None:
            encoded = pkt.encode()
            if isinstance(encoded, str):
                session.send(Frame(encoded))
            else:
                session.send_bytes(encoded)

    async def disconnect(self, sid: str | None = None) -> None:
        """Close one session, or all of them."""
        for session in list(self.sockets.values()) if sid is None else filter(None, [self.sockets.get(sid)]):
            session.close(Close.KICKED, self.reason.SERVER_DISCONNECT)

    def _get_socket(self, sid: str) -> Session:
        # The library refuses sessions that are closed; a `disconnect` handler may still read what it saved there.
        try:
            return self.sockets[sid]
        except KeyError:
            raise KeyError("Session not found") from None

    async def shutdown(self, deadline: float = CLOSE_SECONDS) -> None:
        """Close every session with `Close.SHUTDOWN` and let `disconnect` handlers run, for `deadline` seconds at most.

        From now on handshakes are answered 503. Connections that are stuck at the deadline are cut.
        """
        self._shutting_down = True
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline
        for session in list(self.sockets.values()):
            session.close(Close.SHUTDOWN, self.reason.SERVER_DISCONNECT)
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
        for wheel in (self._connecting, self._upgrading, self._pings, self._pongs, self._partings):
            wheel.clear()
        self._parting.clear()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1)

    # For the layer above.

    def generate_id(self) -> str:
        """A fresh session id that nobody can guess, as long as the library's: 120 random bits, URL-safe."""
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

    def connected(self, session: Session) -> None:
        """It is CONNECTed to a namespace: no deadline any more."""
        self._connecting.stop(session)

    def unconnected(self, session: Session) -> None:
        """It is CONNECTed to nothing (any more)."""
        if not session.closed:
            self._connecting.start(session)

    def ponged(self, session: Session) -> None:
        """The ping has been answered."""
        if self._pongs.stop(session):
            self._pings.start(session)

    def ended(self, session: Session, reason: str) -> None:
        """A session has closed itself."""
        for wheel in (self._connecting, self._upgrading, self._pings, self._pongs):
            wheel.stop(session)
        told_later = session.poll is None or session.outbox
        if session.last is not None and told_later and session.why in _TOLD:
            self._parting[session.sid] = session
            self._partings.start(session)
        self.listener.ended(session, reason)

    def forget(self, session: Session) -> None:
        """Everybody has been told that it is over."""
        self.sockets.pop(session.sid, None)

    def _less(self) -> None:
        if self._quiet is not None and not self._quiet.done() and not (self._carriers or self._tasks or self._parting):
            self._quiet.set_result(None)

    # Deadlines.

    def _ping(self, session: Session) -> None:
        session.alive = False
        self._pongs.start(session)
        session.send(PING)

    def _pong_late(self, session: Session) -> None:
        # A pong may wait unread behind messages: when something came since the ping, or while its socket
        # is not being read for its handlers' sake, the client is no dead one.
        if session.alive or session.room is not None:
            session.alive = False
            self._pongs.start(session)
            return
        session.close(Close.TIMEOUT, self.reason.PING_TIMEOUT)

    def _never_connected(self, session: Session) -> None:
        session.close(Close.TIMEOUT, self.reason.TRANSPORT_CLOSE)

    def _never_upgraded(self, session: Session) -> None:
        if session.probe is not None:
            session.probe.close(1000)

    def _part(self, session: Session) -> None:
        self._parting.pop(session.sid, None)
        self._less()

    # Requests.

    def open_socket(self, request: PushingRequest) -> bool:
        """Open a session on a new WebSocket that pushes what it reads; false where `serve` is to say why not."""
        remote = self.proxies.client(request.peer, request.header("x-forwarded-for"))
        host = self.proxies.host(request.peer, request.header("host"), request.header("x-forwarded-host"))
        allowed = "websocket" in self.transports and self.origins.allows(request.header("origin"), host)
        if not allowed or self._refusal() is not None:
            return False
        carrier = request.accept(remote, self.max_http_buffer_size, self.options.max_buffer_bytes)
        self._carriers.add(carrier)
        carrier.reader = _Pushed(self, self._open(request, remote, carrier), carrier)
        return True

    async def serve(self, request: HostRequest) -> Reply | Carrier:
        """Serve one request: an answer, or the WebSocket that has ended."""
        remote = self.proxies.client(request.peer, request.header("x-forwarded-for"))
        host = self.proxies.host(request.peer, request.header("host"), request.header("x-forwarded-host"))
        origin = request.header("origin")
        if not self.origins.allows(origin, host):
            return _error(403, _FORBIDDEN)
        reply = await self._route(request, remote)
        if isinstance(reply, Reply) and origin is not None:
            reply.headers += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
            if self.cors_credentials:
                reply.headers.append(("Access-Control-Allow-Credentials", "true"))
        return reply

    async def _route(self, request: HostRequest, remote: str) -> Reply | Carrier:
        if request.method == "OPTIONS":
            asked = request.header("access-control-request-headers")
            headers = [("Access-Control-Allow-Methods", "GET, POST, OPTIONS"), ("Access-Control-Max-Age", "600")]
            return Reply(204, b"", headers + ([("Access-Control-Allow-Headers", asked)] if asked else []))
        query = Query(request.query)
        if query.transport not in self.transports:
            return _error(400, _UNKNOWN_TRANSPORT)
        if query.eio != "4":
            return _error(400, _BAD_VERSION)
        if query.jsonp or request.upgrade != (query.transport == "websocket"):
            return _error(400, _BAD_REQUEST)
        if not query.sid:
            if request.method != "GET":
                return _error(400, _BAD_METHOD)
            return await self._handshake(request, remote)
        session = self.sockets.get(query.sid) or self._parting.get(query.sid)
        if session is None or session.closed:
            return self._goodbye(session, request) if session is not None else _error(400, _UNKNOWN_SID)
        if request.upgrade:
            return await self._upgrade(session, request, remote)
        if session.carrier is not None:
            return _error(400, _BAD_REQUEST)
        if request.method == "GET":
            return await self._poll(session, request)
        if request.method == "POST":
            return await self._post(session, request)
        reply = _error(405, _BAD_REQUEST)
        reply.headers.append(("Allow", "GET, POST, OPTIONS"))
        return reply

    def _goodbye(self, session: Session, request: HostRequest) -> Reply:
        """A closed session's client asks again: once it is told how it ended."""
        if request.method != "GET" or request.upgrade or session.told() or session.poll is not None:
            return _error(400, _UNKNOWN_SID)
        body = session.take()
        if session.told():
            self._partings.stop(session)
            self._part(session)
        return self._payload(body)

    def _refusal(self) -> Reply | None:
        if self._shutting_down:
            return _error(503, (_BAD_REQUEST[0], "The server is going away"), retry_after=5)
        if len(self.sockets) >= self.options.max_connections:
            return _error(503, (_BAD_REQUEST[0], Close.FULL.text), retry_after=10)
        if len(self._connecting) >= self.options.max_pending:
            return _error(429, (_BAD_REQUEST[0], "Too many are connecting at once"), retry_after=2)
        return None

    async def _handshake(self, request: HostRequest, remote: str) -> Reply | Carrier:
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        if request.upgrade:
            carrier = await self._accept(request, remote)
            session = self._open(request, remote, carrier)
            try:
                await self._read(session, carrier)
            finally:
                self._released(session, carrier)
            return carrier
        session = self._open(request, remote, None)
        reply = self._payload(session.take())
        if self.cookie:
            attributes = {"path": "/", "SameSite": "Lax"}
            attributes.update(self.cookie if isinstance(self.cookie, dict) else {"name": self.cookie})
            reply.headers.append(("Set-Cookie", self._generate_sid_cookie(session.sid, attributes)))
        return reply

    def _open(self, request: Opening, remote: str, carrier: Sender | None) -> Session:
        sid = self.generate_id()
        session = Session(self, sid, remote)
        session.environ = request.environ(remote)
        self.sockets[sid] = session
        self._connecting.start(session)
        self._pings.start(session)
        if carrier is not None:
            session.adopt(carrier)
        upgrades = '["websocket"]' if carrier is None and self._upgradable() else "[]"
        session.send(
            Frame(
                f'0{{"sid":"{sid}","upgrades":{upgrades},"pingInterval":{round(self._pings.seconds * 1000)},'
                f'"pingTimeout":{round(self.ping_timeout * 1000)},"maxPayload":{self.max_http_buffer_size}}}'
            )
        )
        self.listener.opened(session)
        return session

    def _upgradable(self) -> bool:
        return bool(self.allow_upgrades) and "websocket" in self.transports

    async def _accept(self, request: HostRequest, remote: str) -> Carrier:
        carrier = await request.accept(remote, self.max_http_buffer_size, self.options.max_buffer_bytes)
        self._carriers.add(carrier)
        return carrier

    def _released(self, session: Session | None, carrier: Sender) -> None:
        """The host is done with this WebSocket, however that came."""
        if session is not None:
            session.close(None, self.reason.TRANSPORT_CLOSE)
        self._carriers.discard(carrier)
        self._less()

    async def _read(self, session: Session, carrier: Carrier) -> None:
        """Read a session's WebSocket until it has ended."""
        try:
            while True:
                session.receive(await carrier.receive())
                if session.inbox_bytes > self.options.max_queue_bytes:
                    await self._wait_for_room(session)
        except CarrierClosed as end:
            session.end_code = end.code
            session.close(None, self.reason.TRANSPORT_CLOSE)
            return
        except BadPacket as problem:
            self._complain(session, problem)
        await _drain(carrier)

    def _complain(self, session: Session, problem: BadPacket) -> None:
        _log.info("%s: %s; the connection is closed", session.remote, problem)
        session.close(Close.BAD_FRAME, self.reason.TRANSPORT_ERROR)

    async def _wait_for_room(self, session: Session) -> None:
        """Leave the client's socket alone until its handlers have caught up."""
        while session.inbox_bytes > self.options.max_queue_bytes and not session.closed:
            session.room = asyncio.get_running_loop().create_future()
            try:
                await session.room
            finally:
                session.room = None

    async def _upgrade(self, session: Session, request: HostRequest, remote: str) -> Reply | Carrier:
        if not self._upgradable():
            return _error(400, _BAD_REQUEST)
        carrier = await self._accept(request, remote)
        mine = False
        try:
            if session.closed or session.carrier is not None or session.probe is not None:
                # One WebSocket a session; the session itself goes on.
                carrier.close(1000)
            else:
                session.probe = carrier
                self._upgrading.start(session)
                mine = await self._probe(session, carrier)
                self._upgrading.stop(session)
            if mine:
                await self._read(session, carrier)
            else:
                await _drain(carrier)
        finally:
            if session.probe is carrier:
                session.probe = None
                session.probed = False
            self._released(session if mine else None, carrier)
        return carrier

    async def _probe(self, session: Session, carrier: Carrier) -> bool:
        """Let a WebSocket show that it works; whether it carries the session now."""
        works = False
        try:
            data = await carrier.receive()
            while data == PROBE:
                works = session.probed = True
                carrier.send(PROBE_PONG)
                session.wake()
                data = await carrier.receive()
            works = works and data == UPGRADE
        except CarrierClosed:
            works = False
        finally:
            session.probed = False
        if works and not session.closed:
            session.adopt(carrier)
            return True
        session.probe = None
        carrier.close(1000)
        return False

    async def _poll(self, session: Session, request: HostRequest) -> Reply:
        if session.poll is not None:
            session.close(Close.BAD_FRAME, self.reason.TRANSPORT_ERROR)
            return _error(400, _BAD_REQUEST)
        if not session.outbox and not session.probed:
            session.poll = asyncio.get_running_loop().create_future()
            here = False
            try:
                here = await request.hold(session.poll)
            finally:
                session.poll = None
                if not here:
                    # It went with its request open; whoever it is, nothing more will be fetched.
                    session.close(None, self.reason.TRANSPORT_CLOSE)
            if not here:
                return _error(400, _UNKNOWN_SID)
        return await self._compressed(session.take(), request)

    async def _post(self, session: Session, request: HostRequest) -> Reply:
        if session.posting or (request.header("content-type") or "").startswith("application/octet-stream"):
            session.close(Close.BAD_FRAME, self.reason.TRANSPORT_ERROR)
            return _error(400, _BAD_REQUEST)
        session.posting = True
        try:
            async with asyncio.timeout(self._pings.seconds + self.ping_timeout):
                body = await request.body(self.max_http_buffer_size)
            session.receive_payload(body.decode())
            if session.inbox_bytes > self.options.max_queue_bytes:
                await self._wait_for_room(session)
        except BodyTooLarge:
            session.close(Close.TOO_LARGE, self.reason.TRANSPORT_ERROR)
            return _error(413, (_BAD_REQUEST[0], Close.TOO_LARGE.text))
        except (BadPacket, UnicodeDecodeError) as problem:
            self._complain(session, BadPacket(str(problem)))
            return _error(400, _BAD_REQUEST)
        except (TimeoutError, ConnectionError):
            session.close(None, self.reason.TRANSPORT_CLOSE)
            return _error(400, _BAD_REQUEST)
        finally:
            session.posting = False
        return Reply(200, b"ok", [("Content-Type", "text/plain; charset=UTF-8"), ("Cache-Control", "no-store")])

    def _payload(self, text: str) -> Reply:
        headers = [("Content-Type", "text/plain; charset=UTF-8"), ("Cache-Control", "no-store")]
        return Reply(200, text.encode(), headers)

    async def _compressed(self, text: str, request: HostRequest) -> Reply:
        reply = self._payload(text)
        if not self.http_compression or len(reply.body) < self.compression_threshold:
            return reply
        accepted = {part.partition(";")[0].strip() for part in (request.header("accept-encoding") or "").split(",")}
        name = "gzip" if "gzip" in accepted else "deflate" if "deflate" in accepted else None
        if name is None:
            return reply
        if len(reply.body) <= _COMPRESS_HERE:
            reply.body = _compress(name, reply.body)
        else:
            reply.body = await asyncio.to_thread(_compress, name, reply.body)
        reply.headers += [("Content-Encoding", name), ("Vary", "Accept-Encoding")]
        return reply


class _Pushed:
    """Gives a session what its WebSocket pushes."""

    __slots__ = ("_carrier", "_server", "_session")

    def __init__(self, server: EngineServer, session: Session, carrier: BareCarrier) -> None:
        self._server = server
        self._session = session
        self._carrier = carrier

    def received(self, data: str | bytes) -> None:
        session = self._session
        try:
            session.receive(data)
        except BadPacket as problem:
            self._server._complain(session, problem)
        else:
            if session.inbox_bytes > self._server.options.max_queue_bytes and session.room is None:
                self._wait_for_room()

    def ended(self, code: int | None) -> None:
        self._session.end_code = code
        self._server._released(self._session, self._carrier)

    def _wait_for_room(self) -> None:
        """Leave the client's socket alone until its handlers have caught up."""
        self._carrier.pause()
        self._session.room = asyncio.get_running_loop().create_future()
        self._session.room.add_done_callback(self._look_for_room)

    def _look_for_room(self, _: asyncio.Future[None]) -> None:
        session = self._session
        session.room = None
        if session.inbox_bytes > self._server.options.max_queue_bytes and not session.closed:
            self._wait_for_room()
        else:
            self._carrier.resume()


def _compress(name: str, body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0) if name == "gzip" else zlib.compress(body, 1)


async def _drain(carrier: Carrier) -> None:
    """Let a closing be finished; its deadline is the carrier's."""
    try:
        while True:
            await carrier.receive()
    except CarrierClosed:
        return
