"""Store URLs: what of one may be shown."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

__all__ = ["redact"]

#: A URL of Redis whose parts are beyond doubt: a password with / @ ? # in it that was not percent-encoded is none.
_REDIS = re.compile(
    r"(?P<scheme>rediss?)://(?P<user>[^/?#@]*@)?(?P<place>(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d+)?(?:/\d*)?)"
    r"(?:\?(?P<query>[^@/#]*))?"
)
_UNIX = re.compile(r"(?P<scheme>unix)://(?P<user>[^/?#@]*@)?(?P<place>/[^@?#]*)(?:\?(?P<query>[^@/#]*))?")
_SHOWN = {"db": re.compile(r"\d+"), "prefix": re.compile(r"[\w.:-]+")}


def redact(url: str) -> str:
    """`url` as it may be printed and logged: users, passwords and options that could be either are left out.

    `redis://ada:secret@h:6379/0?password=x` is shown as `redis://…@h:6379/0?…`. Of a URL that is not understood
    nothing is shown but its scheme, if it could hold a secret.
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
