"""A Socket.IO packet, strictly: what the protocol document allows is decoded, anything else is a `BadPacket`."""

from __future__ import annotations

import json as _json
from typing import Any

import socketio.packet

from pychat import strictjson

__all__ = ["RESERVED_EVENTS", "BadPacket", "Packet"]

#: Events of a client's life. Handlers of these are never run because a client says so.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)

MAX_ATTACHMENTS = 100
_MAX_ID_DIGITS = 15
_MAX_NAMESPACE = 255

_CONNECT, _DISCONNECT, _EVENT, _ACK, _CONNECT_ERROR, _BINARY_EVENT, _BINARY_ACK = range(7)
_DIGITS = "0123456789"


class BadPacket(ValueError):
    """What a client sent does not follow the protocol; the connection is closed."""


class _StrictJson:
    """What python-socketio expects of a JSON module."""

    JSONDecodeError = _json.JSONDecodeError

    @staticmethod
    def dumps(value: object, **_kwargs: object) -> str:
        return strictjson.dumps(value)

    @staticmethod
    def loads(text: str, **_kwargs: object) -> Any:  # noqa: ANN401 (JSON can be anything)
        return strictjson.loads(text)


class Packet(socketio.packet.Packet):
    """A packet of Socket.IO protocol 5, with the format that its document gives under "Packet encoding".

    Encoding raises `ValueError` for NaN and infinities. Decoding raises `BadPacket`. `half_characters` tells that
    a decoded packet holds lone surrogates.
    """

    data: Any
    json = _StrictJson
    _size = 256

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (the library's)
        self.half_characters = False
        super().__init__(*args, **kwargs)
        if kwargs.get("encoded_packet") in {"", b""}:
            raise BadPacket("An empty packet")

    @property
    def size(self) -> int:
        """About how many bytes it takes to keep this packet."""
        return self._size + sum(map(len, self.attachments))

    def decode(self, encoded_packet: object) -> int:
        """Read the text of a packet; the number of attachments that must follow."""
        if not isinstance(encoded_packet, str):
            raise BadPacket("A binary attachment that no packet announced")
        self._size = 256 + len(encoded_packet)
        kind = encoded_packet[:1]
        if not kind or kind not in "0123456":
            raise BadPacket("An unknown packet type")
        self.packet_type = int(kind)
        rest = encoded_packet[1:]
        count = 0
        if self.packet_type in {_BINARY_EVENT, _BINARY_ACK}:
            digits, dash, rest = rest.partition("-")
            if not dash or not digits.isascii() or not digits.isdigit() or len(digits) > 3:
                raise BadPacket("A number of attachments that cannot be")
            count = int(digits)
            if not 1 <= count <= MAX_ATTACHMENTS:
                raise BadPacket("A number of attachments that cannot be")
        self.namespace = None
        if rest.startswith("/"):
            name, _, rest = rest.partition(",")
            self.namespace = name.partition("?")[0]
            if len(self.namespace) > _MAX_NAMESPACE:
                raise BadPacket("A namespace with too long a name")
        payload = rest.lstrip(_DIGITS)
        digits = rest[: len(rest) - len(payload)]
        if len(digits) > _MAX_ID_DIGITS:
            raise BadPacket("An acknowledgement id that is too long")
        self.id = int(digits) if digits else None
        self.data = None
        if payload:
            try:
                self.data = strictjson.loads(payload, surrogates=True)
            except ValueError as problem:
                raise BadPacket(str(problem)) from None
            self.half_characters = strictjson.has_lone_surrogates(payload, self.data)
        self._check(count)
        return count

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
