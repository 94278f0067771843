"""A chat opens rooms while the app runs, closes those that nobody is in, and opens again after it was closed."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

import pychat
from pychat import Chat, ChatRoom, Close, Limits, Message, Refused, Request, RoomSettings, UsageError, User
from pychat.room import app_function
from pychat.testing import FakeClock, Person
from tests.room.visiting import ADA, BOB, enter, request


async def code_of(chat: Chat, name: str | None, user: User | None = None) -> str:
    """The code of the refusal of a visit."""
    with pytest.raises(Refused) as refused:
        await enter(chat, name, user)
    return refused.value.code


async def test_rooms_share_the_store_of_their_chat(tmp_path: Path) -> None:
    """A room that was given no store has that of the chat; one that was given a store keeps it."""
    own = pychat.stores.MemoryStore()
    async with Chat(ChatRoom("a"), ChatRoom("b", store=own), store=f"sqlite:{tmp_path / 'chat.db'}") as chat:
        a, b, c = chat.get("a"), chat.get("b"), await chat.open("c")
        assert a is not None
        assert b is not None
        assert [room.backend.in_memory for room in (a, b, c)] == [False, True, False]
        await a.post("kept", author="bot")
    async with Chat(store=f"sqlite:{tmp_path / 'chat.db'}") as chat:
        assert [message.text for message in await (await chat.open("a")).history()] == ["kept"]


async def test_a_room_that_was_opened_is_what_it_was(tmp_path: Path) -> None:
    """Its title and settings are in the store: another start finds them, whoever visits first."""
    url = f"sqlite:{tmp_path / 'chat.db'}"
    async with Chat(store=url) as chat:
        room = await chat.open("p-42", title="Project 42", limits=Limits(text=5), listed=False)
        assert room is await chat.open("p-42")
    async with Chat(store=url) as chat:
        assert chat.get("p-42") is None
        ada = await enter(chat, "p-42")
        assert (await ada.event("welcome"))["room"] == {"name": "p-42", "title": "Project 42"}
        await ada.join("Ada")
        assert (await ada.say("too long"))["error"]["code"] == "text_too_long"
        assert [(record.name, record.title) for record in await chat.rooms()] == [("p-42", "Project 42")]
        assert await chat.directory.visible() == []


async def test_the_title_of_a_found_room_is_kept_from_the_first_visit(tmp_path: Path) -> None:
    """Lists show it also before anybody visits the room again, and if the server did not end by itself."""

    def find_room(name: str, _: Request) -> RoomSettings:
        return RoomSettings(title=f"Team {name}")

    url = f"sqlite:{tmp_path / 'chat.db'}"
    async with Chat(store=url, find_room=find_room) as chat:
        await (await enter(chat, "blue", ADA)).session.close()
        async with asyncio.timeout(20):
            while not await chat.rooms():
                await asyncio.sleep(0)
        assert [record.title for record in await chat.rooms()] == ["Team blue"]


async def test_find_room_says_which_rooms_there_are() -> None:
    """It is asked on the first visit, sync or async, and once for all who come at the same time."""
    asked: list[str] = []

    async def find_room(name: str, asking: Request) -> RoomSettings | ChatRoom | None:
        asked.append(name)
        await asyncio.sleep(0)
        if name == "own":
            return ChatRoom("own", title="A room of the app")
        return RoomSettings(f"Room {name}") if name.isdigit() else None

    async with Chat(find_room=find_room) as chat:
        visits = await asyncio.gather(*(enter(chat, "1") for _ in range(5)))
        assert {(await each.event("welcome"))["room"]["title"] for each in visits} == {"Room 1"}
        await enter(chat, "1")
        await enter(chat, "own")
        assert await code_of(chat, "x") == "unknown_room"
        assert await code_of(chat, "no/name") == "unknown_room"
        assert await code_of(chat, None) == "unknown_room"
        assert asked == ["1", "own", "x"]

    def plain(name: str, asking: Request) -> RoomSettings:
        return RoomSettings(asking.remote)

    async with Chat(find_room=plain) as chat:
        assert (await (await enter(chat, "2")).event("welcome"))["room"]["title"] == "192.0.2.1"


@pytest.mark.parametrize("name", ["find_room", "access"])
async def test_a_function_of_the_app_that_fails_or_hangs(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its visitor is refused, and the log says why; meanwhile others enter other rooms."""
    hung = asyncio.Event()

    async def asked(*arguments: object) -> object:
        room = next(each for each in arguments if isinstance(each, str))
        if room == "broken":
            raise LookupError("no database")
        if room == "slow":
            hung.set()
            await asyncio.Event().wait()
        if room == "nonsense":
            return 7
        return RoomSettings() if name == "find_room" else "write"

    given = {name: asked, "find_room": asked if name == "find_room" else lambda *_: RoomSettings()}
    async with Chat(**given) as chat:  # type: ignore[arg-type]  # functions of any kind
        with monkeypatch.context() as only_this_call:
            only_this_call.setattr(app_function, "_ANSWER_SECONDS", 0.05)
            waiting = asyncio.create_task(code_of(chat, "slow"))
            await hung.wait()
        await enter(chat, "good")
        assert await waiting == "unavailable"
        assert await code_of(chat, "broken") == "internal"
        assert await code_of(chat, "nonsense") == "internal"
    logged = [record.getMessage().split(" for ")[0] for record in caplog.records]
    assert logged == [f"{name} did not answer", f"{name} failed", f"{name} failed"]


async def test_a_refusal_of_find_room_is_for_the_one_who_asked() -> None:
    """The app may refuse one visitor in its own words; another who came at the same time is let in."""

    async def find_room(name: str, asking: Request) -> RoomSettings:
        await asyncio.sleep(0)
        if asking.remote == "192.0.2.66":
            raise Refused("banned", "Not you.")
        return RoomSettings()

    async with Chat(find_room=find_room) as chat:
        first = asyncio.create_task(enter(chat, "a", remote="192.0.2.66"))
        second = asyncio.create_task(enter(chat, "a"))
        with pytest.raises(Refused, match=r"Not you\."):
            await first
        await second


async def test_an_empty_room_is_let_go() -> None:
    """After `idle` seconds nothing of it remains; its messages do, and a room that was given stays."""
    clock = FakeClock()
    async with Chat(ChatRoom("lobby", clock=clock), find_room=lambda *_: RoomSettings(), clock=clock, idle=60) as chat:
        ada = await enter(chat, "a")
        await ada.join("Ada")
        await ada.say("hi")
        room = chat.get("a")
        assert room is not None
        gone = [weakref.ref(each) for each in (room, room.backend, room.backend.core, room.backend.core.delivery)]
        del room
        clock.move(100)
        assert chat.get("a") is not None
        await ada.close()
        del ada
        clock.move(59)
        assert chat.get("a") is not None
        clock.move(1)
        assert chat.get("a") is None
        assert chat.get("lobby") is not None
        await asyncio.sleep(0)
        gc.collect()
        assert [each() for each in gone] == [None] * 4
        bob = await enter(chat, "a")
        assert [message["text"] for message in (await bob.event("welcome"))["messages"]] == ["hi"]


async def test_a_held_name_keeps_its_room() -> None:
    """The name of somebody who dropped is held for the grace time, also in a room that nobody else is in."""
    clock = FakeClock()
    async with Chat(find_room=lambda *_: RoomSettings(), clock=clock, idle=10, grace=30) as chat:
        ada = await enter(chat, "a")
        await ada.join("Ada")
        await ada.drop()
        clock.move(25)
        bob = await enter(chat, "a")
        assert (await bob.join("Ada"))["error"]["code"] == "name_taken"
        await bob.close()
        clock.move(10)
        for _ in range(5):  # the name is freed in a task
            await asyncio.sleep(0)
        clock.move(20)
        assert chat.get("a") is None


async def test_a_room_that_the_app_holds_is_the_same_room_again() -> None:
    """A room that was let go opens again when the app uses it, or when somebody comes; each name has one room."""
    clock = FakeClock()
    async with Chat(clock=clock, idle=60) as chat:
        room = await chat.open("a")
        clock.move(61)
        assert chat.get("a") is None
        await room.post("from the app", author="bot")
        assert chat.get("a") is room
        clock.move(61)
        assert chat.get("a") is None
        ada = await enter(chat, "a")
        assert chat.get("a") is room
        await room.post("to Ada", author="bot")
        assert (await ada.event("message"))["text"] == "to Ada"


async def test_rooms_that_come_and_go_leave_nothing_behind() -> None:
    """Memory is flat: of thousands of rooms that were opened and left, no object, task or timer remains.

    Users follow the rooms that they enter. These positions are rows of the store, until they are unfollowed.
    """
    clock = FakeClock()

    async def visit(chat: Chat, start: int, end: int) -> None:
        for number in range(start, end):
            visitor = await enter(chat, f"r{number}", User(f"u{number}", "Ada"))
            await visitor.close()
            await chat.unfollow(f"u{number}", f"r{number}")
            if number % 100 == 99:
                clock.move(61)
                await asyncio.sleep(0)

    async def find_room(name: str, asking: Request) -> RoomSettings:
        return RoomSettings()

    async def access(user: User | None, room: str) -> str:
        return "write"

    async with Chat(find_room=find_room, access=access, clock=clock) as chat:
        await visit(chat, 0, 200)
        gc.collect()
        before, tasks = len(gc.get_objects()), len(asyncio.all_tasks())
        await visit(chat, 200, 2_200)
        clock.move(61)
        await asyncio.sleep(0)
        gc.collect()
        assert len(chat.directory) == 0
        assert len(asyncio.all_tasks()) == tasks
        assert clock.next_timer is None
        assert len(gc.get_objects()) < before + 200


async def test_hooks_of_all_rooms() -> None:
    """A hook of the chat is called for each room, also for rooms opened later, and before it; a room's own as well."""
    told: list[tuple[str, str]] = []
    async with Chat(ChatRoom("a")) as chat:
        a, b = chat.get("a"), await chat.open("b")
        assert a is not None

        @chat.on("message")
        def shout(message: Message) -> Message:
            told.append((message.room, message.text))
            return Message(message.id, message.author, message.text.upper(), message.date)

        @b.on("message")
        async def mark(message: Message) -> Message:
            return Message(message.id, message.author, f"{message.text}!", message.date)

        chat.on("message", lambda message: told.append(("later", message.text)))
        c = await chat.open("c")
        texts = [(await room.post(room.name, author="bot")).text for room in (a, b, c)]
        assert texts == ["A", "B!", "C"]
        assert [text for where, text in told if where == "later"] == ["A", "B!", "C"]
        assert [where for where, _ in told if where != "later"] == ["a", "b", "c"]


async def test_a_deleted_room_is_gone() -> None:
    """Its connections are closed for good, its messages are erased, and nobody can use it; a name can be used again."""
    async with Chat() as chat:
        room = await chat.open("a", title="Secret plans")
        ada = await enter(chat, "a")
        await ada.join("Ada")
        await ada.say("the plan")
        await chat.delete_room("a")
        assert ada.connection.closed is Close.DELETED
        assert chat.get("a") is None
        assert await chat.rooms() == []
        assert await code_of(chat, "a") == "unknown_room"
        with pytest.raises(Refused, match="no room"):
            await room.post("late", author="bot")
        again = await chat.open("a")
        assert again is not room
        assert (again.title, await again.history()) == ("a", [])


async def test_a_given_room_that_is_deleted_begins_anew() -> None:
    """It stays in the chat, empty."""
    async with Chat(ChatRoom("lobby")) as chat:
        room = chat.get("lobby")
        assert room is not None
        await room.post("old", author="bot")
        await chat.delete_room("lobby")
        assert await room.history() == []
        await room.post("new", author="bot")
        assert [message.text for message in await room.history()] == ["new"]


async def test_a_closed_room_opens_for_the_next_visitor() -> None:
    """`close_room` closes the connections; nothing is lost."""
    async with Chat() as chat:
        room = await chat.open("a")
        ada = await enter(chat, "a")
        await room.post("kept", author="bot")
        await chat.close_room("a")
        assert ada.connection.closed is Close.SHUTDOWN
        assert chat.get("a") is None
        bob = await enter(chat, "a")
        assert [message["text"] for message in (await bob.event("welcome"))["messages"]] == ["kept"]
        assert chat.get("a") is room


def test_a_chat_opens_again_on_each_start(tmp_path: Path) -> None:
    """As a test client of a framework does: a start for each test, each on a new event loop, with the same objects."""
    lobby = ChatRoom("lobby")
    chat = Chat(lobby, store=f"sqlite:{tmp_path / 'chat.db'}", find_room=lambda *_: RoomSettings())
    held: list[ChatRoom] = []

    async def test(number: int) -> int:
        async with chat:
            await lobby.post(str(number), author="bot")
            if number == 0:
                held.append(await chat.open("held"))
            await held[0].post(str(number), author="bot")
            ada = await enter(chat, "found", ADA)
            await ada.say(str(number))
            assert len(await held[0].history()) == number + 1
            return len(await lobby.history())

    async def without_closing() -> int:
        await chat.start()
        await enter(chat, "found", BOB)
        return len(await lobby.history())

    assert [asyncio.run(test(number)) for number in range(3)] == [1, 2, 3]
    assert [asyncio.run(without_closing()) for _ in range(2)] == [3, 3]
    assert asyncio.run(test(3)) == 4


async def test_one_person_can_be_in_so_many_rooms() -> None:
    """1,000 unless the chat says otherwise; a second connection in the same room counts once, and guests are not meant."""
    async with Chat(find_room=lambda *_: RoomSettings(), max_rooms_per_person=2) as chat:
        first = await enter(chat, "a", ADA)
        await enter(chat, "b", ADA)
        await enter(chat, "b", ADA)
        assert await code_of(chat, "c", ADA) == "too_many_rooms"
        await enter(chat, "c", BOB)
        await first.close()
        await enter(chat, "c", ADA)


async def test_a_rate_limit_is_the_persons() -> None:
    """Whatever the number of their connections and rooms; others are not affected."""
    clock = FakeClock()
    limits = Limits(rate=1, burst=3)
    async with Chat(find_room=lambda *_: RoomSettings(), limits=limits, clock=clock) as chat:
        a, b = await enter(chat, "a", ADA), await enter(chat, "b", ADA)
        answers = [await each.say("hi") for each in (a, b, a, b)]
        assert [answer["ok"] for answer in answers] == [True, True, True, False]
        assert answers[3]["error"]["code"] == "rate_limited"
        assert (await (await enter(chat, "b", BOB)).say("hi"))["ok"]


async def test_looking_for_rooms_is_limited() -> None:
    """Somebody who tries names is refused after a while, whether there is such a room or not; others are let in."""
    clock = FakeClock()
    async with Chat(ChatRoom("lobby", clock=clock), access=lambda *_: "none", clock=clock) as chat:

        async def look(name: str, remote: str) -> str:
            task = asyncio.create_task(chat.directory.find(name, None, request(name, remote)))
            while not task.done():
                await asyncio.sleep(0)
                clock.move(0.001)
            error = task.exception()
            assert isinstance(error, Refused)
            return error.code

        codes: list[str] = []
        while "rate_limited" not in codes and len(codes) < 500:
            codes.append(await look(("lobby", "nowhere")[len(codes) % 2], "192.0.2.9"))
        assert codes[:60] == ["unknown_room"] * 60
        assert codes[-1] == "rate_limited"
        assert await look("lobby", "192.0.2.10") == "unknown_room"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((ChatRoom("a"), ChatRoom("a")), "same name"),
        ((Chat(), Chat()), "one Chat"),
        ((Chat(), ChatRoom("a")), "one Chat"),
        ((), "at least one room"),
        (("lobby",), "at least one room"),
    ],
)
def test_what_cannot_be_served(arguments: tuple[ChatRoom, ...], says: str) -> None:
    """A mistake in the program is an error that says what to do."""
    with pytest.raises(UsageError, match=says):
        pychat.asgi_app(*arguments)


def test_one_authenticate_is_enough() -> None:
    """It stands in the chat or in the mount, not in both."""
    with pytest.raises(UsageError, match="authenticate"):
        pychat.asgi_app(Chat(authenticate=lambda _: None), authenticate=lambda _: None)
    with pytest.raises(UsageError, match="find_room is a function"):
        Chat(find_room=7)  # type: ignore[arg-type]  # which is the mistake


async def test_bad_names_for_open() -> None:
    """A name that no room can have is an error of the program."""
    async with Chat() as chat:
        with pytest.raises(UsageError, match="cannot be called"):
            await chat.open("no/name")
        await Person.enter(await chat.open("fine"))
