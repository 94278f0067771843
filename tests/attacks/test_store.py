"""What people write within their limits keeps nobody else from writing."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import struct
from collections import Counter

import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

_SECONDS = 5.0
_PEOPLE = 20
_ROOMS = [word for number in range(_PEOPLE) for word in ("--room", f"flood{number}")]


def _texts(first: int, last: int) -> list[str]:
    """Some of the longest texts, of characters that are a word each in the index."""
    chance = random.Random(first)  # noqa: S311 -- the same each time
    return ["".join(chr(chance.randrange(first, last)) for _ in range(2000)) for _ in range(20)]


def _frame(message: object) -> bytes:
    """A text frame as a browser sends it, under a mask of zeros."""
    data = json.dumps(message, ensure_ascii=False).encode()
    length = struct.pack("!BBH", 0x81, 0xFE, len(data)) if len(data) > 125 else bytes([0x81, 0x80 | len(data)])
    return length + bytes(4) + data


async def _floods(server: PublicServer, name: str, texts: list[str], answers: Counter[str]) -> None:
    """Say as much as the limits allow, for some seconds, read all that comes, and count the answers."""
    reader, writer = await server.raw()
    writer.write(
        b"GET /ws?room="
        + name.lower().encode()
        + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_frame({"type": "join", "ref": 0, "name": name}))

    async def read() -> None:
        while data := await reader.read(1 << 18):
            for answer in (b'"ok":true', b'"rate_limited"', b'"unavailable"'):
                answers[answer.decode()] += data.count(answer)

    reading = asyncio.create_task(read())
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in itertools.count():
        pause = start + number / 20 - loop.time()
        if number >= 20 * _SECONDS:
            break
        await asyncio.sleep(max(0, pause))
        writer.write(_frame({"type": "say", "ref": number + 1, "text": texts[number % len(texts)]}))
        await writer.drain()
    await asyncio.sleep(0.5)
    reading.cancel()
    writer.close()


@pytest.mark.slow
@pytest.mark.parametrize(("first", "last"), [(0x1F300, 0x1F600), (0x4E00, 0x9FFF)], ids=["emoji", "chinese"])
async def test_long_texts_of_many_words(public: Public, first: int, last: int):
    """Twenty people send 2,000 emoji, or Chinese characters, as often as they may: nobody else is refused or waits.

    Each is in a room of their own on the same store, so that only the store is tried, and no reader is too slow.
    """
    answers = Counter[str]()
    async with public(arguments=("--room", "lobby", *_ROOMS)) as server:
        async with server.attacked():
            texts = _texts(first, last)
            await asyncio.gather(*(_floods(server, f"Flood{n}", texts, answers) for n in range(_PEOPLE)))
        assert answers['"unavailable"'] == 0
        assert answers['"ok":true'] > 100
