"""The body of an aiohttp request."""

from __future__ import annotations

from aiohttp import http_exceptions, web

from pychat.net.http.body import BodyMalformed, read_body

__all__ = ["read_aiohttp_body"]


async def read_aiohttp_body(request: web.BaseRequest, limit: int) -> bytes:
    """Read a whole body of at most `limit` bytes. Raises `BodyTooLarge`, `BodyMalformed`, `ConnectionError`."""
    try:
        return await read_body(request.content.iter_any(), limit, request.content_length)
    except (web.RequestPayloadError, http_exceptions.HttpProcessingError):  # aiohttp's two parsers raise one each
        raise BodyMalformed from None
