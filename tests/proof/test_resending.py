"""An answer that was lost can be had by asking again, whatever has happened in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from pychat import ChatRoom, Refused
from pychat.domain.model import Message
from pychat.stores import Store, open_store
from pychat.stores.sqlite import SqliteStore
from pychat.testing import Person
from tests.proof.faults import Faults


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path: Path):
    """Each store of this machine."""
    opened: Store = open_store("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'chat.db'}")
    yield opened
    await opened.aclose()


async def test_a_reply_is_answered_alike_after_its_target_was_deleted(store: Store) -> None:
    """It stands in the room: a refusal would be a lie, and show it as failed to its author alone."""
    room = ChatRoom(store=store)
    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    await bob.join("Bob")
    target = (await ada.say("question"))["seq"]
    first = await bob.command("say", {"text": "answer", "id": "b1", "reply_to": target})
    assert first["ok"]
    await ada.command("delete", {"target": target})
    assert first == await bob.command("say", {"text": "answer", "id": "b1", "reply_to": target})
    await room.aclose()


async def test_who_comes_back_from_behind_their_own_message_asks_again(store: Store) -> None:
    """An answer may come after later events: if it is lost, the message is not told again, and its answer tells where it stands."""
    room = ChatRoom(store=store)
    ada = await Person.enter(room)
    token = (await ada.join("Ada"))["token"]
    answer = await ada.command("say", {"text": "mine", "id": "a1"})
    later = await room.post("later", author="bot")
    assert (await ada.event("message"))["seq"] == later.seq == answer["seq"] + 1
    await ada.drop()
    ada = await Person.enter(room, since=room.position)
    assert (await ada.event("welcome"))["recovered"] is True
    await ada.join("Ada", token)
    assert answer == await ada.command("say", {"text": "mine", "id": "a1"})
    await room.post("the end", author="bot")
    assert (await ada.event("message"))["text"] == "the end"
    await room.aclose()


async def test_an_edit_is_answered_alike_after_its_target_was_deleted(store: Store) -> None:
    """It was carried out; that the message is gone since is told by another event."""
    room = ChatRoom(store=store)
    ada = await Person.enter(room)
    await ada.join("Ada")
    target = (await ada.say("wrogn"))["seq"]
    first = await ada.command("edit", {"text": "wrong", "id": "a1", "target": target})
    assert first == await ada.command("edit", {"text": "wrong", "id": "a1", "target": target})
    await ada.command("delete", {"target": target})
    assert first == await ada.command("edit", {"text": "wrong", "id": "a1", "target": target})
    await room.aclose()


async def test_a_hook_is_not_asked_twice(store: Store) -> None:
    """One that counts would refuse the second time what it let pass the first."""
    room = ChatRoom(store=store)
    asked: list[str] = []

    @room.on("message")
    def once(message: Message) -> None:
        asked.append(message.text)
        if len(asked) > 1:
            raise Refused("enough", "One is enough.")

    ada = await Person.enter(room)
    await ada.join("Ada")
    first = await ada.command("say", {"text": "hi", "id": "a1"})
    assert first["ok"]
    assert first == await ada.command("say", {"text": "hi", "id": "a1"})
    await room.aclose()


async def test_a_commit_that_was_done_and_reported_as_failed_is_told_and_acknowledged(tmp_path: Path) -> None:
    """Where only the fsync failed, what is stored all the same is said to be; nobody waits for the next message."""
    faults = Faults(tmp_path / "chat.db", lambda: None)
    store = SqliteStore(tmp_path / "chat.db", factory=faults.factory())
    room = ChatRoom(store=store)
    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    faults.next = "commit unheard"
    answer = await ada.command("say", {"text": "hi", "id": "a1"})
    assert (answer["ok"], answer["seq"]) == (True, 1)
    assert (await bob.event("message"))["seq"] == 1
    assert answer == await ada.command("say", {"text": "hi", "id": "a1"})
    assert (await ada.say("there"))["seq"] == 2
    assert (await bob.event("message"))["seq"] == 2
    await room.aclose()
    await store.aclose()
