"""The port to a host's WebSocket: what a transport asks of aiohttp or ASGI, and the frame that is encoded once."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Carrier", "CarrierClosed", "Frame"]


class CarrierClosed(Exception):
    """The other side has gone; nothing more will be received."""


class Frame:
    """A text for many receivers, encoded once: as `str`, and as the finished WebSocket frame.

    Frames of a server are not masked (RFC 6455, section 5.1), so the same bytes serve everyone, and an
    uncompressed frame is legal on a connection that negotiated permessage-deflate (RFC 7692, section 6).
    """

    __slots__ = ("_raw", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._raw: bytes | None = None

    @property
    def raw(self) -> bytes:
        """The finished WebSocket text frame: FIN, opcode 1, length, payload."""
        raw = self._raw
        if raw is None:
            payload = self.text.encode()
            size = len(payload)
            if size < 126:
                head = bytes((0x81, size))
            elif size < 65536:
                head = b"\x81\x7e" + size.to_bytes(2, "big")
            else:
                head = b"\x81\x7f" + size.to_bytes(8, "big")
            raw = self._raw = head + payload
        return raw


class Carrier(Protocol):
    """One accepted WebSocket of the host.

    `send` never awaits and never fails: what cannot go out at once waits in a buffer bounded in bytes, and a
    receiver whose buffer overflows is closed with `Close.SLOW`.
    """

    @property
    def remote(self) -> str:
        """The peer's address, as the host knows it."""

    @property
    def buffered(self) -> int:
        """Bytes that wait for the receiver."""

    def send(self, frame: Frame) -> None:
        """Send a text frame, in order with everything sent before it. A no-op once closed."""

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message, in order with everything sent before it. A no-op once closed."""

    async def receive(self) -> str | bytes:
        """Wait for the next message, whole. Raise `CarrierClosed` when there will be none."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what waits, then a close frame; drop the connection if that is not done within seconds."""
