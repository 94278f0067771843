"""Attacks from one address: it takes its own share, and nothing of the others'."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

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


class Waiting:
    """How many handshakes can have been let in at most: those that never CONNECT are forgotten after ten seconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._began = time.monotonic()

    @property
    def bound(self) -> int:
        """So many up to now."""
        return self._most * (1 + int((time.monotonic() - self._began) / 10))


def forwarded(address: str) -> bytes:
    """The header by which a proxy tells the address."""
    return f"X-Forwarded-For: {address}\r\n".encode()


async def test_handshakes_that_never_connect(public: Public):
    """An address that makes thousands of handshakes has its own share of those that wait, and newcomers from elsewhere all come in."""
    async with public() as server:
        async with server.attacked():
            waiting = Waiting(500)
            told: list[list[bytes]] = await asyncio.gather(*(handshakes(server, 60, "127.0.0.9") for _ in range(84)))
            statuses = Counter(status for several in told for status in several)
            assert 500 <= statuses[b"200"] <= waiting.bound
            assert 5040 == statuses[b"200"] + statuses[b"429"]
            assert [b"200"] * 50 == await handshakes(server, 50, "127.0.0.8")
        await server.settles()


@pytest.mark.slow
async def test_handshakes_from_five_hundred_addresses(public: Public):
    """Behind a proxy 500 people make 10 handshakes each and go no further: so many wait and no more, and who talks does not notice."""
    async with public(arguments=("--trusted-proxy", "127.0.0.0/8")) as server:
        async with server.attacked():
            people = [forwarded(f"198.51.{number // 250}.{1 + number % 250}") for number in range(500)]
            told, waiting = [], Waiting(2_000)
            for first in range(0, 500, 50):
                told += await asyncio.gather(
                    *(handshakes(server, 10, "127.0.0.9", header) for header in people[first : first + 50])
                )
            counts = Counter(status for several in told for status in several)
            assert counts.keys() <= {b"200", b"429", b"503"}
            assert counts[b"200"] <= waiting.bound + 100
        await server.settles()


async def test_handshakes_through_a_proxy(public: Public):
    """Behind a trusted proxy the person's address counts; of IPv6 the /64 of a subscriber, however many addresses it makes up."""
    async with public(arguments=("--trusted-proxy", "127.0.0.0/8")) as server, server.attacked():
        for attacker, neighbour, newcomer in (
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::%d", "2001:db8::ffff", "2001:db8:0:1::1"),
        ):
            waiting = Waiting(500)
            told: list[list[bytes]] = await asyncio.gather(
                *(
                    handshakes(server, 60, "127.0.0.9", forwarded(attacker.replace("%d", str(number))))
                    for number in range(10)
                )
            )
            statuses = [status for several in told for status in several]
            assert 500 <= statuses.count(b"200") <= waiting.bound
            assert 600 == statuses.count(b"200") + statuses.count(b"429")
            if waiting.bound == 500:  # none has been forgotten yet
                assert [b"429"] == await handshakes(server, 1, "127.0.0.9", forwarded(neighbour))
            assert [b"200"] * 20 == await handshakes(server, 20, "127.0.0.9", forwarded(newcomer))
