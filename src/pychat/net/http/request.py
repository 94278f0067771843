"""The headers of a request by name; `Request` itself is in the domain, because apps are asked about it."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.domain.request import Request

__all__ = ["Request", "joined_headers"]


def joined_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name in lower case; several of one name are one (RFC 9110, section 5.3; RFC 9113 for cookies)."""
    found: dict[str, str] = {}
    for given, value in headers:
        name = given.lower()
        found[name] = f"{found[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in found else value
    return found
