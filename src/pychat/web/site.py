"""Answers plain GET requests of a mount: the pages of rooms, the assets, the Socket.IO client."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.net.http.gate import retry_headers
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.request import Request
from pychat.net.http.response import Body, Response
from pychat.protocol.told import encode_error
from pychat.room.direct import is_direct
from pychat.room.directory import ListedRoom, RoomDirectory
from pychat.transports.authenticator import Authenticator, entry_status
from pychat.web.assets import Assets
from pychat.web.brand import Brand
from pychat.web.offline import PAGES, Offline, manifest, worker
from pychat.web.page import LANGUAGE_VARY, Page
from pychat.web.plain import View
from pychat.web.words import Language, Languages

__all__ = ["Site"]

_MAX_LISTED = 100  # rooms on a page

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
        self,
        rooms: RoomDirectory,
        templates: str | Path | None = None,
        origins: OriginPolicy | None = None,
        authenticator: Authenticator | None = None,
        frame_ancestors: Iterable[str] | str = "self",
        language: str | None = None,
        languages: str | Path | None = None,
        *,
        offline: Offline | None = None,
        markdown: bool = True,
        brand: Brand | None = None,
        dev: bool = False,
    ) -> None:
        """`origins` says which pages may embed a room; by default those of this very host.

        `language` is for readers whose own there is not; `languages` is a folder with further ones. `markdown`
        shows texts with Markdown. `offline` is what browsers keep: messages only where nobody logs in, by default.
        `brand` is the operator's colour and logo. `dev` serves the sources of the page's scripts and styles, and no
        service worker.
        """
        self._rooms = rooms
        self._authenticator = authenticator or Authenticator()
        self._origins = origins or OriginPolicy()
        self._assets = Assets(dev=dev)
        self._brand = brand or Brand()
        first = ListedRoom("lobby", "lobby", 0, first=True) if rooms.first is None else rooms.entry(rooms.first)
        self._languages = Languages(self._assets.folder, language, languages)
        # Whoever uses this browser after a logout must not find what was said to somebody else.
        kept: Offline = offline or ("page" if rooms.guarded or self._authenticator.asks else "messages")
        if self._assets.dev:
            kept = "off"
        self._page = Page(
            first,
            self._assets,
            self._languages.default,
            templates,
            frame_ancestors,
            markdown=markdown,
            brand=self._brand,
            offline=kept,
            push=rooms.push.sender is not None,
        )
        #: Draws the pages without scripts.
        self.view = View(self._page.environment, self._assets, self._brand, frame_ancestors)
        # Addresses to write into a page: the files behind them are cached for good.
        self._scripts = {
            "pychat-room.js": self._loads("js/element/element.js", "js/element/unread.js"),
            "pychat-unread.js": self._loads("js/element/unread.js"),
            "client.js": self._assets.script(f'export * from "./{self._assets.url("js/client.js")}";\n'),
            "manifest.webmanifest": manifest("Chat" if rooms.guarded else first.title, self._assets),
        }
        if kept != "off":
            page = self._page.without_room("./", self._languages.default, {})
            self._scripts["worker.js"] = worker(self._assets, page.headers["ETag"])

    def _loads(self, *paths: str) -> Body:
        """A script that loads these scripts.

        It names all that they import: a browser that finds one behind the other goes to the server and back for each
        step.
        """
        loaded = dict.fromkeys(name for path in paths for name in (path, *self._assets.imports(path)))
        return self._assets.script("".join(f'import "./{self._assets.url(name)}";\n' for name in loaded))

    async def respond(self, path: str, request: Request, host: str | None) -> Response:
        """The answer to a request, which reached this server as `host`. `path` is below the mount."""
        try:
            response = await self._find(path, request, host)
        except Refused as refused:
            if refused.code != "unknown_room":
                status, told = entry_status(refused), retry_headers(refused)
                return Response(status, {**_TEXT, **told}, f"{refused.text}\n".encode())
            response = None
        if response is None:
            return await self._missing(path, request)
        if request.method not in ("GET", "HEAD"):
            return Response(405, {**_TEXT, "Allow": "GET, HEAD"}, b"Only GET and HEAD are answered here.\n")
        return response

    async def _find(self, path: str, request: Request, host: str | None) -> Response | None:
        headers = request.headers
        match path.split("/", 2)[1:]:
            case [""]:
                return await self._room(None, "./", request)
            case ["part"]:
                return await self._part(request, host)
            case ["logo"]:
                return self._brand.logo.respond(headers) if self._brand.logo else None
            case ["words.json"]:
                return self._words(request)
            case names if "/".join(names) in PAGES:
                home = "" if self._rooms.guarded else self._rooms.first_name
                base = PAGES["/".join(names)]
                return self._page.without_room(base, self._languages.of(request), headers, home)
            case [name] if name in self._scripts:
                return self._scripts[name].respond(headers)
            case ["rooms", name]:
                return await self._room(name, "../", request)
            case ["assets", rest]:
                return self._assets.respond(rest, headers)
            case ["socket.io", name]:
                return self._assets.socketio_client(name, headers)
        return None

    def language_of(self, request: Request) -> Language:
        """The language of a reader."""
        return self._languages.of(request)

    async def _missing(self, path: str, request: Request) -> Response:
        """404: for people, a page with the rooms that they may see."""
        if "text/html" not in request.headers.get("accept", "") or request.method not in ("GET", "HEAD"):
            return Response(404, _TEXT, b"There is nothing here.\n")
        try:
            user = await self._authenticator.authenticate(request) if self._rooms.guarded else None
            rooms = await self._rooms.visible(user, limit=_MAX_LISTED)
        except Refused:
            rooms = []
        base = "../" * (path.count("/") - 1) or "./"
        return self.view.missing(self._languages.of(request), rooms, base, room=path.startswith("/rooms/"))

    def _words(self, request: Request) -> Response:
        """The words of all scripts, for those that are loaded later and for elements without a room; `?language=`."""
        text = self._languages.of(request).all_scripts
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache", "Vary": LANGUAGE_VARY}
        return Body(text.encode(), "application/json", headers).respond(request.headers)

    async def _room(self, name: str | None, base: str, request: Request) -> Response:
        """The page of a room; of none, if there is no such room for the visitor. Raise `Refused`."""
        user = await self._authenticator.authenticate(request) if self._rooms.guarded else None
        try:
            found = await self._rooms.find(name, user, request)
        except Refused as refused:
            if refused.code != "unknown_room" or not self._rooms.asks:
                raise
            # The script may know more: guests have a token, by which the server knows them on a connection.
            headers = {key: value for key, value in request.headers.items() if key != "if-none-match"}
            answer = self._page.without_room(base, self._languages.of(request), headers)
            return answer if name is None or is_direct(name) else Response(404, answer.headers, answer.body)
        rooms = await self._rooms.visible(user, limit=_MAX_LISTED)
        language = self._languages.of(request)
        return self._page.respond(self._rooms.entry(found.room), rooms, base, language, request.headers)

    async def _part(self, request: Request, host: str | None) -> Response:
        """A room for a page of another origin: `?room=` names it. A refused page gets the reason."""
        origin = request.headers.get("origin")
        try:
            if not self._origins.allows(origin, host):
                raise Refused("origin_refused", _TO_LET_IN.format(origin=origin))
            user = await self._authenticator.authenticate(request) if self._rooms.guarded else None
            found = await self._rooms.find(request.query.get("room"), user, request)
        except Refused as refused:
            told = {"ok": False, "error": encode_error(refused)}
            return Response(entry_status(refused), _REFUSED, strictjson.dumps(told).encode())
        return self._page.embedded(self._rooms.entry(found.room), self._languages.of(request), request.headers)


_TO_LET_IN = (
    "Pages of {origin} may not connect to this chat. To let them in, start it with --allow-origin {origin}, "
    'or mount it with allowed_origins=["{origin}"].'
)
