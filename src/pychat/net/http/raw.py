"""A complete HTTP/1.1 response in bytes, for connections that are refused before a host handles a request."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

__all__ = ["final_response"]


def final_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The last response of a connection, with a text. The caller closes the connection."""
    body = f"{text}\n".encode()
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
        "Connection: close",
    ]
    return "\r\n".join([*head, "\r\n"]).encode() + body
