"""The Socket.IO server: python-socketio's, with strict packets, one client's events in order, and closings that end."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import logging
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import socketio
import socketio.exceptions
import socketio.packet

from pychat.domain import strictjson
from pychat.domain.errors import Close, UsageError
from pychat.net.websocket.connection import CLOSE_SECONDS, Frame
from pychat.transports.socketio.client import SocketIOClient, SocketIOSession, encode_event, encode_packet
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.engineio.server import EngineIOServer
from pychat.transports.socketio.engineio.socket import EngineIOSocket
from pychat.transports.socketio.manager import Manager
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.packet import Packet, Undecoded

__all__ = ["Server", "TurnedAway"]

_log = logging.getLogger("pychat.socketio")
#: At INFO the libraries write a line for each message; ask for it by this name.
_library_log = logging.getLogger("pychat.socketio.library")
if _library_log.level == logging.NOTSET:
    _library_log.setLevel(logging.WARNING)

_CONNECT = socketio.packet.CONNECT
_DISCONNECT = socketio.packet.DISCONNECT
_CONNECT_ERROR = socketio.packet.CONNECT_ERROR
_ACK = socketio.packet.ACK
_ACKS = {socketio.packet.ACK, socketio.packet.BINARY_ACK}
#: Namespaces of one client: those it is connected to, and those that it was refused.
_MAX_NAMESPACES = 100
#: Events of one client that are handled in one turn of the event loop, where no handler waits; then others are served.
_EVENTS_A_TURN = 16
#: Closed with one of these, a client has sent what is not to be taken: what it sent before is not handled any more.
_DROPPED = {Close.BAD_FRAME, Close.TOO_LARGE, Close.KICKED}
_OPTION_NAMES = frozenset(field.name for field in dataclasses.fields(Options))


@lru_cache(maxsize=256)
def _takes(handler: Callable[..., object], count: int) -> bool:
    """Whether a handler can be called with so many arguments."""
    try:
        inspect.signature(handler).bind(*range(count))
    except TypeError:
        return False
    return True


class TurnedAway(Exception):
    """Raised in a `connect` handler to close the transport: clients take it for a drop, and come back by themselves.

    A CONNECT_ERROR, as `ConnectionRefusedError` makes one, is final for npm's client. With `told`, CONNECT is answered
    first, and this event goes out.
    """

    def __init__(self, why: Close, told: tuple[str, dict[str, Any]] | None = None) -> None:
        super().__init__(why.text)
        self.why = why
        self.told = told


class Server(socketio.AsyncServer):
    """A drop-in for `socketio.AsyncServer`, for aiohttp and ASGI alike (Engine.IO 4, Socket.IO 5).

    Takes the options that python-socketio documents, and those of `Options` by name. What differs, on purpose:
    one client's handlers run one at a time and in order; a `connect` handler may return a dict, whose keys travel
    beside `sid` in the answer to CONNECT; what is sent to a client before that answer travels right after
    it; JSON is strict. Not taken: `json=`, JSONP, and Engine.IO 3. Raises `UsageError` for options that cannot be.
    """

    eio: EngineIOServer
    manager: Manager
    manager_initialized: bool
    #: Events of the namespace `/` that have their handlers for good: a second one would silently replace the first.
    taken: frozenset[str] = frozenset()

    def __init__(
        self,
        client_manager: Manager | None = None,
        *,
        async_mode: str = "asgi",
        logger: Any = None,  # noqa: ANN401 (the library's)
        engineio_logger: Any = None,  # noqa: ANN401 (the library's)
        **kwargs: Any,  # noqa: ANN401 (the library's)
    ) -> None:
        if client_manager is not None and not isinstance(client_manager, Manager):
            raise UsageError(
                f"client_manager: derive a class from ({type(client_manager).__name__}, Manager) and pass one of those"
            )
        if "json" in kwargs or "serializer" in kwargs:
            raise UsageError("json, serializer: this server speaks strict JSON only")
        if async_mode not in {"aiohttp", "asgi"}:
            raise UsageError('async_mode is "aiohttp" or "asgi"')
        kwargs.pop("async_handlers", None)
        options = Options(**{name: kwargs.pop(name) for name in list(kwargs) if name in _OPTION_NAMES})
        super().__init__(
            client_manager=client_manager or Manager(),
            logger=_library_log if logger is None else logger,
            engineio_logger=_library_log if engineio_logger is None else engineio_logger,
            serializer=Packet,
            async_mode=async_mode,
            options=options,
            **kwargs,
        )
        self.options = options
        self.eio.serve_to(self, SocketIOSession)

    def _engineio_server_class(self) -> type[EngineIOServer]:
        return EngineIOServer

    def on(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:  # noqa: ANN401 (the library's)
        """Register a handler for an event, as a method or a decorator. Raise `UsageError` for an event of the chat."""
        if event in self.taken and namespace in (None, "/"):
            names = ", ".join(sorted(self.taken))
            raise UsageError(
                f"The event “{event}” is the chat's own. Take another name, or a namespace of yours: "
                f'server.on("{event}", namespace="/yours"). Taken are: {names}.'
            )
        return super().on(event, handler, namespace)

    # For hosts and for the chat.

    async def handle_aiohttp(self, request: Any) -> Any:  # noqa: ANN401 (aiohttp is not imported before it is used)
        """Serve one aiohttp request, whatever its path; returns the response."""
        return await self.eio.handle_aiohttp(request)

    async def handle_asgi(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI's)
        """Serve one ASGI `http` or `websocket` scope, whatever its path."""
        await self.eio.handle_asgi(scope, receive, send)

    def client(self, sid: str, namespace: str = "/") -> SocketIOClient:
        """The handle of a client, from its `connect` handler to its `disconnect` handler. Raises `KeyError`."""
        client = self.manager.client(sid, namespace)
        if client is None:
            raise KeyError(sid)
        return client

    def wire(self, sid: str, namespace: str = "/") -> SocketIOClient:
        """Do what `client` does. Deprecated: use `client`."""
        warnings.warn("Server.wire() is now Server.client()", DeprecationWarning, stacklevel=2)
        return self.client(sid, namespace)

    def drop_environ(self, sid: str) -> None:
        """Forget the request with which a client connected; from now on its environ is empty."""
        session = self.client(sid).session
        session.environ = self.environ[session.sid] = {}

    async def shutdown(self, deadline: float = CLOSE_SECONDS) -> None:
        """Tell everybody and close all with `Close.SHUTDOWN`; returns within `deadline` seconds, stuck or not.

        Clients see a transport that was lost, and reconnect by themselves.
        """
        await self.eio.shutdown(deadline)

    def reopen(self) -> None:
        """Begin anew, with nobody connected: after `shutdown`, or where the event loop before has ended."""
        self.environ.clear()
        self.manager.rooms.clear()
        self.manager.callbacks.clear()
        self.eio.reopen()

    # What the Engine.IO layer calls (`Listener`).

    def opened(self, session: SocketIOSession) -> None:
        """A session has begun."""
        if not self.manager_initialized:
            self.manager_initialized = True
            self.manager.initialize()
        self.environ[session.sid] = session.environ

    def message(self, session: SocketIOSession, data: str | bytes) -> None:
        """Take a message: acknowledgements at once, everything else in order, one at a time."""
        packet = session.half_packet
        if packet is None:
            packet = Undecoded(data)
        else:
            packet.attach(data, self.eio.max_message_bytes)
        if not packet.complete:
            if session.half_packet is None:
                session.half_packet = packet
                self.eio.halves.start(session)
            return
        if session.half_packet is not None:
            session.half_packet = None
            self.eio.halves.stop(session)
        if packet.kind != _CONNECT and not session.greeted and not session.left:
            raise BadPacket("A packet for a namespace that was not connected to")
        if packet.kind == _CONNECT:
            session.greeted = True
            said, most = packet.payload or "", self.options.max_auth_bytes
            if len(said) > most or len(said.encode(errors="surrogatepass")) > most:
                packet.drop_payload()
        elif packet.kind in _ACKS:
            self._acknowledged(session, packet)
            return
        session.inbox.append(packet)
        session.inbox_bytes += packet.size
        self._work_on(session)

    def _acknowledged(self, session: SocketIOSession, text: Undecoded) -> None:
        """Take an acknowledgement. One that nobody waits for is not even read."""
        client = self._client_of(session, text.namespace)
        if text.id is None or not (text.payload or "").startswith("["):
            raise BadPacket("A packet without the payload that its type takes")
        if client is not None and text.id in self.manager.callbacks.get(client.sid, ()):
            packet = self._decode(text)
            self.eio.spawn(self.manager.trigger_callback(client.sid, packet.id, packet.data))

    def _decode(self, text: Undecoded) -> Packet:
        packet = Packet.of(text)
        if packet.half_characters and self.options.lone_surrogates == "close":
            raise BadPacket("A text holds half a character (a lone surrogate)")
        return packet

    def ended(self, session: SocketIOSession, reason: str) -> None:
        """A session is over: what it sent before is handled first, unless it is to be dropped."""
        session.half_packet = None
        session.reason = reason
        self._work_on(session)

    # One client's events, in order.

    def _work_on(self, session: SocketIOSession) -> None:
        if not session.working:
            session.working = True
            self.eio.spawn(self._work(session))

    async def _work(self, session: SocketIOSession) -> None:
        """Handle what has gathered, then end: a task lives for a burst of events, not for a connection."""
        me = asyncio.current_task()
        handled = 0
        try:
            # The library swallows a cancellation that meets a handler; the next handler must not run after it.
            while (session.inbox or session.reason is not None) and not (me is not None and me.cancelling()):
                batch, session.inbox = session.inbox, []
                batch.reverse()  # the end of a list is the cheap one to take from
                while batch and session.why not in _DROPPED:
                    if me is not None and me.cancelling():
                        return
                    if session.outbox:
                        await session.wait_for_reader(self.options.max_buffer_bytes // 4)
                    text = batch.pop()
                    await self._work_off(session, text)
                    handled += 1
                    if text.kind == _CONNECT or not handled % _EVENTS_A_TURN:
                        await asyncio.sleep(0)
                if session.reason is not None and not session.inbox:
                    reason, session.reason = session.reason, None
                    await self._end(session, reason)
        finally:
            session.working = False

    async def _work_off(self, session: SocketIOSession, text: Undecoded) -> None:
        packet: Packet | None = None
        try:
            packet = self._decode(text) if text.payload is not None else None
            await self._handle(session, text, packet)
        except BadPacket as problem:
            session.complain(problem)
        except Exception:
            data = None if packet is None else packet.data
            _log.exception("A handler of %r failed", data[0] if isinstance(data, list) else "connect")
        finally:
            session.inbox_bytes -= text.size
            session.make_room()

    async def _end(self, session: SocketIOSession, reason: str) -> None:
        try:
            for client in list(session.clients.values()):
                await self._leave(client, reason)
        finally:
            self.environ.pop(session.sid, None)
            self.eio.forget(session)

    async def _handle(self, session: SocketIOSession, text: Undecoded, packet: Packet | None) -> None:
        namespace = text.namespace or "/"
        if packet is None:
            most = self.options.max_auth_bytes
            told = f"What is said when connecting (auth) can have {most} bytes at most; send less"
            self._refuse(session, namespace, {"message": told})
            return
        if packet.packet_type == _CONNECT:
            if not session.closed:
                await self._connect(session, namespace, packet.data)
            return
        client = self._client_of(session, text.namespace)
        if client is None:
            return
        if packet.packet_type == _DISCONNECT:
            await self._leave(client, self.reason.CLIENT_DISCONNECT)
            return
        data: Any = packet.data
        event, *args = data
        client.asked = packet.id
        answer = await self._trigger_event(event, namespace, client.sid, *args)
        if packet.id is not None and answer is not self.not_handled:
            values = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
            self._send_to(session, Packet(_ACK, values, namespace, packet.id))

    def _client_of(self, session: SocketIOSession, namespace: str | None) -> SocketIOClient | None:
        """The client a packet is from; None for one that we have just sent away and that does not know it yet."""
        namespace = namespace or "/"
        client = session.clients.get(namespace)
        if client is not None and client.connected:
            return client
        if client is None and namespace not in session.left and not session.closed:
            raise BadPacket("A packet for a namespace that was not connected to")
        return None

    async def _connect(self, session: SocketIOSession, namespace: str, auth: dict[str, Any] | None) -> None:
        session.count_connect()
        if not self._serves(namespace):
            self._refuse(session, namespace, {"message": "Invalid namespace"})
            return
        sid = await self.manager.pre_connect(session.sid, namespace)
        if sid is None or len(session.clients) > _MAX_NAMESPACES:
            raise BadPacket("A second CONNECT to the same namespace, or too many namespaces")
        client = self.client(sid, namespace)
        client.auth = auth
        if self.always_connect:
            self._send_to(session, Packet(_CONNECT, {"sid": sid}, namespace))
            await self.manager.connect(sid, namespace)
        refusal: Any = socketio.exceptions.ConnectionRefusedError().error_args
        answer: Any = False
        try:
            answer = await self._ask(namespace, sid, self.environ[session.sid], auth or None)
        except socketio.exceptions.ConnectionRefusedError as problem:
            refusal = problem.error_args
        except ConnectionRefusedError:
            refusal = {"message": "Connection refused by server"}
        except TurnedAway as away:
            await self.manager.disconnect(sid, namespace, ignore_queue=True)
            if away.told is not None:
                self._send_to(session, Packet(_CONNECT, {"sid": sid}, namespace))
                session.send(encode_event(*away.told, namespace=namespace))
            session.close(away.why, self.reason.SERVER_DISCONNECT)
            return
        except Exception:
            _log.exception("A handler of 'connect' failed")
            refusal = {"message": "The server failed at this; it is logged there"}
        finally:
            # The handler has seen them. Nobody keeps a megabyte by connecting with it.
            client.auth = auth = None
        if answer is False:
            await self.manager.disconnect(sid, namespace, ignore_queue=True)
            if self.always_connect:
                session.left |= {namespace}
                self._send_to(session, Packet(_DISCONNECT, namespace=namespace))
            else:
                self._refuse(session, namespace, refusal)
            return
        self.eio.connected(session)
        if not self.always_connect:
            told = {**answer, "sid": sid} if isinstance(answer, dict) else {"sid": sid}
            space = "" if namespace == "/" else f"{namespace},"
            session.send(Frame(f"4{_CONNECT}{space}{strictjson.dumps(told)}"))
            # This lets go what was sent to the client before the answer.
            await self.manager.connect(sid, namespace)

    def _serves(self, namespace: str) -> bool:
        return (
            namespace in self.handlers
            or namespace in self.namespace_handlers
            or self.namespaces == "*"
            or namespace in self.namespaces
        ) and namespace != "*"

    def _refuse(self, session: SocketIOSession, namespace: str, refusal: Any) -> None:  # noqa: ANN401 (JSON)
        session.left |= {namespace}
        if len(session.left) > _MAX_NAMESPACES:
            raise BadPacket("Too many namespaces")
        if not session.clients:
            session.greeted = False
            session.count_early()
        self._send_to(session, Packet(_CONNECT_ERROR, refusal, namespace))

    async def _ask(self, namespace: str, sid: str, environ: dict[str, Any], auth: object) -> Any:  # noqa: ANN401
        """Run the `connect` handler, with `auth` if it takes that."""
        handler, args = self._get_event_handler("connect", namespace, (sid, environ, auth))
        if handler is None:
            above, args = self._get_namespace_handler(namespace, (sid, environ, auth))
            handler = getattr(above, "on_connect", None)
        takes_auth = handler is None or _takes(handler, len(args))
        return await self._trigger_event("connect", namespace, sid, environ, *([auth] if takes_auth else []))

    def _get_event_handler(self, event: str, namespace: str, args: Any) -> tuple[Any, Any]:  # noqa: ANN401
        # A client may call its event "*": that is a name like any other, not the handler of all of them.
        if event == "*":
            for space, extra in ((namespace, (event,)), ("*", (event, namespace))):
                handler = self.handlers.get(space, {}).get("*")
                if handler is not None:
                    return handler, (*extra, *args)
            return None, args
        found: tuple[Any, Any] = super()._get_event_handler(event, namespace, args)
        return found

    async def _leave(self, client: SocketIOClient, reason: str) -> None:
        """Run the `disconnect` handler once; whatever it does, the client is gone afterwards."""
        if not client.connected:
            return
        self.manager.pre_disconnect(client.sid, client.namespace)
        client.session.count_leave()
        try:
            await self._trigger_event("disconnect", client.namespace, client.sid, reason)
        except Exception:
            _log.exception("A handler of 'disconnect' failed")
        finally:
            await self.manager.disconnect(client.sid, client.namespace, ignore_queue=True)
            if not client.session.clients:
                self.eio.unconnected(client.session)

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:  # noqa: FBT002
        """Send a client out of a namespace (a DISCONNECT packet): it will not come back by itself.

        To close a connection that may come back, use `client(sid).close(why)`.
        """
        namespace = namespace or "/"
        if ignore_queue:
            here = self.manager.is_connected(sid, namespace)
        else:
            here = await self.manager.can_disconnect(sid, namespace)
        client = self.manager.client(sid, namespace)
        if here and client is not None and client.connected:
            client.session.left |= {namespace}
            client.send(encode_packet(Packet(_DISCONNECT, namespace=namespace))[0])
            await self._leave(client, self.reason.SERVER_DISCONNECT)

    # Sending, by the library's names.

    @staticmethod
    def _send_to(session: EngineIOSocket, packet: Packet) -> None:
        frame, attachments = encode_packet(packet)
        session.send(frame)
        for attachment in attachments:
            session.send_bytes(attachment)

    async def _send_packet(self, eio_sid: str, pkt: Packet) -> None:
        session = self.eio.sockets.get(eio_sid)
        if session is not None:
            self._send_to(session, pkt)

    async def _send_eio_packet(self, eio_sid: str, eio_pkt: Any) -> None:  # noqa: ANN401 (the library's)
        session = self.eio.sockets.get(eio_sid)
        if session is not None:
            session.send(Frame(eio_pkt.encode()))
