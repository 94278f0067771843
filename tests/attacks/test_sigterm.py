"""A server under attack from all sides still obeys: SIGTERM ends it, in time, while the attack goes on."""

from __future__ import annotations

import asyncio
import contextlib

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer
from tests.attacks.test_answers import UPGRADE

HEAD = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n" + UPGRADE.encode()
#: What each attacker sends, again and again: the start of a connection, and what follows on it without end.
ATTACKS = (
    (HEAD + b"\r\n", b"\x89\x80\0\0\0\0" * 500),  # pings
    (HEAD + b"\r\n", b"\x01\x81\0\0\0\0x" + b"\x00\x80\0\0\0\0" * 500),  # tiny fragments
    (HEAD + b"\r\n", b"\x81\x81\0\0\0\x003" * 500),  # Engine.IO pongs
    (HEAD + b"x:" + b" " * 4_000, b" " * 3_000 + b"\x01\r\n\r\n"),  # a field of spaces
    (
        b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n",
        b"6\x1e" * 4_000,
    ),
    (b"GET / HTTP/9.9\r\n", b"\xff\r\n\r\n" * 50),  # no request at all
)


async def attack(server: PublicServer, start: bytes, again: bytes, ended: asyncio.Event) -> None:
    """Connect and send until the attack has ended; connect anew whenever the server hangs up."""
    while not ended.is_set():
        with contextlib.suppress(OSError):
            _, writer = await server.raw()
            writer.write(start)
            for _ in range(200):
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.transport.abort()
        await asyncio.sleep(0.05)


async def test_sigterm_is_obeyed_during_an_attack(public: Public):
    """Twelve attackers go on all the time: bystanders talk, and a server that is told to end does so within 10 seconds."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as attackers:
        # Leaving the block sends SIGTERM, and fails if the server does not end.
        async with public() as server, server.attacked():
            for start, again in ATTACKS * 2:
                attackers.create_task(attack(server, start, again, ended))
            await asyncio.sleep(2)
        ended.set()
