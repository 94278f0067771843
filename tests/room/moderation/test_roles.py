"""Roles in a room: who gives them, what they allow, and how everybody sees them."""

from __future__ import annotations

import asyncio

import pytest

from pychat import ChatRoom, Member, Refused, User
from pychat.domain.access import Access
from tests.room.moderation.people import MODERATOR, OWNER, Visitor, come, settle

ADA = User("ada", "Ada")


async def presence(visitor: Visitor, member_id: str) -> list[str]:
    """The roles of a member as the next presence tells them."""
    while True:
        told = await visitor.event("presence")
        for member in (*told.get("joined", ()), *told.get("renamed", ())):
            if member["id"] == member_id:
                return list(member.get("roles", ()))


async def test_a_role_is_effective_at_once_and_everybody_sees_it() -> None:
    """A new moderator is told so, may moderate, and has a badge; both end with the role."""
    async with ChatRoom() as room:
        olga, ada, ann = await come(room, user=OWNER), await come(room, user=ADA), await come(room, "Ann")
        with pytest.raises(Refused):
            await ada.does("mute", member=ann.id)
        await olga.does("role", member=ada.id, role="moderator")
        assert ada.told("access")[-1] == {
            "access": ["read", "write", "react", "upload", "moderate"],
            "role": "moderator",
        }
        assert await presence(ann, ada.id) == ["moderator"]
        await ada.does("mute", member=ann.id)
        again = await come(room, user=ADA)
        assert again.told("welcome")[0]["role"] == "moderator"
        assert [each.roles for each in room.members if each.id == ada.id] == [("moderator",)]
        await olga.does("role", member=ada.id, role="guest")
        assert ada.told("access")[-1]["role"] == "member"
        assert await presence(ann, ada.id) == []
        with pytest.raises(Refused):
            await ada.does("mute", member=ann.id)


async def test_a_moderator_writes_what_others_may_not_and_deletes_what_others_wrote() -> None:
    """A stored moderator deletes the message of somebody else."""
    async with ChatRoom() as room:
        ann, ada = await come(room, "Ann"), await come(room, user=ADA)
        said = await ann.session.say("spam")
        with pytest.raises(Refused):
            await ada.session.delete(said.seq)
        await room.moderation.role(ada.id, "moderator")
        await ada.session.delete(said.seq)
        assert (await room.message(said.seq)).deleted
        await settle(room)
        entry = (await room.moderation.audit())[0]
        assert (entry.action, entry.by.name, entry.name, entry.data) == ("delete", "Ada", "Ann", {"target": said.seq})
        own = await ada.session.say("mine")
        await ada.session.delete(own.seq)
        await settle(room)
        assert len(await room.moderation.audit()) == 2  # the role, and the deletion of what somebody else wrote


async def test_a_reader_only_reads() -> None:
    """The role of a reader takes writing and reacting away, also from a member with a login."""
    async with ChatRoom() as room:
        ada, mo = await come(room, user=ADA), await come(room, user=MODERATOR)
        await mo.does("role", member=ada.id, role="reader")
        assert ada.told("access")[-1] == {"access": ["read"], "role": "reader"}
        with pytest.raises(Refused) as refusal:
            await ada.session.say("hi")
        assert refusal.value.code == "forbidden"
        await mo.does("role", member=ada.id, role="member")
        await ada.session.say("hi")


async def test_only_owners_give_and_take_the_high_roles() -> None:
    """A moderator gives member and reader, and can give up the own role, but make nobody a moderator."""
    async with ChatRoom() as room:
        mo, ann = await come(room, user=ADA), await come(room, "Ann")
        await room.moderation.role(mo.id, "moderator")
        for role in ("moderator", "owner"):
            with pytest.raises(Refused):
                await mo.does("role", member=ann.id, role=role)
            with pytest.raises(Refused):
                await mo.does("role", member=mo.id, role="owner")
        await mo.does("role", member=ann.id, role="member")
        await mo.does("role", member=mo.id, role="guest")
        with pytest.raises(Refused):
            await mo.does("role", member=ann.id, role="reader")


async def test_the_last_owner_keeps_the_role() -> None:
    """The last stored owner can neither be demoted nor banned, not even by the app, until there is another one."""
    async with ChatRoom() as room:
        await room.moderation.role("user:ada", "owner")
        for attempt in (room.moderation.role("user:ada", "guest"), room.moderation.ban("user:ada")):
            with pytest.raises(Refused, match="last owner"):
                await attempt
        await room.moderation.role("user:bob", "owner")
        await room.moderation.role("user:ada", "member")


async def test_two_owners_who_demote_each_other_at_the_same_moment() -> None:
    """One of them is first, and the other has no right any more: an owner remains."""
    async with ChatRoom() as room:
        ada, bob = await come(room, user=ADA), await come(room, user=User("bob", "Bob"))
        for each in (ada, bob):
            await room.moderation.role(each.id, "owner")
        results = await asyncio.gather(
            ada.does("role", member=bob.id, role="guest"),
            bob.does("role", member=ada.id, role="guest"),
            return_exceptions=True,
        )
        assert [type(each) for each in results] == [dict, Refused]
        owners = [each["key"] for each in (await room.moderation.state())["role"]]
        assert owners == [ada.id]


async def test_the_app_decides_first() -> None:
    """Access to read only stays so for a moderator, who may moderate; access `moderate` makes a moderator."""
    async with ChatRoom() as room:
        ada = await come(room, user=ADA, access=Access.READ)
        await room.moderation.role(ada.id, "moderator")
        assert ada.session.access == Access.of(["read", "moderate"])
        ann, bob = await come(room, "Ann", access=Access.MODERATE), await come(room, "Bob")
        assert ann.told("welcome")[0]["role"] == "moderator"
        await ann.does("mute", member=bob.id)
        with pytest.raises(Refused):
            await ann.does("mute", member=ada.id)


async def test_a_role_that_is_taken_while_the_person_joins_shows_no_badge() -> None:
    """A hook holds the join up; meanwhile the role ends."""
    room, held = ChatRoom(), asyncio.Event()
    asked = asyncio.Event()

    @room.on("join")
    async def wait(_: object) -> None:
        asked.set()
        await held.wait()

    async with room:
        await room.moderation.role("user:ada", "moderator")
        coming = asyncio.ensure_future(come(room, user=ADA))
        await asked.wait()
        await room.moderation.role("user:ada", "guest")
        held.set()
        ada = await coming
        await settle(room)
        assert room.members[0].roles == ()
        assert ada.session.access == Access.WRITE


async def test_moderation_from_another_thread() -> None:
    """A plain function in another thread bans, by the names of the protocol."""
    async with ChatRoom() as room:
        ann = await come(room, "Ann")
        member_id = ann.id
        await asyncio.to_thread(lambda: room.threadsafe.moderate("ban", member=member_id, reason="spam"))
        assert ann.errors == ["banned"]
        with pytest.raises(Refused):
            await room.moderation.perform("fly", member=member_id)


async def test_a_former_moderator_deletes_nothing_of_others() -> None:
    """The right goes with the role, even if the hook `join` refuses to show the change to everybody."""
    async with ChatRoom() as room:
        owner, mo = await come(room, user=OWNER), await come(room, user=User("max", "Max"))
        await owner.does("role", member=mo.id, role="moderator")
        await settle(room)
        message = await room.post("kept", author="bot")

        @room.on("join")
        def refuse(member: Member) -> None:
            raise Refused("no", "Not now.")

        await owner.does("role", member=mo.id, role="guest")
        await settle(room)
        with pytest.raises(Refused) as refused:
            await mo.session.delete(message.seq)
        assert refused.value.code == "not_yours"
        assert (await room.message(message.seq)).text == "kept"
