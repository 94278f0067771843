"""A real pychat server for the browser tests: it can go away, and come back at the same address."""

from __future__ import annotations

from typing import Any

from aiohttp import web

import pychat
from pychat import ChatRoom

__all__ = ["Server"]


class Server:
    """Rooms behind aiohttp on a free port of this machine. `rooms` can be changed before `start`."""

    def __init__(self, *rooms: ChatRoom, prefix: str = "/", **options: Any) -> None:
        self.rooms = rooms or (ChatRoom("lobby", title="The lobby"),)
        self._prefix = prefix
        self._options = options
        self._runner: web.AppRunner | None = None
        self._port = 0
        #: Whether browsers have met a closed door: they say so on their consoles, whatever a page does.
        self.went_away = False

    @property
    def room(self) -> ChatRoom:
        """The first room."""
        return self.rooms[0]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}{self._prefix}"

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same one after."""
        app = pychat.aiohttp_app(*self.rooms, **self._options)
        if self._prefix != "/":
            outer = web.Application()
            outer.add_subapp(self._prefix, app)
            app = outer
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Tell everybody, close, and listen no more."""
        if self._runner is not None:
            self.went_away = True
            await self._runner.cleanup()
            self._runner = None

    async def restart(self, *rooms: ChatRoom) -> None:
        """Come back: with `rooms` if given, else with new ones that know nothing."""
        await self.stop()
        self.rooms = rooms or tuple(ChatRoom(room.name, title=room.title, limits=room.limits) for room in self.rooms)
        await self.start()
