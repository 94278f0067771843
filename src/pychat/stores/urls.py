"""Store URLs without their secrets."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

__all__ = ["redact"]

#: A Redis URL with unambiguous parts. A password with an unencoded / @ ? or # makes it ambiguous: no match.
_REDIS = re.compile(
    r"(?P<scheme>rediss?)://(?P<user>[^/?#@]*@)?(?P<place>(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d+)?(?:/\d*)?)"
    r"(?:\?(?P<query>[^@/#]*))?"
)
_UNIX = re.compile(r"(?P<scheme>unix)://(?P<user>[^/?#@]*@)?(?P<place>/[^@?#]*)(?:\?(?P<query>[^@/#]*))?")
_SHOWN = {"db": re.compile(r"\d+"), "prefix": re.compile(r"[\w.:-]+")}


def redact(url: str) -> str:
    """Return `url` without users, passwords and options that may be secret, for output and logs.

    `redis://ada:secret@h:6379/0?password=x` becomes `redis://…@h:6379/0?…`. If the URL cannot be parsed and may hold a
    secret, only its scheme is shown.
    """
    found = _REDIS.fullmatch(url) or _UNIX.fullmatch(url)
    if found is None:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme.startswith("sqlite:") or not re.search(r"[@?:]", rest):
            return url
        return f"{scheme}://…"
    user = "…@" if found["user"] else ""
    options = parse_qsl(found["query"] or "", keep_blank_values=True)
    shown = [f"{name}={value}" for name, value in options if name in _SHOWN and _SHOWN[name].fullmatch(value)]
    if len(shown) < len(options):
        shown.append("…")
    return f"{found['scheme']}://{user}{found['place']}" + (f"?{'&'.join(shown)}" if shown else "")
