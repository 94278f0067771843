"""IRC commands with long answers: whoever asks for many waits for them alone."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

CROWD = 300


async def come_in(server: PublicServer, address: str, nick: str, *then: str) -> asyncio.StreamWriter:
    """Join the lobby from that address, say something more, and read nothing of the answers."""
    _, writer = await server.raw(server.irc_port, address)
    lines = (f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #lobby", *then)
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
    await writer.drain()
    return writer


ATTACKS = ("WHO #lobby", "NAMES #lobby", "ISON " + " ".join("abcdefghijklmnopqrst"), "PART " + ",".join("x" * 240))


@pytest.mark.slow
async def test_long_answers_by_the_hundred(public: Public):
    """Clients ask 500 times each who is in a room of hundreds, or the like: nobody else waits for it."""
    async with public() as server, contextlib.AsyncExitStack() as stack:
        for number in range(CROWD):
            writer = await come_in(server, f"127.0.3.{1 + number // 75}", f"crowd{number}")
            stack.callback(writer.close)
        await asyncio.sleep(2)  # the crowd is in
        async with server.attacked():
            attackers = [
                await come_in(server, "127.0.3.9", f"eve{number}", *[ATTACKS[number % len(ATTACKS)]] * 500)
                for number in range(12)
            ]
            await asyncio.sleep(3)
            for attacker in attackers:
                attacker.close()
