"""A client of one Socket.IO namespace, as a broadcast sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pychat.domain import strictjson
from pychat.domain.errors import Close, UsageError
from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.websocket.frames import Frame
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Reason

__all__ = ["ClientSession", "SocketIOClient", "encode_event"]


def encode_event(event: str, *args: Any, namespace: str = "/") -> Frame:  # noqa: ANN401 (JSON)
    """Encode an event once for everybody: `42["message",{…}]`, down to the bytes of its WebSocket frame.

    Raises `ValueError` for NaN, infinities and lone surrogates, and `UsageError` for bytes: emit those.
    """
    try:
        arguments = strictjson.dumps([event, *args])
    except TypeError:
        raise UsageError("encode_event takes JSON, and no bytes; send those with Server.emit()") from None
    return Frame(f"42{arguments}" if namespace == "/" else f"42{namespace},{arguments}")


class ClientSession(Protocol):
    """The connection that a client is on."""

    socket: EngineIOSocket
    #: By namespace.
    clients: dict[str, SocketIOClient]
    #: The namespaces that it was refused, or that the server sent it out of.
    left: frozenset[str]
    #: What the application keeps for its clients, by namespace.
    data: dict[str, Any] | None

    def count_leave(self) -> None:
        """Count a namespace that was left."""

    async def wait_for_reader(self, *, in_all: bool = False) -> None:
        """Wait while much is unread. With `in_all`, the largest packet counts for a client that polls too."""


def _drop(_: object) -> None:
    """Drop what is sent to a client that has left its namespace."""


class SocketIOClient:
    """A client, as a connection to send to. Nothing here awaits; nothing here fails because the client has gone."""

    __slots__ = (
        "_budget",
        "_held",
        "_held_bytes",
        "auth",
        "connected",
        "namespace",
        "rooms",
        "send",
        "send_bytes",
        "session",
        "sid",
    )

    def __init__(self, session: ClientSession, sid: str, namespace: str) -> None:
        self.session = session
        self.sid = sid
        self.namespace = namespace
        #: The names of the rooms (of the Socket.IO kind) that it is in, beside its own.
        self.rooms: set[str] | None = None
        #: CONNECTed, and not yet on the way out.
        self.connected = False
        #: What it said when it connected: an object, or `None` where it said nothing.
        self.auth: dict[str, Any] | None = None
        #: What was sent before the CONNECT was answered: it travels right after the answer.
        self._held: list[Frame | bytes] | None = []
        self._held_bytes = 0
        self._budget: SendBudget | None = None
        #: Send a packet, in order with everything sent before. `reroute` replaces this function when the transport
        #: changes. Over a WebSocket it is `FrameWriter.send`, so that the fan-out calls that one directly.
        self.send: Callable[[Frame], None] = self._hold
        #: Send an attachment of the packet before.
        self.send_bytes: Callable[[bytes], None] = self._hold

    @property
    def remote(self) -> str:
        """The client's address; a trusted proxy's word counts."""
        return self.session.socket.remote

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""
        return self.session.socket.buffered

    @property
    def busy(self) -> bool:
        """Whether a command is still running, so the next packet must wait until it is `ready`."""
        return False

    @property
    def full(self) -> bool:
        """Whether too many commands are running to begin another."""
        return False

    async def ready(self) -> None:
        """Wait until its next packet can be handled."""

    @property
    def why(self) -> Close | None:
        """Why the server closed the connection, if it did."""
        return self.session.socket.why

    def acknowledgement(self, number: int, *values: Any) -> Frame:  # noqa: ANN401 -- JSON
        """The answer to an event that asked under `number`, for handlers that return `not_handled`."""
        space = "" if self.namespace == "/" else f"{self.namespace},"
        return Frame(f"43{space}{number}{strictjson.dumps(list(values))}")

    def close(self, why: Close) -> None:
        """Close the connection, so that a client's own reconnecting sees a transport that was lost."""
        self.session.socket.close(why, Reason.SERVER_DISCONNECT)

    def _hold(self, item: Frame | bytes) -> None:
        if self._held is not None:
            size = len(item.raw if isinstance(item, Frame) else item)
            if self._budget is None:
                self._budget = SendBudget(self.session.socket.owner.options.max_buffer_bytes)
            if not self._budget.admits(self._held_bytes, size):
                SocketIOClient.close(self, Close.SLOW)
            self._held.append(item)
            self._held_bytes += size

    def release(self, answer: Frame) -> None:
        """Answer the CONNECT; what waited for that goes out behind it, in as few writes as possible."""
        held, self._held = self._held or [], None
        self._budget = None
        self.connected = True
        self.reroute()
        frames = [answer]
        for item in held:
            if isinstance(item, Frame):
                frames.append(item)
                continue
            if frames:
                self.send(Frame.join(frames))
                frames = []
            self.send_bytes(item)
        if frames:
            self.send(Frame.join(frames))

    def reroute(self) -> None:
        """Send through what the session uses now: its WebSocket, or its next poll."""
        if self.connected:
            sender = self.session.socket.sender
            self.send, self.send_bytes = sender.send, sender.send_bytes

    def leave(self) -> None:
        """It is on the way out: nothing more is sent."""
        self.connected = False
        self._held = None
        self.send = self.send_bytes = _drop
