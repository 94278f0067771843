"""A Socket.IO packet, strictly: what the protocol document allows is decoded, anything else is a `BadPacket`."""

from __future__ import annotations

import json as _json
from typing import Any

import socketio.packet

from pychat.domain import strictjson
from pychat.transports.socketio.engineio.packet import BadPacket

__all__ = ["RESERVED_EVENTS", "Packet", "Undecoded"]

#: Events of a client's life. Handlers of these are never run because a client says so.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)

MAX_ATTACHMENTS = 100
_MAX_ID_DIGITS = 15
_MAX_NAMESPACE = 255
_MAX_NAMESPACE_AND_QUERY = 1024  # old clients send a query behind the name

_CONNECT, _DISCONNECT, _EVENT, _ACK, _CONNECT_ERROR, _BINARY_EVENT, _BINARY_ACK = range(7)
_DIGITS = "0123456789"


class _StrictJson:
    """What python-socketio expects of a JSON module."""

    JSONDecodeError = _json.JSONDecodeError

    @staticmethod
    def dumps(value: object, **_kwargs: object) -> str:
        return strictjson.dumps(value)

    @staticmethod
    def loads(text: str, **_kwargs: object) -> Any:  # noqa: ANN401 (JSON can be anything)
        return strictjson.loads(text)


class Undecoded:
    """A packet whose JSON has not been read: what a client waits with takes no more memory than its text.

    Raises `BadPacket` for what no packet begins with. Reading the head costs the same, however long the payload is.
    """

    __slots__ = ("attachments", "count", "id", "kind", "namespace", "payload", "size")

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            raise BadPacket("A binary attachment that no packet announced")
        if not text or text[0] not in "0123456":
            raise BadPacket("An unknown packet type")
        self.kind = int(text[0])
        #: About how many bytes it takes to keep this packet.
        self.size = 256 + len(text)
        at = 1
        self.count = 0
        if self.kind in {_BINARY_EVENT, _BINARY_ACK}:
            digits, dash, _ = text[1:5].partition("-")
            if not dash or not digits.isascii() or not digits.isdigit():
                raise BadPacket("A number of attachments that cannot be")
            self.count = int(digits)
            if not 1 <= self.count <= MAX_ATTACHMENTS:
                raise BadPacket("A number of attachments that cannot be")
            at += len(digits) + 1
        self.namespace: str | None = None
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
        self.id = int(digits) if digits else None
        #: The JSON text, empty if there is none; `None` if it was too large to be taken.
        self.payload: str | None = text[at + len(digits) :]
        self.attachments: list[bytes] = []

    def attach(self, data: str | bytes, max_bytes: int) -> None:
        """Take the next attachment. Raises `BadPacket` for a text, and for more than `max_bytes` in all."""
        if not isinstance(data, bytes):
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
        return len(self.attachments) == self.count


class Packet(socketio.packet.Packet):
    """A packet of Socket.IO protocol 5, with the format that its document gives under "Packet encoding".

    Encoding raises `ValueError` for NaN and infinities. Decoding raises `BadPacket`. `half_characters` tells that
    a decoded packet holds lone surrogates.
    """

    data: Any
    json = _StrictJson

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (the library's)
        self.half_characters = False
        super().__init__(*args, **kwargs)
        if kwargs.get("encoded_packet") in {"", b""}:
            raise BadPacket("An empty packet")

    @classmethod
    def of(cls, text: Undecoded) -> Packet:
        """Read the JSON of a packet that is complete."""
        packet = cls(text.kind)
        packet.attachment_count = packet.take(text)
        try:
            for attachment in text.attachments:
                packet.add_attachment(attachment)
        except RecursionError:
            raise BadPacket("A packet that is nested too deeply") from None
        return packet

    def decode(self, encoded_packet: object) -> int:
        """Read the text of a packet; the number of attachments that must follow."""
        return self.take(Undecoded(encoded_packet))

    def take(self, text: Undecoded) -> int:
        """Read the JSON of a packet; the number of attachments that must follow."""
        self.packet_type, self.namespace, self.id, self.data = text.kind, text.namespace, text.id, None
        if text.payload:
            try:
                self.data = strictjson.loads(text.payload, surrogates=True)
            except ValueError as problem:
                raise BadPacket(str(problem)) from None
            self.half_characters = strictjson.has_lone_surrogates(text.payload, self.data)
        try:
            self._check(text.count)
        except RecursionError:
            raise BadPacket("A packet that is nested too deeply") from None
        return text.count

    def _check(self, count: int) -> None:
        kind = self.packet_type
        data: Any = self.data
        if kind == _CONNECT:
            good = self.id is None and (data is None or isinstance(data, dict))
        elif kind == _DISCONNECT:
            good = self.id is None and data is None
        elif kind in {_EVENT, _BINARY_EVENT}:
            good = isinstance(data, list) and bool(data) and isinstance(data[0], str)
            if good and data[0] in RESERVED_EVENTS:
                raise BadPacket(f"{data[0]!r} is not for clients to send")
        elif kind in {_ACK, _BINARY_ACK}:
            good = isinstance(data, list) and self.id is not None
        else:
            good = False
        if not good:
            raise BadPacket("A packet without the payload that its type takes")
        if count:
            places: list[object] = []
            _placeholders(data, places)
            if not all(type(place) is int for place in places) or sorted(places) != list(range(count)):  # type: ignore[type-var]
                raise BadPacket("Attachments and their places do not match")

    @classmethod
    def data_is_binary(cls, data: object) -> bool:
        """Whether there are bytes anywhere within."""
        if isinstance(data, (bytes, bytearray)):
            return True
        if isinstance(data, dict):
            return any(map(cls.data_is_binary, data.values()))
        if isinstance(data, (list, tuple)):
            return any(map(cls.data_is_binary, data))
        return False


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
