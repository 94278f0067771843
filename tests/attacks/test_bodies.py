"""Attacks with the bodies of requests: compressed, in the smallest of chunks, without an end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip

import aiohttp
import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

_AT_ONCE = 50
_PATHS = ("/api/rooms/lobby/messages", "/healthz", "/socket.io/?EIO=4&transport=polling")


async def _send(server: PublicServer, path: str, fields: str, body: bytes) -> None:
    """Send a request, and read until the server hangs up."""
    with contextlib.suppress(ConnectionError):
        reader, writer = await server.raw()
        try:
            head = f"POST {path} HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{fields}\r\n\r\n"
            writer.write(head.encode() + body)
            async with asyncio.timeout(30):
                await reader.read()
        finally:
            writer.close()


@pytest.mark.parametrize("path", _PATHS)
async def test_compressed_bodies(public: Public, path: str):
    """A body of 100 KB that would be 100 MB is not decompressed, whether or not anybody reads it."""
    body = gzip.compress(bytes(100 << 20), 9)
    fields = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}"
    async with public() as server:
        async with server.attacked():
            await asyncio.gather(*(_send(server, path, fields, body) for _ in range(_AT_ONCE)))
        await server.settles()


@pytest.mark.parametrize("path", _PATHS)
async def test_bodies_of_small_chunks(public: Public, path: str):
    """Chunks of one byte, and extensions and trailers without an end, are not looked at for long."""
    bodies = (b"1\r\na\r\n" * 500_000, b"1;" + b"a" * 3_000_000, b"0\r\n" + b"a: b\r\n" * 500_000)
    async with public() as server:
        async with server.attacked():
            sent = (_send(server, path, "Transfer-Encoding: chunked", body) for body in bodies for _ in range(_AT_ONCE))
            await asyncio.gather(*sent)
        await server.settles()
        assert "Traceback" not in server.log


@pytest.mark.slow
async def test_a_compressed_message(public: Public):
    """Whoever sends a compressed body is told not to; one in chunks is taken."""

    async def pieces():
        for letter in b'{"text": "in pieces", "author": "Ada"}':
            yield bytes([letter])

    async with public() as server, aiohttp.ClientSession() as http:
        url, kind = f"{server.url}/api/rooms/lobby/messages", {"Content-Type": "application/json"}
        async with http.post(url, data=b"{}", headers={**kind, "Content-Encoding": "gzip"}) as answer:
            assert answer.status == 415
            assert "Content-Encoding" in await answer.text()
        async with http.post(url, data=pieces(), headers=kind) as answer:
            assert answer.status == 201, await answer.text()
