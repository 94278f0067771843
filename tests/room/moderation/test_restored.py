"""Moderation outlives a restart and an outage, and is the same on all servers of a room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pychat import ChatRoom, Close, Held, Limits, Message, Refused, User
from pychat.domain.access import Access
from pychat.room.entry import Applicant, EntryDesk
from pychat.room.grant import Grant
from pychat.room.rate_limiter import RateLimiter
from pychat.stores import MemoryStore, Store, open_store
from pychat.stores.redis import RedisStore
from pychat.testing import FaultyStore
from tests.client.cable import cable
from tests.room.moderation.people import MODERATOR, come
from tests.stores.redis_server import RedisServer, redis_server

ADA = User("ada", "Ada")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis of these tests."""
    with redis_server(durable=True) as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def servers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[ChatRoom]]]:
    """How to start one more server of a room. Only those of Redis are separate processes, as far as they know."""
    name = request.node.name.replace("[", "-").rstrip("]")[:60]
    async with AsyncExitStack() as stack:
        stores: list[Store] = []

        def store() -> Store:
            if request.param == "redis":
                return RedisStore(request.getfixturevalue("redis").url, heartbeat=1.5)
            if not stores:
                stores.append(MemoryStore() if request.param == "memory" else open_store(f"sqlite:{tmp_path}/a.db"))
            return stores[0]

        async def start() -> ChatRoom:
            known, opened = len(stores), store()
            if request.param == "redis" or len(stores) > known:
                stack.push_async_callback(opened.aclose)
            room = ChatRoom(name, store=opened, limits=Limits(rate=0))
            stack.push_async_callback(room.aclose)
            await room.start()
            return room

        yield start


async def until(true: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


async def state(room: ChatRoom) -> dict[str, Any]:
    """What moderators see, in one order."""
    told = await room.moderation.state()
    return {name: sorted(each, key=str) if isinstance(each, list) else each for name, each in told.items()}


async def test_all_is_as_it_was_after_a_restart(servers: Callable[[], Awaitable[ChatRoom]]) -> None:
    """Bans, mutes, roles, settings, pins and the audit log are those of before."""
    room = await servers()
    seq = (await room.post("The rules", author="bot")).seq
    await room.moderation.ban("guest-1", reason="spam")
    await room.moderation.ban(network="198.51.100.0/24")
    await room.moderation.mute("guest-2", seconds=3_600, reason="noise")
    await room.moderation.role("user:ada", "moderator")
    await room.moderation.set(slow=7, topic="Tea", title="The Tea Room")
    await room.moderation.pin(seq)
    before = await state(room), await room.moderation.audit()
    await room.aclose()
    room = await servers()
    assert (await state(room), await room.moderation.audit()) == before
    assert [each.number for each in before[1]] == [6, 5, 4, 3, 2, 1]
    for member_id, address in (("guest-1", ""), ("guest-3", "198.51.100.9")):
        with pytest.raises(Refused):
            await come(room, member_id=member_id, address=address)
    muted, ada = await come(room, member_id="guest-2"), await come(room, user=ADA)
    assert muted.told("welcome")[0]["muted"]["reason"] == "noise"
    welcome = ada.told("welcome")[0]
    assert (welcome["role"], welcome["slow"], welcome["topic"]) == ("moderator", 7, "Tea")
    assert welcome["pinned"] == [{"seq": seq, "author": "bot", "text": "The rules"}]
    assert welcome["room"]["title"] == room.title == "The Tea Room"
    assert room.members[0].roles == ("moderator",)


def _is_banned(room: ChatRoom, key: str) -> bool:
    return key in room.backend.core.moderation.state.of("ban")


async def test_what_a_moderator_does_counts_on_all_servers(servers: Callable[[], Awaitable[ChatRoom]]) -> None:
    """A person who is connected to another server is put out at once, and known there by id and by address."""
    one, two = await servers(), await servers()
    mo = await come(one, user=MODERATOR)
    troll, ada = await come(two, "Troll", address="203.0.113.7"), await come(two, user=ADA)
    await until(lambda: len(one.members) == len(two.members) == 3)
    await mo.does("ban", member=troll.id, reason="spam")
    await until(lambda: troll.closed is Close.BANNED)
    for room in (one, two):
        await until(partial(_is_banned, room, "address:203.0.113.7"))
        with pytest.raises(Refused):
            await come(room, address="203.0.113.7")
    await mo.does("role", member=ada.id, role="reader")
    await until(lambda: ada.session.access == Access.READ)
    await mo.does("set", entry="closed")
    await until(lambda: ada.closed is Close.CLOSED)
    await until(lambda: [each.name for each in one.members] == [each.name for each in two.members] == ["Mo"])


async def test_owners_on_two_servers_demote_each_other(servers: Callable[[], Awaitable[ChatRoom]]) -> None:
    """Whoever is second has no right any more; an owner remains."""
    one, two = await servers(), await servers()
    ada, bob = await come(one, user=ADA), await come(two, user=User("bob", "Bob"))
    for each in (ada, bob):
        await one.moderation.role(each.id, "owner")
    await until(lambda: "moderate" in bob.session.access)
    outcomes = await asyncio.gather(
        ada.does("role", member=bob.id, role="guest"), bob.does("role", member=ada.id, role="guest"),
        return_exceptions=True,
    )  # fmt: skip
    assert sorted(type(each).__name__ for each in outcomes) == ["Refused", "dict"]
    await until(lambda: one.backend.core.moderation.state.version == two.backend.core.moderation.state.version)
    for room in (one, two):
        assert len((await room.moderation.state())["role"]) == 1


async def test_many_moderators_on_two_servers_at_the_same_moment(
    servers: Callable[[], Awaitable[ChatRoom]],
) -> None:
    """Nothing of what they do is lost."""
    one, two = await servers(), await servers()
    await asyncio.gather(
        *(room.moderation.ban(f"{name}-{number}") for number in range(6) for name, room in (("a", one), ("b", two)))
    )
    for room in (one, two):
        await until(lambda room=room: len(room.backend.core.moderation.state.of("ban")) == 12)  # type: ignore[misc]
    assert [each.number for each in await one.moderation.audit()] == list(range(12, 0, -1))


async def test_a_ban_while_a_server_is_cut_off_from_redis(redis: RedisServer) -> None:
    """The server hears of it when it is back, and puts the person out then."""
    async with cable(redis.url) as line, AsyncExitStack() as stack:
        rooms = []
        for url in (redis.url, line.url.replace("http", "redis")):
            store = RedisStore(url, heartbeat=1.5)
            stack.push_async_callback(store.aclose)
            rooms.append(await stack.enter_async_context(ChatRoom("cut-off", store=store)))
        one, two = rooms
        troll = await come(two, "Troll")
        line.unplugged = True
        line.cut()
        await one.moderation.ban(troll.id, reason="spam")
        line.unplugged = False
        await until(lambda: troll.closed is Close.BANNED)


async def test_records_that_were_missed_are_loaded_again() -> None:
    """A change whose predecessor did not arrive, and a store that is back, make a server load all records anew."""
    store = FaultyStore()
    async with ChatRoom(store=store, clock=store.clock) as one, ChatRoom(store=store, clock=store.clock) as two:
        troll, ann = await come(two, "Troll"), await come(two, "Ann")
        log = two.backend.core.delivery._log
        log._closed = True
        await one.moderation.ban(troll.id)
        log._closed = False
        assert (troll.closed, ann.told("access")) == (None, [])
        muting = asyncio.ensure_future(one.moderation.mute(ann.id))
        await until(lambda: one.backend.core.moderation.state.version == 2)
        store.down = True
        await muting
        await asyncio.sleep(0.01)
        store.down = False
        store.clock.move(3)
        await until(lambda: troll.closed is Close.BANNED)
        assert ann.told("access")[-1]["access"] == ["read"]


async def test_while_the_store_is_away_nothing_is_changed() -> None:
    """A moderator is told to try again; the records that were loaded hold on."""
    store = FaultyStore()
    async with ChatRoom(store=store, clock=store.clock) as room:
        mo, ann = await come(room, user=MODERATOR), await come(room, "Ann")
        await mo.does("mute", member=ann.id)
        store.down = True
        with pytest.raises(Refused) as refusal:
            await mo.does("ban", member=ann.id)
        assert refusal.value.code == "unavailable"
        assert ann.closed is None
        with pytest.raises(Refused) as refusal:
            await ann.session.say("hi")
        assert refusal.value.code == "muted"
        store.down = False
        await mo.does("ban", member=ann.id)


# What waits, and who comes in, on two servers.


async def hold(message: Message) -> None:
    """Let every message wait."""
    raise Held("everything")


async def test_a_message_is_approved_on_two_servers_at_the_same_moment(
    servers: Callable[[], Awaitable[ChatRoom]],
) -> None:
    """It is sent once, its author is told once where they are, and nothing waits any more."""
    first, second = await servers(), await servers()
    first.on("message", hold)
    ada = await come(first, user=ADA)
    said = await ada.session.say("hello", "one")
    assert said.seq == 0
    await until(lambda: second.backend.core.moderation.state.of("held"))
    (item,) = (await second.moderation.state())["held"]
    await asyncio.gather(
        *(room.moderation.approve(item["key"]) for room in (first, second) for _ in range(3)), return_exceptions=True
    )
    await until(lambda: not any(room.backend.core.moderation.state.of("held") for room in (first, second)))
    for room in (first, second):
        assert [(each.id, each.text) for each in await room.history()] == [("one", "hello")]
        assert sum(entry.action == "approve" for entry in await room.moderation.audit()) == 1
    await until(lambda: ada.told("held"))
    assert ada.told("held") == [{"id": "one", "state": "approved", "reason": ""}]
    assert [each["id"] for each in ada.told("message")] == ["one"]


async def test_two_servers_share_one_use_of_an_invitation(servers: Callable[[], Awaitable[ChatRoom]]) -> None:
    """Forty people use it at the same moment, half of them on each server: one gets in."""
    rooms = [await servers(), await servers()]
    token = await rooms[0].moderation.invite(uses=1)
    await until(lambda: rooms[1].backend.core.moderation.state.of("invite"))
    desks = [EntryDesk(RateLimiter(room.clock)) for room in rooms]

    async def enter(number: int) -> str:
        who = Applicant(None, None, Grant(Access.WRITE, address=f"203.0.113.{number}"))
        try:
            await desks[number % 2].enter(rooms[number % 2].backend, who, {"invite": token})
        except Refused as refused:
            return refused.code
        return ""

    codes = await asyncio.gather(*(enter(number) for number in range(40)))
    assert (codes.count(""), codes.count("entry_required")) == (1, 39)
    await until(lambda: all(len(room.backend.core.moderation.state.of("role")) == 1 for room in rooms))
