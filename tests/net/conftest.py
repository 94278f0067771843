"""A websocket of each host, handed to a test on a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web

from pychat.net.websocket.aiohttp import AiohttpWebSocket
from pychat.net.websocket.asgi import AsgiWebSocket
from pychat.net.websocket.connection import WebSocketClosed, WebSocketConnection


@asynccontextmanager
async def on_aiohttp(take: Callable[[WebSocketConnection], Any], options: dict[str, Any]) -> AsyncIterator[int]:
    """Hand every WebSocket to `take`, under aiohttp."""

    async def handle(request: web.Request) -> web.StreamResponse:
        websocket = await AiohttpWebSocket.accept(request, **options)
        await take(websocket)
        return websocket.response

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    sock = listening()
    await web.SockSite(runner, sock).start()
    yield sock.getsockname()[1]
    await runner.cleanup()


@asynccontextmanager
async def on_uvicorn(take: Callable[[WebSocketConnection], Any], options: dict[str, Any]) -> AsyncIterator[int]:
    """Hand every WebSocket to `take`, under uvicorn."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await take(await AsgiWebSocket.accept(scope, receive, send, **options))

    config = uvicorn.Config(app, log_level="warning", lifespan="off", proxy_headers=False, timeout_graceful_shutdown=1)
    runner = uvicorn.Server(config)
    sock = listening()
    task = asyncio.create_task(runner.serve(sockets=[sock]))
    while not runner.started:
        await asyncio.sleep(0.001)
    yield sock.getsockname()[1]
    runner.should_exit = True
    await task


def listening() -> socket.socket:
    """A listening socket whose connections have a small send buffer."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock.bind(("127.0.0.1", 0))
    sock.listen(100)
    return sock


class Meeting:
    """Both ends of one WebSocket: the server's websocket, and aiohttp's client."""

    websocket: WebSocketConnection
    client: aiohttp.ClientWebSocketResponse
    received: asyncio.Queue[str | bytes]
    ended: asyncio.Event

    async def closed(self) -> int | None:
        """Read until the server closes; the code."""
        async with asyncio.timeout(10):
            while not self.client.closed:
                await self.client.receive()
        return self.client.close_code


@pytest.fixture(params=["aiohttp", "uvicorn"])
async def meet(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """How to open a WebSocket, with the options of `accept`."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def meet_(*, offer: tuple[str, ...] = (), **options: Any) -> Meeting:
            meeting = Meeting()
            meeting.received = asyncio.Queue()
            meeting.ended = asyncio.Event()
            arrived = asyncio.Event()

            async def take(websocket: WebSocketConnection) -> None:
                meeting.websocket = websocket
                arrived.set()
                try:
                    while True:
                        meeting.received.put_nowait(await websocket.receive())
                except WebSocketClosed:
                    meeting.ended.set()

            host = on_aiohttp if request.param == "aiohttp" else on_uvicorn
            port = await stack.enter_async_context(host(take, options))
            meeting.client = await http.ws_connect(f"http://127.0.0.1:{port}/", protocols=offer, max_msg_size=0)
            stack.push_async_callback(meeting.client.close)
            await arrived.wait()
            return meeting

        yield meet_
