"""The request of a visitor, the same for every host and transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pychat.domain.errors import UsageError

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """The argument of `authenticate`: the handshake of a connection, or a request to the HTTP API."""

    #: In capitals; `GET` for a handshake.
    method: str
    #: As the host saw it, mostly with the prefix of the mount.
    path: str
    #: Names are in lower case.
    headers: Mapping[str, str]
    #: The last value of each name.
    query: Mapping[str, str]
    #: The address of the client, if needed from the headers of a trusted proxy; empty for a Unix socket.
    remote: str
    #: The name of the requested room.
    room: str
    #: The request of the host: aiohttp's `web.Request`, or the ASGI scope (a dict).
    raw: Any = field(repr=False)
    #: The `auth` of a Socket.IO client; empty on other transports.
    auth: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope. Raise `UsageError` on aiohttp."""
        if not isinstance(self.raw, dict):
            raise UsageError("There is no ASGI scope here: on aiohttp, Request.raw is the aiohttp.web.Request.")
        return self.raw

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name (RFC 6265, section 5.4); the first one of each name."""
        found: dict[str, str] = {}
        for pair in self.headers.get("cookie", "").split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals:
                found.setdefault(name, value.strip('"'))
        return found

    @property
    def bearer(self) -> str | None:
        """The token of the client, from the first of these places that has one.

        `Authorization: Bearer …` (RFC 6750), `auth: {"token": …}` of Socket.IO, and `?access_token=…` for WebSockets
        of browsers, which cannot set headers.
        """
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        said = self.auth.get("token")
        return said if isinstance(said, str) else self.query.get("access_token")
