"""What is unread, with each store; and with two servers that share one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pychat import Chat
from pychat.stores import Unread
from tests.room.reading import ADA, BOB, CLEO, Watcher, enter
from tests.stores.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A server of Redis."""
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        return server.url
    return "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'chat.db'}"


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is true, for 15 seconds at most."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def test_counts_are_right_in_the_end(url: str) -> None:
    """Whatever is written and read meanwhile, what a watcher was told is what the store counts."""
    async with Chat(store=url) as chat:
        rooms = [await chat.open(f"room-{number}") for number in range(3)]
        people = {room.name: await enter(chat, room.name, ADA) for room in rooms}
        watcher = Watcher(chat, ADA)
        await watcher.watch()
        for number in range(30):
            for room in rooms:
                await room.post(f"{number} @Ada" if number % 3 == 0 else f"{number}", author="bot")
            if number % 7 == 0:
                await people["room-1"].command("read", {"seq": number // 2})
        await people["room-2"].say("mine")
        await until(lambda: watcher.counts["room-2"] == (0, 0) and watcher.counts["room-0"] == (30, 10))
        counts = await chat.unread("ada")
        await until(lambda: watcher.counts["room-1"] == (counts["room-1"].messages, counts["room-1"].mentions))
        assert counts["room-0"] == Unread("room-0", 0, 30, 10)
        assert counts["room-1"].seq == 14
    if url != "memory:":
        async with Chat(store=url) as chat:
            assert await chat.unread("ada") == counts


async def test_direct_rooms_and_blocks_are_stored(url: str) -> None:
    """They are the same after a restart."""
    async with Chat(store=url) as chat:
        first, second = await asyncio.gather(chat.direct("ada", "bob"), chat.direct("bob", "ada"))
        assert first is second
        name = first.name
        await first.post("hello", author="bot")
        await chat.block("ada", "bob")
        if url == "memory:":
            return
    async with Chat(store=url) as chat:
        assert (await chat.direct(BOB, ADA)).name == name
        bob = await enter(chat, name, BOB)
        assert (await bob.say("hi"))["error"]["code"] == "blocked"
        assert (await chat.unread("bob"))[name].messages == 1


@pytest.mark.slow
async def test_rooms_of_another_server_are_noticed(redis: RedisServer) -> None:
    """Messages, reads, deletions and blocks, within some seconds, in rooms that are not open on this server."""
    async with Chat(store=redis.url) as here, Chat(store=redis.url) as there:
        await there.open("far")
        room = await there.open("away")
        await here.follow("cleo", "far")
        cleo = await enter(there, "away", CLEO)
        watcher = Watcher(here, CLEO)
        await watcher.watch()
        await until(lambda: watcher.counts == {"away": (0, 0), "far": (0, 0)})
        await room.post("hi @Cleo", author="bot")
        await until(lambda: watcher.counts.get("away") == (1, 1))
        await cleo.command("read", {"seq": 1})
        await until(lambda: watcher.counts.get("away") == (0, 0))
        await there.delete_room("far")
        await until(lambda: "far" not in watcher.counts)
        direct = await here.direct(CLEO, BOB)
        bob = await enter(there, direct.name, BOB)
        assert (await bob.say("one"))["ok"]
        await here.block("cleo", "bob")
        async with asyncio.timeout(15):
            while (await bob.say("again"))["ok"]:
                await asyncio.sleep(0.2)
        await cleo.close()
        await bob.close()
