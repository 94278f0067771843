"""Parses requests of Engine.IO, and makes the error answers with the codes of the reference server."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pychat.domain.errors import Refused
from pychat.net.http.gate import retry_headers
from pychat.transports.socketio.engineio.request import Reply

__all__ = [
    "BAD_METHOD",
    "BAD_REQUEST",
    "BAD_VERSION",
    "FORBIDDEN",
    "UNKNOWN_SID",
    "UNKNOWN_TRANSPORT",
    "Query",
    "cookie",
    "refusal",
    "turned_away",
]

# The error codes of Engine.IO's reference server.
UNKNOWN_TRANSPORT = (0, "Transport unknown")
UNKNOWN_SID = (1, "Session ID unknown")
BAD_METHOD = (2, "Bad handshake method")
BAD_REQUEST = (3, "Bad request")
FORBIDDEN = (4, "Forbidden")
BAD_VERSION = (5, "Unsupported protocol version")


class Query:
    """The three parameters of a request that matter."""

    __slots__ = ("eio", "jsonp", "sid", "transport")

    def __init__(self, query: str) -> None:
        # Nothing that matters here is ever percent-encoded; the first of a name counts.
        values = dict(part.partition("=")[::2] for part in reversed(query.split("&")))
        self.transport = values.get("transport", "")
        self.eio = values.get("EIO", "")
        self.sid = values.get("sid", "")
        self.jsonp = "j" in values


def turned_away(refused: Refused) -> Reply:
    """The answer to a handshake that the admission gate refuses."""
    reply = refusal(refused.kind.status, (BAD_REQUEST[0], refused.text))
    reply.headers += retry_headers(refused).items()
    return reply


def refusal(status: int, error: tuple[int, str]) -> Reply:
    """An answer that refuses a request: one of the reference server's errors, as `(code, message)`."""
    code, message = error
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return Reply(status, json.dumps({"code": code, "message": message}, separators=(",", ":")).encode(), headers)


def cookie(wanted: str | Mapping[str, object], sid: str) -> str:
    """The value of Set-Cookie for a handshake. `wanted` is the cookie's name, or that and its attributes."""
    attributes = {"path": "/", "SameSite": "Lax", **({"name": wanted} if isinstance(wanted, str) else wanted)}
    parts = [f"{attributes.pop('name')}={sid}"]
    for name, value in attributes.items():
        value = value() if callable(value) else value  # noqa: PLW2901 -- a function makes the value
        parts.append(name if value is True else f"{name}={value}")
    return "; ".join(parts)
