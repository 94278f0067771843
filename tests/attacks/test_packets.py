"""Packets by the thousand: in the bodies of clients that poll, in one read of a WebSocket, before a CONNECT and after it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import aiohttp
import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

_BODY = 100_000  # bytes; the handshake says it as maxPayload
_MOST = 4_096  # packets

_KINDS = {
    "events": '42["x"]',
    "messages": '42["say",{"text":"hi"}]',
    "acknowledgements that nobody asked for": "431[]",
    "pongs": "3",
    "noops": "6",
    "CONNECTs": "40",
    "attachments": "bAA==",
    "half packets": '451-["x",{"_placeholder":true,"num":0}]',
}


class _Polling:
    """A client that polls, by hand."""

    def __init__(self, server: PublicServer, http: aiohttp.ClientSession) -> None:
        self._url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        self._http = http
        self._sid = ""
        self.handshake: dict[str, object] = {}

    async def open(self, *, connect: bool) -> None:
        """Open a session."""
        async with self._http.get(self._url) as answer:
            assert answer.status == 200, await answer.text()
            self.handshake = json.loads((await answer.text())[1:])
        self._sid = str(self.handshake["sid"])
        if connect:
            assert (await self.post("40"))[0] == 200

    async def post(self, body: str) -> tuple[int, str]:
        """Post a body."""
        async with self._http.post(f"{self._url}&sid={self._sid}", data=body) as answer:
            return answer.status, await answer.text()


def _full(packet: str) -> str:
    """A body that is as large as one may be."""
    return "\x1e".join([packet] * min(_MOST, (_BODY + 1) // (len(packet) + 1)))


@pytest.mark.slow
async def test_bodies_full_of_packets(public: Public):
    """Bodies at the limit, of every kind of packet, before a CONNECT and after it, without a pause: nobody else waits."""
    async with public() as server, aiohttp.ClientSession() as http:
        bodies = [_full(packet) for packet in _KINDS.values()]

        async def flood(number: int) -> None:
            client = _Polling(server, http)
            body = bodies[number // 2]
            # A body whose answers nobody fetches is not taken further: it is given up after half a second.
            while time.monotonic() < until:
                await client.open(connect=number % 2 == 0)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        while (await client.post(body))[0] == 200 and time.monotonic() < until:
                            pass

        async with server.attacked():
            until = time.monotonic() + 3
            await asyncio.gather(*(flood(number) for number in range(2 * len(bodies))))
        await server.settles()
        assert "Traceback" not in server.log


async def test_a_body_of_too_many_packets(public: Public):
    """A body past the limits is refused with words that say the limit, and ends its session; no work comes of it."""
    async with public() as server, aiohttp.ClientSession() as http:
        cpu = 0.0
        async with server.attacked():
            for packet, count in (('42["x"]', 125_000), ("3", 500_000), ("", 1_000_000), ("3", _MOST + 1)):
                client = _Polling(server, http)
                await client.open(connect=True)
                assert client.handshake["maxPayload"] == _BODY
                before = server.cpu()
                status, text = await client.post("\x1e".join([packet] * count))
                cpu = max(cpu, server.cpu() - before)
                assert (413, True) == (status, str(_BODY) in text or str(_MOST) in text), text
                assert (await client.post("3"))[0] == 400
        assert cpu < 0.5
        await server.settles()


@pytest.mark.slow
async def test_a_read_full_of_packets(public: Public):
    """A WebSocket that sends without a pause what costs it little: nobody else waits."""
    async with public() as server:
        frames = {
            name: b"".join(
                bytes([0x81, 0x80 | len(packet)]) + bytes(4) + packet.encode() for packet in [packet] * 5_000
            )
            for name, packet in _KINDS.items()
            if not packet.startswith("b")
        }

        async def flood(data: bytes) -> None:
            async with asyncio.timeout_at(until):
                while True:
                    reader, writer = await server.raw()
                    writer.write(
                        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x82\0\0\0\x0040"
                    )
                    reading = asyncio.ensure_future(reader.read())  # to its end
                    try:
                        while not reading.done():
                            writer.write(data)
                            await writer.drain()
                            await asyncio.sleep(0)
                    except ConnectionError:
                        pass
                    finally:
                        reading.cancel()
                        writer.close()

        async with server.attacked():
            until = asyncio.get_running_loop().time() + 3
            found = await asyncio.gather(*(flood(data) for data in frames.values()), return_exceptions=True)
            assert all(isinstance(one, TimeoutError) for one in found), found
        await server.settles()


@pytest.mark.slow
async def test_coming_and_going(public: Public):
    """A client that connects to its namespace and leaves it, again and again, is sent away: each time costs a welcome."""

    async def come_and_go(server: PublicServer) -> int:
        async with server.websocket("/socket.io/?EIO=4&transport=websocket") as socket:
            times = 0
            with contextlib.suppress(ConnectionError):
                for times in range(200):  # noqa: B007
                    await socket.send_str("40")
                    async for told in socket:
                        if str(told.data).startswith("40"):
                            break
                    if socket.closed:
                        break
                    await socket.send_str("41")
            return times

    async with public() as server:
        async with server.attacked():
            times = await asyncio.gather(*(come_and_go(server) for _ in range(50)))
        assert max(times) < 50
        assert server.log.count("\n") < 40
