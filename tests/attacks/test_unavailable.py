"""A store that is away, at the start or later: nobody gives up for ever, and the log stays short."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import pychat
from pychat.domain.errors import Close
from tests.attacks.public import PublicServer, _start
from tests.stores.redis_server import RedisServer, redis_server

_CLIENTS = 100
_SCRIPT = Path(__file__).parent / "many_clients.mjs"
_BACK_SECONDS = 30.0  # on a busy machine; on a quiet one it takes less than 10
_LINES = 20  # of log while the store is away, and while everybody comes back


class _Crowd:
    """npm's clients, in one process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.refused = 0

    async def are(self, count: int) -> None:
        """Wait until so many are in."""
        assert self._process.stdout is not None
        here = -1
        try:
            async with asyncio.timeout(_BACK_SECONDS):
                while here != count:
                    told = json.loads(await self._process.stdout.readline())
                    here, self.refused = told["here"], told["refused"]
        except TimeoutError:
            raise AssertionError(f"{here} of {count} are here, {self.refused} gave up") from None


@contextlib.asynccontextmanager
async def _crowd(url: str) -> AsyncIterator[_Crowd]:
    node = shutil.which("node")
    assert node, "these tests need Node.js; `make test` brings it"
    process = await asyncio.create_subprocess_exec(
        node, str(_SCRIPT), url, str(_CLIENTS), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield _Crowd(process)
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def _served(folder: Path, redis: RedisServer) -> AsyncIterator[PublicServer]:
    log = folder / "log"
    process = _start(folder, log, ("--store", redis.url))
    try:
        server = PublicServer(process, log)
        await server.started()
        yield server
    finally:
        process.kill()
        process.wait()


async def _stream(url: str) -> list[str]:
    """What an `EventSource` reads until it is told of the welcome; it comes back when a stream ends, as `retry` says."""
    read: list[str] = []
    async with aiohttp.ClientSession() as http, asyncio.timeout(_BACK_SECONDS):
        while True:
            headers = {"Accept": "text/event-stream"}
            async with http.get(f"{url}/api/rooms/lobby/events", headers=headers) as response:
                assert response.status == 200, "an EventSource gives up for ever"
                retry = 1.0
                async for line in response.content:
                    text = line.decode().strip()
                    read.append(text)
                    if text.startswith("retry:"):
                        retry = int(text[6:]) / 1000
                    if text == "event: welcome":
                        return read
            await asyncio.sleep(retry)


async def _plain(url: str) -> dict[str, Any]:
    """The `bye` and the close code that a plain WebSocket gets."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/ws") as socket:
        told = [json.loads(frame.data) async for frame in socket]
    return {**told[-1], "closed": socket.close_code}


def _quiet(log: str) -> None:
    lines = log.splitlines()
    assert not any("Traceback" in line or '"traceback"' in line for line in lines), log[-4000:]
    assert len(lines) <= _LINES, log[-4000:]


async def test_a_store_that_comes_back_empty(tmp_path: Path) -> None:
    """Redis is killed and comes back with nothing: everybody is here again, whatever client they use."""
    with redis_server() as redis:
        async with _served(tmp_path, redis) as server, _crowd(server.url) as crowd:
            await crowd.are(_CLIENTS)
            async with pychat.Client(f"{server.url}/") as bot:
                before = len(server.log.splitlines())
                redis.kill()
                async with aiohttp.ClientSession() as http, asyncio.timeout(_BACK_SECONDS):
                    while (await http.get(f"{server.url}/readyz")).status == 200:
                        await asyncio.sleep(0.1)
                redis.start()
                # When the server sees that Redis is another, it sends everybody away; until then they are here.
                async with aiohttp.ClientSession() as http, asyncio.timeout(_BACK_SECONDS):
                    while (await http.get(f"{server.url}/readyz")).status != 200:
                        await asyncio.sleep(0.1)
                await asyncio.sleep(1)
                await crowd.are(_CLIENTS)
                assert crowd.refused == 0
                await bot.join("Bot")
                assert (await bot.say("back")).seq == 1
            _quiet("\n".join(server.log.splitlines()[before:]))


async def test_a_server_that_starts_before_its_store(tmp_path: Path) -> None:
    """For as long as the store is away newcomers are told when to come back; once it is there, all of them are in."""
    with redis_server() as redis:
        redis.kill()
        async with _served(tmp_path, redis) as server, _crowd(server.url) as crowd:
            await crowd.are(0)
            stream = asyncio.create_task(_stream(server.url))
            bye = await _plain(server.url)
            assert bye["type"] == "bye"
            assert bye["reconnect"] is True
            assert bye["retry_after"] == pytest.approx(1, abs=1)
            assert bye["closed"] == bye["code"] == Close.UNAVAILABLE.code
            async with aiohttp.ClientSession() as http:
                async with http.get(f"{server.url}/api/rooms/lobby/messages") as response:
                    assert response.status == 503
                    assert int(response.headers["Retry-After"]) >= 1
                async with http.get(f"{server.url}/api/rooms/lobby/events") as response:
                    assert response.status == 503
            bot = asyncio.create_task(_enters(server.url))
            redis.start()
            await crowd.are(_CLIENTS)
            assert crowd.refused == 0
            assert "event: welcome" in await stream
            assert (await bot) == "Bot"
            _quiet(server.log)


async def _enters(url: str) -> str:
    async with asyncio.timeout(_BACK_SECONDS), pychat.Client(f"{url}/") as bot:
        member = await bot.join("Bot")
        return member.name
