"""A Socket.IO server on real sockets under each host, and a client that speaks the wire by hand."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web

from pychat.transports.socketio import HandshakeRouter, Server

PATH = "/chat/socket.io/"


@asynccontextmanager
async def on_aiohttp(server: Server, *, send_buffer: int | None = None):
    """Serve under aiohttp, on a port of the system's choosing."""
    app = web.Application()
    app.router.add_route("*", PATH, server.handle_aiohttp)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    sock = listening(send_buffer)
    await web.SockSite(runner, sock).start()
    try:
        yield sock.getsockname()[1]
    finally:
        await server.shutdown(0.05)
        await runner.cleanup()


@asynccontextmanager
async def behind_front(server: Server, *, send_buffer: int | None = None):
    """Serve as `pychat serve` does: new WebSockets by the short way, all else under aiohttp."""
    app = web.Application()
    app.router.add_route("*", PATH, server.handle_aiohttp)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    assert runner.server is not None
    sock, plain = listening(send_buffer), runner.server
    loop = asyncio.get_running_loop()
    front = await loop.create_server(lambda: HandshakeRouter(server, plain, PATH), sock=sock)
    try:
        yield sock.getsockname()[1]
    finally:
        await server.shutdown(0.05)
        front.close()
        await runner.cleanup()


@asynccontextmanager
async def on_uvicorn(server: Server, *, send_buffer: int | None = None):
    """Serve under uvicorn, on a port of the system's choosing."""

    async def app(scope, receive, send):
        assert scope["path"] == PATH
        await server.handle_asgi(scope, receive, send)

    sock = listening(send_buffer)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", proxy_headers=False, timeout_graceful_shutdown=1)
    runner = uvicorn.Server(config)
    task = asyncio.create_task(runner.serve(sockets=[sock]))
    while not runner.started:
        await asyncio.sleep(0.001)
    try:
        yield sock.getsockname()[1]
    finally:
        await server.shutdown(0.05)
        runner.should_exit = True
        await task


def listening(send_buffer: int | None) -> socket.socket:
    """A listening socket; connections inherit a small send buffer where one is asked for."""
    sock = socket.socket()
    if send_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1000)
    return sock


HOSTS = {"aiohttp": on_aiohttp, "front": behind_front, "uvicorn": on_uvicorn}


@dataclass
class WebSocket:
    """A WebSocket of aiohttp's client, one packet at a time; pings are answered unless told otherwise."""

    ws: aiohttp.ClientWebSocketResponse
    pong: bool = True
    sid: str = ""
    handshake: dict[str, Any] = field(default_factory=dict)

    async def send(self, data: str | bytes) -> None:
        """Send one packet."""
        await (self.ws.send_str(data) if isinstance(data, str) else self.ws.send_bytes(data))

    async def receive(self, timeout: float = 5) -> str | bytes:
        """The next packet that is no ping; raises `ConnectionError` when there is none."""
        while True:
            message = await self.ws.receive(timeout)
            if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                raise ConnectionError(self.ws.close_code)
            if message.data == "2" and self.pong:
                await self.send("3")
                continue
            return message.data

    async def closed(self, timeout: float = 5) -> int | None:
        """Read until the server closes; the code."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    await self.receive()
                except ConnectionError:
                    return self.ws.close_code

    async def connect(self, namespace: str = "", auth: Any = None) -> dict[str, Any]:
        """CONNECT to a namespace; the payload of the answer."""
        prefix = f"40{namespace}," if namespace else "40"
        await self.send(prefix + ("" if auth is None else json.dumps(auth)))
        answer = await self.receive()
        assert isinstance(answer, str)
        assert answer.startswith(prefix), answer
        return json.loads(answer[len(prefix) :])


@dataclass
class RawClient:
    """Requests to one server, by hand."""

    port: int
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def address(self, **query: str | None) -> str:
        """The address of a request; `EIO=4` unless another is given."""
        given = {"EIO": "4", **query}
        return f"{self.url}{PATH}?" + "&".join(f"{name}={value}" for name, value in given.items() if value is not None)

    async def request(self, method: str = "GET", body: str | bytes | None = None, headers=None, **query: str):
        """Any request: status, text, headers."""
        async with self.http.request(method, self.address(**query), data=body, headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers

    async def open_polling(self) -> str:
        """Open a session over polling; its id."""
        status, text, _ = await self.request(transport="polling")
        assert status == 200
        return json.loads(text[1:])["sid"]

    async def poll(self, sid: str, **query: str) -> tuple[int, str]:
        """One poll: status, body."""
        status, text, _ = await self.request(transport="polling", sid=sid, **query)
        return status, text

    async def post(self, sid: str, body: str | bytes, **query: str) -> tuple[int, str]:
        """One post: status, body."""
        status, text, _ = await self.request("POST", body, transport="polling", sid=sid, **query)
        return status, text

    async def websocket(self, *, pong: bool = True, headers=None, **query: str) -> WebSocket:
        """Open a WebSocket, and a session if no `sid` is given. Raises `aiohttp.WSServerHandshakeError`."""
        ws = await self.http.ws_connect(
            self.address(**{"transport": "websocket", **query}), headers=headers, max_msg_size=0, compress=15
        )
        opened = WebSocket(ws, pong)
        if "sid" not in query:
            first = await ws.receive_str()
            assert first[0] == "0"
            opened.handshake = json.loads(first[1:])
            opened.sid = opened.handshake["sid"]
        return opened

    async def connected(self, auth: Any = None, **kwargs: Any) -> tuple[WebSocket, str]:
        """A WebSocket that is CONNECTed to the main namespace, and its Socket.IO id."""
        opened = await self.websocket(**kwargs)
        return opened, (await opened.connect(auth=auth))["sid"]


class Log(list[Any]):
    """What handlers were called with, in order; `until(n)` waits for n of them."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def append(self, item: Any) -> None:
        """Note a call."""
        super().append(item)
        self._more.set()

    async def until(self, count: int, timeout: float = 5) -> Log:
        """Wait until so many have come."""
        async with asyncio.timeout(timeout):
            while len(self) < count:
                self._more.clear()
                await self._more.wait()
        return self


def recording(**options: Any) -> tuple[Server, Log]:
    """A server that notes connects, disconnects and events, and sends messages back."""
    server = Server(**options)
    log = Log()

    @server.event
    async def connect(sid, environ, auth):
        log.append(("connect", sid, auth))

    @server.event
    async def disconnect(sid, reason):
        log.append(("disconnect", sid, reason))

    @server.on("message")
    async def message(sid, *args):
        log.append(("message", *args))
        await server.emit("message-back", args, to=sid)

    @server.on("message-with-ack")
    async def message_with_ack(sid, *args):
        return args

    return server, log


@pytest.fixture(params=list(HOSTS))
def host(request):
    """Each host that a server can run under."""
    return HOSTS[request.param]


@pytest.fixture
async def serve(host):
    """Start servers under this host; they stop after the test."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

        async def start(server: Server, **kwargs: Any) -> RawClient:
            return RawClient(await stack.enter_async_context(host(server, **kwargs)), http)

        yield start


@pytest.fixture
def recorder():
    """How to make a server that records, with its options: the server and its log."""
    return recording


class Reluctant:
    """A WebSocket on a bare socket with a tiny receive buffer, which reads only when it is told to."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.bytes = b""

    @classmethod
    async def open(cls, wire: RawClient, **query: str) -> Reluctant:
        """Open a WebSocket by hand."""
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", wire.port))
        path = wire.address(**{"transport": "websocket", **query}).partition(str(wire.port))[2]
        await loop.sock_sendall(
            sock,
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode(),
        )
        opened = cls(sock)
        head = await opened._until(b"\r\n\r\n")
        assert b" 101 " in head, head
        return opened

    async def _more(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self.sock, 65536)
        if not data:
            raise ConnectionError
        self.bytes += data

    async def _until(self, mark: bytes) -> bytes:
        while mark not in self.bytes:
            await self._more()
        head, _, self.bytes = self.bytes.partition(mark)
        return head

    async def send(self, text: str, opcode: int = 1) -> None:
        """Send one frame, masked with zeros."""
        data = text.encode()
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        await asyncio.get_running_loop().sock_sendall(self.sock, bytes([0x80 | opcode]) + size + bytes(4) + data)

    async def receive(self, timeout: float = 10) -> tuple[int, bytes]:
        """The next frame: opcode, payload. Raises `ConnectionError` at the end, `TimeoutError` when none comes."""
        async with asyncio.timeout(timeout):
            while True:
                if len(self.bytes) >= 2:
                    size, start = self.bytes[1], 2
                    if size > 125:
                        start = 4 if size == 126 else 10
                        size = int.from_bytes(self.bytes[2:start], "big")
                    if len(self.bytes) >= start + size:
                        first, payload = self.bytes[0], self.bytes[start : start + size]
                        self.bytes = self.bytes[start + size :]
                        assert first & 0xF0 == 0x80, "a frame that is not whole, or is compressed"
                        return first & 0x0F, payload
                await self._more()

    def close(self) -> None:
        """Cut it."""
        self.sock.close()


@pytest.fixture
async def reluctant():
    """Open reluctant readers; they are cut after the test."""
    opened: list[Reluctant] = []

    async def open_(wire: RawClient, *, connect: bool = True, **query: str) -> Reluctant:
        client = await Reluctant.open(wire, **query)
        opened.append(client)
        if connect:
            await client.send("40")
            for _ in range(2):
                await client.receive()
        return client

    yield open_
    for client in opened:
        client.close()
