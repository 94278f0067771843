"""Reads the body of a request: whole, and bounded in bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from pychat.net.websocket.asgi import Receive

__all__ = ["BodyTooLarge", "asgi_chunks", "read_body"]


class BodyTooLarge(Exception):
    """The body of a request is larger than the limit; the rest of it was not read."""


async def read_body(chunks: AsyncIterable[bytes], limit: int, length: int | None = None) -> bytes:
    """Read a whole body of at most `limit` bytes. `length` is its Content-Length, if the request has one.

    Raises `BodyTooLarge`, and whatever `chunks` raises: `ConnectionError` if the client has gone.
    """
    if length is not None and length > limit:
        raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        parts.append(chunk)
    return b"".join(parts)


async def asgi_chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body of an ASGI request in pieces. Raises `ConnectionResetError` if the client has gone."""
    more = True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            raise ConnectionResetError
        more = bool(event.get("more_body"))
        yield event.get("body") or b""
