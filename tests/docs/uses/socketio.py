"""How programs that extend the Socket.IO server are tested."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import socketio

from tests.clients import SocketIOPerson
from tests.docs.stage import Stage


async def waves(stage: Stage, argument: str) -> None:
    """A wave reaches the others, and the chat goes on beside it."""
    host = await stage.serve()
    path = f"{argument.strip('/')}/socket.io".lstrip("/")
    ada, bob = [await SocketIOPerson.enter(host, path=path) for _ in range(2)]
    assert await ada.command("wave", "left") == {"ok": True}
    assert await bob.event("wave") == "left"
    assert (await ada.command("join", {"name": "Ada"}))["ok"]
    for person in (ada, bob):
        await person.close()


async def plays(stage: Stage, argument: str) -> None:
    """Hits count in the namespace, and everyone else there is told."""
    host = await stage.serve()
    async with clients(host, "/game", 2) as (one, two):
        heard: asyncio.Queue[int] = asyncio.Queue()
        two.on("score", heard.put, namespace="/game")
        assert [await one.call("hit", namespace="/game") for _ in range(2)] == [1, 2]
        assert [await heard.get() for _ in range(2)] == [1, 2]


async def says_everything_back(stage: Stage, argument: str) -> None:
    """It is a Socket.IO server like any other."""
    async with clients(await stage.serve(), "/", 1) as (one,):
        assert await one.call("echo", {"a": [1, "é"]}) == {"a": [1, "é"]}


@contextlib.asynccontextmanager
async def clients(host: str, namespace: str, count: int) -> AsyncIterator[list[socketio.AsyncClient]]:
    """As many clients of python-socketio, in that namespace alone."""
    async with contextlib.AsyncExitStack() as stack:
        connected = []
        for _ in range(count):
            http = await stack.enter_async_context(aiohttp.ClientSession())
            client = socketio.AsyncClient(http_session=http, reconnection=False)
            await client.connect(host, namespaces=[namespace], transports=["websocket"], wait_timeout=10)
            stack.push_async_callback(client.disconnect)
            connected.append(client)
        yield connected
