"""WebSocket frames as a weapon: fragments, control frames, and what RFC 6455 does not allow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
PLAIN = "/ws"
_MASK = b"\x01\x80\xff\x5a"


def masked(first: int, payload: bytes = b"") -> bytes:
    """A client's frame; `first` holds FIN and the opcode."""
    size = len(payload)
    length = (
        bytes([128 | size])
        if size < 126
        else b"\xfe" + size.to_bytes(2)
        if size < 65536
        else b"\xff" + size.to_bytes(8)
    )
    mask = _MASK * (size // 4 + 1)
    body = int.from_bytes(payload) ^ int.from_bytes(mask[:size])
    return bytes([first]) + length + _MASK + body.to_bytes(size)


class Raw:
    """A WebSocket without a library, that sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def closed(self) -> int | None:
        """Read to the end; the code of the server's close frame."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                first, size = await self.reader.readexactly(2)
                if size > 125:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
                payload = await self.reader.readexactly(size)
                if first == 0x88:
                    return int.from_bytes(payload[:2])
        return None

    async def flood(self, wire: bytes, times: int) -> int | None:
        """Send `wire` again and again until the server closes; the code."""
        reading = asyncio.create_task(self.closed())
        with contextlib.suppress(ConnectionError):
            for _ in range(times):
                if reading.done():
                    break
                self.writer.write(wire)
                await self.writer.drain()
        async with asyncio.timeout(30):
            return await reading


def handshake(server: PublicServer, path: str, version: str) -> bytes:
    """The request that opens a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: cHljaGF0cHljaGF0cHljaA==\r\n\r\n"
    ).encode()


async def refused(server: PublicServer, path: str, version: str) -> bytes:
    """The head of the answer to a handshake of another version of the protocol."""
    reader, writer = await server.raw()
    writer.write(handshake(server, path, version))
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


@contextlib.asynccontextmanager
async def opened(server: PublicServer, path: str) -> AsyncIterator[Raw]:
    """Open a WebSocket."""
    reader, writer = await server.raw()
    writer.write(handshake(server, path, "13"))
    try:
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield Raw(reader, writer)
    finally:
        writer.close()


async def test_one_large_fragment_and_empty_ones_behind_it(public: Public):
    """Fragments without end, each of them empty, behind one as large as may be: closed with 1008, and nobody waits."""
    async with public() as server:
        async with server.attacked():
            for path, size in ((SOCKETIO, 20_000), (PLAIN, 20_000)):
                async with opened(server, path) as raw:
                    raw.writer.write(masked(0x01, b"4" + b"x" * size))
                    assert 1008 == await raw.flood(masked(0x00) * 10_000, 100)
                async with opened(server, path) as raw:  # as many bytes as a limit would take, one by one
                    raw.writer.write(masked(0x01))
                    assert 1008 == await raw.flood(masked(0x00, b"x") * 10_000, 100)
        await server.settles()


@pytest.mark.parametrize("path", [SOCKETIO, PLAIN])
async def test_frames_that_cost_their_sender_nothing(public: Public, path):
    """Pings, pongs, empty messages and messages that are nothing, as fast as they go: closed soon, and nobody waits."""
    async with public() as server:
        async with server.attacked():
            for frame, codes in (
                (masked(0x89), {1008}),
                (masked(0x8A), {1008}),
                (masked(0x89, b"x" * 125), {1008}),
                (masked(0x81), {1008, 4004}),
                (masked(0x82), {1008, 4004}),
                (masked(0x81, b"?"), {4004}),
            ):
                ends: list[int | None] = [None]
                for _ in range(3):
                    async with opened(server, path) as one, opened(server, path) as other:
                        # Ten MB at the most; who may go on keeps a server busy for half a minute with them.
                        ends = await asyncio.gather(
                            *(raw.flood(frame * 10_000, 10_000_000 // len(frame) // 10_000) for raw in (one, other))
                        )
                    if None not in ends:  # what the kernel resets while somebody sends can take the code with it
                        break
                assert codes.issuperset(ends), (frame[:3], ends)
        await server.settles()


async def test_who_keeps_sending_messages_holds_nobody_up(public: Public):
    """Commands as fast as they go, past their rate: they are refused, and everybody else is served between them."""
    async with public() as server:
        async with server.attacked(), contextlib.AsyncExitStack() as stack:
            floods = []
            for path, frame in ((PLAIN, masked(0x81, b'{"type":"who"}')), (SOCKETIO, masked(0x81, b'42["who",{}]'))):
                raw = await stack.enter_async_context(opened(server, path))
                raw.writer.write(masked(0x81, b"40"))
                floods.append(asyncio.create_task(raw.flood(frame * 1_000, 30)))
            await asyncio.wait(floods, timeout=3)
            for flood in floods:
                flood.cancel()
        await server.settles()


MALFORMED = [
    (b"\x81\x02hi", 1002),  # not masked
    (masked(0xC1, b"hi"), 1002),  # compressed, which was not agreed on
    (masked(0x83, b"hi"), 1002),  # no such opcode
    (masked(0x80, b"hi"), 1002),  # goes on with nothing
    (masked(0x09, b"hi"), 1002),  # a control frame in parts
    (b"\x81\xfe\x00\x02" + masked(0x81, b"hi")[2:], 1002),  # a length that is longer than need be
    (masked(0x88, b"\x03"), 1002),
    *[(masked(0x88, code.to_bytes(2)), 1002) for code in (999, 1004, 1005, 1006, 1015, 2999, 5000)],
    (masked(0x88, b"\x03\xe8\xff"), 1007),
    (masked(0x81, b"\xff"), 1007),
    (b"\x81\xff" + (10_000_000).to_bytes(8) + _MASK, 1009),
    (masked(0x88), 1000),
    (masked(0x88, b"\x0b\xb8bye"), 3000),
]


async def test_one_protocol_on_every_socket(public: Public):
    """What RFC 6455 does not allow has the same close code at both addresses; another version is told which is spoken."""
    async with public() as server:
        for path in (SOCKETIO, PLAIN):
            for wire, code in MALFORMED:
                async with opened(server, path) as raw:
                    raw.writer.write(wire)
                    async with asyncio.timeout(10):
                        assert (wire, code) == (wire, await raw.closed())
        for path in (SOCKETIO, PLAIN):
            for version in ("8", "14", "13, 8", ""):
                told = await refused(server, path, version)
                assert told.startswith(b"HTTP/1.1 426 "), (version, told)
                assert b"\r\nsec-websocket-version: 13\r\n" in told.lower()
