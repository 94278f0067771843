"""From polling to WebSocket in the middle of a burst, in both directions at once: 1..N, once, in order."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pychat import ChatRoom, Limits, aiohttp_app
from tests.clients import TIMEOUT
from tests.servers import aiohttp_server

AFTER = 100  # messages that follow the upgrade
PACE = 0.001  # seconds between two; as fast as can be would fill every buffer while the client is busy


@pytest.mark.slow
async def test_nothing_is_lost_or_swapped_while_the_transport_changes(node_clients: Any) -> None:
    """The room talks without a pause, before, during and after; so does the client, from before it is connected."""
    upgraded_amid = 0
    while upgraded_amid < 3:  # now and then the upgrade is quicker than the first message
        upgraded_amid += await talk_through_an_upgrade(node_clients)


async def talk_through_an_upgrade(node_clients: Any) -> bool:
    """Whether the upgrade was in the middle of it."""
    room = ChatRoom(limits=Limits(rate=0, page=100_000))
    async with aiohttp_server(aiohttp_app(room)) as url:
        await room.start()
        client = await node_clients(url, transports=["polling", "websocket"])
        await client.do("emit", "setPseudo", "Ada")
        stop, posted = asyncio.Event(), 0

        async def talk() -> None:
            nonlocal posted
            while not stop.is_set():
                posted += 1
                await room.post(f"room {posted}", author="bot")
                await asyncio.sleep(PACE)

        async def write() -> None:
            written = 0
            while not stop.is_set():
                await client.do("emit", "message", f"client {(written := written + 1)}")
                await asyncio.sleep(PACE)
            await client.do("call", "message", "that was all")

        talking, writing = asyncio.create_task(talk()), asyncio.create_task(write())
        heard: list[int] = []
        before = -1
        try:
            async with asyncio.timeout(3 * TIMEOUT):
                async for line in client._process.stdout:
                    name, *arguments = json.loads(line)
                    if name == "(connect)":
                        if arguments[2] != "polling":
                            return False
                    elif name == "(disconnect)":
                        raise AssertionError(arguments)
                    elif name == "(upgrade)":
                        before = len(heard)
                    elif name == "message":
                        heard.append(int(arguments[0]["message"].removeprefix("room ")))
                        if before >= 0 and len(heard) == before + AFTER:
                            stop.set()
                    elif name == "answer":
                        assert arguments[0]["ok"]
                        break
            await talking
            await writing
            await room.post(f"room {posted + 1}", author="bot")
            while not heard or heard[-1] != posted + 1:
                heard.append(int((await client.told("message"))[0]["message"].removeprefix("room ")))
        finally:
            stop.set()
            for task in (talking, writing):
                task.cancel()
        assert list(range(heard[0], posted + 2)) == heard
        said = [message.text for message in await room.history(limit=100_000) if message.author.name == "Ada"]
        assert said[-1] == "that was all"
        assert [f"client {number}" for number in range(1, len(said))] == said[:-1]
        return before > 0
