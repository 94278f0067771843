"""A room on a real host, and requests to its API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

import pychat
from pychat import ChatRoom
from pychat.hosts.aiohttp import MOUNT
from pychat.hosts.mount import Mount
from tests.servers import aiohttp_server, uvicorn_server


class Asked:
    """An answer."""

    def __init__(self, response: aiohttp.ClientResponse, told: Any) -> None:
        self.status = response.status
        self.headers = response.headers
        self.told = told

    @property
    def code(self) -> str:
        """The code of a refusal, which has words too."""
        assert self.told["ok"] is False
        assert self.told["error"]["text"]
        return str(self.told["error"]["code"])


class Site:
    """One room, mounted in a host."""

    def __init__(self, room: ChatRoom, mount: Mount, url: str, http: aiohttp.ClientSession) -> None:
        self.room = room
        self.mount = mount
        self.url = url
        self.http = http

    async def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> Asked:
        """Send a request to `api/rooms/lobby` and what follows there."""
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        address = f"{self.url}/api/rooms/lobby{path}"
        async with self.http.request(method, address, headers=headers, **options) as response:
            is_json = response.headers.get("Content-Type") == "application/json"
            return Asked(response, await response.json() if is_json else await response.text())

    async def post(self, body: Any, **options: Any) -> Asked:
        """Say something, as JSON."""
        return await self.ask("POST", "/messages", json=body, **options)

    async def texts(self) -> list[str]:
        """What the room holds."""
        return [message.text for message in await self.room.history()]


@pytest.fixture(params=["aiohttp", "asgi"])
async def mounted(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """How to mount a room, with options of the mount."""
    async with AsyncExitStack() as stack:

        async def mount(room: ChatRoom | None = None, **options: Any) -> Site:
            room = room or ChatRoom("lobby")
            if request.param == "aiohttp":
                app = pychat.aiohttp_app(room, **options)
                mounted, host = app[MOUNT], aiohttp_server(app)
            else:
                chat = pychat.asgi_app(room, **options)
                mounted, host = chat.mount, uvicorn_server(chat)
            url = await stack.enter_async_context(host)
            return Site(room, mounted, url, await stack.enter_async_context(aiohttp.ClientSession()))

        yield mount
