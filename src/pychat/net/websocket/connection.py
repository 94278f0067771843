"""The port to a host's WebSocket, and the frame that is encoded once for all connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

__all__ = [
    "CLOSE_SECONDS",
    "DEFAULT_BUFFER_BYTES",
    "DEFAULT_MESSAGE_BYTES",
    "NO_CODE",
    "Frame",
    "Sender",
    "WebSocketClosed",
    "WebSocketConnection",
    "close_frame",
    "frame_bytes",
]

#: How long a closing connection may take to send what waits and to answer; then it is cut.
CLOSE_SECONDS = 3.0

#: What may wait for one receiver beside the largest frame before it is closed with `Close.SLOW`, in bytes.
DEFAULT_BUFFER_BYTES = 1024 * 1024

#: The largest message that is taken from a client, in bytes.
DEFAULT_MESSAGE_BYTES = 1_000_000

#: The code of a close frame without one (RFC 6455, section 7.1.5).
NO_CODE = 1005

_TEXT = 0x81
_CLOSE = 0x88


class WebSocketClosed(Exception):
    """The other side has gone; nothing more will be received. `code` is that of its close frame, if it sent one."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


def frame_bytes(first: int, payload: bytes) -> bytes:
    """A finished, unmasked WebSocket frame (RFC 6455, section 5.2); `first` holds FIN and the opcode."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str) -> bytes:
    """A finished close frame; the reason is cut to the 123 bytes that fit (RFC 6455, section 5.5)."""
    words = reason.encode()[:123].decode(errors="ignore").encode()
    return frame_bytes(_CLOSE, code.to_bytes(2, "big") + words)


class Frame:
    """A text for many receivers, encoded once: as `str`, and as the finished WebSocket frame.

    Frames of a server are not masked (RFC 6455, section 5.1), so the same bytes serve everyone, and an
    uncompressed frame is legal on a connection that negotiated permessage-deflate (RFC 7692, section 6).
    `Frame("a", "b")` holds two messages that travel together: one write, two WebSocket frames.
    """

    __slots__ = ("raw", "texts")

    def __init__(self, *texts: str) -> None:
        """Raises `ValueError` for a lone surrogate."""
        self.texts = texts
        #: The finished WebSocket text frames: FIN, opcode 1, length, payload.
        self.raw = (
            frame_bytes(_TEXT, texts[0].encode())
            if len(texts) == 1
            else b"".join([frame_bytes(_TEXT, text.encode()) for text in texts])
        )

    @classmethod
    def joined(cls, frames: Iterable[Frame]) -> Frame:
        """All of these, in order, as one write; frames are not encoded again."""
        parts = list(frames)
        if len(parts) == 1:
            return parts[0]
        frame = cls()
        frame.texts = tuple(text for part in parts for text in part.texts)
        frame.raw = b"".join([part.raw for part in parts])
        return frame

    @property
    def text(self) -> str:
        """The message; of several, the first."""
        return self.texts[0]


class Sender(Protocol):
    """The sending half of an accepted WebSocket.

    `send` never awaits and never fails: what cannot go out at once waits in a buffer bounded in bytes, and a
    receiver whose buffer overflows is closed with `Close.SLOW`. The largest frame that came since the buffer was last
    empty is not counted: a client that returns gets everything it missed as one frame, which takes time to read.
    """

    #: Called once, from within `send`, when the buffer overflows and the connection closes itself.
    on_slow: Callable[[], None] | None

    @property
    def remote(self) -> str:
        """The peer's address, as the host knows it."""

    @property
    def protocol(self) -> str | None:
        """The subprotocol that was agreed on (RFC 6455, section 1.9)."""

    @property
    def buffered(self) -> int:
        """Bytes that wait for the receiver."""

    def send(self, frame: Frame) -> None:
        """Send a frame, in order with everything sent before it. A no-op once closed."""

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message, in order with everything sent before it. A no-op once closed."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what waits, then a close frame; cut the connection if that is not done in `CLOSE_SECONDS`."""

    def abort(self) -> None:
        """Cut the connection at once."""


class WebSocketConnection(Sender, Protocol):
    """One accepted WebSocket of the host."""

    async def receive(self) -> str | bytes:
        """Wait for the next message, whole. Raise `WebSocketClosed` when there will be none.

        After `close`, messages are dropped until the other side has answered or the connection is cut. Keep
        receiving, so that the closing handshake can finish.
        """
