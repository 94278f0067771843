"""How bots and other Python clients are tested."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
from collections.abc import AsyncIterator

from pychat import ChatRoom, Close, User, aiohttp_app
from pychat.stores import open_store
from pychat.testing import Person
from tests.docs.stage import Stage
from tests.docs.uses.waiting import until
from tests.servers import aiohttp_server


async def echoes(stage: Stage, argument: str) -> None:
    """Each message comes back once."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "Echo")
        for text in ("one", "two"):
            await person.say(text)
            assert (await person.event("message"))["text"] == f"Grace says: {text}"
    await person.close()


async def comes_back(stage: Stage, argument: str) -> None:
    """After a drop it is the same member, and has everything, once and in order."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        async with running(stage, address):
            member = await until_joined(person, "Reader")
            await person.say("heard")
            await until(lambda: "heard" in printed.getvalue())
            (connection,) = [each for each in room.backend.core.delivery.fanout if each is not person.connection]
            connection.close(Close.SLOW)
            await until(lambda: [each.name for each in room.members] == ["Grace"])
            await person.say("missed")
            assert await until_joined(person, "Reader") == member
            await person.say("live")
            await until(lambda: "live" in printed.getvalue())
    lines = [line for line in printed.getvalue().splitlines() if not line.startswith("Away: ")]
    assert lines == ["— the newest messages —", "Grace: heard", "Grace: missed", "Grace: live"]
    await person.close()


async def answers_pings(stage: Stage, argument: str) -> None:
    """A ping is answered with a quote of it; nothing else is, not even the bot's own messages."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "pong")
        for text in ("hello", "a ping, please", "ping"):
            await person.say(text)
        for text in ("a ping, please", "ping"):
            told = await person.event("message")
            assert (told["author"]["name"], told["text"], told["reply"]["text"]) == ("pong", "pong!", text)
    await person.close()


async def streams_its_answer(stage: Stage, argument: str) -> None:
    """The answer to each of two questions grows, at the same time, and is whole in the end."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "sage")
        for text in ("why?", "how?"):
            await person.say(text)
        answers = [await person.event("message") for _ in range(2)]
        assert [(told["text"], told["reply"]["text"]) for told in answers] == [("…", "why?"), ("…", "how?")]
        grown: dict[int, list[str]] = {told["seq"]: [] for told in answers}
        while not all(texts and texts[-1].endswith("about that.") for texts in grown.values()):
            told = await person.event("edited")
            grown[told["target"]].append(told["text"])
        for texts, question in zip(grown.values(), ("why?", "how?"), strict=True):
            assert len(texts) > 1
            assert all(whole.startswith(part) for part, whole in itertools.pairwise(texts))
            assert texts[-1] == f"You asked: {question} I have to think about that."
    await person.close()


async def serves_many_rooms(stage: Stage, argument: str) -> None:
    """A question is answered in the room where it was asked, and nothing else is."""
    rooms = [ChatRoom(name, title=f"room {name}") for name in ("attic", "cellar")]
    url = await stage.stack.enter_async_context(aiohttp_server(aiohttp_app(*rooms)))
    people = [await Person.enter(room) for room in rooms]
    for person in people:
        await person.join("Grace")
    async with running(stage, url.removeprefix("http://")):
        for person, room in zip(people, rooms, strict=True):
            await until_joined(person, "guide")
            await person.say("hello")
            await person.say("where?")
            assert (await person.event("message"))["text"] == f"This is {room.title}."
    for person in people:
        await person.close()


async def is_the_same_tomorrow(stage: Stage, argument: str) -> None:
    """Run twice, it is the same member, and its report is stored once."""
    room, address = await stage.room()
    for each in (stage, Stage(stage.program, stage.folder, stage.stack)):
        await each.run(address)
        assert each.main is not None
        await each.main
    assert [(each.author.name, each.text) for each in await room.history()] == [("deploy", "Version 1.2 is live.")]


async def erases(stage: Stage, argument: str) -> None:
    """What user 42 wrote is gone when the program has run, and so are two other messages; the others stay."""
    store = open_store("sqlite:chat.db")
    async with ChatRoom("lobby", store=store) as room:
        for number in range(1, 21):
            await room.post(f"number {number}", author=User("42", "Ada") if number % 2 else User("43", "Bob"))
    await store.aclose()
    await stage.run()
    assert stage.main is not None
    await stage.main
    store = open_store("sqlite:chat.db")
    async with ChatRoom("lobby", store=store) as room:
        kept = [f"number {number}" for number in range(2, 21, 2) if number != 18]
        assert [each.text for each in await room.history() if not each.deleted] == kept
    await store.aclose()


async def says_hello_over_socketio(stage: Stage, argument: str) -> None:
    """What it says is heard."""
    room, address = await stage.room()
    person = await Person.enter(room)
    with contextlib.redirect_stdout(io.StringIO()):
        await stage.run(address)
        assert stage.main is not None
        await stage.main
    assert (await person.event("message"))["text"] == "Hello over Socket.IO"
    await person.close()


@contextlib.asynccontextmanager
async def running(stage: Stage, address: str) -> AsyncIterator[None]:
    """Run the program's main, against a server at `address`, for as long as the block takes."""
    await stage.run(address)
    assert stage.main is not None
    task = asyncio.create_task(stage.main)
    try:
        yield
    finally:
        assert not task.done(), task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_joined(person: Person, name: str) -> dict[str, str]:
    """Wait until a member of that name has joined; return it."""
    while True:
        told = await person.event("presence")
        for member in [*told.get("joined", ()), *told.get("renamed", ())]:
            if member["name"] == name:
                return dict(member)
