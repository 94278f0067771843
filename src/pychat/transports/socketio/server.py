"""The Socket.IO server: handles packets (protocol 5). `adapter` gives it the API of python-socketio."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from socketio.exceptions import ConnectionRefusedError as Declined

from pychat.domain import strictjson
from pychat.domain.errors import Close
from pychat.net.deadlines import Deadlines
from pychat.net.websocket.frames import Frame
from pychat.transports.socketio.client import SocketIOClient, encode_event
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.engineio.server import EngineIOServer
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Reason
from pychat.transports.socketio.handlers import NOT_HANDLED, Handlers
from pychat.transports.socketio.namespaces import Namespaces
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, Packet, encode
from pychat.transports.socketio.session import PlainHandler, SocketIOSession

__all__ = ["Acknowledgements", "SocketIOServer", "TurnedAway"]

_log = logging.getLogger("pychat.socketio")

#: Namespaces of one client: those it is connected to, and those that it was refused.
_MAX_NAMESPACES = 100


class TurnedAway(Exception):
    """Raised in a `connect` handler to close the transport: clients take it for a drop, and come back by themselves.

    A CONNECT_ERROR, as `ConnectionRefusedError` makes one, is final for npm's client. An `event` is sent before the
    transport closes, behind the answer to CONNECT.
    """

    def __init__(self, why: Close, event: tuple[str, dict[str, Any]] | None = None) -> None:
        super().__init__(why.text)
        self.why = why
        self.event = event


class Acknowledgements(Protocol):
    """Callbacks for what clients were asked."""

    def begin(self) -> None:
        """The first client connects."""

    def expects(self, sid: str, number: int) -> bool:
        """Whether a callback waits for this answer."""

    async def answered(self, sid: str, number: int, values: list[Any]) -> None:
        """Call the callback."""

    def forget(self, sid: str) -> None:
        """The client has gone."""


class SocketIOServer:
    """Connects clients to namespaces, and calls the handlers of an application with their events."""

    def __init__(
        self,
        options: Options,
        acknowledgements: Acknowledgements,
        namespaces: Sequence[str] | Literal["*"] = ("/",),
        *,
        always_connect: bool = False,
    ) -> None:
        """`namespaces` are accepted beside those with handlers. `always_connect` answers CONNECT before the handler."""
        self.options = options
        self.max_unread_bytes = options.max_buffer_bytes // 4
        self.surrogates = options.lone_surrogates == "pass"
        self.handlers = Handlers()
        #: By event of the namespace `/`, or `"*"`; they come before `handlers`. `SocketIOTransport` fills this.
        self.plain_handlers: dict[str, PlainHandler] = {}
        self.namespaces = Namespaces()
        self.eio = EngineIOServer(options, self._opened)
        self.half_received = Deadlines[SocketIOSession](options.attachment_timeout, self._never_whole)
        self._acknowledgements = acknowledgements
        self._accepted = namespaces
        self._always_connect = always_connect
        self._begun = False

    def _opened(self, socket: EngineIOSocket) -> SocketIOSession:
        if not self._begun:
            self._begun = True
            self._acknowledgements.begin()
        return SocketIOSession(self, socket)

    async def shutdown(self, deadline: float) -> None:
        """Tell everybody and close all with `Close.SHUTDOWN`; returns within `deadline` seconds, stuck or not."""
        await self.eio.registry.shutdown(deadline)
        self.half_received.clear()

    def reopen(self) -> None:
        """Begin anew, with nobody connected: after `shutdown`, or where the event loop before has ended."""
        self.half_received.clear()
        self.namespaces.rooms.clear()
        self.eio.registry.reopen()

    # What a session calls (`PacketHandler`).

    def work(self, session: SocketIOSession) -> None:
        """Handle the packets of a session in a task."""
        self.eio.registry.spawn(session.handle_packets())

    def acknowledged(self, session: SocketIOSession, packet: Packet) -> None:
        """Take an acknowledgement. One that nobody waits for is not even read."""
        client = session.client_of(packet.namespace)
        if packet.id is None or not (packet.payload or "").startswith("["):
            raise BadPacket("A packet without the payload that its type takes")
        if client is not None and self._acknowledgements.expects(client.sid, packet.id):
            values = packet.decode(surrogates=self.surrogates)
            self.eio.registry.spawn(self._acknowledgements.answered(client.sid, packet.id, values))

    async def handle(self, session: SocketIOSession, packet: Packet) -> None:
        """Handle a packet. Raises `BadPacket`, and what the handler of an event raises."""
        if packet.payload is None:
            limit = self.options.max_auth_bytes
            text = f"What is said when connecting (auth) can have {limit} bytes at most; send less"
            self._refuse(session, packet.namespace, {"message": text})
            return
        data = packet.decode(surrogates=self.surrogates)
        if packet.kind == CONNECT:
            if not session.socket.closed:
                await self._connect(session, packet.namespace, data)
            return
        client = session.client_of(packet.namespace)
        if client is None:
            return
        if packet.kind == DISCONNECT:
            await self._leave(client, Reason.CLIENT_DISCONNECT)
            return
        event, *args = data
        take = self._plain_handler(event) if packet.namespace == "/" else None
        if take is not None:
            take(client, event, args, packet.id)
            return
        answer = await self.handlers.call(event, packet.namespace, client.sid, *args)
        if packet.id is not None and answer is not NOT_HANDLED:
            values = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
            _send(session, ACK, values, packet.namespace, packet.id)

    def _plain_handler(self, event: str) -> PlainHandler | None:
        """The plain function that takes an event, if one does."""
        if event != "*" and (event in self.plain_handlers or event in self.handlers.events.get("/", ())):
            return self.plain_handlers.get(event)
        return self.plain_handlers.get("*")

    async def leave_all(self, session: SocketIOSession, reason: str) -> None:
        """Run the `disconnect` handlers of a connection that has ended, and forget it."""
        try:
            for client in list(session.clients.values()):
                await self._leave(client, reason)
        finally:
            self.eio.registry.forget(session.socket)

    def _never_whole(self, session: SocketIOSession) -> None:
        session.socket.complain(BadPacket("Attachments that were announced did not come in time"))

    # Namespaces.

    async def _connect(self, session: SocketIOSession, namespace: str, auth: dict[str, Any] | None) -> None:
        session.count_connect()
        if not self._accepts(namespace):
            self._refuse(session, namespace, {"message": "Invalid namespace"})
            return
        if namespace in session.clients or len(session.clients) >= _MAX_NAMESPACES:
            raise BadPacket("A second CONNECT to the same namespace, or too many namespaces")
        client = self.namespaces.add(session, namespace)
        client.auth = auth
        if self._always_connect:
            self._let_in(client, {})
        refusal: object = {"message": "Connection rejected by server"}
        answer: object = False
        try:
            answer = await self.handlers.connect(namespace, client.sid, session.socket.environ, auth or None)
        except Declined as problem:
            refusal = problem.error_args
        except ConnectionRefusedError:
            refusal = {"message": "Connection refused by server"}
        except TurnedAway as away:
            self._forget(client)
            if away.event is not None:
                _send(session, CONNECT, {"sid": client.sid}, namespace)
                session.socket.send(encode_event(*away.event, namespace=namespace))
            session.socket.close(away.why, Reason.SERVER_DISCONNECT)
            return
        except Exception:
            _log.exception("A handler of 'connect' failed")
            refusal = {"message": "The server failed at this; it is logged there"}
        finally:
            # The handler has seen them. Nobody keeps a megabyte by connecting with it.
            client.auth = auth = None
        if answer is False:
            self._forget(client)
            if self._always_connect:
                session.left |= {namespace}
                _send(session, DISCONNECT, None, namespace)
            else:
                self._refuse(session, namespace, refusal)
            return
        self.eio.registry.connected(session.socket)
        if not self._always_connect:
            self._let_in(client, answer if isinstance(answer, dict) else {})

    def _let_in(self, client: SocketIOClient, answer: dict[str, Any]) -> None:
        """Answer a CONNECT; what was sent to the client before follows."""
        space = "" if client.namespace == "/" else f"{client.namespace},"
        fields = strictjson.dumps({**answer, "sid": client.sid})
        client.release(Frame(f"4{CONNECT}{space}{fields}"))

    def _accepts(self, namespace: str) -> bool:
        accepted = self._accepted == "*" or namespace in self._accepted or self.handlers.serves(namespace)
        return accepted and namespace != "*"

    def _refuse(self, session: SocketIOSession, namespace: str, refusal: object) -> None:
        session.left |= {namespace}
        if len(session.left) > _MAX_NAMESPACES:
            raise BadPacket("Too many namespaces")
        if not session.clients:
            session.socket.greeted = False
            session.socket.count_early()
        _send(session, CONNECT_ERROR, refusal, namespace)

    async def _leave(self, client: SocketIOClient, reason: str) -> None:
        """Run the `disconnect` handler once; whatever it does, the client is gone afterwards."""
        if not client.connected:
            return
        client.leave()
        client.session.count_leave()
        try:
            await self.handlers.call("disconnect", client.namespace, client.sid, reason)
        except Exception:
            _log.exception("A handler of 'disconnect' failed")
        finally:
            self._forget(client)
            if not client.session.clients:
                self.eio.registry.unconnected(client.session.socket)

    def _forget(self, client: SocketIOClient) -> None:
        self.namespaces.remove(client)
        self._acknowledgements.forget(client.sid)

    async def send_away(self, client: SocketIOClient) -> None:
        """Send a client out of its namespace (a DISCONNECT packet): it will not come back by itself."""
        if client.connected:
            client.session.left |= {client.namespace}
            client.send(encode(DISCONNECT, namespace=client.namespace)[0])
            await self._leave(client, Reason.SERVER_DISCONNECT)


def _send(session: SocketIOSession, kind: int, data: object, namespace: str, number: int | None = None) -> None:
    frame, attachments = encode(kind, data, namespace, number)
    session.socket.send(frame)
    for attachment in attachments:
        session.socket.send_bytes(attachment)
