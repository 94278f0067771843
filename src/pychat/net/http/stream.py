"""The port to a host's streaming response, and the chunk that is encoded once for all streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

__all__ = ["Chunk", "ResponseStream"]


class Chunk:
    """A piece of a response's body for many receivers, with the framing of HTTP/1.1 around it made once.

    The framing is the same for everyone (RFC 9112, section 7.1), so the same bytes serve all.
    """

    __slots__ = ("_framed", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._framed: bytes | None = None

    @classmethod
    def join(cls, chunks: Iterable[Chunk]) -> Chunk:
        """All of these, in order, as one write."""
        parts = list(chunks)
        return parts[0] if len(parts) == 1 else cls(b"".join([part.body for part in parts]))

    @property
    def framed(self) -> bytes:
        """The finished chunk: its size, and the bytes."""
        framed = self._framed
        if framed is None:
            framed = self._framed = b"%x\r\n%b\r\n" % (len(self.body), self.body)
        return framed


class ResponseStream(Protocol):
    """One response of the host whose body is still being written.

    `send` never awaits and never fails: what cannot go out at once waits in a buffer bounded in bytes,
    in which, as in a `WebSocketConnection`, the largest chunk is not counted.
    """

    #: Called once, from within `send`, when the buffer would overflow. After it, only the chunk given to `end` is sent.
    on_slow: Callable[[], None] | None

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""

    def send(self, chunk: Chunk) -> None:
        """Send a chunk, in order with everything sent before it. A no-op once ended."""

    def end(self, last: Chunk) -> None:
        """Send `last` behind what waits, and end the body; cut the connection if that takes over `CLOSE_SECONDS`."""

    async def gone(self) -> None:
        """Wait until the client has gone, or the body has ended."""
