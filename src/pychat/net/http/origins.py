"""The origins whose web pages may connect: the server's own host, and the allowed ones."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from pychat.domain.errors import UsageError

__all__ = ["OriginPolicy"]

_log = logging.getLogger("pychat.origin")

_REMEMBERED = 100
_DEFAULT_PORT = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def _authority(scheme: str, netloc: str) -> tuple[str, int | None] | None:
    """Host and port in small letters, None for the default port. A Host header (no scheme) may mean either."""
    try:
        parts = urlsplit("//" + netloc)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username is not None:
        return None
    default = {_DEFAULT_PORT.get(scheme)} if scheme else {80, 443}
    return host.rstrip("."), None if port in default else port


def _origin(text: str) -> tuple[str, tuple[str, int | None]] | None:
    scheme, colon, netloc = text.strip().lower().partition("://")
    authority = _authority(scheme, netloc.rstrip("/")) if colon else None
    return (scheme, authority) if authority else None


class OriginPolicy:
    """The same-origin rule for transports (RFC 6455, section 10.2; browsers hold no WebSocket back).

    A page may connect when the host and port of its Origin are those of the request; the scheme is not
    compared, so a proxy that ends TLS needs no X-Forwarded-Proto. `allowed` adds origins such as
    `"https://example.com"`, or `"*"` for every page there is; `"null"` is for sandboxed frames and files. Programs
    that send no Origin are let in. Raises `UsageError` for what is not an origin.
    """

    __slots__ = ("_allowed", "_any", "_told")

    def __init__(self, allowed: Iterable[str] | str = ()) -> None:
        names = [allowed] if isinstance(allowed, str) else list(allowed)
        self._any = "*" in names
        self._allowed: set[object] = set()
        self._told: set[str] = set()
        for name in names:
            if name == "null":
                self._allowed.add(name)
            elif name != "*":
                parsed = _origin(name)
                if parsed is None:
                    raise UsageError(f'allowed_origins: {name!r} is not an origin; write "https://example.com" or "*"')
                self._allowed.add(parsed)

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of `origin` may connect to this server, which it reached as `host`.

        The first refusal of each origin is logged, with the setting that would let it in.
        """
        if origin is None or self._any:
            return True
        if origin in self._allowed:
            return True
        parsed = _origin(origin)
        if parsed is not None and (parsed in self._allowed or (host and parsed[1] == _authority("", host.lower()))):
            return True
        self._tell(origin, host)
        return False

    def _tell(self, origin: str, host: str | None) -> None:
        origin = "".join(letter for letter in origin[:200] if letter.isprintable())
        if origin in self._told or len(self._told) >= _REMEMBERED:
            return
        self._told.add(origin)
        _log.warning(
            "Refused a page of %s, which reached this server as %s. To let it in: --allow-origin %s"
            " (allowed_origins=[%r]); if a proxy changes Host, name it: --trusted-proxy ADDRESS (trusted_proxies=[…]).",
            origin,
            ascii((host or "")[:200]),
            origin,
            origin,
        )
