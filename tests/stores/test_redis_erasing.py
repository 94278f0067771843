"""What is erased from Redis, or deleted with its room, is in no value that Redis holds; every server learns of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pychat import ChatRoom, Close, Limits
from pychat.domain.model import Edited, Erased, Joined, Left, Member, Message, Quote, Reacted, Whisper
from pychat.stores import Report, Retention, RoomRecord
from pychat.stores.redis import RedisStore, erasing
from pychat.stores.redis.scripts import SCRIPTS
from pychat.testing import Person, RecordingConnection
from tests.stores.redis_server import RedisServer, redis_server

ADA, BOB = Member("a", "Ada"), Member("b", "Bob")
DATE = 1_700_000_000.0
TIMEOUT = 20.0


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    """A Redis that does not compress what it dumps."""
    with redis_server() as server:
        assert server.do("CONFIG", "SET", "rdbcompression", "no") == "+OK"
        yield server


@pytest.fixture
def redis(shared: RedisServer) -> RedisServer:
    """The same, empty."""
    assert shared.do("FLUSHALL") == "+OK"
    return shared


async def held(store: RedisStore) -> bytes:
    """All keys and values, as Redis would write them to a file: with the bytes of removed entries."""
    connection: Any = store._read_connection
    keys = await connection.execute("KEYS", "*")
    return b"\n".join([*keys, *[await connection.execute("DUMP", key) or b"" for key in keys]])


async def test_erased_texts_are_in_no_value(redis):
    """Neither in the log, nor in what servers read, nor in the changes of messages and the quotes in replies."""
    store, words = RedisStore(redis.url), list[str]()

    def word() -> str:
        words.append(secrets.token_hex(8))
        return words[-1]

    who = Member("c", "Cleopatra")
    told = list[Report]()
    await store.subscribe("lobby", told.append)
    await store.signal("lobby", Joined(replace(who, name="Nobody")))
    for number in range(700):
        said = await store.append("lobby", Message(f"m{number}", who, word(), DATE))
        assert isinstance(said, Message)
        await store.append("lobby", Message(f"b{number}", BOB, f"filler {number}", DATE))
        if number % 5 == 0:
            await store.append("lobby", Edited(f"e{number}", who, said.seq, word(), DATE))
            reply = Message(f"r{number}", BOB, "indeed", DATE, reply=Quote(said.seq, who.name, said.text))
            answer = await store.append("lobby", reply)
            for each in range(70 if number == 5 else 1):  # so many are compacted
                on = Reacted(f"on{number}-{each}", ADA, answer.seq, "👍", each % 2 == 0, DATE)
                await store.append("lobby", on)
    await store.signal("lobby", Whisper("w", who, BOB, word(), DATE))
    await store.signal("lobby", Whisper("w", BOB, who, word(), DATE))
    before = await held(store)
    assert all(each.encode() in before for each in words)
    assert len(await store.erase("lobby", author="c")) == 700
    assert isinstance(told[-1], Erased)
    assert (told[-1].author, len(told[-1].seqs)) == ("c", 700)
    after = await held(store)
    assert not [each for each in words if each.encode() in after]
    assert b"Cleopatra" not in after
    assert b"filler 699" in after
    await store.aclose()


async def test_a_deleted_room_is_in_no_value(redis):
    """Nor its record. One entry remains for an hour, from which all servers learn that it was deleted."""
    store = RedisStore(redis.url)
    await store.subscribe("lobby", lambda _: None)
    await store.rooms.save(RoomRecord("lobby", "A secret title", {}, ("somebody",)))
    await store.readers.follow("somebody", "lobby")
    await store.append("lobby", Message("m", ADA, "my secret", DATE, mentions=("somebody",)))
    await store.signal("lobby", Joined(ADA))
    await store.rooms.delete("lobby")
    dump = await held(store)
    assert not [each for each in (b"secret title", b"my secret", b"somebody", b"Ada") if each in dump]
    for key in ("meta", "told"):
        assert 3000 < int(redis.do("TTL", f"pychat:{{lobby}}:{key}")[1:]) <= 3600
    await store.aclose()


async def test_every_server_of_a_room_forgets_what_was_erased(redis):
    """Whoever comes to another server sees the mark; the people there are told of it."""
    stores = [RedisStore(redis.url) for _ in range(2)]
    rooms = [ChatRoom(store=store, limits=Limits(rate=0)) for store in stores]
    ada, bob = await Person.enter(rooms[0]), await Person.enter(rooms[1])
    await ada.join("Ada")
    said = await ada.say("my secret")
    assert (await bob.event("message"))["text"] == "my secret"
    await stores[0].erase("lobby", seqs=[said["seq"]])
    assert (await bob.event("deleted"))["target"] == said["seq"]
    async with asyncio.timeout(TIMEOUT):
        while rooms[1].position != rooms[0].position:
            await asyncio.sleep(0.002)
    for room in rooms:
        late = await Person.enter(room)
        assert "my secret" not in str(late.connection.events)
    closing: tuple[ChatRoom | RedisStore, ...] = (*rooms, *stores)
    for each in closing:
        await each.aclose()


async def test_a_room_that_one_server_deletes_closes_on_every_server(redis):
    """All connections are closed with the reason. A server that was cut off learns it when it is back."""
    stores = [RedisStore(redis.url, heartbeat=1.0) for _ in range(3)]
    rooms = [ChatRoom(store=store, limits=Limits(rate=0)) for store in stores]
    connections = [RecordingConnection() for _ in rooms]
    for room, connection in zip(rooms, connections, strict=True):
        person = Person(await room.connect(connection), connection)
        assert (await person.join(f"Nr {len(room.members)}"))["ok"]
    stores[2]._reader.following = False  # as if it could not read

    async def cut_off(*_: object) -> None:
        await asyncio.sleep(0.01)

    read, stores[2]._reader._read = stores[2]._reader._read, cut_off  # type: ignore[method-assign]
    await stores[0].rooms.delete("lobby")
    told = connections[:2]
    async with asyncio.timeout(TIMEOUT):
        while not all(each.closed for each in told):
            await asyncio.sleep(0.002)
        stores[2]._reader._read = read  # type: ignore[method-assign]
        while not connections[2].closed:
            await asyncio.sleep(0.002)
    assert {each.closed for each in connections} == {Close.DELETED}
    assert int(redis.do("EXISTS", "pychat:{lobby}:log", "pychat:{lobby}:members")[1:]) == 0
    closing: tuple[ChatRoom | RedisStore, ...] = (*rooms, *stores)
    for each in closing:
        await each.aclose()


async def test_a_server_that_lost_its_connection_knows_its_place_after_an_erasing(redis):
    """The last event that it read was erased meanwhile: that is no loss of the log. Another event there would be one."""
    one, two = RedisStore(redis.url), RedisStore(redis.url)
    for store in (one, two):
        await store.subscribe("lobby", lambda _: None)
    await two.append("lobby", Message("m1", ADA, "secret", DATE))
    feed = two._feeds["lobby"]
    place = feed.key, feed.epoch, feed.tick
    last = feed.last
    assert b"secret" in last
    assert await one.erase("lobby", seqs=[1]) == [1]
    await one.append("lobby", Message("m2", ADA, "hello", DATE))
    check = SCRIPTS["check"]
    assert await two._read_connection.run(check, *place, last) == [b"ok"]
    assert await two._read_connection.run(check, feed.key, feed.epoch, place[2] + 3, last) == [b"lost"]
    await one.aclose()
    await two.aclose()


async def test_two_servers_may_erase_at_once(redis, monkeypatch):
    """Neither brings back what the other has erased, and nothing that is said meanwhile is lost."""
    monkeypatch.setattr(erasing, "_CHUNK", 7)
    one, two = RedisStore(redis.url), RedisStore(redis.url)
    for store in (one, two):
        await store.subscribe("lobby", lambda _: None)
    for number in range(60):
        await one.append("lobby", Message(f"m{number}", (ADA, BOB)[number % 2], f"whispered {number}", DATE))
    late = [one.append("lobby", Message(f"late{number}", Member("c", "Cleo"), "hello", DATE)) for number in range(40)]
    await asyncio.gather(one.erase("lobby", author="a"), two.erase("lobby", author="b"), *late)
    events = await one.events("lobby", after=0, limit=999)
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    assert sum(isinstance(each, Message) and each.text == "hello" for each in events) == 40
    assert b"whispered" not in await held(one)
    await one.aclose()
    await two.aclose()


async def test_retention_and_deletions_leave_no_mentions(redis):
    """Members who are mentioned in messages that are gone have no keys left."""
    store = RedisStore(redis.url, Retention(count=5))
    await store.subscribe("lobby", lambda _: None)
    for number in range(40):
        await store.append("lobby", Message(f"m{number}", ADA, "hi", DATE, mentions=(f"member-{number}",)))
    keys = [key for key in (await held(store)).split(b"\n") if b":mentions:" in key[:30]]
    assert len(keys) <= 6
    await store.rooms.delete("lobby")
    assert b"member-" not in await held(store)
    await store.aclose()


async def test_a_room_that_nobody_uses_here_costs_a_server_nothing(redis):
    """After the last subscriber has gone, the server reads and beats no more there, and its members are away."""
    store = RedisStore(redis.url)
    told: list[Report] = []
    for number in range(30):
        await store.subscribe(f"room-{number}", told.append)
    await store.signal("room-3", Joined(ADA))
    for number in range(30):
        store.unsubscribe(f"room-{number}", told.append)
    again = await store.subscribe("room-3", told.append)
    assert (again.members, again.away) == ((), (ADA,))
    await store.signal("room-3", Left(ADA))
    assert list(store._feeds) == ["room-3"]
    await store.aclose()
    assert store._closing == {}
