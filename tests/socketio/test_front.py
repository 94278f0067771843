"""The short way of `pychat serve`: who takes it, and who is given to aiohttp untouched."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from pychat.transports.socketio import HandshakeRouter, Server

KEY = base64.b64encode(b"0123456789abcdef").decode()
PLAIN = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.example\r\nUpgrade: WebSocket\r\n"
    f"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
)


class Elsewhere(asyncio.Protocol):
    """What everything else is given to: it keeps what it is told, and says so."""

    heard = b""

    def connection_made(self, transport):
        """Keep the way to answer."""
        self.transport = transport

    def data_received(self, data):
        """Keep it, and say so."""
        self.heard += data
        self.transport.write(b"elsewhere")


@asynccontextmanager
async def fronted(**options):
    """A server behind a front; what was given elsewhere, and a way to say bytes to it and read until the words come."""
    server, given = Server(async_mode="aiohttp", **options), []

    def plain():
        given.append(Elsewhere())
        return given[-1]

    front = await asyncio.get_running_loop().create_server(lambda: HandshakeRouter(server, plain), "127.0.0.1", 0)
    writers = []

    async def say(*parts: bytes, until: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*front.sockets[0].getsockname()[:2])
        writers.append(writer)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            return await reader.readuntil(until)

    try:
        yield say, given
    finally:
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        await server.shutdown(0.05)
        front.close()
        await front.wait_closed()


async def test_a_handshake_may_come_byte_by_byte():
    """However its bytes arrive, it is answered, and the session is opened."""
    async with fronted() as (say, given):
        request = (PLAIN + "\r\n").encode()
        answer = await say(*(request[at : at + 1] for at in range(len(request))), until=b'"pingTimeout"')
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: " in answer
    assert [] == given


async def test_what_is_said_with_the_handshake_is_heard():
    """A client need not wait for the answer: its CONNECT may travel in the same packet."""
    connect = b"\x81\x82\x00\x00\x00\x0040"
    async with fronted() as (say, given):
        await say((PLAIN + "\r\n").encode() + connect, until=b'40{"sid":')
    assert [] == given


@pytest.mark.parametrize(
    "request_",
    [
        "GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n",
        "POST /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\r\n",
        PLAIN.replace("transport=websocket", "transport=polling") + "\r\n",
        PLAIN.replace("transport=websocket", "transport=websocket&sid=abc") + "\r\n",
        PLAIN.replace("EIO=4", "EIO=3") + "\r\n",
        PLAIN.replace("EIO=4", "EIO=4&j=1") + "\r\n",
        PLAIN.replace("HTTP/1.1", "HTTP/1.0") + "\r\n",
        PLAIN.replace("/?", "/\x7f?") + "\r\n",
        PLAIN.replace("Host: chat.example\r\n", "") + "\r\n",
        PLAIN.replace("Version: 13", "Version: 8") + "\r\n",
        PLAIN.replace(KEY, "short") + "\r\n",
        PLAIN.replace(KEY, KEY[:-2] + "!!") + "\r\n",
        PLAIN.replace("keep-alive, Upgrade", "close") + "\r\n",
        PLAIN.replace("WebSocket\r\n", "h2c\r\n", 1) + "\r\n",
        PLAIN + "Content-Length: 3\r\n\r\nabc",
        PLAIN + "Transfer-Encoding: chunked\r\n\r\n",
        PLAIN + "Sec-WebSocket-Protocol: chat\r\n\r\n",
        PLAIN + "No colon\r\n\r\n",
        PLAIN + "Bad name : x\r\n\r\n",
        PLAIN + " folded: x\r\n\r\n",
        PLAIN + "X: a\nb\r\n\r\n",
        PLAIN + f"X: {'x' * 9000}",
        PLAIN + "Origin: https://evil.example\r\n\r\n",
    ],
)
async def test_all_else_is_given_away_from_its_first_byte(request_):
    """Whatever is not beyond doubt a new client's handshake reaches aiohttp whole, refusals of origins included."""
    async with fronted() as (say, given):
        assert b"elsewhere" == await say(request_.encode(), until=b"elsewhere")
    (elsewhere,) = given
    assert request_.encode() == elsewhere.heard


async def test_a_full_server_says_so_elsewhere():
    """Who cannot be taken is given to what can say why."""
    async with fronted(max_connections=1) as (say, given):
        await say((PLAIN + "\r\n").encode(), until=b'"pingTimeout"')
        assert b"elsewhere" == await say((PLAIN + "\r\n").encode(), until=b"elsewhere")
    assert 1 == len(given)
