"""The contract of transports, kept by plain WebSocket, Socket.IO and event streams, under aiohttp and under ASGI, at any prefix."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from pychat import ChatRoom, Position, aiohttp_app, asgi_app
from pychat.testing import Client, TransportContract
from tests.clients import (
    InRoom,
    PollingManyRooms,
    SocketIOManyRooms,
    SocketIOPerson,
    SSEManyRooms,
    SSEPerson,
    WebSocketManyRooms,
    WebSocketPerson,
)
from tests.servers import aiohttp_server, uvicorn_server


@asynccontextmanager
async def served(host: str, room: ChatRoom) -> AsyncIterator[str]:
    """Mount `room` in a real host, below a prefix; yield the address of the host."""
    if host == "aiohttp":
        app = web.Application()
        app.add_subapp("/some/chat/", aiohttp_app(room))
        async with aiohttp_server(app) as url:
            yield url
    else:
        from starlette.applications import Starlette
        from starlette.routing import Mount

        chat = asgi_app(room)
        async with uvicorn_server(Starlette(routes=[Mount("/some/chat", chat)])) as url:
            yield url
            await chat.aclose()


class OverSockets(TransportContract):
    """People on real sockets."""

    host = "aiohttp"

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect one person to the host at `url`."""
        raise NotImplementedError

    @asynccontextmanager
    async def people(self, room: ChatRoom) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
        """Serve the room; hang up whoever is left at the end."""
        async with served(self.host, room) as url, AsyncExitStack() as stack:

            async def enter(since: Position | None = None) -> Client:
                person = await self.enter(url, since)
                stack.push_async_callback(person.close)
                return person

            yield enter


class TestWebSocket(OverSockets):
    """The plain WebSocket in aiohttp."""

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect at the mount."""
        return await WebSocketPerson.enter(f"{url}/some/chat", since)


class TestWebSocketASGI(TestWebSocket):
    """The plain WebSocket in Starlette under uvicorn."""

    host = "asgi"


class TestWebSocketVersion2(OverSockets):
    """One room on a plain WebSocket of version 2, in aiohttp."""

    version = 2
    lacks = frozenset({"a_token_makes_the_same_member"})  # tokens are the person's, in no room: `test_many_rooms`

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect at the mount, and enter the room."""
        return await InRoom.enter(await WebSocketManyRooms.connect(f"{url}/some/chat"), since)


class TestWebSocketVersion2ASGI(TestWebSocketVersion2):
    """One room on a plain WebSocket of version 2, in Starlette under uvicorn."""

    host = "asgi"


class TestSocketIO(OverSockets):
    """Socket.IO over WebSocket in aiohttp."""

    transports: tuple[str, ...] = ("websocket",)

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect at the mount."""
        return await SocketIOPerson.enter(url, since, path="some/chat/socket.io", transports=self.transports)


class TestSocketIOASGI(TestSocketIO):
    """Socket.IO over WebSocket in Starlette under uvicorn."""

    host = "asgi"


class TestSocketIOPolling(TestSocketIO):
    """Socket.IO over long-polling alone, in aiohttp."""

    transports = ("polling",)


class TestSocketIOPollingASGI(TestSocketIOPolling):
    """Socket.IO over long-polling alone, in Starlette under uvicorn."""

    host = "asgi"


class TestSocketIOVersion2(OverSockets):
    """One room on Socket.IO with version 2, over WebSocket in aiohttp."""

    version = 2
    lacks = frozenset({"a_token_makes_the_same_member"})
    client: type[SocketIOManyRooms] = SocketIOManyRooms

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect at the mount, and enter the room."""
        return await InRoom.enter(await self.client.connect(f"{url}/some/chat"), since)


class TestSocketIOPollingVersion2ASGI(TestSocketIOVersion2):
    """One room on Socket.IO with version 2, over long-polling in Starlette under uvicorn."""

    host = "asgi"
    client = PollingManyRooms


class TestSSE(OverSockets):
    """An event stream, and commands by POST, in aiohttp."""

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect at the mount."""
        return await SSEPerson.enter(f"{url}/some/chat", since)


class TestSSEASGI(TestSSE):
    """An event stream, and commands by POST, in Starlette under uvicorn."""

    host = "asgi"


class TestSSEVersion2(OverSockets):
    """One room on an event stream of version 2, in aiohttp."""

    version = 2
    lacks = frozenset({"a_token_makes_the_same_member"})

    async def enter(self, url: str, since: Position | None) -> Client:
        """Connect at the mount, and enter the room."""
        return await InRoom.enter(await SSEManyRooms.connect(f"{url}/some/chat"), since)


class TestSSEVersion2ASGI(TestSSEVersion2):
    """One room on an event stream of version 2, in Starlette under uvicorn."""

    host = "asgi"


del OverSockets  # a base, not a test
