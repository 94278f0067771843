"""Reads a client's WebSocket frames, as RFC 6455 says; knows no socket and no event loop."""

from __future__ import annotations

__all__ = ["CLOSE", "PING", "FrameReader"]

CLOSE, PING, PONG = 8, 9, 10  # RFC 6455, section 5.2
_CONTINUATION, _TEXT, _BINARY = 0, 1, 2
_PROTOCOL_ERROR, _BAD_TEXT, _TOO_LARGE = 1002, 1007, 1009  # section 7.4.1


class FrameReader:
    """Makes bytes into messages. What a client may not send ends the reading: `failed` is the close code then."""

    __slots__ = ("_buffer", "_kind", "_limit", "_need", "_parts", "failed")

    def __init__(self, max_message_bytes: int) -> None:
        self._limit = max_message_bytes
        self._buffer: bytes | bytearray = b""
        self._need = 0  # so many bytes must be there before it is worth a look
        self._kind = _CONTINUATION  # of the message whose first parts are in `_parts`
        self._parts: bytes | bytearray = b""
        self.failed: int | None = None

    def feed(self, data: bytes) -> list[tuple[int, str | bytes]]:
        """What is complete now, in order: messages as `str` or `bytes`, and control frames, each with its opcode."""
        if self._buffer:
            # A bytearray grows in place: many small pieces of a large message are not copied again and again.
            self._buffer = buffer = bytearray(self._buffer) if isinstance(self._buffer, bytes) else self._buffer
            buffer += data
            if len(buffer) < self._need:
                return []
            data = bytes(buffer)
        whole: list[tuple[int, str | bytes]] = []
        at, end = 0, len(data)
        self._need = 0
        while self.failed is None and end - at >= 6:
            size, head = data[at + 1] & 127, 6
            if size == 126:
                head = 8
            elif size == 127:
                head = 14
            if end - at < head:
                break
            if head > 6:
                size = int.from_bytes(data[at + 2 : at + head - 4])
            if not self._may_be(data[at], data[at + 1], size) or end - at < head + size:
                self._need = head + size
                break
            begin = at + head
            at = begin + size
            self._take(data[begin - head] & 128, data[begin - head] & 15, _unmask(data, begin, size), whole)
        self._buffer = data[at:] if self.failed is None else b""
        return whole

    def _may_be(self, first: int, second: int, size: int) -> bool:
        final, opcode = first & 128, first & 15
        if first & 0x70 or not second & 128:  # extensions, and frames without a mask
            self.failed = _PROTOCOL_ERROR
        elif opcode in {CLOSE, PING, PONG}:
            if size > 125 or not final:
                self.failed = _PROTOCOL_ERROR
        elif opcode not in ({_TEXT, _BINARY} if self._kind == _CONTINUATION else {_CONTINUATION}):
            self.failed = _PROTOCOL_ERROR
        elif size + len(self._parts) > self._limit:
            self.failed = _TOO_LARGE
        return self.failed is None

    def _take(self, final: int, opcode: int, payload: bytes, whole: list[tuple[int, str | bytes]]) -> None:
        if opcode >= CLOSE:
            whole.append((opcode, payload))
            return
        if opcode != _CONTINUATION:
            self._kind = opcode
        if not final:
            self._parts = bytearray(self._parts) + payload
            return
        kind, data = self._kind, bytes(self._parts) + payload if self._parts else payload
        self._kind, self._parts = _CONTINUATION, b""
        try:
            whole.append((kind, data.decode() if kind == _TEXT else data))
        except UnicodeDecodeError:
            self.failed = _BAD_TEXT


def _unmask(data: bytes, begin: int, size: int) -> bytes:
    """The payload of a frame, whose mask stands before it (section 5.3): one XOR of two large numbers."""
    mask = data[begin - 4 : begin] * (size // 4 + 1)
    masked = int.from_bytes(data[begin : begin + size], "little")
    return (masked ^ int.from_bytes(mask[:size], "little")).to_bytes(size, "little")
