"""Reads the body of a request up to a maximum size. `body_aiohttp` binds it to aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator

from pychat.net.websocket.asgi import Receive, Scope

__all__ = ["AsgiBody", "BodyMalformed", "BodyTooLarge", "read_body"]


class BodyTooLarge(Exception):
    """The body of a request is larger than the limit; the rest of it was not read."""


class BodyMalformed(Exception):
    """The body does not follow HTTP, or has too many chunks; the rest of it was not read."""


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


class AsgiBody:
    """The body of an ASGI request. A host hands out no malformed one: it answers such a request itself."""

    __slots__ = ("_begun", "_more", "_receive", "_scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._begun = False
        self._more = True

    @property
    def broken_off(self) -> bool:
        """True if reading began and did not reach the end: the connection cannot carry another request."""
        return self._begun and self._more

    async def read(self, limit: int) -> bytes:
        """Read the whole body, of at most `limit` bytes. Raises `BodyTooLarge`, `ConnectionError`."""
        self._begun = True
        length = next((value for name, value in self._scope["headers"] if name.lower() == b"content-length"), b"")
        return await read_body(self._chunks(), limit, int(length) if length.isdigit() else None)

    async def discard(self, seconds: float) -> None:
        """Read and drop the rest, for so many seconds at most. The system resets a connection with unread bytes."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                async for _ in self._chunks():
                    pass

    async def _chunks(self) -> AsyncIterator[bytes]:
        while self._more:
            event = await self._receive()
            if event["type"] != "http.request":
                raise ConnectionResetError
            self._more = bool(event.get("more_body"))
            yield event.get("body") or b""
