"""Attacks with the heads of requests: crafted, huge, malformed, and never finished."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys

import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer
from tests.servers import pychat_process

KEY = base64.b64encode(b"0123456789abcdef").decode()
HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
).encode()
PLAIN = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def answered(server: PublicServer, request: bytes) -> bytes:
    """The first line of the answer; nothing if the connection was cut."""
    with contextlib.suppress(ConnectionError):
        reader, writer = await server.raw()
        try:
            writer.write(request)
            async with asyncio.timeout(30):
                return await reader.readline()
        finally:
            writer.close()
    return b""


async def test_crafted_fields(public: Public):
    """Fields of many spaces cost what other bytes cost, whatever stands before, between and behind them."""
    async with public() as server, server.attacked():
        for spaces in (2_000, 8_000, 120_000, 1_000_000):
            for field in (b"x:%b\x01", b"x: a%bb", b"x: a%b\x01", b"x:%b", b"x%b: y", b"%bx: y"):
                for head in (HANDSHAKE, PLAIN):
                    answer = await answered(server, head + field % (b" " * spaces) + b"\r\n\r\n")
                    assert answer[9:12] in {b"101", b"200", b"400", b"431", b""}


async def test_huge_heads(public: Public):
    """Heads of 200 KB and more, whole, in pieces and without an end, are refused, and nothing of them is kept."""
    large = b"".join(b"x-%d: %b\r\n" % (number, b"y" * 2000) for number in range(100))

    async def attack(server: PublicServer, head: bytes, end: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            reader, writer = await server.raw()
            for start in range(0, len(large), 50_000):
                writer.write(head * (start == 0) + large[start : start + 50_000])
                await asyncio.sleep(0)
            writer.write(end)
            async with asyncio.timeout(30):
                assert not (await reader.read()).startswith((b"HTTP/1.1 101", b"HTTP/1.1 200"))

    async with public() as server:
        async with server.attacked():
            for _ in range(2):
                await asyncio.gather(
                    *(
                        attack(server, head, end)
                        for head in (HANDSHAKE, HANDSHAKE.replace(b"websocket HTTP", b"polling HTTP"), PLAIN)
                        for end in (b"\r\n", b"")
                        for _ in range(10)
                    )
                )
        await server.settles()


async def test_malformed_requests(public: Public):
    """Three thousand malformed requests are a few lines in the log, without a traceback, and leave no memory behind."""
    requests = (
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n",
        b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: [\r\nX\r\n\r\n",
    )
    async with public() as server:
        before = len(server.log)
        async with server.attacked():
            for _ in range(50):
                await asyncio.gather(*(answered(server, request) for request in requests * 10))
        await server.settles()
        assert len(server.log) - before < 20_000
        assert "Traceback" not in server.log


@pytest.mark.skipif(sys.platform != "linux", reason="sockets of many local addresses")
async def test_half_heads_and_idle_connections_keep_nobody_out():
    """With 300 descriptors, hundreds of half heads and idle connections from many addresses; a newcomer is served, and files are left."""
    script = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
os.execv(sys.executable, [sys.executable, "-m", "pychat", *sys.argv[1:]])
"""
    with pychat_process(command=(sys.executable, "-c", script)) as served:
        host, _, port = served.url.removeprefix("http://").partition(":")

        async def connect(source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection(host, int(port), local_addr=(source, 0))

        held = []
        for number in range(400):
            reader, writer = await connect(f"127.0.{number % 4}.9")
            held.append(writer)
            with contextlib.suppress(ConnectionError):
                if number % 2:
                    writer.write(HANDSHAKE)
                else:
                    writer.write(PLAIN + b"\r\n")
                    async with asyncio.timeout(10):
                        await reader.readline()
            if number % 20 == 0:
                newcomer, hello = await connect("127.0.0.1")
                hello.write(PLAIN + b"Connection: close\r\n\r\n")
                async with asyncio.timeout(10):
                    assert (await newcomer.read()).startswith(b"HTTP/1.1 200 ")
                hello.close()
        for writer in held:
            writer.close()
