"""The WSGI-like dictionary for `connect` handlers, the same for every host (names of PEP 3333)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

__all__ = ["build_environ"]


def build_environ(
    headers: Iterable[tuple[str, str]],
    *,
    method: str,
    path: str,
    root: str,
    query: str,
    scheme: str,
    http_version: str,
    remote: tuple[str, int],
    server: tuple[str, int],
    software: str,
) -> dict[str, Any]:
    """An environ. `remote` is the real client; REMOTE_PORT is 0 where a proxy stands between."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": root,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "SERVER_PROTOCOL": f"HTTP/{http_version}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_SOFTWARE": software,
        "REMOTE_ADDR": remote[0],
        "REMOTE_PORT": str(remote[1]),
        "wsgi.url_scheme": scheme,
        "wsgi.async": True,
    }
    for name, value in headers:
        key = _key(name)
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    return environ


@lru_cache(256)
def _key(name: str) -> str:
    """The key of a header. One text serves all connections, each of which keeps its environ."""
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_" + key
