"""Reads a client's WebSocket frames, as RFC 6455 says; knows no socket and no event loop."""

from __future__ import annotations

__all__ = [
    "BYTES_PER_TURN",
    "CLOSE",
    "FRAMES_PER_TURN",
    "MAX_FRAGMENTS",
    "PING",
    "POLICY",
    "SMALL_FRAGMENT",
    "FrameReader",
]

CLOSE, PING = 8, 9  # RFC 6455, section 5.2
_NOTHING, _TEXT, _BINARY = 0, 1, 2
_PROTOCOL_ERROR, _BAD_TEXT, POLICY, _TOO_LARGE = 1002, 1007, 1008, 1009  # section 7.4.1

#: One call of `feed` reads at most so many frames, and begins none behind so many bytes.
FRAMES_PER_TURN = 32
BYTES_PER_TURN = 64 * 1024

#: A message has at most so many fragments.
MAX_FRAGMENTS = 1024

#: A fragment whose payload is shorter than this, in bytes, counts as cheap.
SMALL_FRAGMENT = 128

# First bytes of frames: FIN, no extensions, opcode (section 5.2).
_BEGINNINGS = frozenset({0x81, 0x82, 0x01, 0x02})
_CONTINUATIONS = frozenset({0x80, 0x00})
_CONTROLS = frozenset({0x88, 0x89, 0x8A})
_CONTROL, _FINAL, _OPCODE = 0x88, 0x80, 0x0F

# Codes that a close frame may hold (section 7.4, and IANA's registry): 1004 to 1006 and 1015 are never sent.
_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})


class FrameReader:
    """Makes bytes into messages. What a client may not send ends the reading: `failed` is the close code then.

    The work of one call is bounded, and all of the work is linear in the bytes that come.
    """

    __slots__ = (
        "_allowed",
        "_buffer",
        "_closed",
        "_fragments",
        "_kind",
        "_limit",
        "_need",
        "_parts",
        "cheap",
        "failed",
        "pending",
    )

    def __init__(self, max_message_bytes: int) -> None:
        self._limit = max_message_bytes
        self._buffer: bytearray | None = None  # what has come and is not read yet
        self._need = 0  # so many bytes must be there before it is worth a look
        self._allowed = _BEGINNINGS  # first bytes of the next frame, beside control frames
        self._kind = _NOTHING  # of the message whose first fragments are in `_parts`
        self._parts: bytearray | None = None
        self._fragments = 0
        self._closed = False
        #: The close code for a rule that the client broke.
        self.failed: int | None = None
        #: Frames may wait that one call did not get to: call `feed()` again in a later turn of the event loop.
        self.pending = False
        #: How many frames cost their sender next to nothing: control frames, empty frames, small fragments. The
        #: caller resets it.
        self.cheap = 0

    def feed(self, data: bytes = b"") -> list[tuple[int, str | bytes]]:
        """Read on, with `data` behind what waits: messages as `str` or `bytes`, and control frames, with their opcodes.

        A call reads at most `FRAMES_PER_TURN` frames; `pending` tells that there may be more.
        """
        whole: list[tuple[int, str | bytes]] = []
        self.pending = False
        if self._closed or self.failed is not None:
            return whole
        source: bytes | bytearray = data
        if self._buffer is not None:
            self._buffer += data  # in place: small pieces of a large message are not copied again and again
            source = self._buffer
            if len(source) < self._need:
                return whole
        at, end, left = 0, len(source), FRAMES_PER_TURN
        self._need = 0
        while end - at > 1:
            if not left or at >= BYTES_PER_TURN:
                self.pending = True
                break
            first, second = source[at], source[at + 1]
            if second < 128 or (first not in self._allowed and (first not in _CONTROLS or second > 253)):
                self.failed = _PROTOCOL_ERROR
                break
            size, head = second - 128, 6
            if size > 125:
                head = 8 if size == 126 else 14
                if end - at < head:
                    self._need = head
                    break
                least, size = (126 if head == 8 else 65536), int.from_bytes(source[at + 2 : at + head - 4])
                if size < least:
                    self.failed = _PROTOCOL_ERROR  # a length has one form, the shortest
                    break
            if first < _CONTROL and size + (0 if self._parts is None else len(self._parts)) > self._limit:
                self.failed = _TOO_LARGE
                break
            begin = at + head
            if end - begin < size:
                self._need = head + size
                break
            at = begin + size
            left -= 1
            if not self._take(first, _unmask(source, begin, size), whole):
                break
        self._keep(source, at)
        return whole

    def hold(self, data: bytes) -> None:
        """Keep `data` for a later `feed()`."""
        if self._closed or self.failed is not None:
            return
        if self._buffer is None:
            self._buffer = bytearray()
        self._buffer += data
        self.pending = True

    def fail(self, code: int) -> None:
        """Read nothing more, for a reason of the caller's."""
        self.failed = code
        self.stop()

    def stop(self) -> None:
        """Read nothing more."""
        self._closed = True
        self._buffer = self._parts = None
        self.pending = False

    def _keep(self, source: bytes | bytearray, at: int) -> None:
        """Keep what stands behind `at`."""
        if at == len(source) or self._closed or self.failed is not None:
            self._buffer = None
            self.pending = False
            if self.failed is not None:
                self._parts = None
        elif source is self._buffer:
            del self._buffer[:at]  # does not move what stays
        else:
            self._buffer = bytearray(memoryview(source)[at:])

    def _take(self, first: int, payload: bytes, whole: list[tuple[int, str | bytes]]) -> bool:
        """Take a frame in; whether the reading goes on."""
        if first >= _CONTROL:
            self.cheap += 1
            if first & _OPCODE == CLOSE:
                self._closed = True
                # A message that has begun will not end any more.
                self.failed = _wrong_close(payload) or (None if self._parts is None else _PROTOCOL_ERROR)
                if self.failed is not None:
                    return False
            whole.append((first & _OPCODE, payload))
            return not self._closed
        kind = first & _OPCODE or self._kind
        if self._parts is not None or not first & _FINAL:
            self._fragments += 1
            if len(payload) < SMALL_FRAGMENT:
                self.cheap += 1
            if self._fragments > MAX_FRAGMENTS:
                self.failed = POLICY
                return False
            if self._parts is None:
                self._parts = bytearray()
            self._parts += payload
            if not first & _FINAL:
                self._kind, self._allowed = kind, _CONTINUATIONS
                return True
            payload = bytes(self._parts)
            self._parts, self._fragments, self._allowed = None, 0, _BEGINNINGS
        elif not payload:
            self.cheap += 1
        try:
            whole.append((kind, payload.decode() if kind == _TEXT else payload))
        except UnicodeDecodeError:
            self.failed = _BAD_TEXT
            return False
        return True


def _wrong_close(payload: bytes) -> int | None:
    """What is wrong with the body of a close frame (section 5.5.1), as a close code."""
    if not payload:
        return None
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return _BAD_TEXT
    code = int.from_bytes(payload[:2])
    return None if len(payload) > 1 and (code in _CLOSE_CODES or 3000 <= code < 5000) else _PROTOCOL_ERROR


def _unmask(data: bytes | bytearray, begin: int, size: int) -> bytes:
    """The payload of a frame, whose mask stands before it (section 5.3): one XOR of two large numbers."""
    mask = data[begin - 4 : begin] * (size // 4 + 1)
    masked = int.from_bytes(data[begin : begin + size], "little")
    return (masked ^ int.from_bytes(mask[:size], "little")).to_bytes(size, "little")
