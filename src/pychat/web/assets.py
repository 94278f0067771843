"""The static files of the package: finds them, compresses them, and makes one hash for all.

One for all of them, so that ES modules can import each other by relative paths and still be cached for good.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path

from pychat.domain.errors import UsageError
from pychat.net.http.response import Body, Response

__all__ = ["Assets"]

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_ASK = "public, max-age=0, must-revalidate"
_CLIENT = "vendor/socket.io.min.js"
_MODULE = "vendor/socket.io.esm.min.js"
# A page of another origin may embed the chat, and its scripts and styles hold no secrets.
_ANYBODY = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


class Assets:
    """Everything below a folder, but templates, kept in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is the package's own by default."""
        self.folder = folder or Path(str(resources.files("pychat") / "assets"))
        if not (self.folder / _CLIENT).is_file():
            msg = (
                "The Socket.IO client script is missing from this installation. Install pychat again "
                "(in its checkout: pip install -e .), which puts it there."
            )
            raise UsageError(msg)

    def url(self, path: str) -> str:
        """The address of a file, relative to the mount; it changes when a file does. Raise `UsageError` without one."""
        if path not in self._bodies:
            msg = f"There is no asset “{path}”."
            raise UsageError(msg)
        return f"assets/{self.hash}/{path}"

    def respond(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """The answer for `path`, below `assets/`: with the hash it is cached for good, without it checked each time."""
        first, _, rest = path.partition("/")
        hashed = first == self.hash
        body = self._bodies.get(rest if hashed else path)
        if body is None:
            return None
        return body.respond(headers, {"Cache-Control": _FOREVER if hashed else _ASK})

    def script(self, text: str) -> Body:
        """A short script with an address that never changes, so that browsers ask for it each time."""
        return Body(text.encode(), _TYPES[".js"], {**_ANYBODY, "Cache-Control": _ASK})

    def modules(self, *folders: str) -> list[str]:
        """The scripts that lie right in these folders, and the vendored one, as a page loads them."""
        return [
            _MODULE,
            *(path for path in self._bodies if path.endswith(".js") and path.rpartition("/")[0] in folders),
        ]

    def socketio_client(self, name: str, headers: Mapping[str, str]) -> Response | None:
        """The Socket.IO client script under the names that its own server would serve it by."""
        body = self._bodies.get(
            {
                "socket.io.js": _CLIENT,
                "socket.io.min.js": _CLIENT,
                "socket.io.esm.min.js": _MODULE,
            }.get(name, "")
        )
        return None if body is None else body.respond(headers, {"Cache-Control": _ASK})

    @cached_property
    def hash(self) -> str:
        """One hash over all files and their names."""
        digest = hashlib.blake2b(digest_size=8)
        for path, body in self._bodies.items():
            digest.update(f"{path}\0{body.etag}\0".encode())
        return digest.hexdigest()

    @cached_property
    def _bodies(self) -> dict[str, Body]:
        bodies = {}
        for file in sorted(self.folder.rglob("*")):
            if file.is_file() and file.suffix != ".html" and not file.name.startswith("."):
                content_type = (
                    _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "text/plain; charset=utf-8"
                )
                bodies[file.relative_to(self.folder).as_posix()] = Body(file.read_bytes(), content_type, _ANYBODY)
        return bodies
