"""Decodes and encodes Socket.IO packets. An invalid packet raises `BadPacket`."""

from __future__ import annotations

from typing import Any

from pychat.domain import strictjson
from pychat.net.websocket.frames import Frame
from pychat.transports.socketio.engineio.packet import BadPacket

__all__ = ["ACK", "CONNECT", "CONNECT_ERROR", "DISCONNECT", "EVENT", "RESERVED_EVENTS", "Packet", "encode"]

#: The types of packets ("Packet encoding" in the protocol document).
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)

#: Events of a client's life. Handlers of these are never run because a client says so.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)

MAX_ATTACHMENTS = 100
_MAX_ID_DIGITS = 15
_MAX_NAMESPACE = 255
_MAX_NAMESPACE_AND_QUERY = 1024  # old clients send a query behind the name
_DIGITS = "0123456789"
_NO_PAYLOAD = "A packet without the payload that its type takes"


class Packet:
    """A packet that a client sent. Its JSON stays text until `decode`, so a packet that waits takes little memory.

    Raises `BadPacket` if the text does not begin like a packet. Reading the head takes the same time for every payload.
    """

    __slots__ = ("attachments", "count", "id", "kind", "namespace", "payload", "size")

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            raise BadPacket("A binary attachment that no packet announced")
        if not text or text[0] not in "0123456":
            raise BadPacket("An unknown packet type")
        kind = int(text[0])
        #: About how many bytes it takes to keep this packet.
        self.size = 256 + len(text)
        at = 1
        #: How many attachments follow, and those that have come.
        self.count = 0
        self.attachments: list[bytes] | None = None
        if kind >= BINARY_EVENT:
            kind -= BINARY_EVENT - EVENT
            digits, dash, _ = text[1:5].partition("-")
            if not dash or not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= MAX_ATTACHMENTS:
                raise BadPacket("An invalid number of attachments")
            self.count = int(digits)
            self.attachments = []
            at += len(digits) + 1
        #: `CONNECT`, `DISCONNECT`, `EVENT`, `ACK` or `CONNECT_ERROR`, with attachments or without.
        self.kind = kind
        self.namespace = "/"
        if text.startswith("/", at):
            name = text[at : at + _MAX_NAMESPACE_AND_QUERY + 1].partition(",")[0]
            self.namespace = name.partition("?")[0]
            if len(name) > _MAX_NAMESPACE_AND_QUERY or len(self.namespace) > _MAX_NAMESPACE:
                raise BadPacket("A namespace with too long a name")
            at += len(name) + 1
        beginning = text[at : at + _MAX_ID_DIGITS + 1]
        digits = beginning[: len(beginning) - len(beginning.lstrip(_DIGITS))]
        if len(digits) > _MAX_ID_DIGITS:
            raise BadPacket("An acknowledgement id that is too long")
        #: The number under which an event asks for its acknowledgement, or an acknowledgement answers.
        self.id = int(digits) if digits else None
        #: The JSON text, empty if there is none; `None` if it was too large to be taken.
        self.payload: str | None = text[at + len(digits) :]

    def attach(self, data: str | bytes, max_bytes: int) -> None:
        """Take the next attachment. Raises `BadPacket` for a text, and for more than `max_bytes` in all."""
        if not isinstance(data, bytes) or self.attachments is None:
            raise BadPacket("A text where an attachment was announced")
        if self.size + len(data) > max_bytes + 1024:
            raise BadPacket("Attachments that are larger than is taken")
        self.size += len(data) + 64
        self.attachments.append(data)

    def drop_payload(self) -> None:
        """Do not keep what is too large to be taken."""
        self.payload = None
        self.size = 256

    @property
    def complete(self) -> bool:
        """Whether all attachments have come."""
        return self.attachments is None or len(self.attachments) == self.count

    def decode(self, *, surrogates: bool = False) -> Any:  # noqa: ANN401 (JSON can be anything)
        """The payload: `[event, *arguments]`, the values of an acknowledgement, or what a CONNECT says.

        Raises `BadPacket` for what the type of the packet does not take, and for lone surrogates unless `surrogates`.
        """
        data: Any = None
        if self.payload:
            try:
                data = strictjson.loads(self.payload, surrogates=surrogates)
            except ValueError as problem:
                raise BadPacket(str(problem)) from None
        kind = self.kind
        if kind == EVENT:
            if not isinstance(data, list) or not data or not isinstance(data[0], str):
                raise BadPacket(_NO_PAYLOAD)
            if data[0] in RESERVED_EVENTS:
                raise BadPacket(f"{data[0]!r} is not for clients to send")
        elif not (
            (kind == ACK and self.id is not None and isinstance(data, list))
            or (kind == CONNECT and self.id is None and (data is None or isinstance(data, dict)))
            or (kind == DISCONNECT and self.id is None and data is None)
        ):
            raise BadPacket(_NO_PAYLOAD)
        return data if self.attachments is None else self._with_attachments(data, self.attachments)

    def _with_attachments(self, data: object, attachments: list[bytes]) -> object:
        places: list[object] = []
        try:
            _placeholders(data, places)
            if not all(type(place) is int for place in places) or sorted(places) != list(range(self.count)):  # type: ignore[type-var]
                raise BadPacket("Attachments and their places do not match")
            return _filled(data, attachments)
        except RecursionError:
            raise BadPacket("A packet that is nested too deeply") from None


def encode(
    kind: int, data: object = None, namespace: str = "/", number: int | None = None
) -> tuple[Frame, list[bytes]]:
    """A packet as a finished frame, and the attachments that must follow it.

    Raises `ValueError` for NaN, infinities and lone surrogates, `TypeError` for what is neither JSON nor bytes.
    """
    attachments: list[bytes] = []
    payload = ""
    if data is not None:
        try:
            payload = strictjson.dumps(data)
        except TypeError:
            if kind not in {EVENT, ACK}:
                raise
            payload = strictjson.dumps(_without_bytes(data, attachments))
    head = f"{kind + BINARY_EVENT - EVENT}{len(attachments)}-" if attachments else f"{kind}"
    space = "" if namespace == "/" else f"{namespace},"
    return Frame(f"4{head}{space}{'' if number is None else number}{payload}"), attachments


def _placeholders(data: object, found: list[object]) -> None:
    if isinstance(data, list):
        for item in data:
            _placeholders(item, found)
    elif isinstance(data, dict):
        if data.get("_placeholder"):
            found.append(data.get("num"))
        else:
            for item in data.values():
                _placeholders(item, found)


def _filled(data: object, attachments: list[bytes]) -> object:
    """`data` with the attachments in their places."""
    if isinstance(data, list):
        return [_filled(item, attachments) for item in data]
    if isinstance(data, dict):
        if data.get("_placeholder"):
            return attachments[data["num"]]
        return {name: _filled(item, attachments) for name, item in data.items()}
    return data


def _without_bytes(data: object, attachments: list[bytes]) -> object:
    """`data` with places for its bytes, which are added to `attachments`."""
    if isinstance(data, (bytes, bytearray)):
        attachments.append(bytes(data))
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(data, (list, tuple)):
        return [_without_bytes(item, attachments) for item in data]
    if isinstance(data, dict):
        return {name: _without_bytes(item, attachments) for name, item in data.items()}
    return data
