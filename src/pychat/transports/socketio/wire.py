"""One connected client of one namespace: the handle that a broadcast loop holds, and the packet made once for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pychat import strictjson
from pychat.carriers.base import Frame
from pychat.errors import Close, UsageError
from pychat.transports.socketio.packet import Packet

if TYPE_CHECKING:
    from pychat.transports.socketio.session import Session

__all__ = ["ClientWire", "EncodedPacket", "encode_event", "encode_packet"]

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
    frame = Frame(f"42{arguments}" if namespace == "/" else f"42{namespace},{arguments}")
    frame.raw  # noqa: B018 (made now: whoever passes a bad text is told, not the loop that sends)
    return frame


def encode_packet(packet: Packet) -> tuple[Frame, list[bytes]]:
    """A packet as a finished frame, and the attachments that must follow it."""
    encoded = packet.encode()
    if isinstance(encoded, str):
        return Frame("4" + encoded), []
    return Frame("4" + encoded[0]), encoded[1:]


class _Held(Protocol):
    def add(self, frame: Frame | bytes, size: int) -> bool: ...


class _Waiting:
    """What is sent to a client before its CONNECT has been answered: it travels right after the answer."""

    __slots__ = ("_limit", "items")

    def __init__(self, limit: int) -> None:
        self.items: list[Frame | bytes] = []
        self._limit = limit

    def add(self, frame: Frame | bytes, size: int) -> bool:
        self._limit -= size
        self.items.append(frame)
        return self._limit >= 0


class _Gone:
    """What is sent to a client that has left its namespace goes nowhere."""

    __slots__ = ()

    def add(self, _frame: Frame | bytes, _size: int) -> bool:
        return True


_GONE = _Gone()


class ClientWire:
    """A client, as a connection to send to. Nothing here awaits; nothing here fails because the client has gone."""

    __slots__ = ("_held", "asked", "auth", "connected", "namespace", "rooms", "session", "sid")

    def __init__(self, session: Session, sid: str, namespace: str) -> None:
        self.session = session
        self.sid = sid
        self.namespace = namespace
        #: The rooms of python-socketio that it is in, beside its own.
        self.rooms: set[str] = set()
        #: CONNECTed, and not yet on the way out.
        self.connected = False
        #: What it said when it connected: an object, or `None` where it said nothing.
        self.auth: dict[str, Any] | None = None
        #: The number under which the event that is being handled asked for an acknowledgement, if it did.
        self.asked: int | None = None
        self._held: _Held | None = _Waiting(session.server.options.max_buffer_bytes)

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
        return isinstance(self._held, _Waiting)

    @property
    def why(self) -> Close | None:
        """Why the server closed the connection, if it did."""
        return self.session.why

    def send(self, packet: EncodedPacket) -> None:
        """Send a packet, in order with everything sent before, whichever way it was sent."""
        if self._held is None:
            self.session.send(packet)
        elif not self._held.add(packet, len(packet.raw)):
            self.close(Close.SLOW)

    def acknowledgement(self, number: int, *values: Any) -> EncodedPacket:  # noqa: ANN401 -- JSON
        """The answer to an event that asked under `number`, for handlers that return `not_handled`."""
        space = "" if self.namespace == "/" else f"{self.namespace},"
        return Frame(f"43{space}{number}{strictjson.dumps(list(values))}")

    def send_bytes(self, data: bytes) -> None:
        """Send an attachment of the packet before."""
        if self._held is None:
            self.session.send_bytes(data)
        elif not self._held.add(data, len(data)):
            self.close(Close.SLOW)

    def close(self, why: Close) -> None:
        """Close the connection, so that a client's own reconnecting sees a transport that was lost."""
        self.session.close(why, self.session.server.reason.SERVER_DISCONNECT)

    def release(self) -> None:
        """The CONNECT has been answered: what waited for it goes out."""
        held, self._held = self._held, None
        self.connected = True
        if isinstance(held, _Waiting):
            for item in held.items:
                if isinstance(item, Frame):
                    self.session.send(item)
                else:
                    self.session.send_bytes(item)

    def leave(self) -> None:
        """It is on the way out: nothing more is sent."""
        self.connected = False
        self._held = _GONE
