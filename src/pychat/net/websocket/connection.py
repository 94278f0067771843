"""The port to a host's WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pychat.net.websocket.frames import Frame

__all__ = [
    "CLOSE_SECONDS",
    "DEFAULT_BUFFER_BYTES",
    "DEFAULT_MESSAGE_BYTES",
    "NO_CODE",
    "Sender",
    "WebSocketClosed",
    "WebSocketConnection",
]

#: How long a closing connection may take to send what waits and to answer; then it is cut.
CLOSE_SECONDS = 3.0

#: What may wait for one receiver beside the largest frame before it is closed with `Close.SLOW`, in bytes.
DEFAULT_BUFFER_BYTES = 1024 * 1024

#: The largest message that is taken from a client, in bytes.
DEFAULT_MESSAGE_BYTES = 1_000_000

#: The code of a close frame without one (RFC 6455, section 7.1.5).
NO_CODE = 1005


class WebSocketClosed(Exception):
    """The other side has gone; nothing more will be received. `code` is that of its close frame, if it sent one."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


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
