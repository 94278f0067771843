"""What a mount answers to a plain GET: the rooms' pages, the assets, the Socket.IO client. Hosts only adapt it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pychat.assets import Assets
from pychat.http import Response
from pychat.page import Page
from pychat.rooms import Rooms

__all__ = ["Site"]

_TEXT = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


class Site:
    """The HTTP face of some rooms. Paths are relative to the mount and begin with a slash."""

    def __init__(self, rooms: Rooms, templates: str | Path | None = None) -> None:
        self._rooms = rooms
        self._assets = Assets()
        self._page = Page(rooms, self._assets, templates)

    def respond(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        """The answer to a request. Names in `headers` are in lower case."""
        response = self._find(path, headers)
        if response is None:
            return Response(404, _TEXT, b"There is nothing here.\n")
        if method not in ("GET", "HEAD"):
            return Response(405, {**_TEXT, "Allow": "GET, HEAD"}, b"Only GET and HEAD are answered here.\n")
        return response

    def _find(self, path: str, headers: Mapping[str, str]) -> Response | None:
        match path.split("/", 2)[1:]:
            case [""]:
                return self._page.respond(self._rooms.first, "./", headers)
            case ["rooms", name] if (room := self._rooms.get(name)) is not None:
                return self._page.respond(room, "../", headers)
            case ["assets", rest]:
                return self._assets.respond(rest, headers)
            case ["socket.io", name]:
                return self._assets.socketio_client(name, headers)
        return None
