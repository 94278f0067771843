"""Answers plain GET requests of a mount: the pages of rooms, the assets, the Socket.IO client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.response import Body, Response
from pychat.room.directory import RoomDirectory
from pychat.web.assets import Assets
from pychat.web.page import Page

__all__ = ["Site"]

_TEXT = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
# A refused page must be able to read the refusal: it says why, and what to set.
_REFUSED = {
    "Content-Type": "application/json",
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class Site:
    """The HTTP face of some rooms. Paths are relative to the mount and begin with a slash."""

    def __init__(
        self, rooms: RoomDirectory, templates: str | Path | None = None, origins: OriginPolicy | None = None
    ) -> None:
        """`origins` says which pages may embed a room; by default those of this very host."""
        self._rooms = rooms
        self._origins = origins or OriginPolicy()
        self._assets = Assets()
        self._page = Page(rooms, self._assets, templates)
        # Addresses to write into a page: the files behind them are cached for good.
        self._scripts = {
            "pychat-room.js": self._loads(*self._assets.modules("js", "js/view", "js/element")),
            "pychat-unread.js": self._loads(*self._assets.modules("js"), "js/element/unread.js"),
            "client.js": self._assets.script(f'export * from "./{self._assets.url("js/client.js")}";\n'),
        }

    def _loads(self, *paths: str) -> Body:
        """A script that loads these files.

        It names all of them: a browser that finds one behind the other goes to the server and back for each step.
        """
        return self._assets.script("".join(f'import "./{self._assets.url(path)}";\n' for path in paths))

    def respond(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], host: str | None
    ) -> Response:
        """The answer to a request, which reached this server as `host`. Names in `headers` are in lower case."""
        response = self._find(path, headers, query, host)
        if response is None:
            return Response(404, _TEXT, b"There is nothing here.\n")
        if method not in ("GET", "HEAD"):
            return Response(405, {**_TEXT, "Allow": "GET, HEAD"}, b"Only GET and HEAD are answered here.\n")
        return response

    def _find(
        self, path: str, headers: Mapping[str, str], query: Mapping[str, str], host: str | None
    ) -> Response | None:
        match path.split("/", 2)[1:]:
            case [""]:
                return self._page.respond(self._rooms.pick(None), "./", headers)
            case ["part"]:
                return self._part(headers, query, host)
            case [name] if name in self._scripts:
                return self._scripts[name].respond(headers)
            case ["rooms", name] if (room := self._rooms.get(name)) is not None:
                return self._page.respond(room, "../", headers)
            case ["assets", rest]:
                return self._assets.respond(rest, headers)
            case ["socket.io", name]:
                return self._assets.socketio_client(name, headers)
        return None

    def _part(self, headers: Mapping[str, str], query: Mapping[str, str], host: str | None) -> Response:
        """A room for a page of another origin: `?room=` names it. A refused page gets the reason."""
        origin = headers.get("origin")
        try:
            if not self._origins.allows(origin, host):
                raise Refused("origin_refused", _TO_LET_IN.format(origin=origin))
            room = self._rooms.pick(query.get("room"))
        except Refused as refused:
            status = 404 if refused.code == "unknown_room" else 403
            return Response(status, _REFUSED, strictjson.dumps({"ok": False, "error": refused.as_dict()}).encode())
        return self._page.embedded(room, headers)


_TO_LET_IN = (
    "Pages of {origin} may not connect to this chat. To let them in, start it with --allow-origin {origin}, "
    'or mount it with allowed_origins=["{origin}"].'
)
