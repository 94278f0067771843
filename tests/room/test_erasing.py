"""Erasing: what was said is nowhere any more: not in the log, in a search, in an export, on a wire, nor in memory."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pychat import Chat, ChatRoom, Held, Message, Position, Refused, UsageError, User, aiohttp_app
from pychat.domain.notices import UnreadRoom
from pychat.stores import MemoryStore, Store, open_store
from pychat.stores.sqlite import SqliteArchive, SqliteStore
from pychat.testing import Person, RecordingConnection
from tests.servers import aiohttp_server
from tests.stores.redis_server import RedisServer, redis_server

_SECRET, _NAME = "ecrapsyn"[::-1], "rehtaefylliuQ"[::-1]  # so that no constant holds them
ADA, BOB = User("1", "Ada " + _NAME), User("2", "Bob")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis server."""
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        server.do("FLUSHALL")
        store = open_store(server.url)
    else:
        store = open_store("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'chat.db'}")
    if type(store).erase is Store.erase:
        pytest.skip("this store cannot erase")
    yield store
    await store.aclose()


async def enter(room: ChatRoom, user: User, since: Position | None = None) -> Person:
    """A user on a new connection."""
    connection = RecordingConnection()
    return Person(await room.connect(connection, user=user, since=since), connection)


def in_memory(needle: str, *known: str | None) -> list[str]:
    """The texts and bytes in this process that hold `needle`, except itself and the `known` objects."""
    gc.collect()
    gc.collect()  # what has a finalizer is let go of one collection later
    data = needle.encode()
    ours = (needle, data, *known)
    found = [
        each
        # All at once: one by one, a large process takes seconds.
        for each in gc.get_referents(*gc.get_objects())
        if ((isinstance(each, str) and needle in each) or (isinstance(each, bytes | bytearray) and data in each))
        and not any(each is one for one in ours)
    ]
    return [f"{each!r:.80} in {[type(owner) for owner in gc.get_referrers(each)]}" for each in found]


async def text(http: aiohttp.ClientSession, url: str) -> str:
    """What an address answers."""
    async with http.get(url) as response:
        return await response.text()


async def streamed(http: aiohttp.ClientSession, url: str) -> str:
    """The first events of a stream."""
    address, _, query = url.partition("?")
    async with http.get(f"{address}/api/rooms/tea/events?{query}") as response:
        events = b""
        while b"event: presence" not in events:
            events += await response.content.readany()
        return events.decode()


async def whispered_to(user: User, room: ChatRoom) -> int:
    """How many whispers a user who comes gets again."""
    person = await enter(room, user)
    await person.say("hi")  # its answer comes after them
    await person.close()
    return sum(name == "whisper" for name, _ in person.connection.events)


async def written(room: ChatRoom) -> Person:
    """A room in which Ada has written, edited, reacted, and was answered and whispered to. Bob is still there."""
    ada, bob = await enter(room, ADA), await enter(room, BOB)
    await ada.say(f"first {_SECRET}")  # number 1
    await bob.command("say", {"text": "an answer", "reply_to": 1})
    await ada.command("edit", {"target": 1, "text": f"edited {_SECRET}"})
    await ada.command("react", {"target": 2, "emoji": "👍"})
    await bob.say("@here: tea?")  # number 5
    await ada.say(f"deleted {_SECRET}")  # number 6
    await ada.command("delete", {"target": 6})
    await ada.say(f"third {_SECRET}")  # number 8
    await room.whisper(ADA, f"whispered {_SECRET}", author="bot", store=True)
    await (await enter(room, User("3", "Cy"))).close()  # the newest messages are finished for newcomers
    await ada.close()
    return bob


async def test_what_a_member_wrote_is_nowhere_any_more(store: Store, tmp_path: Path) -> None:
    """The numbers and a mark remain: for those who are here, who come, who come back, who read, search and export."""
    room = ChatRoom("tea", store=store)
    async with aiohttp_server(aiohttp_app(room)) as url, aiohttp.ClientSession() as http:
        bob = await written(room)
        before = Position(room.position.epoch, 0)
        assert f"third {_SECRET}" in await streamed(http, url)
        assert f"edited {_SECRET}" in await streamed(http, f"{url}?since={before.epoch}:0")
        assert len(in_memory(_SECRET)) > 3
        assert await room.purge(author=ADA) == [1, 6, 8]
        assert [(await bob.event("deleted"))["target"] for _ in range(3)] == [6, 1, 8]
        assert (await bob.event("reacted"))["on"]
        assert not (await bob.event("reacted"))["on"]
        everything: list[Any] = [await room.history(), await room.history(after=0), await room.message(1)]
        assert [(each.seq, each.deleted) for each in everything[0]] == [
            *((1, True), (2, False), (5, False)),
            *((6, True), (8, True)),
        ]
        assert {each.author.name for each in everything[0] if each.deleted} == {""}
        for words in ("first", "edited", "third", _SECRET):
            assert await room.history(matching=words) == []
        people = [await enter(room, BOB), await enter(room, BOB, since=before), await enter(room, ADA)]
        everything += [each.connection.events for each in people]
        for each in people:
            await each.close()
        everything += [await streamed(http, url), await streamed(http, f"{url}?since={before.epoch}:0")]
        everything += [
            await text(http, f"{url}/api/rooms/tea/messages{path}") for path in ("", "?matching=answer", "/1", "/2")
        ]
        if isinstance(store, SqliteStore):
            with SqliteArchive(tmp_path / "chat.db") as archive:
                everything.append(list(archive.messages("tea")))
        assert _SECRET not in repr(everything)
        assert "answer" in repr(everything)
        await bob.close()
        bob.connection.events.clear()
        del everything, people, bob
        await room.post("more", author="bot")
        assert in_memory(_SECRET) == []
    if isinstance(store, SqliteStore):
        await store.settled()
        assert not any(_SECRET.encode() in path.read_bytes() for path in tmp_path.glob("chat.db*"))


async def test_a_user_is_erased_in_all_rooms(store: Store) -> None:
    """Also what was whispered to them, their connections, and their name; others stay as they are."""
    tea, cake = ChatRoom("tea", store=store), ChatRoom("cake", store=store)
    async with Chat(tea, cake, store=store) as chat:
        await (await written(tea)).close()
        await (await written(cake)).close()
        here = await enter(tea, ADA)
        await chat.erase_user("1")
        assert (await here.event("bye"))["reason"] == "kicked"
        here.connection.events.clear()
        del here
        for room in (tea, cake):
            assert [each.text for each in await room.history()] == ["", "an answer", "@here: tea?", "", ""]
            assert await whispered_to(User("1", "Countess"), room) == 0
        assert in_memory(_SECRET) == []
        assert in_memory(_NAME, ADA.name) == []
        await chat.erase_user("nobody")


async def test_the_name_of_an_erased_user_is_in_no_list_and_no_file(store: Store, tmp_path: Path) -> None:
    """Neither in a room where the user never wrote and is held, nor in the title, record and lists of direct rooms."""
    ada_user, bob, cy = User("1", "Ada"), User("2", "Bob " + _NAME), User("3", "Cy")
    async with Chat(tea := ChatRoom("tea", store=store), store=store) as chat:
        here, away = await enter(tea, ada_user), await enter(tea, bob)
        await away.close()  # the name is held
        two, three = await chat.direct(ada_user, bob), await chat.direct(ada_user, bob, cy)
        others = await chat.direct("2", "4")
        ada, inside = await enter(two, ada_user), await enter(two, bob)
        await inside.say("hello")
        await chat.erase_user("2")
        assert tea.backend.core.state.last_name("user:2") is None
        assert not tea.backend.core.state.mentions(f"@{bob.name}", "user:1")
        assert (await ada.event("bye"))["reason"] == "shutdown"
        again = await enter(two, ada_user)
        assert two.backend.title == two.title == "Deleted person"
        assert (await again.command("say", {"text": "hi?"}))["error"]["code"] == "blocked"
        assert store.rooms is not None
        records = [await store.rooms.find(each.name) for each in (two, three, others)]
        assert [(each.title, each.people) for each in records if each is not None] == [
            ("Deleted person", ("user:1",)),
            ("Ada, Cy", ("user:1", "user:3")),
            ("Deleted person", ("user:4",)),
        ]
        shown = await chat.directory.describe(ada_user, "user:1", two.name)
        assert shown is not None
        assert shown.title == "Deleted person"
        assert _NAME not in repr((records, shown, again.connection.events))
        for each in (here, again):
            await each.close()
        assert store.readers is not None
        assert "user:2" not in repr(await chat.rooms())
        assert await store.rooms_of("user:2") == [two.name]  # the number of the message remains
    if isinstance(store, SqliteStore):
        await store.settled()
        await store.aclose()
        needle = f"{bob.name}".encode()
        assert not any(needle in path.read_bytes() for path in tmp_path.glob("chat.db*"))
        with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
            assert not connection.execute("SELECT * FROM members WHERE id = 'user:2'").fetchall()


async def test_a_user_is_erased_from_what_moderators_see(store: Store) -> None:
    """From bans, reports, held messages and the audit log; the ban holds."""

    def hold(message: Message) -> None:
        raise Held(f"held {_SECRET}")

    room = ChatRoom("tea", store=store)
    async with Chat(room, store=store) as chat:
        ada, bob = await enter(room, ADA), await enter(room, BOB)
        assert (await ada.say(f"first {_SECRET}"))["ok"]
        assert (await bob.command("report", {"target": 1, "reason": f"says {_SECRET}"}))["ok"]
        room.on("message", hold)
        assert (await ada.say(f"second {_SECRET}"))["held"]
        await room.moderation.ban(ADA, reason=f"for {_SECRET}")
        assert _NAME in repr(await room.moderation.audit())
        await chat.erase_user("1")
        shown = repr((await room.moderation.state(), await room.moderation.audit()))
        assert _SECRET not in shown
        assert _NAME not in shown
        with pytest.raises(Refused, match="banned"):
            await enter(room, ADA)
        for each in (ada, bob):
            await each.close()
            each.connection.events.clear()
        del ada, bob
        assert in_memory(_SECRET) == []


async def test_a_direct_room_of_erased_people_is_deleted_and_begins_anew(store: Store) -> None:
    """When all are erased, nothing is left of it; somebody who comes back is a member again."""
    async with Chat(store=store) as chat:
        name = (await chat.direct(ADA, BOB)).name
        await chat.erase_user("2")
        room = await chat.direct(ADA, BOB)
        assert (room.name, room.title) == (name, f"{ADA.name}, Bob")
        await (await enter(room, BOB)).say("back")
        await chat.erase_user("2")
        await chat.erase_user("1")
        assert store.rooms is not None
        assert await store.rooms.find(name) is None


async def test_a_name_that_is_held_in_a_room_that_is_not_open_is_erased(store: Store) -> None:
    """The user was connected when the server stopped, and never wrote."""
    async with Chat(tea := ChatRoom("tea", store=store), store=store):
        await enter(tea, BOB)
    async with Chat(store=store) as chat:
        await chat.erase_user("2")
        assert await store.rooms_of("user:2") == []
    async with Chat(tea := ChatRoom("tea", store=store), store=store):
        assert tea.backend.core.state.last_name("user:2") is None


async def test_people_who_watch_see_the_new_title() -> None:
    """A list of rooms that is open shows no erased name."""
    told: asyncio.Queue[str] = asyncio.Queue()

    class Listener:
        def unread(self, changed: list[UnreadRoom], _: list[str]) -> None:
            for each in changed:
                told.put_nowait(each.title)

    async with Chat() as chat:
        await chat.direct(ADA, BOB)
        (listed,) = await chat.directory.readers.watch("user:1", ADA, Listener())
        assert listed.title == "Bob"
        await chat.erase_user("2")
        async with asyncio.timeout(10):
            while await told.get() != "Deleted person":
                pass


async def test_the_id_of_a_user_is_text() -> None:
    """A number is a mistake of the app, whether somebody is connected or not, and whether there is `access` or not."""
    for chat in (Chat(), Chat(access=lambda *_: "write")):
        async with chat:
            with pytest.raises(UsageError):
                await chat.refresh(1)  # type: ignore[arg-type]  # the mistake


async def test_what_is_purged_can_be_chosen() -> None:
    """By date, author and number, all of which must be true; something must be given."""
    async with ChatRoom(store=MemoryStore()) as room:
        posted = [await room.post(f"{number}", author="ab"[number % 2]) for number in range(6)]
        await room.whisper(BOB, "old", author="bot", store=True)
        assert await room.purge(seqs=[2, 99]) == [2]
        assert await room.purge(author="post:a", before=posted[3].date + 1e-9) == [1, 3]
        assert await room.purge(before=datetime.fromtimestamp(posted[4].date, UTC), author=posted[3].author) == [4]
        assert [each.text for each in await room.history()] == ["", "", "", "", "4", "5"]
        with pytest.raises(UsageError, match="which messages"):
            await room.purge()
        with pytest.raises(UsageError, match="time zone"):
            await room.purge(before=datetime(2026, 1, 1))  # noqa: DTZ001 -- the mistake
        assert await room.purge(before=datetime.now(UTC)) == [5, 6]
        assert await whispered_to(BOB, room) == 0


async def test_a_deleted_room_takes_its_whispers_along() -> None:
    """A new room of that name has none to show."""
    async with Chat() as chat:
        room = await chat.open("tea")
        await room.whisper(BOB, "gone", author="bot", store=True)
        await chat.delete_room("tea")
        assert await whispered_to(BOB, await chat.open("tea")) == 0


async def test_hooks_of_a_chat_hear_of_mentions_in_all_rooms() -> None:
    """The message says in which room it was."""
    chat, told = Chat(), list[tuple[str, str]]()
    chat.on("mention", lambda message, member: told.append((message.room, member.name)))
    async with chat:
        for name in ("tea", "cake"):
            room = await chat.open(name)
            await (await enter(room, BOB)).close()
            await room.post("@bob!", author="bot")
            await room.backend.core.hooks.aclose()  # waits for them
    assert sorted(told) == [("cake", "Bob"), ("tea", "Bob")]
