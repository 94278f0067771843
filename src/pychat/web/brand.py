"""What an operator sets about the looks of the page without a style sheet: the accent colour and the logo."""

from __future__ import annotations

import re
from pathlib import Path

from pychat.domain.errors import UsageError
from pychat.net.http.response import Body

__all__ = ["Brand"]

_COLOUR = re.compile(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
}
_MAX_LOGO = 256 * 1024
# An SVG file is a document, too: opened by its address, it does nothing. Pages of other origins may show it.
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class Brand:
    """An accent colour and a logo; none of both is pychat's own."""

    def __init__(self, accent: str | None = None, logo: str | Path | None = None) -> None:
        """`accent` is a colour as `#rgb` or `#rrggbb`, `logo` the path of a picture. Raise `UsageError` for others."""
        if accent is not None and not _COLOUR.fullmatch(accent):
            raise UsageError(f"accent: {accent!r} is not a colour. Write three or six digits, such as #0b6e5d.")
        #: The accent colour, or an empty text.
        self.accent = accent or ""
        #: The picture, to be served at `logo`.
        self.logo = None if logo is None else _picture(Path(logo))

    @property
    def logo_url(self) -> str:
        """The address of the picture, relative to the mount; it changes with the picture. Empty without one."""
        return "" if self.logo is None else f"logo?{re.sub(r'[^0-9a-f]', '', self.logo.etag)}"


def _picture(path: Path) -> Body:
    content_type = _TYPES.get(path.suffix.lower())
    if content_type is None:
        raise UsageError(f"logo: {str(path)!r} is not a picture that browsers show: use {', '.join(_TYPES)}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"logo: {str(path)!r} cannot be read: {error.strerror}.") from error
    if len(content) > _MAX_LOGO:
        raise UsageError(f"logo: {str(path)!r} has {len(content)} bytes; at most {_MAX_LOGO} are allowed.")
    return Body(content, content_type, _HEADERS)
