"""The headers of a program that logs in."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["login_headers"]


def login_headers(
    headers: Mapping[str, str] | None, cookies: Mapping[str, str] | None, token: str | None
) -> dict[str, str]:
    """`headers`, with the cookies and the token of a login."""
    found = dict(headers or {})
    if token is not None:
        found["Authorization"] = f"Bearer {token}"
    if cookies:
        found["Cookie"] = "; ".join(f"{each}={value}" for each, value in cookies.items())
    return found
