"""Plain functions of the app run in threads: one that takes its time holds up nobody but who asked."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest

import pychat.room.app_function
from pychat import ChatRoom, Limits, Member, Message, Refused, Request, User
from pychat.room.workers import Workers
from pychat.testing import Person
from pychat.transports.authenticator import Authenticator

_REQUEST = Request("GET", "/ws", {}, {}, "127.0.0.1", "lobby", None)


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """What a plain function waits for; in the end it goes on, whatever happened."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_plain_authenticate_holds_nobody_up(go: threading.Event) -> None:
    """While one visitor's takes its time, the room talks."""
    began = threading.Event()

    def authenticate(_: Request) -> User:
        began.set()
        assert go.wait(10)
        return User("1", "Ada")

    coming = asyncio.create_task(Authenticator(authenticate).authenticate(_REQUEST))
    room = ChatRoom()
    bob = await Person.enter(room)
    await room.post("still talking", author="bot")
    assert (await bob.event("message"))["text"] == "still talking"
    assert await asyncio.to_thread(began.wait, 10)
    assert not coming.done()
    go.set()
    assert await coming == User("1", "Ada")
    await room.aclose()


async def test_a_plain_hook_holds_nobody_up(go: threading.Event) -> None:
    """One author's message waits for its hook; another author's passes it; one's own stay in order."""
    room = ChatRoom()

    @room.on("message")
    def slow(message: Message) -> None:
        if message.text == "slow":
            assert go.wait(10)

    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    await bob.join("Bob")
    saying = asyncio.create_task(ada.say("slow"))
    assert (await bob.say("quick"))["ok"]
    assert (await ada.event("message"))["text"] == "quick"
    assert not saying.done()
    go.set()
    assert (await saying)["ok"]
    assert (await bob.event("message"))["text"] == "slow"
    await room.aclose()


async def test_plain_hooks_are_told_in_order_and_hold_nobody_up(go: threading.Event) -> None:
    """`event` and `leave` as plain functions: one at a time, in order, off the event loop; they may post."""
    room = ChatRoom()
    heard: list[tuple[str, bool]] = []
    loop_thread = threading.get_ident()

    @room.on("event")
    def hear(event: object) -> None:
        assert go.wait(10)
        heard.append((type(event).__name__, threading.get_ident() == loop_thread))
        if isinstance(event, Message) and event.author.name == "Ada":
            room.threadsafe.post("I heard that.", author="bot")

    @room.on("leave")
    def left(member: Member) -> None:
        heard.append((f"{member.name} left", threading.get_ident() == loop_thread))

    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    assert (await ada.say("hi"))["ok"]
    assert (await bob.event("message"))["text"] == "hi"
    go.set()
    assert (await bob.event("message"))["text"] == "I heard that."
    await ada.close()
    await room.aclose()
    assert heard == [(name, False) for name in ("Joined", "Message", "Message", "Ada left", "Left")]


async def test_a_plain_hook_changes_refuses_and_fails_as_async_ones_do() -> None:
    """What it returns or raises counts as ever; context variables are those of the call."""
    room, who = ChatRoom(), contextvars.ContextVar[str]("who")

    @room.on("message")
    def judge(message: Message) -> Message | None:
        if message.text == "no":
            raise Refused("no", "No.")
        if message.text == "stop":
            raise StopIteration
        return Message(message.id, message.author, f"{message.text} {who.get()}", message.date)

    ada = await Person.enter(room)
    await ada.join("Ada")
    who.set("me")
    assert (await ada.say("yes"))["text"] == "yes me"
    assert (await ada.say("no"))["error"]["code"] == "no"
    assert (await ada.say("stop"))["error"]["code"] == "internal"
    await room.aclose()


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "async"])
async def test_an_authenticate_that_never_answers(
    plain: bool, go: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while the visitor is told to come back later."""
    monkeypatch.setattr(pychat.room.app_function, "_ANSWER_SECONDS", 0.01)

    def hangs(_: Request) -> None:
        go.wait(10)

    async def waits(_: Request) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Refused) as refused:
        await Authenticator(hangs if plain else waits).authenticate(_REQUEST)
    assert refused.value.code == "unavailable"
    assert refused.value.retry_after


async def test_there_are_so_many_threads_and_no_more(go: threading.Event) -> None:
    """What is beyond the bound waits, and threads are used again; one that nobody awaits any more is not called."""
    workers, called = Workers(2), list[str]()

    def hold(name: str) -> str:
        called.append(name)
        go.wait(10)
        return name

    calls = [asyncio.create_task(workers.run(lambda name=name: hold(name))) for name in "abcd"]  # type: ignore[misc]
    while len(called) < 2:
        await asyncio.sleep(0.001)
    assert workers.busy == 4
    calls[3].cancel()
    go.set()
    assert await asyncio.gather(*calls[:3]) == ["a", "b", "c"]
    assert await workers.run(lambda: "again") == "again"
    assert sorted(called) == ["a", "b", "c"]
    assert workers.busy == 0
    assert workers._threads == 2


async def test_hooks_that_post_from_their_threads_never_wait_for_one_another() -> None:
    """More people at once than there are threads, each with a hook that posts, which asks the hook again."""
    room, people = ChatRoom(limits=Limits(rate=0)), 50
    together = threading.Barrier(40)

    @room.on("message")
    def echo(message: Message) -> None:
        if message.author.name != "bot":
            if message.text == "first":
                together.wait(10)
            room.threadsafe.post(f"{message.author.name} speaks", author="bot")

    crowd = [await Person.enter(room) for _ in range(people)]
    for number, person in enumerate(crowd):
        await person.join(f"Person {number}")
    async with asyncio.timeout(10):
        said = await asyncio.gather(*(each.say("first" if i < 40 else "more") for i, each in enumerate(crowd)))
    assert all(answer["ok"] for answer in said)
    assert len(await room.history(limit=200)) == 2 * people
    await room.aclose()


async def test_a_hook_that_posts_for_ever_is_refused_and_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that answers its own posts ends, with a word in the log, and the room goes on."""
    room = ChatRoom()
    asked: list[str] = []

    @room.on("message")
    def loop(message: Message) -> None:
        asked.append(message.text)
        room.threadsafe.post("again", author="bot")

    async with asyncio.timeout(10):
        with pytest.raises(Refused) as refused:
            await room.post("once", author="Ada")
    assert refused.value.code == "internal"
    assert "a loop?" in caplog.text
    assert asked == ["once", *["again"] * 4]
    await room.aclose()
