"""The static files of the package: finds them, compresses them, and makes one hash for all.

One for all of them, so that ES modules can import each other by relative paths and still be cached for good.
Scripts and styles are served as `dist/` has them, bundled, under the addresses of their sources.
"""

from __future__ import annotations

import hashlib
import json
import logging
import mimetypes
import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path

from pychat.domain.errors import UsageError
from pychat.net.http.response import Body, Response
from pychat.web.sources import BUNDLED, fingerprint

__all__ = ["LATER", "Assets"]

#: Scripts that the page loads when somebody takes part, and needs without a network, too.
LATER = (
    "js/view/taking-part.js",
    "js/view/finder.js",
    "js/view/pins.js",
    "js/attention/attention.js",
)

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_ASK = "public, max-age=0, must-revalidate"
_DIST = "dist"
_IMPORT = re.compile(r"""^(?:import|export)\b[^"'();]*?["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
_log = logging.getLogger("pychat.page")

_CLIENT = "vendor/socket.io.min.js"
_MODULE = "vendor/socket.io.esm.min.js"
# A page of another origin may embed the chat, and its scripts and styles hold no secrets.
_ANYBODY = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


class Assets:
    """Everything below a folder, but templates, kept in memory."""

    def __init__(self, folder: Path | None = None, *, dev: bool = False) -> None:
        """`folder` is the package's own by default. `dev` serves the sources of scripts and styles, one by one."""
        self.folder = folder or Path(str(resources.files("pychat") / "assets"))
        if not (self.folder / _CLIENT).is_file():
            msg = (
                "The Socket.IO client script is missing from this installation. Install pychat again "
                "(in its checkout: pip install -e .), which puts it there."
            )
            raise UsageError(msg)
        self.dev = dev or not self._is_bundled()
        if self.dev and not dev:
            _log.warning(
                "The page's scripts have changed since they were bundled, so each file is served by itself, which is "
                "slow. Bundle them with `python hatch_build.py`, or start with --dev."
            )

    def _is_bundled(self) -> bool:
        """Whether the bundles were made of these very sources."""
        stamp = self.folder / _DIST / "SOURCES"
        return stamp.is_file() and stamp.read_text("utf-8").split("\n")[0] == fingerprint(self.folder)

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

    def text(self, path: str) -> str:
        """What stands in a file."""
        return self._bodies[path].content.decode()

    def script(self, text: str) -> Body:
        """A short script with an address that never changes, so that browsers ask for it each time."""
        return Body(text.encode(), _TYPES[".js"], {**_ANYBODY, "Cache-Control": _ASK})

    def imports(self, path: str) -> list[str]:
        """The scripts that a script imports at once, each with its own, for those who load them all at once."""
        found: dict[str, None] = {}
        waiting = [path]
        while waiting:
            for one in self._imports(waiting.pop()):
                if one not in found and one != path:
                    found[one] = None
                    waiting.append(one)
        return list(found)

    def _imports(self, path: str) -> list[str]:
        if not self.dev:
            return self._bundled_imports[path]
        names: list[str] = _IMPORT.findall((self.folder / path).read_text("utf-8"))
        return [posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) for name in names]

    @cached_property
    def _bundled_imports(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = json.loads((self.folder / _DIST / "imports.json").read_text("utf-8"))
        return found

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
        for path, file in sorted(self._files()):
            content_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "text/plain; charset=utf-8"
            compressed = file.with_name(f"{file.name}.br")
            brotli = compressed.read_bytes() if compressed.is_file() else None
            bodies[path] = Body(file.read_bytes(), content_type, _ANYBODY, brotli)
        return bodies

    def _files(self) -> Iterator[tuple[str, Path]]:
        """What is served: the path below `assets/`, and the file."""
        for file in self.folder.rglob("*"):
            path = file.relative_to(self.folder)
            if not file.is_file() or file.suffix in (".br", ".html") or file.name.startswith("."):
                continue
            if path.parts[0] == _DIST:
                if not self.dev and len(path.parts) > 2:  # what lies right in it is about the bundles
                    yield path.relative_to(_DIST).as_posix(), file
            elif self.dev or path.parts[0] not in BUNDLED:
                yield path.as_posix(), file
