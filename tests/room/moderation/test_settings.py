"""What moderators set in a room: slow mode, who writes, who comes in, the title, the topic and pinned messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pychat import ChatRoom, Close, Limits, Refused, User
from pychat.domain.model import Deleted, LogEvent
from pychat.stores import MemoryStore
from pychat.testing import FakeClock
from tests.room.moderation.people import MODERATOR, come

ADA = User("ada", "Ada")


async def test_slow_mode() -> None:
    """Between two messages everybody waits, on all connections together; the same message again is no new one."""
    clock = FakeClock()
    async with ChatRoom(clock=clock) as room:
        mo, ann = await come(room, user=MODERATOR), await come(room, "Ann")
        tab = await come(room, member_id=ann.id)
        await mo.does("set", slow=30)
        assert (await ann.event("room"))["slow"] == 30
        first = await ann.session.say("one", "id-1")
        assert (await ann.session.say("one", "id-1")).seq == first.seq
        clock.move(10)
        for each in (ann, tab):
            with pytest.raises(Refused) as refusal:
                await each.session.say("two")
            assert (refusal.value.code, refusal.value.retry_after) == ("slow_mode", 20)
        await ann.session.edit(first.seq, "ones")
        for text in ("a", "b"):
            await mo.session.say(text)
            await room.post(text, author="bot")
        clock.move(20)
        await tab.session.say("two")
        await mo.does("set", slow=0)
        await tab.session.say("three")


async def test_slow_mode_holds_against_coming_back_as_somebody_else() -> None:
    """A guest who reconnects without the token waits on; somebody else from the same address does not."""
    clock = FakeClock()
    async with ChatRoom(clock=clock) as room:
        await room.moderation.set(slow=30)
        ann, bob = [await come(room, name, address="203.0.113.7") for name in ("Ann", "Bob")]
        await ann.session.say("one")
        await bob.session.say("two")
        await bob.close()
        bob = await come(room, "Bobby", address="203.0.113.7")
        with pytest.raises(Refused, match="Wait 30"):
            await bob.session.say("three")


async def test_a_message_that_a_hook_refuses_costs_no_wait() -> None:
    """Its author may write the next one at once."""
    room = ChatRoom(clock=FakeClock())

    @room.on("message")
    async def no_links(message: object) -> None:
        if "http" in str(message):
            raise Refused("no_links", "No links.")

    async with room:
        await room.moderation.set(slow=30)
        ann = await come(room, "Ann")
        with pytest.raises(Refused, match="No links"):
            await ann.session.say("http://x")
        await ann.session.say("hi")
        with pytest.raises(Refused, match="Wait"):
            await ann.session.say("hi again")


async def test_who_may_write() -> None:
    """`members`: guests are told to become members; `moderators`: only they write; all of it at once, and undone."""
    async with ChatRoom() as room:
        mo, ada, ann = await come(room, user=MODERATOR), await come(room, user=ADA), await come(room, "Ann")
        await mo.does("set", writing="members")
        with pytest.raises(Refused) as refusal:
            await ann.session.say("hi")
        assert refusal.value.code == "members_only"
        await ada.session.say("hi")
        await mo.does("role", member=ann.id, role="member")
        await ann.session.say("hi")
        await mo.does("set", writing="moderators")
        for each in (ann, ada):
            assert each.told("access")[-1]["access"] == ["read"]
            with pytest.raises(Refused):
                await each.session.set_typing(on=True)
        await mo.session.say("quiet")
        await mo.does("set", writing="all")
        await ann.session.say("hi")


async def test_a_closed_room_puts_all_but_moderators_out() -> None:
    """They are told so, and cannot come in until it is open again."""
    async with ChatRoom() as room:
        mo, ada, ann = await come(room, user=MODERATOR), await come(room, user=ADA), await come(room)
        await mo.does("set", entry="closed")
        assert [each.closed for each in (mo, ada, ann)] == [None, Close.CLOSED, Close.CLOSED]
        assert ann.errors == ["room_closed"]
        with pytest.raises(Refused) as refusal:
            await come(room, user=ADA)
        assert refusal.value.kind.close is Close.CLOSED
        await come(room, user=MODERATOR)
        await mo.does("set", entry="open")
        await come(room, user=ADA)


@pytest.mark.parametrize("setting", [{"entry": "members"}, {"entry": "ask"}, {"password": "sesame"}])
async def test_whoever_is_not_known_stays_out(setting: dict[str, Any]) -> None:
    """A guest is refused, and comes in with the role of a member; whoever is in the room already stays."""
    async with ChatRoom() as room:
        ann = await come(room, "Ann")
        await room.moderation.set(**setting)
        with pytest.raises(Refused) as refusal:
            await come(room, member_id="guest-1")
        assert (refusal.value.code, refusal.value.kind.close) == ("entry_required", Close.ENTRY_REQUIRED)
        await room.moderation.role("guest-1", "member")
        await come(room, member_id="guest-1")
        await ann.session.say("still here")
        assert "sesame" not in str(await room.moderation.state()) + str(await room.moderation.audit())


async def test_the_title_and_the_topic() -> None:
    """Everybody here is told, newcomers too; an empty title is the one that the room had."""
    async with ChatRoom("lobby", title="The Lobby") as room:
        ann = await come(room, "Ann")
        await room.moderation.set(title=" Tea\nroom ", topic="Which tea?")
        told = await ann.event("room")
        assert (told["title"], told["topic"]) == ("Tea room", "Which tea?")
        welcome = (await come(room)).told("welcome")[0]
        assert (welcome["room"]["title"], welcome["topic"]) == ("Tea room", "Which tea?")
        assert room.title == "Tea room"
        await room.moderation.set(title="", topic="")
        assert (await ann.event("room"))["title"] == room.title == "The Lobby"
        assert "topic" not in (await come(room)).told("welcome")[0]


async def test_pinned_messages_are_shown_as_they_stand() -> None:
    """Whoever comes sees them; an edit changes the text; a deletion, an erasure and `unpin` take them away."""
    async with ChatRoom() as room:
        ann = await come(room, "Ann")
        seqs = [(await ann.session.say(f"rule {number}")).seq for number in range(4)]
        for seq in seqs:
            await room.moderation.pin(seq)
            await ann.event("room")
        await ann.session.edit(seqs[0], "rule zero")
        assert (await ann.event("room"))["pinned"][0] == {"seq": seqs[0], "author": "Ann", "text": "rule zero"}
        await ann.session.delete(seqs[1])
        await ann.event("room")
        await room.purge(seqs=[seqs[2]])
        pinned = (await ann.event("room"))["pinned"]
        assert [each["text"] for each in pinned] == ["rule zero", "rule 3"]
        assert (await come(room)).told("welcome")[0]["pinned"] == pinned
        await room.moderation.unpin(seqs[0])
        assert [each["seq"] for each in (await ann.event("room"))["pinned"]] == [seqs[3]]
        with pytest.raises(Refused):
            await room.moderation.pin(99)
        with pytest.raises(Refused):
            await room.moderation.pin(seqs[1])


async def test_a_room_has_so_many_pins() -> None:
    """The 51st message cannot be pinned."""
    async with ChatRoom() as room:
        for number in range(51):
            await room.post(f"{number}", author="bot")
        for seq in range(1, 51):
            await room.moderation.pin(seq)
        with pytest.raises(Refused) as refusal:
            await room.moderation.pin(51)
        assert refusal.value.code == "too_many"


class _Together(MemoryStore):
    """A store that stores a deletion when another one has come."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: asyncio.Future[None] | None = None

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        """Let two deletions through at once."""
        if isinstance(event, Deleted):
            return asyncio.ensure_future(self._delete(room, event))
        return super().append(room, event)

    async def _delete(self, room: str, event: Deleted) -> LogEvent:
        before, self._waiting = self._waiting, None
        if before is None:
            before = self._waiting = asyncio.get_running_loop().create_future()
            await before
        else:
            before.set_result(None)
        return await super().append(room, event)


async def test_clear_stores_many_deletions_together() -> None:
    """Forty deletions do not wait for each other, so a moderator has the next action soon."""
    async with ChatRoom(store=_Together()) as room:
        troll = await come(room, "Troll")
        for number in range(40):
            await troll.session.say(f"{number}")
        async with asyncio.timeout(10):
            assert await room.moderation.clear(troll.id, 60) == 40


async def test_clear_deletes_what_somebody_wrote_lately() -> None:
    """Messages of others, and older ones, stay; the audit log says how many were deleted; so does a ban with `delete`."""
    clock = FakeClock()
    async with ChatRoom(clock=clock) as room:
        mo, ann, troll = await come(room, user=MODERATOR), await come(room, "Ann"), await come(room, "Troll")
        await troll.session.say("old")
        clock.move(100)
        await asyncio.gather(*(each.session.say(f"{number}") for number in range(40) for each in (ann, troll)))
        assert await mo.does("clear", member=troll.id, seconds=60) == {"deleted": 40}
        texts = [each.text for each in await room.history(limit=1_000) if each.author.id == troll.id]
        assert texts == ["old", *[""] * 40]
        assert (await room.moderation.audit())[0].data["deleted"] == 40
        assert await mo.does("ban", member=troll.id, delete=1_000) == {"deleted": 1}
        with pytest.raises(Refused):
            await ann.does("clear", member=mo.id, seconds=60)


async def test_a_sweep_deletes_what_guests_wrote_lately() -> None:
    """After a raid one action takes all of it out; what members, users, moderators and the app wrote stays."""
    clock = FakeClock()
    async with ChatRoom(clock=clock, limits=Limits(rate=0)) as room:
        mo, ada = await come(room, user=MODERATOR), await come(room, user=User("ada", "Ada"))
        early, friend = await come(room, "Early"), await come(room, "Friend")
        await mo.does("role", member=friend.id, role="member")
        await early.session.say("old")
        clock.move(100)
        raiders = [await come(room, f"Raider {number}", address=f"198.51.100.{number}") for number in range(20)]
        for each in (mo, ada, friend):
            await each.session.say("good")
        await room.post("good", author="bot")
        await asyncio.gather(*(each.session.say(f"{number}") for number in range(5) for each in raiders))
        await raiders[0].close()
        assert await mo.does("sweep", seconds=60, reason="raid") == {"deleted": 100}
        texts = [each.text for each in await room.history(limit=1_000)]
        assert [text for text in texts if text] == ["old", "good", "good", "good", "good"]
        entry = (await room.moderation.audit())[0]
        assert (entry.action, entry.target, entry.reason, entry.data["deleted"]) == ("sweep", "", "raid", 100)
        with pytest.raises(Refused):
            await friend.does("sweep", seconds=60)
        assert await room.moderation.sweep(1_000) == 1
