"""One Socket.IO connection: assembles packets from messages, and handles them in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.domain.rates import Rates, Usage
from pychat.net.deadlines import Deadlines
from pychat.net.slow_readers.backpressure import UNREAD_BYTES, wait_for_reader
from pychat.transports.socketio.client import SocketIOClient
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.engineio.socket import EngineIOSocket
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.packet import ACK, CONNECT, EVENT, Packet

__all__ = ["PacketHandler", "PlainHandler", "SocketIOSession"]

_log = logging.getLogger("pychat.socketio")

#: Events of one client that are handled in one turn of the event loop, where no handler waits; then others are served.
_EVENTS_A_TURN = 16
#: Events up to this size are taken while those before are under way, over a WebSocket.
_SMALL_BYTES = 2048
#: CONNECTs of a client that comes and goes. Each costs as much as a connection.
_CONNECTS = Rates({})["connects"]
#: Closed with one of these, a client has sent something invalid: what it sent before is not handled any more.
_DROPPED = {Close.BAD_FRAME, Close.TOO_LARGE, Close.KICKED}


#: A plain function that takes an event of a client: its name, its arguments, and the id of its acknowledgement.
PlainHandler = Callable[[Any, str, list[Any], int | None], None]


class PacketHandler(Protocol):
    """The layer above a session: what a packet means."""

    options: Options
    #: Bytes that a client that polls may leave unread before its next event waits.
    max_unread_bytes: int
    #: Whether handlers are given lone surrogates.
    surrogates: bool
    #: Sessions that wait for attachments.
    half_received: Deadlines[SocketIOSession]
    #: By event of the namespace `/`. They take an event at once, without a task. `SocketIOTransport` fills this.
    plain_handlers: dict[str, PlainHandler]

    def acknowledged(self, session: SocketIOSession, packet: Packet) -> None:
        """Take an acknowledgement, at once. Raises `BadPacket`."""

    def work(self, session: SocketIOSession) -> None:
        """Run `session.handle_packets()` in a task."""

    async def handle(self, session: SocketIOSession, packet: Packet) -> None:
        """Handle a packet. Raises `BadPacket`, and what a handler of an application raises."""

    async def leave_all(self, session: SocketIOSession, reason: str) -> None:
        """The session has ended, and all its packets are handled."""


class SocketIOSession:
    """What the server keeps for one connection: a client for each namespace, and the packets that wait.

    It listens to its Engine.IO socket. A task lives for a burst of packets, not for a connection.
    """

    __slots__ = ("clients", "connects", "data", "half", "handler", "inbox", "left", "reason", "socket", "working")

    def __init__(self, handler: PacketHandler, socket: EngineIOSocket) -> None:
        self.handler = handler
        self.socket = socket
        #: By namespace.
        self.clients: dict[str, SocketIOClient] = {}
        #: Counts CONNECTs, once the client has left a namespace.
        self.connects: Usage | None = None
        #: The namespaces that it was refused, or that the server sent it out of.
        self.left: frozenset[str] = frozenset()
        #: What the application keeps for its clients, by namespace.
        self.data: dict[str, Any] | None = None
        #: A packet that waits for attachments.
        self.half: Packet | None = None
        self.inbox: list[Packet] = []  # an empty deque takes 760 bytes
        #: Why it ended, one of `Reason`, until its `disconnect` handlers have run.
        self.reason: str | None = None
        #: A task is handling its packets.
        self.working = False

    # What the Engine.IO layer calls (`Listener`).

    def message(self, data: str | bytes) -> None:
        """Take a message: acknowledgements at once, everything else in order, one at a time.

        An event that a plain function takes is handled here, if nothing waits before it.
        """
        packet = Packet(data) if self.half is None else self._attached(self.half, data)
        if packet.attachments is not None and not packet.complete:
            if self.half is None:
                self.half = packet
                self.handler.half_received.start(self)
            return
        if packet.kind == CONNECT:
            self.socket.greeted = True
            auth, limit = packet.payload or "", self.handler.options.max_auth_bytes
            if len(auth) > limit or len(auth.encode(errors="surrogatepass")) > limit:
                packet.drop_payload()
        elif not self.socket.greeted and not self.left:
            raise BadPacket("A packet for a namespace that was not connected to")
        elif packet.kind == ACK:
            self.handler.acknowledged(self, packet)
            return
        elif packet.kind == EVENT and not self.working and self._taken_at_once(packet):
            return
        self.inbox.append(packet)
        self.socket.inbox_bytes += packet.size
        self._work()

    def _taken_at_once(self, packet: Packet) -> bool:
        """Let a plain function take an event; false if it has to wait. Raises `BadPacket`."""
        # The name of the event, in the form that clients write it: `["say",{…}]`.
        payload = packet.payload or ""
        take = self.handler.plain_handlers.get(payload[2 : payload.find('"', 2)])
        client = self.clients.get(packet.namespace)
        if payload[:2] != '["' or take is None or client is None or client.namespace != "/" or not client.connected:
            return False
        websocket, outbox = self.socket.websocket, self.socket.outbox
        if websocket is not None and websocket.buffered > UNREAD_BYTES:
            return False
        if outbox is not None and outbox.unread(self.handler.max_unread_bytes):
            return False
        if client.busy and (client.full or outbox is not None or packet.size > _SMALL_BYTES):
            return False
        event, *arguments = packet.decode(surrogates=self.handler.surrogates)
        try:
            take(client, event, arguments, packet.id)
        except Exception:
            _log.exception("A handler of %s failed", _named(packet))
        return True

    def _attached(self, packet: Packet, data: str | bytes) -> Packet:
        packet.attach(data, self.handler.options.message_bytes)
        if packet.complete:
            self.half = None
            self.handler.half_received.stop(self)
        return packet

    def rerouted(self) -> None:
        """A WebSocket has taken over: the clients send through that."""
        for client in self.clients.values():
            client.reroute()

    def ended(self, reason: str) -> None:
        """The socket is closed: what it sent before is handled first, unless it is to be dropped."""
        self.half = None
        self.handler.half_received.stop(self)
        self.reason = reason
        self._work()

    # In order.

    def _work(self) -> None:
        if not self.working:
            self.working = True
            self.handler.work(self)

    async def handle_packets(self) -> None:
        """Handle what has gathered; where the socket is closed, end."""
        socket, handled = self.socket, 0
        try:
            while self.inbox or self.reason is not None:
                batch, self.inbox = self.inbox, []
                batch.reverse()  # the end of a list is the cheap one to take from
                while batch and socket.why not in _DROPPED:
                    await self.wait_for_reader()
                    await self._ready()
                    packet = batch.pop()
                    await self._handle(packet)
                    handled += 1
                    if packet.kind == CONNECT or not handled % _EVENTS_A_TURN:
                        await asyncio.sleep(0)
                await self._ready()
                if self.reason is not None and not self.inbox:
                    reason, self.reason = self.reason, None
                    await self.handler.leave_all(self, reason)
        finally:
            self.working = False

    async def wait_for_reader(self, *, in_all: bool = False) -> None:
        """Wait while the client leaves much unread. With `in_all`, the largest packet counts for one that polls too."""
        socket = self.socket
        if socket.outbox is not None:
            await socket.outbox.wait_for_reader(self.handler.max_unread_bytes, in_all=in_all)
        if socket.websocket is not None:
            await wait_for_reader(socket.websocket)

    async def _ready(self) -> None:
        """Wait until the commands that plain functions began are done."""
        client = self.clients.get("/")
        if client is not None and client.busy:
            await client.ready()

    async def _handle(self, packet: Packet) -> None:
        try:
            await self.handler.handle(self, packet)
        except BadPacket as problem:
            self.socket.complain(problem)
        except Exception:
            _log.exception("A handler of %s failed", _named(packet))
        finally:
            self.socket.inbox_bytes -= packet.size
            self.socket.wake_drained()

    # Namespaces that come and go.

    def client_of(self, namespace: str) -> SocketIOClient | None:
        """The client that a packet is from; `None` if the server has just sent it away and it does not know that yet.

        Raises `BadPacket` for a namespace that it never was in.
        """
        client = self.clients.get(namespace)
        if client is not None and client.connected:
            return client
        if client is None and namespace not in self.left and not self.socket.closed:
            raise BadPacket("A packet for a namespace that was not connected to")
        return None

    def count_connect(self) -> None:
        """Count a CONNECT of a client that has left a namespace. Raises `BadPacket` when there were too many."""
        if self.connects is not None and self.connects.take(_CONNECTS, asyncio.get_running_loop().time()):
            raise BadPacket("Too many CONNECTs, one after the other")

    def count_leave(self) -> None:
        """It has left a namespace: its CONNECTs from now on are counted."""
        if self.connects is None:
            self.connects = Usage()


def _named(packet: Packet) -> str:
    """What a packet is called in the log: `'say'`, the name of its event, or `connect`."""
    return "connect" if packet.kind == CONNECT else repr(str(packet.payload)[2:100].partition('"')[0])
