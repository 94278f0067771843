"""`ChatClient`: many rooms on one connection, each with what a `Client` has in its room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pychat import (
    Access,
    Chat,
    ChatClient,
    ChatRoom,
    Client,
    Close,
    Disconnected,
    Joined,
    Limits,
    Message,
    Refused,
    RoomSnapshot,
    UsageError,
    User,
    aiohttp_app,
)
from pychat.client import EnteredRoom, ListedRoom, chat_session
from tests.client.cable import Cable, cable
from tests.client.hearing import event, texts, until
from tests.servers import aiohttp_server


@pytest.fixture
def rooms() -> list[ChatRoom]:
    """Rooms with the names `a` to `d`."""
    return [ChatRoom(name, title=f"Room {name}", limits=Limits(rate=0)) for name in "abcd"]


@pytest.fixture
async def laid(rooms: list[ChatRoom]) -> AsyncIterator[Cable]:
    """A cable to a server with the rooms."""
    async with aiohttp_server(aiohttp_app(*rooms)) as url, cable(url) as found:
        yield found


async def test_a_room_has_what_a_client_has(laid: Cable) -> None:
    """Joining, talking, revising, history, members, events: each room for itself, all on one connection."""
    async with ChatClient(laid.url, name="Ada") as chat, Client(laid.url, room="b", name="Bob") as bob:
        a, b = await asyncio.gather(chat.enter("a"), chat.enter("b"))
        assert laid.connected == 2
        assert await chat.enter("a") is a
        assert a.me is not None
        assert b.me is not None
        assert (a.me.id, a.me.name, b.me.id) == (chat.id, "Ada", chat.id)
        assert (await event(b, RoomSnapshot)).title == "Room b"
        assert {member.name for member in b.members} == {"Ada", "Bob"}
        await a.say("nobody hears this")
        said = await b.say("hi", reply_to=await bob.say("hello"))
        assert (said.room, said.seq) == ("b", 2)
        assert said.reply is not None
        assert said.reply.text == "hello"
        assert await texts(bob, "hi") == ["hello", "hi"]
        assert await texts(b, "hi") == ["hello", "hi"]
        await b.edit(said, "hi!")
        await b.react(said, "👍")
        await b.join("Countess")
        assert (a.me.name, {member.name for member in await b.who()}) == ("Ada", {"Bob", "Countess"})
        assert [message.text for message in await b.history()] == ["hello", "hi!"]
        await b.delete(said)
        assert [message.text for message in await a.history()] == ["nobody hears this"]


async def test_all_rooms_are_recovered_after_a_drop(rooms: list[ChatRoom], laid: Cable) -> None:
    """What was said meanwhile follows in each room, in order, nothing lost and nothing twice; the names are kept."""
    async with ChatClient(laid.url, name="Ada") as chat:
        entered = await asyncio.gather(*(chat.enter(room.name) for room in rooms))
        me = [room.me for room in entered]
        expected: dict[str, list[str]] = {room.name: [] for room in rooms}
        for drop in range(3):
            for number, room in enumerate(rooms):
                await room.post(f"{drop} before", author="bot")
                expected[room.name].append(f"{drop} before")
                if number % 2:
                    assert (await event(entered[number], Message)).text == f"{drop} before"
            laid.unplugged = True
            laid.cut()
            await until(lambda: chat.state.name == "reconnecting")
            saying = [asyncio.create_task(room.say(f"{drop} own")) for room in entered]
            for number, room in enumerate(rooms):
                for missed in range(number):
                    await room.post(f"{drop} missed {missed}", author="bot")
                    expected[room.name].append(f"{drop} missed {missed}")
            laid.unplugged = False
            await asyncio.gather(*saying)
            for number, mine in enumerate(entered):
                expected[mine.name].append(f"{drop} own")
                told = await texts(mine, f"{drop} own")
                assert told == expected[mine.name][-len(told) :]
                assert len(told) == number + (1 if number % 2 else 2)
        assert [mine.me for mine in entered] == me
        for room in rooms:
            assert [message.text for message in await room.history()] == expected[room.name]


async def test_answers_that_never_came(rooms: list[ChatRoom], laid: Cable) -> None:
    """In each room, what was stored is not stored again, and is told once, in its place."""
    async with ChatClient(laid.url, name="Ada") as chat:
        entered = [await chat.enter(room.name) for room in rooms]
        laid.deaf = True
        saying = [asyncio.create_task(room.say(f"once in {room.name}")) for room in entered]
        async with asyncio.timeout(10):
            for room in rooms:
                while not await room.history():
                    await asyncio.sleep(0.005)
                await room.post("after", author="bot")
        laid.cut()
        laid.deaf = False
        assert [said.seq for said in await asyncio.gather(*saying)] == [1] * 4
        for mine in entered:
            await mine.say("end")
            assert await texts(mine, "end") == [f"once in {mine.name}", "after", "end"]


async def test_own_and_other_messages_come_in_the_order_of_the_room(rooms: list[ChatRoom], laid: Cable) -> None:
    """Many at once, in several rooms, with drops: each room is heard as it is stored."""
    async with ChatClient(laid.url, name="Ada", max_buffer_bytes=20_000) as chat:
        entered = [await chat.enter(room.name) for room in rooms]

        async def talk(room: EnteredRoom) -> None:
            for number in range(40):
                await room.say(f"own {number}")

        async def post(room: ChatRoom) -> None:
            for number in range(40):
                await room.post(f"other {number}", author="bot")
                await asyncio.sleep(0)
                if number % 15 == 14:
                    laid.cut()

        await asyncio.gather(*map(talk, entered), *map(post, rooms))
        for mine, room in zip(entered, rooms, strict=True):
            await mine.say("end")
            assert await texts(mine, "end") == [message.text for message in await room.history(limit=1_000)]


async def test_a_room_is_left_alone(rooms: list[ChatRoom], laid: Cable) -> None:
    """The name is free and the iterator ends; the other rooms go on, also after a drop; it can be entered again."""
    async with ChatClient(laid.url, name="Ada") as chat:
        a, b = await chat.enter("a"), await chat.enter("b")
        await a.exit()
        await a.exit()
        assert rooms[0].members == ()
        assert ["RoomSnapshot"] == [type(each).__name__ async for each in a]
        with pytest.raises(Disconnected, match="left this room"):
            await a.say("hi")
        laid.cut()
        await b.say("still here")
        assert (rooms[0].members, len(rooms[1].members)) == ((), 1)
        again = await chat.enter("a")
        assert (await again.say("back")).room == "a"


async def test_a_room_that_is_not_there(laid: Cable) -> None:
    """Entering raises why; rooms that are entered in the same moment are not harmed."""
    async with ChatClient(laid.url, name="Ada") as chat:
        found = await asyncio.gather(*map(chat.enter, ("a", "nowhere", "b")), return_exceptions=True)
        assert isinstance(found[1], Refused)
        assert found[1].code == "unknown_room"
        assert [each.room for each in (found[0], found[2]) if isinstance(each, EnteredRoom)] == ["a", "b"]


async def test_access_that_is_taken_away_ends_one_room() -> None:
    """Its iterator and commands raise `Disconnected` with `no_access`; another room goes on."""
    may = {"a": Access.WRITE, "b": Access.WRITE}
    chat = Chat(ChatRoom("a"), ChatRoom("b"), authenticate=lambda _: User("7", "Ada"), access=lambda _, room: may[room])
    async with aiohttp_server(aiohttp_app(chat)) as url, cable(url) as laid, ChatClient(laid.url) as ada:
        a, b = await ada.enter("a"), await ada.enter("b")
        may["a"] = Access.NONE
        await chat.refresh("7")
        with pytest.raises(Disconnected) as ended:
            await event(a, Message)
        assert ended.value.close is Close.NO_ACCESS
        with pytest.raises(Disconnected):
            await a.say("hi")
        assert (await b.say("still here")).author.name == "Ada"
        with pytest.raises(Refused, match="no room"):
            await ada.enter("a")
        laid.unplugged = True
        laid.cut()
        await until(lambda: ada.state.name == "reconnecting")
        may["b"] = Access.NONE
        laid.unplugged = False
        with pytest.raises(Disconnected) as ended:
            await event(b, Joined)
        assert ended.value.close is Close.UNKNOWN_ROOM


async def test_a_kick_says_why_and_other_ends_are_followed_by_a_return(
    rooms: list[ChatRoom], laid: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A room that the server ends for a while is entered again, with what was missed; one with a kick is not."""
    monkeypatch.setattr(chat_session, "_REENTER_SECONDS", 0.01)
    async with ChatClient(laid.url, name="Ada") as chat:
        a, b = await chat.enter("a"), await chat.enter("b")
        await rooms[0].kick(chat.id, "You were rude.")
        with pytest.raises(Disconnected, match=r"You were rude\.") as ended:
            await event(a, Message)
        assert ended.value.close is Close.KICKED
        rooms[1].dismiss(Close.SLOW)
        await rooms[1].post("while away", author="bot")
        assert (await event(b, Message)).text == "while away"
        assert (await b.say("back")).author.id == chat.id
        assert laid.connected == 1


async def test_a_program_that_falls_behind_in_one_room_catches_up(rooms: list[ChatRoom], laid: Cable) -> None:
    """Little is kept for each room; what did not fit comes again, in order, once, and other rooms miss nothing."""
    async with ChatClient(laid.url, max_buffer_bytes=3_000) as chat:
        a, b = await chat.enter("a"), await chat.enter("b")
        for number in range(60):
            await rooms[0].post(f"{number}", author="bot")
        await rooms[1].post("other", author="bot")
        assert await texts(a, "59") == [f"{number}" for number in range(60)]
        assert await texts(b, "other") == ["other"]
        await rooms[1].post("more", author="bot")
        assert await texts(b, "more") == ["more"]


async def test_unread_is_counted_and_followed(rooms: list[ChatRoom], laid: Cable) -> None:
    """For the rooms that were entered, also after leaving them and after a drop; reading moves it for all devices."""
    async with ChatClient(laid.url, name="Ada") as chat:
        a, b = await chat.enter("a"), await chat.enter("b")
        await b.exit()
        await rooms[1].post("hi", author="bot")
        said = await rooms[0].post("one", author="bot")
        counts = await chat.unread()
        assert {name: (room.title, room.messages) for name, room in counts.items()} == {
            "a": ("Room a", 1),
            "b": ("Room b", 1),
        }
        async with asyncio.timeout(20):
            watching = chat.watch_unread()
            assert await anext(watching) == counts
            await a.read(said)
            assert (await anext(watching))["a"].messages == 0
            laid.cut()
            await until(lambda: chat.state.name == "live")
            await rooms[1].post("again", author="bot")
            async for counts in watching:
                if counts["b"].messages == 2:
                    break
    with pytest.raises(StopAsyncIteration):
        await anext(watching)


async def test_rooms_are_listed(rooms: list[ChatRoom], laid: Cable) -> None:
    """By name, from any place; as many as asked for."""
    async with ChatClient(laid.url) as chat:
        await chat.enter("b")
        assert await chat.rooms() == [ListedRoom(name, f"Room {name}", int(name == "b")) for name in "abcd"]
        assert [room.name for room in await chat.rooms(after="a", limit=2)] == ["b", "c"]


async def test_direct_messages_and_blocking() -> None:
    """Two people have a private room, the same from both sides; who is blocked cannot write there."""
    chat = Chat(ChatRoom("lobby"), authenticate=lambda request: User(request.bearer or "", request.bearer))
    async with (
        aiohttp_server(aiohttp_app(chat)) as url,
        ChatClient(url, token="ada") as ada,
        ChatClient(url, token="bob") as bob,
    ):
        await ada.enter("lobby")
        await bob.enter("lobby")
        mine = await ada.direct(bob.id)
        await mine.say("psst")
        theirs = await bob.direct(ada.id)
        assert theirs.room == mine.room
        assert [message.text for message in theirs.entered.messages] == ["psst"]
        await bob.block(ada.id)
        with pytest.raises(Refused) as refused:
            await mine.say("hello?")
        assert refused.value.code == "blocked"
        await bob.block(ada.id, on=False)
        await mine.say("hello!")


async def test_a_guest_is_the_same_person_in_a_later_run(laid: Cable) -> None:
    """With `resume`: the same id in all rooms, and a message of the first run can be changed."""
    async with ChatClient(laid.url, name="Ada") as chat:
        said = await (await chat.enter("a")).say("hi")
        me, resume = chat.id, chat.resume
    async with ChatClient(laid.url, name="Ada", resume=resume) as chat:
        await (await chat.enter("a")).edit(said, "hi!")
        assert chat.id == me


async def test_many_rooms_are_entered_at_once() -> None:
    """More than fit into one command, and again after a drop."""
    rooms = [ChatRoom(f"r{number}") for number in range(150)]
    async with aiohttp_server(aiohttp_app(*rooms)) as url, cable(url) as laid, ChatClient(laid.url) as chat:
        entered = await asyncio.gather(*(chat.enter(room.name) for room in rooms))
        laid.unplugged = True
        laid.cut()
        await until(lambda: chat.state.name == "reconnecting")
        for room in rooms:
            await room.post(f"missed in {room.name}", author="bot")
        laid.unplugged = False
        for mine in entered:
            assert (await event(mine, Message)).text == f"missed in {mine.name}"


async def test_closing_ends_everything(laid: Cable) -> None:
    """Iterators of all rooms end, waiting commands fail, and mistakes of a program are told."""
    chat = ChatClient(laid.url, name="Ada")
    with pytest.raises(UsageError, match="async with"):
        await chat.enter("a")
    async with chat:
        a, b = await chat.enter("a"), await chat.enter("b")
        laid.unplugged = True
        laid.cut()
        await until(lambda: chat.state.name == "reconnecting")
        waiting = [asyncio.create_task(each) for each in (a.say("hi"), chat.enter("c"), chat.unread())]
        await asyncio.sleep(0)
    for each in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(each, Disconnected)
    for room in (a, b):
        assert [type(each).__name__ async for each in room] == ["RoomSnapshot"]
    with pytest.raises(Disconnected, match="closed"):
        await chat.enter("a")
    with pytest.raises(UsageError, match="Make a new one"):
        async with chat:
            raise AssertionError
