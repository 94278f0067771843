"""200 people a second come and go, on every wire, and end in every way; and people who go without a word. `make connects` does it for a minute."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.attacks.process import descriptors, resident_bytes
from tests.attacks.test_frames import masked
from tests.attacks.test_lifetimes import (
    event_stream,
    irc,
    malformed,
    plain_websocket,
    refused,
    served,
    socketio,
    upgrade,
    upgraded,
)
from tests.servers import pychat_process

SECONDS = int(os.environ.get("CONNECT_SECONDS", "3"))
A_SECOND = 200
_AT_ONCE = 20
_SLACK = 8 << 20

LIVES = [
    ("serve", plain_websocket),
    ("serve", socketio),
    ("serve", upgrade),
    ("serve", event_stream),
    ("serve", refused),
    ("serve", malformed),
    ("irc", irc),
    ("uvicorn", plain_websocket),
    ("uvicorn", event_stream),
]


async def live(ports: dict[str, int], first: int, seconds: int) -> None:
    """So many people a second come and go, or fewer if the machine cannot."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    lives = itertools.cycle(LIVES)
    for number in range(0, seconds * A_SECOND, _AT_ONCE):
        some = list(itertools.islice(lives, _AT_ONCE))
        await asyncio.gather(*(life(ports[host], first + number + each) for each, (host, life) in enumerate(some)))
        await asyncio.sleep(begun + (number + _AT_ONCE) / A_SECOND - clock())


@pytest.mark.timeout(SECONDS * 6 + 120)
@pytest.mark.slow
async def test_many_who_connect_and_drop(tmp_path: Path) -> None:
    """When they have gone there are as many tasks and open files as before, and no more memory."""
    async with served(tmp_path) as ports:
        await live(ports, 0, 1)  # what is made once
        gc.collect()
        await asyncio.sleep(1)
        tasks, files, memory = len(asyncio.all_tasks()), descriptors(os.getpid()), resident_bytes(os.getpid())
        await live(ports, 1_000_000, SECONDS)
        async with asyncio.timeout(60):
            while len(asyncio.all_tasks()) > tasks or descriptors(os.getpid()) > files:
                await asyncio.sleep(0.1)
        gc.collect()
        assert resident_bytes(os.getpid()) <= memory * 1.1 + _SLACK


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", ["/ws", "/socket.io/?EIO=4&transport=websocket"])
async def test_a_peer_that_vanishes(path: str) -> None:
    """Whoever neither reads nor writes any more, without a FIN, is gone within two heartbeats; whoever answers them stays."""
    with pychat_process() as server:
        port = int(server.url.rpartition(":")[2])
        stays = await upgraded(port, path)
        files = descriptors(server.process.pid) + 2  # and what a server opens once
        gone = [await upgraded(port, path) for _ in range(20)]
        for reader, writer in (*gone, stays):
            writer.write(masked(0x81, b'40{"v":1}' if "socket.io" in path else b'{"type":"who"}'))
            if reader is not stays[0]:
                writer.transport.pause_reading()  # type: ignore[attr-defined]

        async def answer() -> None:
            with suppress(asyncio.IncompleteReadError):
                while True:
                    first, size = await stays[0].readexactly(2)
                    size = size if size < 126 else int.from_bytes(await stays[0].readexactly(2))
                    payload = await stays[0].readexactly(size)
                    if first == 0x89:
                        stays[1].write(masked(0x8A, payload))
                    elif payload == b"2":
                        stays[1].write(masked(0x81, b"3"))

        answering = asyncio.create_task(answer())
        async with asyncio.timeout(120):
            while descriptors(server.process.pid) > files:
                await asyncio.sleep(0.5)
        assert not answering.done()
        answering.cancel()
        for _, writer in (*gone, stays):
            writer.transport.abort()
