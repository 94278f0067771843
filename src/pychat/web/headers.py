"""The security headers of the page. `tests/serve/test_headers.py` goes through the list of OWASP."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pychat.domain.errors import UsageError

__all__ = ["page_headers"]

_ORIGIN = re.compile(r"\*|https?://(\*\.)?[A-Za-z0-9.-]+(:(\d{1,5}|\*))?/?")
_WORDS = {"self": "'self'", "none": "'none'"}
#: What no page of a chat needs, nor a page that an error in it lets through.
_POWERS = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)


def page_headers(frame_ancestors: Iterable[str] | str = "self", *, forms: bool = False) -> dict[str, str]:
    """The headers of a page that only pages of `frame_ancestors` can put into a frame. With `forms`, it can send some.

    These are origins such as `"https://example.com"`, `"self"`, `"none"` alone, or `"*"`. Raise `UsageError` for
    others.
    """
    names = [frame_ancestors] if isinstance(frame_ancestors, str) else list(frame_ancestors)
    wrong = [name for name in names if name not in _WORDS and not _ORIGIN.fullmatch(name)]
    if wrong or not names or ("none" in names and len(names) > 1):
        told = repr(wrong[0]) if wrong else repr(names)
        raise UsageError(
            f'frame_ancestors: {told}; write origins such as "https://example.com", "self", or "none" alone'
        )
    ancestors = " ".join(_WORDS.get(name, name.rstrip("/")) for name in names)
    headers = {
        "Content-Security-Policy": "default-src 'none'; "
        "script-src 'self'; "
        "worker-src 'self'; "
        "style-src 'self'; "
        "img-src 'self' data:; "
        "font-src 'self'; "
        "media-src 'self'; "
        "connect-src 'self'; "
        "manifest-src 'self'; "
        "base-uri 'none'; "
        f"form-action {_WORDS['self' if forms else 'none']}; "
        f"frame-ancestors {ancestors}",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": ", ".join(f"{power}=()" for power in _POWERS),
        "X-DNS-Prefetch-Control": "off",  # for the addresses in messages
        "X-Permitted-Cross-Domain-Policies": "none",
        "Cache-Control": "no-cache",
    }
    if set(names) <= set(_WORDS):
        headers["X-Frame-Options"] = "DENY" if names == ["none"] else "SAMEORIGIN"  # for old browsers
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return headers
