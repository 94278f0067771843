"""Just under each limit, at it, one over it, and far over it: what is taken, and how the rest is refused."""

from __future__ import annotations

import asyncio
import io

import aiohttp
import pytest

from pychat.net.websocket.protocol import MAX_FRAGMENTS
from pychat.transports.socketio.handshake_router import MAX_FIELDS, MAX_HEAD_BYTES
from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer
from tests.attacks.test_frames import Raw, masked, opened
from tests.clients import WebSocketPerson
from tests.irc.person import IrcPerson

#: The longest message to `pychat serve` with its default texts of 2,000 characters, in bytes.
LONGEST = 12 * 2_000 + 4_096


async def told(raw: Raw, wire: bytes) -> int | None:
    """Send it, then a ping: the code of the close frame, or None if the pong came."""
    raw.writer.write(wire + masked(0x89, b"still here"))
    async with asyncio.timeout(30):
        while True:
            first, size = await raw.reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await raw.reader.readexactly(2 if size == 126 else 8))
            payload = await raw.reader.readexactly(size)
            if first == 0x88:
                return int.from_bytes(payload[:2])
            if first == 0x8A:
                return None


def fragments(count: int) -> bytes:
    """A command in so many fragments of 20 bytes."""
    rest = masked(0x00, b" " * 20) * (count - 2)
    return masked(0x01, b'{"type":"who"'.ljust(20)) + rest + masked(0x80, b"}".rjust(20))


async def test_messages_at_their_limits(public: Public) -> None:
    """A frame of the largest size is taken, one byte more is 1009, and gigabytes are refused by their announcement; so are fragments."""
    async with public() as server, server.attacked():
        for size, code in ((LONGEST - 1, None), (LONGEST, None), (LONGEST + 1, 1009), (LONGEST * 100, 1009)):
            text = b'{"type":"who"'.ljust(size - 1) + b"}"
            async with opened(server, "/ws") as raw:
                assert code == await told(raw, masked(0x81, text)), size
        async with opened(server, "/ws") as raw:
            raw.writer.write(b"\x81\xff" + (1 << 62).to_bytes(8) + bytes(4))
            assert await raw.closed() == 1009
        for count, code in ((400, None), (MAX_FRAGMENTS + 1, 1008)):
            async with opened(server, "/ws") as raw:
                assert code == await told(raw, fragments(count)), count
        person = await WebSocketPerson.enter(server.url)
        for size, refused in ((31, None), (32, None), (33, "name_invalid"), (20_000, "name_invalid")):
            answer = await person.command("join", {"name": "a" * size})
            assert (answer.get("error") or {}).get("code") == refused, size
        for size, refused in ((1_999, None), (2_000, None), (2_001, "text_too_long"), (20_000, "text_too_long")):
            answer = await person.command("say", {"text": "x" * size})
            assert (answer.get("error") or {}).get("code") == refused, size
        for size, refused in ((64, None), (65, "bad_request"), (20_000, "bad_request")):
            answer = await person.command("say", {"text": "hi", "id": "i" * size})
            assert (answer.get("error") or {}).get("code") == refused, size
        await person.close()
        irc = await IrcPerson.enter(server.irc_port, "Edge")
        for size, command in ((510, None), (511, "417"), (20_000, "417")):
            line = b"PRIVMSG #lobby :".ljust(size, b"x")
            irc.writer.write(line + b"\r\nPING after\r\n")
            heard = ""
            while heard not in {"PONG", "417"}:
                heard = (await irc.next()).command
            assert heard == (command or "PONG"), size
            if heard == "417":
                await irc.line("PONG")


async def answer(server: PublicServer, request: bytes) -> bytes:
    """The status of the answer."""
    reader, writer = await server.raw()
    writer.write(request)
    try:
        async with asyncio.timeout(30):
            return (await reader.readline())[9:12]
    except ConnectionError:
        return b"cut"
    finally:
        writer.close()


@pytest.mark.slow
async def test_requests_at_their_limits(public: Public) -> None:
    """A head and a body of the largest size are taken; one byte or field more is refused with its status, and megabytes too."""
    async with public() as server, server.attacked():
        for path in (b"/", b"/socket.io/?EIO=4&transport=polling"):
            start = b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
            for size, statuses in (
                (MAX_HEAD_BYTES - 1, {b"200"}),
                (MAX_HEAD_BYTES, {b"200"}),
                (MAX_HEAD_BYTES + 1, {b"431"}),
                (MAX_HEAD_BYTES * 200, {b"431", b"cut", b""}),
            ):
                head = start.ljust(size - 4, b"x") + b"\r\n\r\n"
                assert await answer(server, head) in statuses, (path, size)
            for count, status in ((MAX_FIELDS - 1, b"200"), (MAX_FIELDS + 1, b"400")):
                head = start + b"\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(count - 2)) + b"\r\n"
                assert await answer(server, head) in {status, b"431" if status != b"200" else status}, (path, count)
        async with aiohttp.ClientSession(server.url) as http:
            kind = {"Content-Type": "application/json"}
            for size, accepted in ((LONGEST, {201}), (LONGEST + 1, {413}), (LONGEST * 100, {413})):
                body = b'{"author":"Edge","text":"hi"'.ljust(size - 1) + b"}"
                async with http.post("/api/rooms/lobby/messages", data=io.BytesIO(body), headers=kind) as response:
                    assert response.status in accepted, size
