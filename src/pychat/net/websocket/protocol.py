"""The protocol of one server-side WebSocket (RFC 6455), without I/O: its state, parsed frames, and control frames.

A binding gives it the bytes that come, sends its `outgoing` bytes, and acts on its `state`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from pychat.net.websocket.connection import NO_CODE
from pychat.net.websocket.frames import close_frame, frame_bytes

__all__ = [
    "BYTES_PER_TURN",
    "FRAMES_PER_TURN",
    "MAX_FRAGMENTS",
    "POLICY",
    "SMALL_FRAGMENT",
    "State",
    "WebSocketProtocol",
]

_CLOSE, _PING = 8, 9  # RFC 6455, section 5.2
_NOTHING, _TEXT = 0, 1
_PONG_FRAME = 0x8A
_NORMAL, _PROTOCOL_ERROR, _BAD_TEXT, POLICY, _TOO_LARGE = 1000, 1002, 1007, 1008, 1009  # section 7.4.1

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


class State(IntEnum):
    """The state of a WebSocket; it only ever grows."""

    #: Messages go both ways.
    OPEN = 0
    #: This server has sent a close frame, and waits for that of the client. Messages of the client are dropped.
    CLOSING = 1
    #: Nothing more is read or sent: the closing handshake is over, a rule was broken, or the connection is lost.
    CLOSED = 2


_OPEN, _CLOSING, _CLOSED = State


class WebSocketProtocol:
    """Turns bytes into messages, answers control frames, and closes once. A client's mistake sets `failed`.

    The work of one call of `feed` is bounded, and all work is linear in the bytes that come.
    """

    __slots__ = (
        "_buffer",
        "_fragments",
        "_kind",
        "_limit",
        "_need",
        "_parts",
        "broken",
        "cheap",
        "close_code",
        "failed",
        "outgoing",
        "pending",
        "state",
    )

    def __init__(self, max_message_bytes: int) -> None:
        self.state = _OPEN
        #: Finished control frames: pongs, and the last close frame. The caller sends them after each message and after
        #: each call of `feed`, and resets this.
        self.outgoing = b""
        #: The code of the close frame by which the client closed, if the client was the first.
        self.close_code: int | None = None
        #: The client broke a rule; it may still be sending.
        self.broken = False
        #: The close code that the client is told for that, if no close frame was sent before.
        self.failed: int | None = None
        #: Frames may wait that one call did not get to: call `feed()` again in a later turn of the event loop.
        self.pending = False
        #: How many frames cost their sender next to nothing: control frames, empty frames, small fragments. The
        #: caller resets it.
        self.cheap = 0
        self._limit = max_message_bytes
        self._buffer: bytearray | None = None  # what has come and is not read yet
        self._need = 0  # the next frame is complete with so many bytes at least
        self._kind = _NOTHING  # of the message whose first fragments are in `_parts`
        self._parts: bytearray | None = None
        self._fragments = 0

    def feed(self, data: bytes = b"") -> Iterator[str | bytes]:
        """Parse `data`, after the bytes that wait: yield messages, as `str` or `bytes`, while the state is `OPEN`.

        A call reads at most `FRAMES_PER_TURN` frames. If the caller stops early, the rest waits for the next call. Do
        not call it again within the loop over an earlier call.
        """
        source: bytes | bytearray = data
        if self._buffer is not None:
            self._buffer += data  # a frame that comes in many pieces is not copied again and again
            source = self._buffer
        end, at, left = len(source), 0, FRAMES_PER_TURN
        if self.state is _CLOSED or end < self._need:
            self.pending = False
            return
        self._need = 0
        self.pending = True
        try:
            while left and at < BYTES_PER_TURN:
                if end - at < 2:
                    self.pending = False
                    return
                first, second = source[at], source[at + 1]
                if second < 128 or (
                    first not in (_BEGINNINGS if self._parts is None else _CONTINUATIONS)
                    and (first not in _CONTROLS or second > 253)
                ):
                    self.fail(_PROTOCOL_ERROR)
                    return
                size, head = second - 128, 6
                if size > 125:
                    head = 8 if size == 126 else 14
                    if end - at < head:
                        self._need, self.pending = head, False
                        return
                    minimum, size = (126 if head == 8 else 65536), int.from_bytes(source[at + 2 : at + head - 4])
                    if size < minimum:
                        self.fail(_PROTOCOL_ERROR)  # a length has one form, the shortest
                        return
                if first < _CONTROL and size + (0 if self._parts is None else len(self._parts)) > self._limit:
                    self.fail(_TOO_LARGE)
                    return
                begin = at + head
                if end - begin < size:
                    self._need, self.pending = head + size, False
                    return
                at = begin + size
                left -= 1
                payload = _unmask(source, begin, size)
                if first < _CONTROL:
                    message = self._take(first, payload)
                    if message is not None and self.state is _OPEN:
                        yield message
                else:
                    self._control(first & _OPCODE, payload)
                if self.state is _CLOSED:
                    return
        finally:
            self._keep(source, at)

    def hold(self, data: bytes) -> None:
        """Keep `data` for a later `feed()`."""
        if self.state is _CLOSED:
            return
        if self._buffer is None:
            self._buffer = bytearray()
        self._buffer += data
        self.pending = True

    def close(self, code: int, reason: str) -> bytes:
        """Begin the closing handshake: return the close frame to send; empty if the connection is not open."""
        if self.state is not _OPEN:
            return b""
        self.state = _CLOSING
        return close_frame(code, reason)

    def fail(self, code: int, reason: str = "") -> None:
        """Close because the client broke a rule; it is told so, unless a close frame was sent before."""
        if self.state is _OPEN:
            self.outgoing += close_frame(code, reason)
            self.failed = code
        self.broken = True
        self.stop()

    def stop(self) -> None:
        """The connection is over: read nothing more."""
        self.state = _CLOSED
        self._buffer = self._parts = None
        self.pending = False

    def _keep(self, source: bytes | bytearray, at: int) -> None:
        """Keep what stands behind `at`."""
        if at == len(source) or self.state is _CLOSED:
            self._buffer = None
            self.pending = False
        elif source is self._buffer:
            del self._buffer[:at]  # does not move what stays
        else:
            self._buffer = bytearray(memoryview(source)[at:])

    def _control(self, opcode: int, payload: bytes) -> None:
        """Handle a control frame (section 5.5)."""
        self.cheap += 1
        if opcode == _PING:
            if self.state is _OPEN:
                self.outgoing += frame_bytes(_PONG_FRAME, payload)
        elif opcode == _CLOSE:
            # A close frame within a fragmented message breaks the message.
            wrong = _wrong_close(payload) or (None if self._parts is None else _PROTOCOL_ERROR)
            if wrong is not None:
                self.fail(wrong)
                return
            if self.state is _OPEN:
                self.close_code = int.from_bytes(payload[:2]) if payload else NO_CODE
                self.outgoing += close_frame(int.from_bytes(payload[:2]) if payload else _NORMAL, "")
            self.stop()

    def _take(self, first: int, payload: bytes) -> str | bytes | None:
        """Take a frame of a message; return the message if this is its end."""
        kind = first & _OPCODE or self._kind
        if self._parts is not None or not first & _FINAL:
            self._fragments += 1
            if len(payload) < SMALL_FRAGMENT:
                self.cheap += 1
            if self._fragments > MAX_FRAGMENTS:
                self.fail(POLICY)
                return None
            if self._parts is None:
                self._parts = bytearray()
            self._parts += payload
            if not first & _FINAL:
                self._kind = kind
                return None
            payload = bytes(self._parts)
            self._parts, self._fragments = None, 0
        elif not payload:
            self.cheap += 1
        try:
            return payload.decode() if kind == _TEXT else payload
        except UnicodeDecodeError:
            self.fail(_BAD_TEXT)
            return None


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
