"""The way in of `pychat serve`: heads are bounded in bytes and seconds, connections in number, and requests come one at a time."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from pychat.hosts.connection import HttpConnection
from pychat.net.addresses import AddressLimiter
from pychat.net.http.proxies import Proxies
from pychat.transports.socketio import Connections, HandshakeRouter, Server
from pychat.transports.socketio.handshake_router import MAX_FIELDS, MAX_HEAD_BYTES

KEY = base64.b64encode(b"0123456789abcdef").decode()
SHORT_WAY = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\n"
    f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
)
HEADS = {
    "short way": SHORT_WAY,
    "Socket.IO, polling": "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: chat.example\r\n",
    "plain": "GET / HTTP/1.1\r\nHost: chat.example\r\n",
}


class Entrance:
    """A server with the way in of `pychat serve`, and what it was asked."""

    def __init__(self, connections: Connections, port: int) -> None:
        self.connections = connections
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self):
        """A fresh connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        return reader, writer

    async def say(self, *pieces: str | bytes) -> bytes:
        """Send these pieces, and read until the server closes."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece if isinstance(piece, bytes) else piece.encode())
                await writer.drain()
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def hang_up(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def empty(self) -> None:
        """Wait until no connection is left."""
        async with asyncio.timeout(10):
            while len(self.connections.limits):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def entrance(*, most=100, per_address=50, head_seconds=10.0, idle_seconds=75.0, trusted=()):
    """The way in, in front of a small application."""
    server = Server(async_mode="aiohttp")
    app = web.Application()

    async def page(request: web.Request) -> web.Response:
        entry.asked.append(request.path)
        if request.path == "/slow":
            await entry.go_on.wait()
        if request.can_read_body:
            return web.Response(text=f"{len(await request.read())} bytes")
        return web.Response(text="page")

    app.router.add_route("*", "/socket.io/", server.eio.handle_aiohttp)
    app.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    plain = runner.server
    assert plain is not None
    limits = AddressLimiter(most, per_address)
    connections = Connections(limits, Proxies(trusted), head_seconds=head_seconds, idle_seconds=idle_seconds)
    listening = await asyncio.get_running_loop().create_server(
        lambda: HandshakeRouter(server, lambda: HttpConnection(plain, connections), connections=connections),
        "127.0.0.1",
        0,
    )
    entry = Entrance(connections, listening.sockets[0].getsockname()[1])
    try:
        yield entry
    finally:
        await entry.hang_up()
        listening.close()
        await server.shutdown(0.05)
        await runner.cleanup()
        await entry.empty()
        await listening.wait_closed()
    # Nothing is left behind.
    assert limits._held == {}
    assert len(connections._heads) == len(connections._idle) == 0


def filled(head: str, size: int) -> bytes:
    """`head` with headers that make it `size` bytes, the empty line counted."""
    missing = size - len(head) - len("\r\n")
    value = missing - len("X: \r\n")
    return f"{head}X: {'x' * value}\r\n\r\n".encode()


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_head_up_to_the_limit_is_taken(head, pieces):
    """At the limit and one byte under it, in one piece or in several, a head is answered as ever."""
    for size in (MAX_HEAD_BYTES - 1, MAX_HEAD_BYTES):
        async with entrance() as entry:
            request = filled(head, size)
            assert size == len(request)
            step = -(-size // pieces)
            reader, writer = await entry.connect()
            for start in range(0, size, step):
                writer.write(request[start : start + step])
                await writer.drain()
                await asyncio.sleep(0.01)
            async with asyncio.timeout(10):
                answer = await reader.readline()
            assert answer.split()[1] in {b"101", b"200"}
            writer.close()


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("size", [MAX_HEAD_BYTES + 1, 200_000])
async def test_a_head_past_the_limit_is_refused(head, pieces, size):
    """One byte over the limit is 431 and the connection closes; no application is asked."""
    async with entrance() as entry:
        request = filled(head, size)
        step = -(-size // pieces)
        answer = await entry.say(*(request[start : start + step] for start in range(0, size, step)))
        # Who goes on sending may lose the answer with the connection.
        assert answer.startswith(b"HTTP/1.1 431 ") or (answer == b"" and size > MAX_HEAD_BYTES + 1)
        assert [] == entry.asked
        await entry.empty()


async def test_a_later_head_has_the_same_limit():
    """On a connection that was used before, behind an answer, a body or an empty line, a large head is refused too."""
    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    for between in (b"", b"\r\n"):
        async with entrance() as entry:
            reader, writer = await entry.connect()
            writer.write(first)
            async with asyncio.timeout(10):
                assert b"5 bytes" in await reader.readuntil(b"bytes")
            writer.write(between + filled(HEADS["plain"], MAX_HEAD_BYTES + 1 - len(between)))
            async with asyncio.timeout(10):
                assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
            assert ["/"] == entry.asked


async def test_a_head_without_an_end_is_refused_before_it_is_whole():
    """Who never ends a head is refused when it is as large as one may be; so are empty lines without end."""
    async with entrance() as entry:
        for start in (b"GET / HTTP/1.1\r\n", SHORT_WAY.encode(), b"\r\n" * 10):
            filler = b"x" * 200_000 if start.startswith(b"G") else b"\r\n" * 200_000
            reader, writer = await entry.connect()
            writer.write(start + filler[: MAX_HEAD_BYTES + 1 - len(start)])
            async with asyncio.timeout(10):
                assert (await reader.read()).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
            writer.close()
        assert [] == entry.asked


async def test_many_fields_are_refused():
    """A hundred headers are taken; one more is a malformed request, on the short way too."""
    async with entrance() as entry:
        for head, own in ((SHORT_WAY, 5), (HEADS["plain"], 1)):
            for more, expected in ((0, {b"101", b"200"}), (1, {b"400"})):
                reader, writer = await entry.connect()
                writer.write((head + "x: y\r\n" * (MAX_FIELDS - own + more) + "\r\n").encode())
                async with asyncio.timeout(10):
                    assert (await reader.readline()).split()[1] in expected
                writer.close()


async def test_half_a_head_has_ten_seconds():
    """A connection is closed that says nothing, or half a head however slowly, also after a first request."""
    async with entrance(head_seconds=0.2) as entry:
        silent, half = await entry.connect(), await entry.connect()
        half[1].write(b"GET /socket.io/?EIO=4")
        later = await entry.connect()
        later[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await later[0].readuntil(b"page")
            later[1].write(b"GET / HTT")
            for reader, _ in (silent, half, later):
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""
        for _, writer in (silent, half, later):
            writer.close()
        await entry.empty()


async def test_a_head_that_trickles_has_no_more_time():
    """Each byte gives no new ten seconds."""
    async with entrance(head_seconds=0.2) as entry:
        reader, writer = await entry.connect()
        try:
            async with asyncio.timeout(10):
                while not reader.at_eof():
                    writer.write(b"G" if not entry.asked else b"E")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        writer.close()
        await entry.empty()


async def test_what_is_in_use_is_not_timed():
    """A WebSocket, and a request whose answer takes long, outlive the time for heads and the time for idling."""
    async with entrance(head_seconds=0.1, idle_seconds=0.1) as entry:
        socket, slow = await entry.connect(), await entry.connect()
        socket[1].write((SHORT_WAY + "\r\n").encode())
        slow[1].write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await socket[0].readuntil(b'"sid"')
            await asyncio.sleep(0.3)
            assert 2 == len(entry.connections.limits)
            entry.go_on.set()
            await slow[0].readuntil(b"page")
            socket[1].write(b"\x81\x82\x00\x00\x00\x0040")
            await socket[0].readuntil(b'40{"sid"')
        for _, writer in (socket, slow):
            writer.close()


async def test_idle_connections_are_closed():
    """A connection that was answered, and asks nothing more, is closed; one that asks in time is kept."""
    async with entrance(idle_seconds=0.3) as entry:
        reader, writer = await entry.connect()
        async with asyncio.timeout(10):
            for _ in range(3):
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"page")
                await asyncio.sleep(0.15)
            assert await reader.read() == b""
        writer.close()
        assert 3 == len(entry.asked)


async def test_no_request_before_the_answer():
    """Who sends a second request before the answer gets the first answered, and the connection closed."""
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    async with entrance() as entry:
        assert 1 == (await entry.say(one * 10)).count(b"HTTP/1.1 200")
        assert ["/"] == entry.asked
        reader, writer = await entry.connect()
        writer.write(one.replace(b"/ ", b"/slow "))
        while "/slow" not in entry.asked:
            await asyncio.sleep(0.01)
        writer.write(one)
        await asyncio.sleep(0.05)
        entry.go_on.set()
        async with asyncio.timeout(10):
            assert 1 == (await reader.read()).count(b"HTTP/1.1 200")
        writer.close()
        assert ["/", "/slow"] == entry.asked


@pytest.mark.parametrize(
    "first",
    [
        b"CONNECT chat.example:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
async def test_nothing_is_taken_behind_an_upgrade_that_is_declined(first):
    """Whatever is sent with it: it is answered, and the connection closes."""
    async with entrance() as entry:
        answer = await entry.say(first + filled(HEADS["plain"].replace("/ ", "/second "), 20_000))
        assert 1 >= answer.count(b"HTTP/1.1")
        answer = await entry.say(first, HEADS["plain"].replace("/ ", "/second ") + "\r\n")
        assert 1 == answer.count(b"HTTP/1.1")
        assert "/second" not in entry.asked


async def test_a_head_in_the_same_piece_as_a_body_is_not_taken():
    """Behind a body in one piece with it, a head could have any size: the connection is cut."""
    async with entrance() as entry:
        post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        await entry.say(post + filled(HEADS["plain"].replace("/ ", "/second "), 100_000))
        await entry.empty()
        assert "/second" not in entry.asked


async def test_bodies_arrive_whole():
    """A body larger than a head, in one piece with it or in many, reaches the application whole; chunked ones too."""
    async with entrance() as entry:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        body = b"\r\n\r\n" * 25_000
        assert b"100000 bytes" in await entry.say(head + b"Content-Length: 100000\r\n\r\n" + body)
        assert b"100000 bytes" in await entry.say(head + b"Content-Length: 100000\r\n\r\n", body[:7], body[7:])
        body = (b"\r\n\r\n" + b"x" * 96) * 1_000  # with fewer ends of lines than may come in chunks
        chunked = b"186a0\r\n" + body + b"\r\n0\r\n\r\n"
        assert b"100000 bytes" in await entry.say(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        SHORT_WAY.encode() + b"x:" + b" " * 2000 + b"\x01\r\n\r\n",
    ],
)
async def test_malformed_requests_are_a_line_in_the_log(request_, caplog):
    """What a visitor did wrong is answered 400 and told in one line, with no traceback; many such are counted."""
    async with entrance() as entry:
        with caplog.at_level(logging.DEBUG):
            for _ in range(20):
                assert (await entry.say(request_)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
        assert 5 >= len([record for record in caplog.records if record.levelno >= logging.INFO])
        assert not [record for record in caplog.records if record.exc_info]


async def test_a_newcomer_takes_an_idle_place():
    """With all places taken, half heads and idle connections make room for who speaks; those in use stay."""
    async with entrance(most=10, per_address=10) as entry:
        others = [await entry.connect() for _ in range(10)]
        others[0][1].write((SHORT_WAY + "\r\n").encode())
        others[1][1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await others[0][0].readuntil(b'"sid"')
            await others[1][0].readuntil(b"page")
            # As the newcomers are from the same address, its limit must not be what decides.
            entry.connections.limits.max_per_address = 1000
            for _ in range(20):
                reader, writer = await entry.connect()
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"200" in await reader.readline()
                writer.close()
            assert b"" == await others[1][0].read()  # idle for longest
            others[0][1].write(b"\x81\x82\x00\x00\x00\x0040")
            await others[0][0].readuntil(b'40{"sid"')
        for _, writer in others:
            writer.close()


async def test_one_address_has_its_share():
    """Past its share an address is answered 429 at once, and what it lets go can be had again; a trusted proxy has no share."""
    async with entrance(most=10, per_address=3) as entry:
        held = []
        for _ in range(3):
            held.append(await entry.connect())
            held[-1][1].write((SHORT_WAY + "\r\n").encode())
            async with asyncio.timeout(10):
                await held[-1][0].readuntil(b'"sid"')
        assert (await entry.say(b"")).startswith(b"HTTP/1.1 429 ")
        held[0][1].close()
        while 3 == len(entry.connections.limits):
            await asyncio.sleep(0.01)
        assert b"HTTP/1.1 200" in await entry.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for _, writer in held:
            writer.close()
    async with entrance(most=10, per_address=3, trusted=["127.0.0.1"]) as entry:
        writers = [(await entry.connect())[1] for _ in range(8)]
        assert b"HTTP/1.1 200" in await entry.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for writer in writers:
            writer.close()
