"""Mentions in a room: stored with the message, sent as ids, and told to the hook `mention` once for each person."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pychat import ChatRoom, Member, Message
from pychat.domain import rules
from pychat.domain.model import Edited
from pychat.stores import MemoryStore
from pychat.testing import Person

Told = list[tuple[str, int, str, str]]


def hooked(room: ChatRoom) -> Told:
    """What the hook `mention` is told: the room, the number of the message, and the id and name of the person."""
    told: Told = []

    @room.on("mention")
    async def note(message: Message, member: Member) -> None:
        told.append((message.room, message.seq, member.id, member.name))

    return told


async def member(room: ChatRoom, name: str) -> tuple[Person, str]:
    """Somebody of that name, and their id."""
    person = await Person.enter(room)
    return person, (await person.join(name))["member"]["id"]


@pytest.mark.parametrize("url", ["memory:", "sqlite:"])
async def test_a_message_carries_the_ids_of_those_it_mentions(url: str, tmp_path: Path) -> None:
    """Everybody gets them, the author with the answer; so do posts, the history, and an edit changes them."""
    room = ChatRoom("tea", store=url if url == "memory:" else f"{url}{tmp_path / 'chat.db'}")
    (ada, ada_id), (bob, bob_id) = await member(room, "Ada"), await member(room, "Bob")
    answer = await ada.say("@bob: tea?")
    assert answer["mentions"] == (await bob.event("message"))["mentions"] == [bob_id]
    assert (await room.post("@ADA @Bob", author="bot")).mentions == (ada_id, bob_id)
    assert "mentions" not in await ada.say("bob: tea?")
    assert (await ada.command("edit", {"target": 1, "text": "no tea"}))["ok"]
    assert "mentions" not in await bob.event("edited")
    assert (await ada.command("edit", {"target": 3, "text": "@bob: tea?"}))["ok"]
    assert (await bob.event("edited"))["mentions"] == [bob_id]
    history = await room.history()
    assert [each.mentions for each in history] == [(), (ada_id, bob_id), (bob_id,)]
    assert {each.room for each in history} == {"tea"}
    await room.aclose()


async def test_hooks_are_told_once_of_each_person_also_of_those_who_left() -> None:
    """Not of the author, and not again for a repeated message or an edit."""
    room = ChatRoom("tea")
    told = hooked(room)
    (ada, ada_id), (bob, bob_id) = await member(room, "Ada"), await member(room, "Bob")
    _, cy_id = await member(room, "Cy")
    await bob.close()
    for _ in range(2):
        await ada.command("say", {"text": "@Ada @Bob @bob", "id": "m1"})
    await room.post("@ada", author="bot", id="p1")
    await room.post("@ada", author="bot", id="p1")
    for text in ("nobody", "@bob @cy", "nobody again", "@bob, @cy and @ada"):
        assert (await ada.command("edit", {"target": 1, "text": text}))["ok"]
    await room.edit(2, "@here")
    await room.aclose()  # which waits for hooks
    assert told == [
        ("tea", 1, bob_id, "Bob"),
        ("tea", 2, ada_id, "Ada"),
        ("tea", 1, cy_id, "Cy"),
        ("tea", 2, cy_id, "Cy"),
    ]


async def test_a_server_that_starts_again_tells_nobody_twice() -> None:
    """Whom a message mentioned when it was first stored is not told of an edit on a server that did not see it."""
    store = MemoryStore()
    room = ChatRoom(store=store)
    told = hooked(room)
    ada, _ = await member(room, "Ada")
    _, bob_id = await member(room, "Bob")
    await ada.say("@bob")
    await ada.command("edit", {"target": 1, "text": "nobody"})
    other = ChatRoom(store=store)
    told_there = hooked(other)
    await member(other, "Bob")
    await other.edit(1, "@bob")
    await room.aclose()
    await other.aclose()
    assert [each[2] for each in told] == [bob_id]
    assert told_there == [] or told_there[0][2] != bob_id


async def test_an_edit_that_is_sent_again_tells_nobody_again() -> None:
    """The second time it is the stored event that is answered."""
    room = ChatRoom()
    told = hooked(room)
    (ada, _), (_, bob_id) = await member(room, "Ada"), await member(room, "Bob")
    await ada.say("hi")
    answers = await asyncio.gather(*(ada.command("edit", {"target": 1, "text": "@bob", "id": "e1"}) for _ in range(3)))
    assert [each["seq"] for each in answers] == [2, 2, 2]
    await room.aclose()
    assert [each[2] for each in told] == [bob_id]


async def test_a_message_without_an_at_sign_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its way costs no more than the search for that character."""
    room = ChatRoom()
    monkeypatch.setattr(rules, "find_mentions", None)  # would raise
    ada, _ = await member(room, "Ada")
    assert (await ada.say("Bob, here"))["ok"]
    assert (await ada.command("edit", {"target": 1, "text": "Bob!"}))["ok"]
    await room.post("Ada!", author="bot")


async def test_the_mentions_that_a_hook_or_a_client_makes_up_do_not_count() -> None:
    """Only the text that is stored says whom it mentions."""
    room = ChatRoom()

    @room.on("message")
    async def change(message: Message) -> Message:
        assert message.mentions == ()
        return Message(message.id, message.author, message.text.upper(), message.date, mentions=("x",))

    (ada, _), (bob, bob_id) = await member(room, "Ada"), await member(room, "Bob")
    await ada.command("say", {"text": "nobody", "mentions": [bob_id]})
    await ada.command("say", {"text": "@bob"})
    assert [each.mentions for each in await room.history()] == [(), (bob_id,)]
    await ada.command("delete", {"target": 2})
    assert (await room.message(2)).mentions == ()
    assert not any(isinstance(each, Edited) for each in room.backend.core.delivery.recent._events)
    await bob.close()
