"""After drops and restarts nothing is missing, nothing stands twice, and everything is in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pychat import ChatRoom, Client, Close, Joined, Left, Limits, Message, Refused, RoomSnapshot, aiohttp_app
from pychat.stores import MemoryStore
from pychat.testing import Person
from pychat.testing.renewal import renew
from tests.client.cable import cable
from tests.client.hearing import event, texts, until
from tests.servers import aiohttp_server, pychat_process


async def test_what_was_missed_follows() -> None:
    """A cut cable: the same member comes back, and hears exactly what was said meanwhile."""
    room = ChatRoom("lobby")
    states: list[str] = []
    async with (
        aiohttp_server(aiohttp_app(room)) as url,
        cable(url) as laid,
        Client(laid.url, name="Ada", on_state=lambda state: states.append(state.name)) as ada,
    ):
        me = ada.me
        await room.post("heard", author="bot")
        assert ["heard"] == await texts(ada, "heard")
        laid.unplugged = True
        laid.cut()
        await until(lambda: "reconnecting" in states)
        for number in range(3):
            await room.post(f"missed {number}", author="bot")
        laid.unplugged = False
        assert ["missed 0", "missed 1", "missed 2"] == await texts(ada, "missed 2")
        await until(lambda: ada.state.name == "live")
        assert (me, "Ada") == (ada.me, (await ada.say("back")).author.name)
        assert ["back"] == await texts(ada, "back")


async def test_an_answer_that_never_came() -> None:
    """The room stored it, the answer was lost: it is not stored again, and told once, in its place."""
    room = ChatRoom("lobby")
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        laid.deaf = True
        saying = asyncio.create_task(ada.say("once"))
        async with asyncio.timeout(10):
            while not await room.history():
                await asyncio.sleep(0.005)
        await room.post("after", author="bot")
        laid.cut()
        laid.deaf = False
        said = await saying
        assert (said.text, said.seq) == ("once", 1)
        assert ["once", "after"] == await texts(ada, "after")
        await ada.say("end")
        assert ["end"] == await texts(ada, "end")
        assert ["once", "after", "end"] == [message.text for message in await room.history()]


async def test_what_waits_means_nothing_in_another_log() -> None:
    """The room has lost its messages: an edit of the old number 1 is refused, and a reply to it answers nothing."""
    room = ChatRoom("lobby")
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        first = await ada.say("first")
        laid.unplugged = True
        laid.cut()
        await until(lambda: ada.state.name == "reconnecting")
        about = [
            asyncio.create_task(ada.edit(first, "changed")),
            asyncio.create_task(ada.delete(first)),
            asyncio.create_task(ada.react(first, "👍")),
            asyncio.create_task(ada.read(first)),
        ]
        reply = asyncio.create_task(ada.say("reply", reply_to=first))
        await asyncio.sleep(0)
        renew(room, MemoryStore())
        await room.post("new", author="bot")
        laid.unplugged = False
        assert (await reply).reply is None
        for each in await asyncio.gather(*about, return_exceptions=True):
            assert isinstance(each, Refused)
            assert each.code == "not_found"
        assert [("new", None), ("reply", None)] == [(said.text, said.reply) for said in await room.history()]


async def test_what_is_said_while_away_waits() -> None:
    """Messages and edits of an outage go out afterwards, in order."""
    room = ChatRoom("lobby")
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        first = await ada.say("first")
        laid.unplugged = True
        laid.cut()
        await until(lambda: ada.state.name == "reconnecting")
        waiting = [asyncio.create_task(ada.say(f"{number}")) for number in range(5)]
        waiting.append(asyncio.create_task(ada.edit(first, "changed")))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        laid.unplugged = False
        await asyncio.gather(*waiting)
        assert ["changed", "0", "1", "2", "3", "4"] == [message.text for message in await room.history()]


@pytest.mark.parametrize("why", [Close.SHUTDOWN, Close.SLOW, Close.LOST])
async def test_codes_that_say_come_back(why: Close) -> None:
    """The client does, and goes on."""
    room = ChatRoom("lobby")
    async with aiohttp_server(aiohttp_app(room)) as url, Client(url, name="Ada") as ada:
        await event(ada, RoomSnapshot)
        room.dismiss(why)
        await room.post("while away", author="bot")
        assert (await event(ada, Message)).text == "while away"
        assert (await ada.say("back")).seq == 2


async def test_a_gap_is_told() -> None:
    """Away for more than the server keeps: the iterator says so, with the room as it stands now."""
    room = ChatRoom("lobby", limits=Limits(page=5, history=3))
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        assert (await event(ada, RoomSnapshot)).missed is False
        laid.unplugged = True
        laid.cut()
        await until(lambda: ada.state.name == "reconnecting")
        for number in range(20):
            await room.post(f"{number}", author="bot")
        laid.unplugged = False
        entered = await event(ada, RoomSnapshot)
        assert (entered.missed, entered.more) == (True, True)
        assert ["17", "18", "19"] == [message.text for message in entered.messages]
        await room.post("next", author="bot")
        assert ["next"] == await texts(ada, "next")


async def test_who_went_meanwhile() -> None:
    """Comings and goings of an outage are told when it ends."""
    room = ChatRoom("lobby")
    bob, eve = await Person.enter(room), await Person.enter(room)
    await bob.join("Bob")
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        laid.unplugged = True
        laid.cut()
        await until(lambda: ada.state.name == "reconnecting")
        await eve.join("Eve")
        await bob.close()
        laid.unplugged = False
        assert (await event(ada, Left)).member.name == "Bob"
        assert (await event(ada, Joined)).member.name == "Eve"
    await eve.close()


async def test_a_name_that_somebody_took_meanwhile() -> None:
    """The iterator raises why; the client joins with another name, and goes on."""
    room = ChatRoom("lobby", grace=0)
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        laid.unplugged = True
        laid.cut()
        await until(lambda: not room.members)
        thief = await Person.enter(room)
        await thief.join("Ada")
        laid.unplugged = False
        with pytest.raises(Refused) as refused:
            await event(ada, Message)
        assert (refused.value.code, ada.me) == ("name_taken", None)
        await ada.join("Ada L.")
        await ada.say("hi")
        assert (await event(ada, Message)).author.name == "Ada L."
        await thief.close()


async def test_a_program_that_falls_behind_catches_up() -> None:
    """Little is kept for it; what did not fit comes again, in order, once; its own words among it."""
    room = ChatRoom("lobby", limits=Limits(rate=0))
    async with (
        aiohttp_server(aiohttp_app(room)) as url,
        Client(url, name="Ada", max_buffer_bytes=3_000) as ada,
        Client(url, name="Bob") as bob,
    ):
        for number in range(0, 60, 2):
            await bob.say(f"{number}")
            assert (await ada.say(f"{number + 1}")).seq == number + 2
        heard = await texts(ada, "59")
        assert [f"{number}" for number in range(60)] == heard
        assert ada._feed.events._size <= 3_000


async def test_killed_servers_and_new_ones(tmp_path: Path) -> None:
    """`kill -9` under two who talk, three times: each message is stored once, and both hear all, in one order."""
    store = f"sqlite:{tmp_path / 'chat.db'}"
    with pychat_process("--store", store, "--limits", "off") as served:
        port = int(served.url.rpartition(":")[2])
        ada, bob = Client(served.url, name="Ada"), Client(served.url, name="Bob")
        await ada.__aenter__()
        await bob.__aenter__()

        async def talk(chat: Client, name: str) -> None:
            for number in range(150):
                await chat.say(f"{name} {number}")

        talking = [asyncio.create_task(talk(ada, "Ada")), asyncio.create_task(talk(bob, "Bob"))]
        await until(lambda: ada._feed.position is not None and ada._feed.position.seq > 20)
        served.process.kill()
        served.process.wait()
    for rest in (80, 160):
        with pychat_process("--store", store, "--limits", "off", port=port) as served:
            await until(lambda rest=rest: ada._feed.position.seq > rest)  # type: ignore[misc, union-attr]
            served.process.kill()
            served.process.wait()
    with pychat_process("--store", store, "--limits", "off", port=port):
        await asyncio.wait_for(asyncio.gather(*talking), 40)
        await ada.say("end")
        heard = [await texts(chat, "end") for chat in (ada, bob)]
        stored = [message.text for message in await ada.history(limit=1000)]
        await ada.aclose()
        await bob.aclose()
    assert heard == [stored, stored]
    assert Counter(stored) == Counter(
        {"end": 1, **{f"{name} {number}": 1 for name in ("Ada", "Bob") for number in range(150)}}
    )
    for name in ("Ada", "Bob"):
        assert [f"{name} {number}" for number in range(150)] == [text for text in stored if text.startswith(name)]


STEPS = st.lists(st.sampled_from(["say", "other", "cut", "deaf", "hear", "edit"]), min_size=4, max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@pytest.mark.slow
def test_any_sequence_of_faults(steps: list[str]) -> None:
    """Whatever is said, cut and lost in whatever order: what the client heard is the room's log, each event once."""
    asyncio.run(_any_sequence(steps))


async def _any_sequence(steps: list[str]) -> None:
    room = ChatRoom("lobby", limits=Limits(rate=0))
    async with aiohttp_server(aiohttp_app(room)) as url, cable(url) as laid, Client(laid.url, name="Ada") as ada:
        doing: list[asyncio.Task[object]] = []
        first = await ada.say("0")
        for number, step in enumerate(steps, 1):
            if step == "say":
                doing.append(asyncio.create_task(ada.say(f"{number}")))
            elif step == "edit":
                doing.append(asyncio.create_task(ada.edit(first, f"{number}")))
            elif step == "other":
                await room.post(f"{number}", author="bot")
            elif step == "cut":
                laid.cut()
            elif step == "deaf":
                laid.deaf = True
            elif laid.deaf:  # TCP loses nothing in the middle: what was lost ends the connection
                laid.deaf = False
                laid.cut()
            if number % 3 == 0:
                await asyncio.sleep(0.002)
        if laid.deaf:
            laid.deaf = False
            laid.cut()
        await asyncio.wait_for(asyncio.gather(*doing), 20)
        end = await ada.say("end")
        heard: list[int] = []
        while not heard or heard[-1] != end.seq:
            if (seq := getattr(await anext(ada), "seq", None)) is not None:
                heard.append(seq)
        assert list(range(1, end.seq + 1)) == heard
