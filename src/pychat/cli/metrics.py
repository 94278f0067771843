"""`GET /metrics` of `pychat serve`: what monitoring reads, in the text format of Prometheus."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from aiohttp import web

from pychat._version import __version__
from pychat.domain.errors import UsageError
from pychat.domain.model import Event, Message
from pychat.hosts.mount import Mount
from pychat.protocol.told import REFUSALS_TOLD
from pychat.room.chatroom import ChatRoom
from pychat.stores import Store
from pychat.transports.irc import IrcServer

__all__ = ["Metrics"]

_TOKEN = re.compile(r"[!-~]{16,512}")
_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts what is not counted elsewhere, and answers requests that have the token. To all others it is not there."""

    def __init__(self, token: str, mount: Mount, store: Store) -> None:
        """Raise `UsageError` for a token that can be guessed."""
        if not _TOKEN.fullmatch(token):
            raise UsageError("--metrics-token: a token has 16 or more letters, digits and signs, and no spaces")
        self._digest = _digest(token)
        self._mount = mount
        self._store = store
        self._messages = 0
        #: The IRC server, if there is one.
        self.irc: IrcServer | None = None

    def watch(self, room: ChatRoom) -> None:
        """Count the messages of `room`."""

        async def happened(event: Event) -> None:  # async, because a plain hook would run in a thread
            self._messages += isinstance(event, Message)

        room.backend.core.hooks.add("event", happened, messages=True)

    async def respond(self, request: web.Request) -> web.Response:
        """Answer a request; one without the token like one for an address that is not there."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        allowed = hmac.compare_digest(_digest(token.strip()), self._digest) and scheme.lower() == "bearer"
        if not allowed:
            return web.Response(status=404, text="There is nothing here.\n")
        return web.Response(body=self.text().encode(), headers={"Content-Type": _FORMAT, "Cache-Control": "no-store"})

    def text(self) -> str:
        """All figures."""
        mount = self._mount
        connections = {
            "websocket": len(mount.websocket),
            "socketio": len(mount.socketio),
            "sse": len(mount.sse),
            "irc": 0 if self.irc is None else len(self.irc.clients),
        }
        members, available = sum(room.member_count for room in mount.rooms), int(self._store.available)
        return "".join(
            [
                _metric("info", "gauge", "The version of pychat.", "version", {__version__: 1}),
                _metric("connections", "gauge", "Open connections, by wire.", "wire", connections),
                _metric("rooms_open", "gauge", "Rooms that are in memory.", "", {"": len(mount.rooms)}),
                _metric("members", "gauge", "People with a nickname in these rooms.", "", {"": members}),
                _metric("messages_total", "counter", "Messages that these rooms got.", "", {"": self._messages}),
                _metric("refusals_total", "counter", "Refusals told to visitors, by code.", "code", REFUSALS_TOLD),
                _metric("store_available", "gauge", "1 if the store can be used.", "", {"": available}),
            ]
        )


def _metric(name: str, kind: str, says: str, label: str, values: Mapping[str, int]) -> str:
    lines: Iterable[str] = (
        f'pychat_{name}{{{label}="{key}"}} {value}' if label else f"pychat_{name} {value}"
        for key, value in sorted(values.items())
    )
    return "\n".join([f"# HELP pychat_{name} {says}", f"# TYPE pychat_{name} {kind}", *lines]) + "\n"


def _digest(token: str) -> bytes:
    """So that the comparison takes the same time for each length."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
