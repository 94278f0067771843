"""Whispers: one member gets them on every connection, and nobody else can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pychat import ChatRoom, Event, Member, Message, Position, Refused, User
from pychat.stores import MemoryStore, Store, open_store
from pychat.stores.sqlite import SqliteArchive
from pychat.testing import Person, RecordingConnection
from tests.stores.redis_server import RedisServer, redis_server

ADA, BOB = User("1", "Ada"), User("2", "Bob")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis server."""
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store of each kind."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        server.do("FLUSHALL")
        return server.url
    return "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'chat.db'}"


@asynccontextmanager
async def opened(url: str, name: str = "tea") -> AsyncIterator[tuple[ChatRoom, Store]]:
    """A room with a store of that kind."""
    store = open_store(url)
    async with ChatRoom(name, store=store) as room:
        yield room, store
    await store.aclose()


async def enter(room: ChatRoom, user: User, since: Position | None = None) -> Person:
    """A user on a new connection."""
    connection = RecordingConnection()
    return Person(await room.connect(connection, user=user, since=since), connection)


def whispered(person: Person) -> list[Any]:
    """The texts that were whispered to a person."""
    return [fields["text"] for name, fields in person.connection.events if name == "whisper"]


def heard(person: Person) -> list[tuple[str, Any]]:
    """All that a person heard but presence."""
    return [(name, fields) for name, fields in person.connection.events if name != "presence"]


async def test_all_connections_of_one_member_get_it_and_no_others(url: str) -> None:
    """It leaves no number, no event for hooks, and nothing in the history or a search."""
    async with opened(url) as (room, store):
        events: list[Event] = []
        room.on("event", events.append)
        phone, desk, bob = await enter(room, ADA), await enter(room, ADA), await enter(room, BOB)
        before = heard(bob)
        told = await room.whisper(ADA, "the secret", author="bot", store=True)
        await room.whisper("user:1", "again", author="bot")
        await room.whisper(Member("user:77", "Nobody"), "nobody hears this", author="bot")
        assert (told.author.name, told.member, told.room) == ("bot", Member("user:1", "Ada"), "tea")
        for person in (phone, desk):
            assert [(await person.event("whisper"))["text"] for _ in range(2)] == ["the secret", "again"]
        assert heard(bob) == before
        assert (await room.post("hi", author="bot")).seq == 1
        assert await room.history(matching="secret") == []
        assert [each.text for each in await room.history()] == ["hi"]
        assert [each.seq for each in await store.events("tea", after=0, limit=10)] == [1]
        await room.aclose()
        assert not any("secret" in repr(each) for each in events)


async def test_a_stored_whisper_is_shown_again_to_its_member_alone(url: str) -> None:
    """To a newcomer, to who joins with a token, and to who was away when it was sent; not what they have seen."""
    async with opened(url) as (room, _):
        ada = await enter(room, ADA)
        guest = await Person.enter(room)
        joined = await guest.join("Guest")
        await room.post("one", author="bot")
        for each in ("first", "second"):
            await room.whisper(ADA, each, author="bot", store=True)
        await room.whisper(ADA, "not kept", author="bot")
        await room.whisper(joined["member"]["id"], "for the guest", author="bot", store=True)
        await room.post("two", author="bot")
        position = room.position
        await ada.close()
        await guest.close()
        await room.whisper(ADA, "third", author="bot", store=True)
        await room.aclose()
        await room.start()
        ada, bob, stranger = await enter(room, ADA), await enter(room, BOB), await Person.enter(room)
        for each in ("first", "second", "third"):
            assert (await ada.event("whisper"))["text"] == each
        returned = await enter(room, ADA, since=position)
        assert (await returned.event("whisper"))["text"] == "third"
        await stranger.join("Guest", joined["token"])
        assert (await stranger.event("whisper"))["text"] == "for the guest"
        await room.whisper(BOB, "done", author="bot", store=True)
        await bob.event("whisper")
        assert (whispered(ada), whispered(returned)) == (["first", "second", "third"], ["third"])
        assert (whispered(bob), whispered(stranger)) == (["done"], ["for the guest"])


async def test_the_newest_whispers_are_shown_again() -> None:
    """Fifty of them; and one that comes while they are loaded is not lost."""
    store = MemoryStore()
    async with ChatRoom(store=store) as room:
        for number in range(60):
            await room.whisper(ADA, str(number), author="bot", store=True)
        ada = await enter(room, ADA)
        await room.whisper(ADA, "60", author="bot", store=True)
        while "59" not in whispered(ada):
            await ada.event("whisper")
        assert set(whispered(ada)) >= {str(number) for number in range(11, 61)}
        again = await enter(room, ADA)
        assert whispered(again) == [str(number) for number in range(11, 61)]


async def test_what_is_not_allowed_is_refused() -> None:
    """The text and the name of the bot are held to the rules of the room."""
    async with ChatRoom() as room:
        for text, author, code in (
            (" ", "bot", "text_empty"),
            ("x" * 2001, "bot", "text_too_long"),
            ("x", "", "name_invalid"),
        ):
            with pytest.raises(Refused) as caught:
                await room.whisper(ADA, text, author=author)
            assert caught.value.code == code


async def test_an_export_does_not_name_whispers(tmp_path: Path) -> None:
    """Nor does the list of its rooms."""
    url = f"sqlite:{tmp_path / 'chat.db'}"
    async with opened(url) as (room, _):
        await room.post("hi", author="bot")
        await room.whisper(ADA, "the secret", author="bot", store=True)
    with SqliteArchive(tmp_path / "chat.db") as archive:
        assert archive.rooms() == {"tea": 1}
        assert [each.text for each in archive.messages("tea")] == ["hi"]


async def test_two_servers_of_a_room(redis: RedisServer) -> None:
    """A whisper reaches the member through another server, and a third connection there gets it again."""
    redis.do("FLUSHALL")
    async with opened(redis.url) as (here, _), opened(redis.url) as (there, _):
        ada, bob = await enter(there, ADA), await enter(there, BOB)
        await here.whisper(ADA, "psst", author="bot", store=True)
        assert (await ada.event("whisper"))["text"] == "psst"
        assert (await (await enter(there, ADA)).event("whisper"))["text"] == "psst"
        assert whispered(bob) == []
        assert isinstance(await here.post("hi", author="bot"), Message)
