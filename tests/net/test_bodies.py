"""Bodies of requests that are malformed, too large or not read to their end: a clean answer, and the connection ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import http_parser, web, web_protocol

import pychat
from pychat import ChatRoom
from pychat.hosts.aiohttp import MOUNT
from pychat.hosts.connection import HttpConnection
from pychat.net.addresses import AddressLimiter
from pychat.net.http.connections import Connections
from pychat.net.http.proxies import Proxies
from pychat.transports.socketio.handshake_router import HandshakeRouter
from tests.servers import aiohttp_server, uvicorn_server

_MALFORMED = (
    b"zz\r\nhello\r\n0\r\n\r\n",  # a size that is not a number
    b"-1\r\n\r\n",
    b"5\r\nhelloXX\r\n0\r\n\r\n",  # a chunk that is longer than its size
    b"5\r\nhello\r\n0\r\nno trailer\r\n\r\n",
)
_ENDPOINTS = (
    "POST /socket.io/",
    "POST /api/rooms/lobby/messages?author=Ada",
    "PATCH /api/rooms/lobby/messages/1",
    "POST /api/rooms/lobby/commands/say",
)


@contextlib.asynccontextmanager
async def own_port_server(app: web.Application) -> AsyncIterator[str]:
    """Serve `app` as `pychat serve` does, on a port of its own."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    plain = runner.server
    assert plain is not None
    connections = Connections(AddressLimiter(100, 100), Proxies())
    listening = await asyncio.get_running_loop().create_server(
        lambda: HandshakeRouter(
            app[MOUNT].socketio.server, lambda: HttpConnection(plain, connections), connections=connections
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await runner.cleanup()


@pytest.fixture(params=["aiohttp", "aiohttp in Python", "own port", "uvicorn"])
async def host(request, monkeypatch) -> AsyncIterator[str]:
    """The address of a room with one message, in each host."""
    room = ChatRoom("lobby")
    if request.param == "aiohttp in Python":  # aiohttp's other parser, which raises other errors
        monkeypatch.setattr(web_protocol, "HttpRequestParser", http_parser.HttpRequestParserPy)
    if request.param == "uvicorn":
        context = uvicorn_server(pychat.asgi_app(room))
    else:
        serve = own_port_server if request.param == "own port" else aiohttp_server
        context = serve(pychat.aiohttp_app(room))
    async with context as url:
        await room.post("hi", author="Ada")
        yield url


async def target(url: str, http: aiohttp.ClientSession, stack: contextlib.AsyncExitStack, endpoint: str) -> str:
    """The head for `endpoint` but for what says its body: of a Socket.IO session that was opened, or a stream's visitor."""
    fields = ""
    if "socket.io" in endpoint:
        async with http.get(f"{url}/socket.io/?EIO=4&transport=polling") as answer:
            sid = (await answer.text()).partition('"sid":"')[2].partition('"')[0]
        endpoint = f"{endpoint}?EIO=4&transport=polling&sid={sid}"
    elif "commands" in endpoint:
        stream = await stack.enter_async_context(http.get(f"{url}/api/rooms/lobby/events"))
        await stream.content.readuntil(b'"token":"')
        token = (await stream.content.readuntil(b'"'))[:-1].decode()
        fields = f"Authorization: Bearer {token}\r\n"
    return f"{endpoint} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{fields}"


async def until_closed(url: str, *pieces: bytes, hang_up: bool = False) -> bytes:
    """Send these pieces, each in a turn of the server's, and return all that is answered until the server hangs up.

    With `hang_up` nothing more is sent after the head of the answer: aiohttp reads on for ten seconds otherwise.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            for _ in range(20):  # so that the server reads it alone: both run on this loop
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            if hang_up:
                with contextlib.suppress(OSError):  # the server was faster
                    writer.write_eof()
            return head + await reader.read()
    finally:
        writer.close()


def failures(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What was logged with a traceback, but for that of aiohttp's own parser."""
    return [record for record in caplog.records if record.exc_info and not record.name.startswith("aiohttp")]


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_malformed_body_is_answered_400(request, host, pieces, caplog):
    """At every endpoint that reads bodies, in every host: status 400, no traceback, and the connection ends."""
    if pieces == 2 and request.node.callspec.params["host"] == "aiohttp":
        pytest.skip("aiohttp's parser in C tells nobody that a body went wrong; our time limit ends the request")
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        for endpoint, body in itertools.product(_ENDPOINTS, _MALFORMED):
            head = (await target(host, http, stack, endpoint) + "Transfer-Encoding: chunked\r\n\r\n").encode()
            answer = await until_closed(host, *((head + body,) if pieces == 1 else (head, body)))
            assert answer.split(b" ", 2)[1] == b"400", (endpoint, body, answer)
    assert not failures(caplog)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large(host, chunked):
    """It is answered 413 with `Connection: close` before all of it has come, and the connection ends."""
    said = "Transfer-Encoding: chunked" if chunked else "Content-Length: 3000000"
    body = b"186a1\r\n" + b"x" * 100_001 + b"\r\n" if chunked else b"x" * 1_000
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        for endpoint in _ENDPOINTS:
            head = await target(host, http, stack, endpoint)
            answer = await until_closed(host, f"{head}{said}\r\n\r\n".encode(), body, hang_up=True)
            assert answer.split(b" ", 2)[1] == b"413", (endpoint, answer)
            assert b"\r\nconnection: close\r\n" in answer.lower()


async def test_the_next_request_takes_another_connection(host):
    """A client that keeps connections gets an answer to what it asks after a refused body."""
    async with aiohttp.ClientSession() as http:
        for _ in range(5):
            async with http.post(
                f"{host}/api/rooms/lobby/messages?author=Ada",
                data=b"x" * 900_000,
                headers={"Content-Type": "text/plain"},
            ) as answer:
                assert answer.status == 413
            async with http.get(f"{host}/api/rooms/lobby/messages") as answer:
                assert answer.status == 200
