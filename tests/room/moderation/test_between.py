"""What moderators do while something else is under way: a ban, a mute or a role counts at once, at every await."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pychat import ChatRoom, Close, Refused, User
from pychat.domain.access import Access
from pychat.domain.model import Joined, Message, Signal
from pychat.room.answer import Answer
from pychat.room.grant import Grant
from pychat.stores import MemoryStore, Page
from pychat.testing import RecordingConnection
from tests.room.moderation.people import OWNER, Visitor, come, settle

ADA = User("ada", "Ada")


class Gate:
    """Holds somebody up until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    async def wait(self, *_: object) -> None:
        """Wait until the gate is opened."""
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        """Let everybody through."""
        self._open.set()


class SlowToJoin(MemoryStore):
    """A store that holds joins up."""

    gate: Gate | None = None

    async def signal(self, room: str, event: Signal) -> None:
        """Pass a join on when the gate is open."""
        if self.gate is not None and isinstance(event, Joined):
            await self.gate.wait()
        await super().signal(room, event)


class SlowToRead(MemoryStore):
    """A store that holds reads of messages up."""

    gate: Gate | None = None

    async def history(self, room: str, **page: Any) -> Page:
        """Read when the gate is open."""
        if self.gate is not None:
            await self.gate.wait()
        return await super().history(room, **page)


async def _act(visitor: Visitor, what: str, seq: int) -> object:
    session = visitor.session
    match what:
        case "message":
            return await session.say("late")
        case "reply":
            return await session.say("late", reply_to=seq)
        case "edit":
            return await session.edit(seq, "late")
        case "delete":
            return await session.delete(seq)
        case _:
            return await session.react(seq, "👍")


@pytest.mark.parametrize("what", ["message", "edit", "delete", "react"])
@pytest.mark.parametrize("action", ["ban", "kick", "mute"])
async def test_what_waits_for_a_hook_is_refused(what: str, action: str) -> None:
    """Somebody who is banned, kicked or muted while a hook thinks about the command: nothing of it is stored."""
    async with ChatRoom() as room:
        ann = await come(room, "Ann")
        said = await ann.session.say("hi")
        gate = Gate()
        room.backend.core.hooks.add(what, gate.wait)
        acting = asyncio.ensure_future(_act(ann, what, said.seq))
        await gate.reached.wait()
        await getattr(room.moderation, action)(ann.id, reason="late")
        gate.open()
        with pytest.raises(Refused, match="late") as refusal:
            await acting
        assert refusal.value.code == {"ban": "banned", "kick": "kicked", "mute": "muted"}[action]
        assert await room.history() == [said]


@pytest.mark.parametrize("what", ["reply", "edit", "delete", "react"])
@pytest.mark.parametrize("action", ["ban", "kick", "mute"])
async def test_what_waits_for_the_message_that_it_is_about_is_refused(what: str, action: str) -> None:
    """Somebody who is banned, kicked or muted while the store looks a message up: nothing of it is stored."""
    store = SlowToRead()
    async with ChatRoom(store=store) as room:
        ann = await come(room, "Ann")
        said = await ann.session.say("hi")
        store.gate = gate = Gate()
        acting = asyncio.ensure_future(_act(ann, what, said.seq))
        await gate.reached.wait()
        await getattr(room.moderation, action)(ann.id, reason="late")
        gate.open()
        with pytest.raises(Refused, match="late"):
            await acting
        assert await room.history() == [said]


async def test_a_moderator_who_is_demoted_while_the_store_looks_a_message_up() -> None:
    """They delete nobody's message any more."""
    store = SlowToRead()
    async with ChatRoom(store=store) as room:
        ann, ada = await come(room, "Ann"), await come(room, user=ADA)
        said = await ann.session.say("hi")
        await room.moderation.role(ada.id, "moderator")
        store.gate = gate = Gate()
        deleting = asyncio.ensure_future(_act(ada, "delete", said.seq))
        await gate.reached.wait()
        await room.moderation.role(ada.id, "member")
        gate.open()
        with pytest.raises(Refused) as refusal:
            await deleting
        assert refusal.value.code == "forbidden"
        assert await room.history() == [said]


async def test_a_mute_that_ends_while_a_hook_thinks() -> None:
    """Whoever was muted and unmuted meanwhile has said what they said."""
    async with ChatRoom() as room:
        ann, gate = await come(room, "Ann"), Gate()
        room.on("message", gate.wait)
        saying = asyncio.ensure_future(_act(ann, "message", 0))
        await gate.reached.wait()
        await room.moderation.mute(ann.id)
        await room.moderation.unmute(ann.id)
        gate.open()
        assert isinstance(await saying, Message)


async def test_a_ban_while_a_join_is_stored() -> None:
    """Whoever is banned while the name is stored is put out, and the name is free."""
    store = SlowToJoin()
    async with ChatRoom(store=store) as room:
        ann = await come(room)
        token = room.backend.tokens.issue("guest-1")
        store.gate = Gate()
        joining = asyncio.ensure_future(_join(ann, token))
        await store.gate.reached.wait()
        await room.moderation.ban("guest-1", reason="late")
        assert ann.closed is Close.BANNED
        store.gate.open()
        with pytest.raises(Refused):
            await joining
        await settle(room)
        assert room.members == ()
        await come(room, "Ann")


async def _join(visitor: Visitor, token: str) -> object:
    return await visitor.session.join("Ann", token)


@pytest.mark.parametrize("how", ["member", "network", "closed"])
async def test_a_ban_while_somebody_is_welcomed(how: str) -> None:
    """Whoever is banned, or finds the room closed, between the first check and the welcome, gets no welcome."""
    async with ChatRoom() as room:
        gate, connection = Gate(), RecordingConnection()
        grant = Grant(Access.WRITE, address="203.0.113.7")
        coming = asyncio.ensure_future(
            room.backend.connect(connection, member_id="guest-1", resume=True, grant=grant, before_welcome=gate.wait)
        )
        await gate.reached.wait()
        if how == "member":
            await room.moderation.ban("guest-1")
        elif how == "network":
            await room.moderation.ban(network="203.0.113.0/24")
        else:
            await room.moderation.set(entry="closed")
        gate.open()
        with pytest.raises(Refused) as refusal:
            await coming
        assert refusal.value.code == ("room_closed" if how == "closed" else "banned")
        assert connection.events == []
        assert room.here == 0


async def test_a_mute_while_somebody_is_welcomed() -> None:
    """The welcome tells it."""
    async with ChatRoom() as room:
        gate, connection = Gate(), RecordingConnection()
        coming = asyncio.ensure_future(
            room.backend.connect(
                connection, member_id="guest-1", resume=True, grant=Grant(Access.WRITE), before_welcome=gate.wait
            )
        )
        await gate.reached.wait()
        await room.moderation.mute("guest-1", reason="late")
        gate.open()
        session = await coming
        assert connection.events[0][1]["muted"] == {"reason": "late"}
        assert "write" not in session.access


async def test_an_owner_who_is_demoted_while_an_action_is_under_way() -> None:
    """The right is looked at again when the change is stored: hashing a password takes a while."""
    async with ChatRoom() as room:
        olga, ada = await come(room, user=OWNER), await come(room, user=ADA)
        await olga.does("role", member=ada.id, role="moderator")
        setting = asyncio.ensure_future(ada.does("set", password="sesame"))
        await asyncio.sleep(0)
        await olga.does("role", member=ada.id, role="guest")
        with pytest.raises(Refused) as refusal:
            await setting
        assert refusal.value.code == "forbidden"
        assert (await room.moderation.state())["settings"]["password"] is False


async def test_a_message_on_its_way_when_its_author_is_banned_leaves_nothing_behind() -> None:
    """A hundred messages and a ban at the same moment: no message comes after the ban, and none is half stored."""
    async with ChatRoom() as room:
        ann, bob = await come(room, "Ann"), await come(room, "Bob")
        sending = [ann.session.say(f"{number}") for number in range(20)]
        banning = asyncio.ensure_future(room.moderation.ban(ann.id))
        sending += [ann.session.say(f"{number}") for number in range(20, 40)]
        await banning
        with pytest.raises(Refused):
            await ann.session.say("after")
        stored = await asyncio.gather(*map(_awaited, sending), return_exceptions=True)
        said = [each.text for each in stored if isinstance(each, Message)]
        await settle(room)
        assert [each["text"] for each in bob.told("message")] == said == [each.text for each in await room.history()]


async def _awaited(answer: Answer[Message]) -> Message:
    return await answer
