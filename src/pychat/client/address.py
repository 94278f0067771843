"""Parses the address of a room and builds the URLs that a client requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

from pychat.domain.errors import UsageError
from pychat.domain.model import Position

__all__ = ["Address"]

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_ROOM = re.compile(r"(?P<mount>.*/)rooms/(?P<room>[^/]+)/?")
#: Hosts that get http:// rather than https:// if no scheme is given.
_NEAR = re.compile(r"(localhost|127\.[\d.]+|\[::1\]|[^:/]+\.local|[^/]*:\d+)(/|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """The URL where rooms are mounted, with a slash at the end, and the name of the room; `None` is the first room."""

    mount: str
    room: str | None = None

    @classmethod
    def parse(cls, url: str, room: str | None = None) -> Address:
        """Parse the address of a server, of a mount below a prefix, of a room's page, or of a WebSocket.

        Raise `UsageError` if it is not valid, or if it names another room than `room`.
        """
        url = url.strip()
        if "://" not in url:
            url = f"{'http' if _NEAR.match(url) else 'https'}://{url}"
        try:
            parts = urlsplit(url)
            host = parts.hostname
            _ = parts.port
        except ValueError as error:
            raise UsageError(f"“{url}” is not an address: {error}.") from None
        if parts.scheme not in _SCHEMES or not host:
            raise UsageError(f"“{url}” is not an address. Give one such as http://localhost:3000.")
        path, named = parts.path, parse_qs(parts.query).get("room", [None])[0]
        if path.endswith("/ws"):
            path = path.removesuffix("ws")
        elif found := _ROOM.fullmatch(path):
            path, named = found["mount"], unquote(found["room"])
        if room is not None and named not in (None, room):
            raise UsageError(f"The address names the room “{named}”, and not “{room}”. Leave one of them out.")
        path = path if path.endswith("/") else f"{path}/"
        return cls(urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, "", "")), named if room is None else room)

    def websocket(self, since: Position | None = None) -> str:
        """Return the WebSocket URL that continues from `since`."""
        query = {} if self.room is None else {"room": self.room}
        if since is not None:
            query |= {"epoch": since.epoch, "seq": str(since.seq)}
            query |= {"id": since.id} if since.id else {}
        # http:// and not ws://, so that aiohttp follows a redirect from http:// to https://.
        return f"{self.mount}ws{'?' if query else ''}{urlencode(query)}"

    @property
    def entry(self) -> str:
        """The URL that answers over HTTP whether the client may enter the room."""
        return self.rooms if self.room is None else self.in_room(self.room)

    @property
    def rooms(self) -> str:
        """The URL of the list of rooms."""
        return f"{self.mount}api/rooms"

    def in_room(self, room: str) -> str:
        """Return the URL of a room in the HTTP API."""
        return f"{self.rooms}/{quote(room, safe='')}"

    def messages(self, room: str) -> str:
        """Return the URL of a room's messages."""
        return f"{self.in_room(room)}/messages"

    def page(self, room: str) -> str:
        """Return the URL of a room's page."""
        return f"{self.mount}rooms/{quote(room, safe='')}"
