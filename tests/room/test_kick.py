"""Sending people out: `ChatRoom.kick`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import pychat
from pychat import ChatRoom, Close, Member, Refused, User
from pychat.testing import Person, RecordingConnection


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_who_is_kicked_is_told_closed_and_gone(kind: str, tmp_path: Path) -> None:
    """All connections of the member are closed for good, after the reason; the name is free, the others hear of it."""
    room = ChatRoom(store="memory:" if kind == "memory" else f"sqlite:{tmp_path / 'chat.db'}")
    left: list[str] = []

    async def gone(member: Member) -> None:
        left.append(member.name)

    room.on("leave", gone)
    tabs = RecordingConnection(), RecordingConnection()
    sessions = [await room.connect(tab, user=User("1", "Ada")) for tab in tabs]
    bob = await Person.enter(room)
    await bob.join("Bob")
    await room.kick("user:1", "Please rest.")
    assert [member.name for member in room.members] == ["Bob"]
    for tab in tabs:
        assert tab.closed is Close.KICKED
        assert [name for name, _ in tab.events][-2:] == ["error", "bye"]
        assert tab.events[-2][1] == {"code": "kicked", "text": "Please rest."}
    for session in sessions:
        await session.close()
    while not left:
        await asyncio.sleep(0)
    assert (room.here, left) == (1, ["Ada"])
    while (await bob.event("presence")).get("left") != ["user:1"]:
        pass
    eve = await Person.enter(room)
    assert (await eve.join("Ada"))["ok"]
    await room.kick("nobody")
    await room.aclose()


async def test_who_has_no_name_yet_can_be_kicked() -> None:
    """A user of the app's without a nickname is known by id; without a text, nothing but the goodbye is said."""
    room = ChatRoom()
    connection = RecordingConnection()
    await room.connect(connection, user=User("1"))
    await room.kick("user:1")
    assert connection.closed is Close.KICKED
    assert "error" not in dict(connection.events)


async def test_whose_name_is_held_can_be_kicked() -> None:
    """Somebody whose connection broke is away; a kick frees the name."""
    room = ChatRoom()
    ada = await Person.enter(room)
    member_id = (await ada.join("Ada"))["member"]["id"]
    await ada.drop()
    eve = await Person.enter(room)
    assert (await eve.join("Ada"))["error"]["code"] == "name_taken"
    await room.kick(member_id)
    assert (await eve.join("Ada"))["ok"]


async def test_the_moderator_s_own_hook_can_kick() -> None:
    """A hook may send out who it judges: `kick` from a message hook, with the refusal."""
    room = ChatRoom()

    @room.on("message")
    async def three_strikes(message: pychat.Message) -> None:
        await room.kick(message.author.id, "No.")
        raise pychat.Refused("rude", "No.")

    eve = await Person.enter(room)
    await eve.join("Eve")
    assert (await eve.say("rude"))["error"]["code"] == "rude"
    assert (eve.connection.closed, room.members) == (Close.KICKED, ())
    await room.aclose()


@pytest.mark.parametrize("echo", [False, True])
async def test_who_is_kicked_while_a_hook_runs_says_nothing(echo: bool) -> None:
    """A message that waits for a hook is refused if its author was kicked meanwhile, with and without copies of one's own."""
    room, running, over = ChatRoom(), asyncio.Event(), asyncio.Event()

    async def slow(_: pychat.Message) -> None:
        running.set()
        await over.wait()

    room.on("message", slow)
    session = await room.connect(RecordingConnection(), user=User("1", "Ada"))
    session.echo = echo
    said = session.say("hi")
    await running.wait()
    await room.kick("user:1")
    over.set()
    with pytest.raises(Refused):
        await said
    assert await room.history() == []
    await room.aclose()
