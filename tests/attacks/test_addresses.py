"""Attacks from one address: it takes its own share, and nothing of the others'."""

from __future__ import annotations

import asyncio

import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

HANDSHAKE = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n"


async def handshakes(server: PublicServer, number: int, source: str, headers: bytes = b"") -> list[bytes]:
    """The status of each of so many handshakes, one after the other on one connection, that never CONNECT."""
    reader, writer = await server.raw(source=source)
    statuses = []
    for _ in range(number):
        writer.write(HANDSHAKE % headers)
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            await reader.readexactly(length)
        statuses.append(head[9:12])
    writer.close()
    return statuses


@pytest.mark.parametrize(
    ("attacker", "neighbour", "newcomer"),
    [
        (b"X-Forwarded-For: 192.0.2.1\r\n", b"X-Forwarded-For: 192.0.2.1\r\n", b"X-Forwarded-For: 192.0.2.2\r\n"),
        (
            b"X-Forwarded-For: 2001:db8::%d\r\n",
            b"X-Forwarded-For: 2001:db8::f\r\n",
            b"X-Forwarded-For: 2001:db9::1\r\n",
        ),
        (b"", b"", b""),
    ],
    ids=["behind a proxy", "IPv6", "directly"],
)
async def test_handshakes_that_never_connect(public: Public, attacker, neighbour, newcomer):
    """An address that makes thousands of handshakes has its own share of those that wait, and newcomers from elsewhere all come in."""
    direct = not attacker
    async with public(arguments=() if direct else ("--trusted-proxy", "127.0.0.0/8")) as server:
        async with server.attacked():
            told: list[list[bytes]] = await asyncio.gather(
                *(
                    handshakes(server, 60, "127.0.0.9", attacker % number if b"%d" in attacker else attacker)
                    for number in range(36)
                )
            )
            statuses = [status for several in told for status in several]
            assert 500 == statuses.count(b"200")
            assert 1660 == statuses.count(b"429")
            assert [b"429"] == await handshakes(server, 1, "127.0.0.9", neighbour)
            assert [b"200"] * 50 == await handshakes(server, 50, "127.0.0.8", newcomer)
        if direct:
            await server.settles()
