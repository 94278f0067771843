"""A client of one namespace, which a broadcast loop sends to, and the connection that carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Close, UsageError
from pychat.domain.limits import TokenBucket
from pychat.net.budget import SendBudget
from pychat.net.websocket.connection import Frame
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.engineio.socket import REASONS, EngineIOSocket, SocketServer
from pychat.transports.socketio.packet import Packet, Undecoded

__all__ = ["EncodedPacket", "SocketIOClient", "SocketIOSession", "encode_event", "encode_packet"]

#: CONNECTs of a client that comes and goes: so many a second, and at once. Each costs as much as a connection.
_CONNECT_RATE = 1.0
_CONNECT_BURST = 10

#: A packet for any number of clients. Several of them make one with `EncodedPacket.joined`.
EncodedPacket = Frame


def encode_event(event: str, *args: Any, namespace: str = "/") -> EncodedPacket:  # noqa: ANN401 (JSON)
    """Encode an event once for everybody: `42["message",{…}]`, down to the bytes of its WebSocket frame.

    Raises `ValueError` for NaN, infinities and lone surrogates, and `UsageError` for bytes: emit those.
    """
    try:
        arguments = strictjson.dumps([event, *args])
    except TypeError:
        raise UsageError("encode_event takes JSON, and no bytes; send those with Server.emit()") from None
    return Frame(f"42{arguments}" if namespace == "/" else f"42{namespace},{arguments}")


def encode_packet(packet: Packet) -> tuple[Frame, list[bytes]]:
    """A packet as a finished frame, and the attachments that must follow it."""
    encoded = packet.encode()
    if isinstance(encoded, str):
        return Frame("4" + encoded), []
    return Frame("4" + encoded[0]), encoded[1:]


def _nowhere(_: object) -> None:
    """Where goes what is sent to a client that has left its namespace."""


class SocketIOClient:
    """A client, as a connection to send to. Nothing here awaits; nothing here fails because the client has gone."""

    __slots__ = (
        "_budget",
        "_held",
        "_held_bytes",
        "asked",
        "auth",
        "connected",
        "namespace",
        "rooms",
        "send",
        "send_bytes",
        "session",
        "sid",
    )

    def __init__(self, session: SocketIOSession, sid: str, namespace: str) -> None:
        self.session = session
        self.sid = sid
        self.namespace = namespace
        #: The rooms of python-socketio that it is in, beside its own, if there are any.
        self.rooms: set[str] | None = None
        #: CONNECTed, and not yet on the way out.
        self.connected = False
        #: What it said when it connected: an object, or `None` where it said nothing.
        self.auth: dict[str, Any] | None = None
        #: The number under which the event that is being handled asked for an acknowledgement, if it did.
        self.asked: int | None = None
        #: What was sent before the CONNECT was answered: it travels right after the answer.
        self._held: list[Frame | bytes] | None = []
        self._held_bytes = 0
        self._budget: SendBudget | None = None
        #: Send a packet, in order with everything sent before. What stands here is the way that it takes just now: over
        #: a WebSocket the carrier's own method, so that a room's loop finds no call between.
        self.send: Callable[[EncodedPacket], None] = self._hold
        #: Send an attachment of the packet before.
        self.send_bytes: Callable[[bytes], None] = self._hold

    @property
    def remote(self) -> str:
        """The client's address; a trusted proxy's word counts."""
        return self.session.remote

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""
        return self.session.buffered

    @property
    def waiting(self) -> bool:
        """Whether its CONNECT has not been answered yet."""
        return self._held is not None

    @property
    def why(self) -> Close | None:
        """Why the server closed the connection, if it did."""
        return self.session.why

    def acknowledgement(self, number: int, *values: Any) -> EncodedPacket:  # noqa: ANN401 -- JSON
        """The answer to an event that asked under `number`, for handlers that return `not_handled`."""
        space = "" if self.namespace == "/" else f"{self.namespace},"
        return Frame(f"43{space}{number}{strictjson.dumps(list(values))}")

    def close(self, why: Close) -> None:
        """Close the connection, so that a client's own reconnecting sees a transport that was lost."""
        self.session.close(why, REASONS.SERVER_DISCONNECT)

    def _hold(self, item: Frame | bytes) -> None:
        if self._held is not None:
            size = len(item.raw if isinstance(item, Frame) else item)
            if self._budget is None:
                self._budget = SendBudget(self.session.server.options.max_buffer_bytes)
            if not self._budget.admits(self._held_bytes, size, self.session):
                SocketIOClient.close(self, Close.SLOW)
            self._held.append(item)
            self._held_bytes += size

    def release(self) -> None:
        """The CONNECT has been answered: what waited for it goes out."""
        held, self._held = self._held, None
        self._budget = None
        self.connected = True
        self.reroute()
        for item in held or ():
            if isinstance(item, Frame):
                self.send(item)
            else:
                self.send_bytes(item)

    def reroute(self) -> None:
        """Take the way that the session takes now: its WebSocket, or its next poll."""
        if self.connected:
            way = self.session.carrier or self.session
            self.send, self.send_bytes = way.send, way.send_bytes

    def leave(self) -> None:
        """It is on the way out: nothing more is sent."""
        self.connected = False
        self._held = None
        self.send = self.send_bytes = _nowhere


class SocketIOSession(EngineIOSocket):
    """One connection: a client of each namespace that it is CONNECTed to, and the packets that wait, in order."""

    __slots__ = ("clients", "connects", "half_packet", "inbox", "left", "reason", "working")

    def __init__(self, server: SocketServer, sid: str, remote: str) -> None:
        super().__init__(server, sid, remote)
        #: By namespace.
        self.clients: dict[str, SocketIOClient] = {}
        #: Counts CONNECTs, once the client has left a namespace.
        self.connects: TokenBucket | None = None
        #: The namespaces that it was refused, or that the server sent it out of.
        self.left: frozenset[str] = frozenset()
        #: A packet whose attachments have not all come.
        self.half_packet: Undecoded | None = None
        self.inbox: list[Undecoded] = []  # an empty deque takes 760 bytes
        #: Why it ended, in a word of engineio's, until its `disconnect` handlers have run.
        self.reason: str | None = None
        #: A task is handling its packets.
        self.working = False

    def rerouted(self) -> None:
        """Another carrier has taken over: the clients send through that."""
        for client in self.clients.values():
            client.reroute()

    def count_connect(self) -> None:
        """Count a CONNECT of a client that has left a namespace. Raises `BadPacket` when there were too many."""
        if self.connects is not None and self.connects.take(asyncio.get_running_loop().time()):
            raise BadPacket("Too many CONNECTs, one after the other")

    def count_leave(self) -> None:
        """It has left a namespace: what it connects to from now on is counted."""
        if self.connects is None:
            self.connects = TokenBucket(_CONNECT_RATE, _CONNECT_BURST)
