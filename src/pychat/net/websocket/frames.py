"""The bytes of frames that are sent, encoded once for all connections. `protocol` parses those that are received."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

__all__ = ["Frame", "close_frame", "frame_bytes"]

_TEXT = 0x81
_CLOSE = 0x88


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
    def join(cls, frames: Iterable[Frame]) -> Frame:
        """All of these, in order, as one write; frames are not encoded again."""
        parts = list(frames)
        if len(parts) == 1:
            return parts[0]
        frame = cls()
        frame.texts = tuple(chain.from_iterable([part.texts for part in parts]))
        frame.raw = b"".join([part.raw for part in parts])
        return frame

    @property
    def text(self) -> str:
        """The message; of several, the first."""
        return self.texts[0]
