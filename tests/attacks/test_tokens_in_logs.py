"""No token, password or key that somebody sends is in a line of the server's log, whatever is wrong with the request."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import aiohttp
import pytest

from pychat.hosts.connection import _without_content
from tests.attacks.public import public_server
from tests.clients import SocketIOPerson, WebSocketManyRooms, WebSocketPerson

SECRET = "S3CRET-of-somebody-0123456789"
_HOST = b"Host: localhost\r\n"
_UPGRADE = _HOST + b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
_S = SECRET.encode()
BROKEN = (
    b"GET /api/rooms/lobby/events?token=%s HTTP/9.9x\r\n" % _S + _HOST,
    b"GET /api/rooms/lobby/events?token=%s\x01 HTTP/1.1\r\n" % _S + _HOST,
    b"GET /api/rooms/lobby/members HTTP/1.1\r\n%sAuthorization: Bearer %s\x01\r\n" % (_HOST, _S),
    b"GET /api/rooms/lobby/members HTTP/1.1\r\n%sBearer %s\r\n" % (_HOST, _S),
    b"GET http://[x/%s HTTP/1.1\r\n" % _S + _HOST,
    b"POST /api/rooms/lobby/messages?token=%s HTTP/1.1\r\n%sContent-Length: x%s\r\n" % (_S, _HOST, _S),
    b"GET /ws?token=%s HTTP/1.1\r\n%sOrigin: http://evil.example\r\nSec-WebSocket-Key: %s\r\n" % (_S, _UPGRADE, _S),
    b"GET /socket.io/?EIO=4&transport=websocket&token=%s HTTP/1.1\r\n%sOrigin: http://evil.example\r\n"
    % (_S, _UPGRADE),
    b"GET /api/rooms/lobby/events?token=%s HTTP/1.1\r\nHost: evil.example\r\n" % _S,
    b"GET /metrics?token=%s HTTP/1.1\r\n%sAuthorization: Bearer %s\r\n" % (_S, _HOST, _S),
)


async def test_no_log_line_holds_what_opens_something(tmp_path: Path) -> None:
    """Wrong tokens on each wire, in each place that can hold one, in requests that are refused, malformed or cut off."""
    token = f"abcdefghijkl.{SECRET}"
    async with public_server(tmp_path, arguments=("--api-token", SECRET, "--metrics-token", SECRET)) as server:
        for head in BROKEN:
            with socket.create_connection((server.host, server.port), timeout=10) as raw:
                raw.sendall(head + b"\r\n")
                with contextlib.suppress(OSError):
                    raw.recv(1000)
        async with aiohttp.ClientSession() as http:
            for headers in ({"Authorization": f"Bearer {SECRET}"}, {"Authorization": f"Bearer {token}"}, {}):
                for method, path in (
                    ("GET", f"/rooms/lobby/members?token={token}"),
                    ("POST", f"/rooms/lobby/messages?token={token}"),
                    ("POST", "/rooms/lobby/token"),
                    ("GET", f"/rooms/nowhere/events?token={token}"),
                ):
                    async with http.request(method, f"{server.url}/api{path}", headers=headers) as response:
                        await response.read()
        ada = await WebSocketPerson.enter(server.url, token=SECRET)
        await ada.command("join", {"name": "Ada", "token": token})
        bob = await SocketIOPerson.enter(f"{server.url}?token={SECRET}", token=token, pid=f"x~{token}")
        await bob.command("join", {"name": "Bob", "token": token})
        two = await WebSocketManyRooms.connect(server.url, token, password=SECRET)
        _, irc = await server.raw(server.irc_port)
        irc.write(
            f"PASS {SECRET}\r\nNICK ida\r\nUSER ida 0 * :Ida\r\nJOIN #lobby {SECRET}\r\n\xff\r\n".encode("latin-1")
        )
        irc.close()
        for person in (ada, bob, two):
            await person.close()
    assert "Ada joined" in server.log  # it is not quiet because nothing is logged
    assert SECRET not in server.log


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Bad status line 'GET /?token=x'", "Bad status line"),
        ("Invalid header value char:\n\n  b'Authorization: x'", "Invalid header value char"),
        ('Invalid HTTP header: "x"', "Invalid HTTP header"),
    ],
)
def test_what_a_parser_quotes_is_left_out(text: str, told: str) -> None:
    """Aiohttp's two parsers quote the request in their errors."""
    assert _without_content(text) == repr(told)
