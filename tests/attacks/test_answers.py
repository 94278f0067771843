"""Answers that nobody reads: their bytes are bounded, whoever asks for them, and from how many addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pychat import ChatRoom
from pychat.stores import open_store
from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: cHljaGF0cHljaGF0cHljaA==\r\n"
)
ADDRESSES = [f"127.0.1.{number}" for number in range(1, 9)]


async def talked(folder: Path) -> str:
    """A file in which a room has said the longest there is; its URL."""
    url = f"sqlite:{folder / 'talked.db'}"
    store = open_store(url)
    room = ChatRoom("lobby", store=store)
    await asyncio.gather(*(room.post("\U0001f600" * 2000, author="bot") for _ in range(250)))
    await room.aclose()
    await store.aclose()
    return url


async def ask(server: PublicServer, address: str, path: str, fields: str = "") -> socket.socket:
    """Ask for that, and read nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    connection.bind((address, 0))
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, (server.host, server.port))
    await loop.sock_sendall(connection, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())
    return connection


async def read(server: PublicServer, address: str) -> None:
    """Read some pages, as people do."""
    for _ in range(10):
        reader, writer = await server.raw(source=address)
        writer.write(b"GET /api/rooms/lobby/messages?limit=200 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        assert len(await reader.read()) > 200_000
        writer.close()


async def bounded(
    public: Public,
    folder: Path,
    attack: Callable[[PublicServer], Awaitable[list[socket.socket]]],
    *,
    seconds: float,
    most: int,
) -> None:
    """Attack with connections that read nothing: after so many `seconds` at most so many bytes wait, and go with their connections."""
    async with public(arguments=("--store", await talked(folder))) as server:
        await asyncio.gather(*(read(server, f"127.0.2.{number}") for number in range(1, 9)))  # caches are full now
        async with server.attacked():
            before = server.rss()
            deaf = await attack(server)
            await asyncio.sleep(seconds)
            grown = server.rss() - before
            for connection in deaf:
                connection.close()
            assert grown < most, f"{grown >> 20} MiB"
        await server.settles()


@pytest.mark.slow
async def test_answers_that_nobody_reads(public: Public, tmp_path: Path):
    """320 pages of history, and the room's page and scripts, are asked for and never read: 100 MiB at most wait, and go with their connections."""

    async def attack(server: PublicServer) -> list[socket.socket]:
        deaf: list[socket.socket] = []
        history = "/api/rooms/lobby/messages?limit=200"
        others = ("/", "/socket.io/socket.io.js", "/api/openapi.json", "/api/rooms/lobby/members")
        for number in range(40):
            for path in (history, *others[number % 8 : number % 8 + 1]):
                deaf += await asyncio.gather(*(ask(server, address, path) for address in ADDRESSES))
        return deaf

    await bounded(public, tmp_path, attack, seconds=3, most=100 << 20)


def frame(text: bytes) -> bytes:
    """A masked text frame, up to 125 bytes."""
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


#: What is sent first, and what asks for a page of history.
WIRES = {
    "/ws": (b"", frame(b'{"type":"history","ref":1,"limit":100}')),
    "/socket.io/?EIO=4&transport=websocket": (frame(b'40{"v":1}'), frame(b'421["history",{"limit":100}]')),
}


async def listen(server: PublicServer, address: str, path: str, times: int) -> socket.socket:
    """Open a WebSocket, ask for the room's history so many times, and read nothing."""
    connection = await ask(server, address, path, UPGRADE)
    first, history = WIRES[path]
    await asyncio.get_running_loop().sock_sendall(connection, first + history * times)
    return connection


@pytest.mark.slow
@pytest.mark.parametrize("path", WIRES)
async def test_answers_over_websockets_that_nobody_reads(public: Public, tmp_path: Path, path: str):
    """80 people on WebSockets ask 18 times each for a page of 256 KiB, and read none: a page or two wait for each, and no more."""

    async def attack(server: PublicServer) -> list[socket.socket]:
        return await asyncio.gather(*(listen(server, address, path, 18) for address in ADDRESSES for _ in range(10)))

    await bounded(public, tmp_path, attack, seconds=5, most=80 << 20)


@pytest.mark.slow
async def test_hundreds_who_ask_once_and_never_read(public: Public, tmp_path: Path):
    """600 WebSockets of one address get a welcome and a page of 256 KiB, and read nothing: those past 64 MiB are closed."""

    async def attack(server: PublicServer) -> list[socket.socket]:
        deaf: list[socket.socket] = []
        for _ in range(12):
            deaf += await asyncio.gather(*(listen(server, "127.0.1.1", "/ws", 1) for _ in range(50)))
        return deaf

    await bounded(public, tmp_path, attack, seconds=5, most=160 << 20)


@pytest.mark.slow
@pytest.mark.parametrize("path", WIRES)
async def test_who_reads_late_gets_every_answer(public: Public, tmp_path: Path, path: str):
    """Commands wait while their client does not read: when it reads, all eighteen pages come, and nobody was closed as slow."""
    async with public(arguments=("--store", await talked(tmp_path))) as server, server.attacked():
        connection = await listen(server, "127.0.1.1", path, 18)
        await asyncio.sleep(2)  # all that would be sent to somebody deaf has been sent
        mark = b'"type":"ack"' if path == "/ws" else b'431[{"ok":true'
        heard, answers = b"", 0
        async with asyncio.timeout(30):
            while answers < 18:
                piece = await asyncio.get_running_loop().sock_recv(connection, 1 << 20)
                assert piece, f"closed after {answers} answers"
                heard = heard[1 - len(mark) :] + piece
                answers += heard.count(mark)
        connection.close()
