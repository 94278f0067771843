"""Many who stop reading, on real sockets: nobody else notices, what waits is bounded, and they come back to all of it."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from aiohttp import web

from pychat import ChatRoom, Limits, aiohttp_app, asgi_app
from pychat.net.http.stream_aiohttp import AiohttpStream
from pychat.net.http.stream_asgi import AsgiStream
from pychat.net.websocket.aiohttp import AiohttpWebSocket
from pychat.net.websocket.asgi import AsgiWebSocket
from tests.clients import TIMEOUT

MEMBERS, STUCK = 200, 50
MOST = 100_000  # bytes that may wait for one
TEXT = 10_000  # characters of a message
_UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: cHljaGF0cHljaGF0cHljaA==\r\n"
)


class Reader:
    """One client, byte by byte: it reads when it is told to. What it heard are the numbers of messages, in order."""

    path = "/ws?"
    head = _UPGRADE

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.closed: int | None = None
        self.recovered = False
        self.epoch = ""
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter | None = None

    async def enter(self, port: int, *, small: bool = False) -> None:
        """Connect, or come back to where it was."""
        await self.leave()
        sock = socket.socket()
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        self.reader, self.writer = await asyncio.open_connection(sock=sock, limit=1024)
        self.closed = None
        self.writer.write(
            f"GET {self.path}{self.since()} HTTP/1.1\r\nHost: x\r\n{self.head}{self.before()}\r\n".encode()
        )
        async with asyncio.timeout(3 * TIMEOUT):
            await self.reader.readuntil(b"\r\n\r\n")
            await self.greet()

    async def leave(self) -> None:
        """Cut the connection, if there is one."""
        if self.writer is not None:
            self.writer.transport.abort()
            with suppress(OSError):
                await self.writer.wait_closed()

    def since(self) -> str:
        """Where it was, as its address says it."""
        return f"epoch={self.epoch}&seq={self.heard[-1]}" if self.heard else ""

    def before(self) -> str:
        """Where it was, as a header says it."""
        return ""

    async def greet(self) -> None:
        """Go through the handshake, to the welcome."""
        self.take(json.loads((await self.frame())[1]))

    def take(self, told: dict[str, Any]) -> None:
        """Take in one event."""
        if told["type"] == "message":
            self.heard.append(told["seq"])
        elif told["type"] == "welcome":
            self.recovered, self.epoch = told["recovered"], told["epoch"]

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload."""
        first, size = await self.reader.readexactly(2)
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        return first & 15, await self.reader.readexactly(size)

    def send(self, first: int, data: bytes) -> None:
        """Send a frame, masked with zeros; `first` is its first byte."""
        assert self.writer is not None
        size = bytes((0x80 | len(data),)) if len(data) < 126 else bytes((0xFE,)) + len(data).to_bytes(2, "big")
        self.writer.write(bytes((first,)) + size + bytes(4) + data)

    async def hear(self) -> None:
        """Take in the next thing that comes."""
        kind, data = await self.frame()
        if kind == 8:
            self.closed = int.from_bytes(data[:2], "big")
        elif kind == 9:  # a slow machine takes longer than the time between two pings
            self.send(0x8A, data)
        else:
            self.text(data.decode())

    def text(self, text: str) -> None:
        """Take in one text."""
        self.take(json.loads(text))

    async def until(self, seq: int) -> None:
        """Read on to message number `seq`."""
        async with asyncio.timeout(3 * TIMEOUT):
            while not self.heard or self.heard[-1] < seq:
                await self.hear()
                assert self.closed is None

    async def to_the_end(self) -> int | None:
        """Read on, faster than before, until the server closes; the code."""
        assert self.writer is not None
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        async with asyncio.timeout(3 * TIMEOUT):
            while self.closed is None:
                await self.hear()
        return self.closed


class RecoveringReader(Reader):
    """Socket.IO as npm's client speaks it: it comes back with its `pid` and the offset of what it heard last."""

    path = "/socket.io/?EIO=4&transport=websocket"

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}

    def since(self) -> str:
        """Nothing: it is said in the CONNECT."""
        return ""

    async def greet(self) -> None:
        """OPEN, CONNECT and its answer."""
        await self.frame()
        self.send(0x81, f"40{json.dumps(self.said) if self.said else ''}".encode())
        kind, data = await self.frame()
        assert (1, b"40") == (kind, data[:2])
        pid = json.loads(data[2:])["pid"]
        self.recovered = pid == self.said.get("pid")
        self.said["pid"] = pid

    def text(self, text: str) -> None:
        """An event, and its offset at the end; or a ping."""
        if text == "2":
            self.send(0x81, b"3")
        if text.startswith("42"):
            name, argument, self.said["offset"] = json.loads(text[2:])
            if name == "message":
                self.heard.append(int(argument["message"].split()[0]))


class StreamReader(Reader):
    """An event stream, which comes back with the id of what it heard last."""

    path = "/api/rooms/lobby/events"
    head = ""

    def since(self) -> str:
        """Nothing: it is said in a header."""
        return ""

    def before(self) -> str:
        """As a browser says it."""
        return f"Last-Event-ID: {self.epoch}:{self.heard[-1]}\r\n" if self.heard else ""

    async def greet(self) -> None:
        """To the welcome."""
        self.epoch = ""
        while not self.epoch:
            await self.hear()

    async def hear(self) -> None:
        """One chunk of the body, which holds whole events."""
        size = int(await self.reader.readline(), 16)
        body = (await self.reader.readexactly(size + 2))[:-2].decode()
        for line in body.splitlines():
            if line.startswith("data: "):
                told = json.loads(line[6:])
                self.take(told)
                if told["type"] == "bye":
                    self.closed = told["code"]


@asynccontextmanager
async def served(host: str, room: ChatRoom) -> AsyncIterator[int]:
    """Serve `room` on a socket of small buffers; yield the port."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock.bind(("127.0.0.1", 0))
    sock.listen(MEMBERS)
    if host == "aiohttp":
        runner = web.AppRunner(aiohttp_app(room, max_buffer_bytes=MOST), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        yield sock.getsockname()[1]
        await runner.cleanup()
    else:
        chat = asgi_app(room, max_buffer_bytes=MOST)
        config = uvicorn.Config(chat, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:
            await asyncio.sleep(0.001)
        yield sock.getsockname()[1]
        await chat.aclose()
        server.should_exit = True
        await task


def waiting() -> Iterator[int]:
    """What waits for each, in bytes."""
    for each in gc.get_objects():
        if isinstance(each, AiohttpWebSocket | AsgiWebSocket):
            yield each.buffered
        elif isinstance(each, AiohttpStream):
            yield each._transport.get_write_buffer_size()
        elif isinstance(each, AsgiStream):
            yield each._bytes


@pytest.mark.timeout(180)
@pytest.mark.parametrize("host", ["aiohttp", pytest.param("uvicorn", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "kind", [Reader, *(pytest.param(each, marks=pytest.mark.slow) for each in (RecoveringReader, StreamReader))]
)
@pytest.mark.slow
async def test_many_who_stop_reading(host: str, kind: type[Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    """50 of 200 stop: the others hear all in order, memory is bounded, the stuck are closed and come back to it all."""
    for module in ("websocket.writer", "websocket.asgi", "http.stream_aiohttp", "http.stream_asgi"):
        # However long the stuck take to read the end.
        monkeypatch.setattr(f"pychat.net.{module}.CLOSE_SECONDS", 60)
    room = ChatRoom("lobby", limits=Limits(text=2 * TEXT))
    async with served(host, room) as port, AsyncExitStack() as stack:
        readers = [kind() for _ in range(MEMBERS)]
        for number, reader in enumerate(readers):
            await reader.enter(port, small=number < STUCK)
            stack.push_async_callback(reader.leave)
        stuck, others = readers[:STUCK], readers[STUCK:]
        seq, most = 0, 0
        while seq < 40:  # three times what may wait, and what systems keep for such sockets
            seq += 1
            await room.post(f"{seq} {'x' * TEXT}", author="bot")
            await asyncio.gather(*(reader.until(seq) for reader in others))
            most = max(most, sum(waiting()))
        assert [list(range(1, seq + 1))] * len(others) == [reader.heard for reader in others]
        assert MOST // 2 * STUCK < most <= (MOST + 2 * TEXT) * STUCK
        assert [4001] * STUCK == await asyncio.gather(*(reader.to_the_end() for reader in stuck))
        for _ in range(30):  # more than may wait
            seq += 1
            await room.post(f"{seq} {'x' * TEXT}", author="bot")
        for reader in stuck:
            await reader.enter(port)
        assert [True] * STUCK == [reader.recovered for reader in stuck]
        seq += 1
        await room.post(f"{seq} and on", author="bot")
        await asyncio.gather(*(reader.until(seq) for reader in readers))
        assert [list(range(1, seq + 1))] * MEMBERS == [reader.heard for reader in readers]
