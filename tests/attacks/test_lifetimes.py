"""What is left of connections that have ended: nothing, with no help of the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import CoroutineType, FrameType, FunctionType, MethodType
from typing import Any

import pytest
import uvicorn
from aiohttp import web

from pychat import ChatRoom, aiohttp_app, asgi_app
from pychat.hosts.aiohttp import MOUNT
from pychat.hosts.connection import HttpConnection
from pychat.net.addresses import AddressLimiter
from pychat.stores import open_store
from pychat.transports.irc import IrcServer
from pychat.transports.socketio import Connections, HandshakeRouter, Server
from tests.attacks.test_frames import masked

#: Lives of each kind; there are 14 kinds on `pychat serve`, aiohttp and uvicorn.
LIVES = 144
_AT_ONCE = 8
#: Of what the room remembers, and so of what may stay: the newest messages, their authors, their frames.
_REMEMBERED = {
    "pychat.domain.model.Message",
    "pychat.domain.model.Member",
    "pychat.net.websocket.frames.Frame",
    "pychat.transports.irc.encoder.Frame",
}
_REMEMBERED |= {"pychat.net.http.stream.Chunk", "pychat.domain.rates.Usage"}  # of persons, for some seconds

#: The servers of this test.
SERVERS: list[Server] = []

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def said(text: str) -> bytes:
    """A client's text frame."""
    return masked(0x81, text.encode())


async def until(reader: asyncio.StreamReader, what: bytes) -> bytes:
    """Read until that has come."""
    got = b""
    while what not in got:
        data = await reader.read(65_536)
        assert data, (what, got)
        got += data
    return got


async def upgraded(port: int, path: str) -> Streams:
    """Open a WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cHljaGF0cHljaGF0cHljaA==\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def asked(streams: Streams, method: str, path: str, body: bytes = b"") -> bytes:
    """The body of an answer."""
    reader, writer = streams
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    return await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))


async def ended(streams: Streams, how: int) -> None:
    """End a WebSocket: with a close frame, a frame that is not allowed, a reset, or without a word."""
    reader, writer = streams
    if how % 4 == 0:
        writer.write(masked(0x88, b"\x03\xe8"))
        await reader.read()
    elif how % 4 == 1:
        writer.write(b"\x81\x02hi")
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if b"\x88" in data:
                    break
    elif how % 4 == 2:
        writer.transport.abort()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def plain_websocket(port: int, number: int) -> None:
    """Come, join, talk, say what is no command, and go."""
    streams = await upgraded(port, "/ws")
    await until(streams[0], b"welcome")
    for command in (f'{{"type":"join","name":"w{number}"}}', '{"type":"say","text":"hi","ref":1}', "?"):
        streams[1].write(said(command))
    await until(streams[0], b'"ref":1')
    await ended(streams, number)


async def socketio(port: int, number: int) -> None:
    """The same over Socket.IO, in both vocabularies."""
    streams = await upgraded(port, "/socket.io/?EIO=4&transport=websocket")
    streams[1].write(said('40{"v":1}' if number % 2 else "40"))
    await until(streams[0], b"40{")
    streams[1].write(said(f'420["join",{{"name":"s{number}"}}]') + said('421["say",{"text":"hi"}]'))
    await until(streams[0], b"431[")
    await ended(streams, number)


async def refused(port: int, number: int) -> None:
    """Ask for a room that there is not."""
    if number % 2:
        streams = await upgraded(port, "/ws?room=nowhere")
        await until(streams[0], b"bye")
    else:
        streams = await upgraded(port, "/socket.io/?EIO=4&transport=websocket")
        streams[1].write(said('40{"v":1,"room":"nowhere"}'))
        await until(streams[0], b"44{")
    await ended(streams, number // 2)


async def handshaken(port: int) -> tuple[Streams, str]:
    """A connection over polling, and the path of its session."""
    streams = await asyncio.open_connection("127.0.0.1", port)
    path = "/socket.io/?EIO=4&transport=polling"
    path += "&sid=" + json.loads((await asked(streams, "GET", path))[1:])["sid"]
    await asked(streams, "POST", path, b'40{"v":1}')
    await asked(streams, "GET", path)
    return streams, path


async def polls(streams: Streams, path: str) -> None:
    """Poll until a poll has to wait."""
    sid = path.partition("sid=")[2]
    session = next(server.eio.registry.sockets[sid] for server in SERVERS if sid in server.eio.registry.sockets)
    while True:
        answer = asyncio.create_task(asked(streams, "GET", path))
        while not answer.done():
            await asyncio.sleep(0)
            if session.outbox is not None and session.outbox.poll is not None:
                answer.cancel()
                return


async def polling(port: int, number: int) -> None:
    """Poll and post; then say goodbye, go with a poll open, or send what is no packet."""
    streams, path = await handshaken(port)
    await asked(streams, "POST", path, f'420["join",{{"name":"p{number}"}}]'.encode())
    await asked(streams, "GET", path)
    if number % 3:
        await asked(streams, "POST", path, b"41\x1e1" if number % 3 == 1 else b"zzz")
    else:
        await polls(streams, path)
    streams[1].close()


async def upgrade(port: int, number: int) -> None:
    """Begin with polling, go on over a WebSocket."""
    streams, path = await handshaken(port)
    socket_ = await upgraded(port, path.replace("=polling", "=websocket"))
    socket_[1].write(said("2probe"))
    await until(socket_[0], b"3probe")
    socket_[1].write(said("5") + said('420["who",{}]'))
    await until(socket_[0], b"430[")
    await ended(socket_, number)
    streams[1].close()


async def event_stream(port: int, number: int) -> None:
    """Listen to the event stream, under a name."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/rooms/lobby/events?name=e{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    await until(reader, b"ack")
    if number % 2:
        writer.transport.abort()
    writer.close()


async def malformed(port: int, number: int) -> None:
    """Send what is no request, at once, behind a request, or as half a head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if number % 3:
        await asked((reader, writer), "GET", "/nothing")
    writer.write(b"GET / HTTP/1.1\r\nHo" if number % 3 == 2 else b"rub\x01bish\r\n\r\n")
    if number % 3 != 2:
        await reader.read()
    writer.close()


async def irc(port: int, number: int) -> None:
    """Come, join, talk, and quit or hang up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"NICK i{number}\r\nUSER a 0 * :a\r\nJOIN #lobby\r\nPRIVMSG #lobby :hi\r\nWHO #lobby\r\n".encode())
    await until(reader, b" 315 ")
    if number % 2:
        writer.write(b"QUIT\r\n")
        await reader.read()
    writer.close()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[dict[str, int]]:
    """What `pychat serve` consists of, on SQLite; a plain aiohttp server; uvicorn. Their ports."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        room = ChatRoom("lobby", store=open_store(f"sqlite:{folder / 'chat.db'}"), grace=0.01)
        app = aiohttp_app(room)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        plain = runner.server
        assert plain is not None
        socketio_server = app[MOUNT].socketio.server
        connections = Connections(AddressLimiter(1_000, 1_000), socketio_server.eio.proxies)
        servers = [
            await loop.create_server(
                lambda: HandshakeRouter(
                    socketio_server, lambda: HttpConnection(plain, connections), connections=connections
                ),
                "127.0.0.1",
                0,
            ),
            await loop.create_server(plain, "127.0.0.1", 0),
        ]
        for server in servers:
            stack.callback(server.close)
        irc_server = IrcServer(room)
        await irc_server.start("127.0.0.1", 0)
        stack.push_async_callback(irc_server.aclose)
        chat = asgi_app(ChatRoom("lobby", grace=0.01))
        hosted = uvicorn.Server(uvicorn.Config(chat, log_level="error", timeout_graceful_shutdown=1))
        sock = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        task = asyncio.create_task(hosted.serve(sockets=[sock]))
        while not hosted.started:
            await asyncio.sleep(0.01)
        SERVERS[:] = [socketio_server, chat.mount.socketio.server]
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        yield {"serve": ports[0], "aiohttp": ports[1], "irc": irc_server.port, "uvicorn": sock.getsockname()[1]}
        hosted.should_exit = True
        await task


def kind(thing: object) -> str:
    """What it is, and whose."""
    match thing:
        case FrameType():
            return f"frame of {thing.f_code.co_filename}:{thing.f_code.co_name}"
        case CoroutineType():
            return f"coroutine {thing.cr_code.co_filename}:{thing.__qualname__}"
        case FunctionType():
            return f"function {thing.__module__}.{thing.__qualname__}"
        case MethodType():
            return f"method {thing.__func__.__module__}.{thing.__func__.__qualname__}"
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def ours() -> Counter[str]:
    """How many objects there are of ours, and of aiohttp's server, by their kinds."""
    kinds = map(kind, gc.get_objects())
    # The folder of the project may be called pychat, and has the libraries of the tests' clients in it.
    ours = (name for name in kinds if "aiohttp.web_" in name or "site-packages" not in name)
    return Counter(name for name in ours if "pychat" in name or "aiohttp.web_" in name)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage is collected."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


LIFE: list[tuple[str, Callable[[int, int], Coroutine[Any, Any, None]]]] = [
    ("serve", plain_websocket),
    ("serve", socketio),
    ("aiohttp", socketio),
    ("serve", refused),
    ("serve", polling),
    ("serve", upgrade),
    ("serve", event_stream),
    ("serve", malformed),
    ("irc", irc),
    ("uvicorn", plain_websocket),
    ("uvicorn", socketio),
    ("uvicorn", polling),
    ("uvicorn", upgrade),
    ("uvicorn", event_stream),
]


@pytest.mark.slow
async def test_nothing_is_left_of_who_has_gone(tmp_path, uncollected):
    """After 2,000 short lives on all wires and hosts, ended in every way, no object of theirs is left, with the collector off."""
    async with served(tmp_path) as ports:
        for host, life in LIFE:  # what is made once
            await asyncio.gather(*(life(ports[host], number) for number in range(12)))
        while any(name.endswith("WebSocket") and not name.startswith("function") for name in ours()):
            await asyncio.sleep(0.1)
        gc.collect()
        before = ours()
        for host, life in LIFE:
            for number in range(1_000, 1_000 + LIVES, _AT_ONCE):
                await asyncio.gather(*(life(ports[host], number + more) for more in range(_AT_ONCE)))
        left = await settled(before)
    assert {} == left


async def settled(before: Counter[str]) -> dict[str, int]:
    """What there is more of than before, once the last connections have been let go."""
    left: dict[str, int] = {}
    for _ in range(60):  # a connection that does not answer a close is cut after three seconds
        await asyncio.sleep(0.1)
        more = ours() - before
        left = {name: count for name, count in more.items() if name not in _REMEMBERED and count > LIVES // 20}
        if not left:
            break
    return left
