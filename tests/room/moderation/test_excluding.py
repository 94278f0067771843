"""Bans, kicks and mutes: at once for all open connections, and for whoever comes back."""

from __future__ import annotations

import pytest

from pychat import ChatRoom, Close, Refused, User, asgi_app
from pychat.testing import FakeClock
from tests.room.moderation.people import MODERATOR, OWNER, come, settle


async def test_a_ban_ends_all_connections_at_once_and_keeps_the_person_out() -> None:
    """Both tabs of a banned person close with the reason; the id cannot come back; the name is free."""
    async with ChatRoom() as room:
        mo, troll = await come(room, user=MODERATOR), await come(room, "Troll")
        tab = await come(room, member_id=troll.id)
        member_id = troll.id
        await mo.does("ban", member=member_id, reason="Spam,\nagain")
        assert [each.closed for each in (troll, tab)] == [Close.BANNED] * 2
        assert troll.told("error") == [{"code": "banned", "text": "You are banned from this room (Spam, again)."}]
        for _ in range(2):
            with pytest.raises(Refused, match="Spam, again") as refusal:
                await come(room, member_id=member_id)
            assert refusal.value.kind.close is Close.BANNED
        await settle(room)
        assert [each.name for each in room.members] == ["Mo"]
        await come(room, "Troll")


async def test_a_token_of_a_banned_member_is_of_no_use() -> None:
    """A guest who joins with the token of somebody who is banned is put out; nobody sees them join."""
    async with ChatRoom() as room:
        troll = await come(room, "Troll")
        token = room.backend.tokens.issue(troll.id)
        await room.moderation.ban(troll.id, reason="spam")
        again = await come(room)
        with pytest.raises(Refused) as refusal:
            await again.session.join("Angel", token)
        assert refusal.value.code == "banned"
        assert again.closed is Close.BANNED
        await settle(room)
        assert room.members == ()


async def test_a_ban_ends_by_itself_and_by_unban() -> None:
    """The refusal says until when; afterwards the person may come back."""
    clock = FakeClock()
    async with ChatRoom(clock=clock) as room:
        ann = await come(room, "Ann")
        member_id = ann.id
        await room.moderation.ban(member_id, seconds=60)
        with pytest.raises(Refused, match="until 2023-11-14 22:14 UTC") as refusal:
            await come(room, member_id=member_id)
        assert refusal.value.as_dict()["until"] == "2023-11-14T22:14:20.000Z"
        clock.move(61)
        await come(room, member_id=member_id)
        await room.moderation.ban(member_id)
        await room.moderation.unban(member_id)
        await come(room, member_id=member_id)
        assert [each.action for each in await room.moderation.audit()] == ["unban", "ban", "ban"]


async def test_a_guest_who_comes_back_as_somebody_else_is_known_by_the_address() -> None:
    """The address of a guest is banned too if nobody else here has it; people with a login are not affected by it."""
    async with ChatRoom() as room:
        troll = await come(room, "Troll", address="203.0.113.7")
        await room.moderation.ban(troll.id)
        with pytest.raises(Refused):
            await come(room, "Angel", address="203.0.113.7")
        await come(room, user=User("ada", "Ada"), address="203.0.113.7")
        await room.moderation.unban(troll.id)  # lifts the ban of the address too
        await come(room, "Angel", address="203.0.113.7")


async def test_the_address_of_a_school_is_not_banned_by_itself() -> None:
    """If somebody else here has the address, only the member is banned, unless the moderator asks for the address."""
    async with ChatRoom() as room:
        troll, pupil = [await come(room, name, address="2001:db8::1") for name in ("Troll", "Pupil")]
        await room.moderation.ban(troll.id)
        assert (troll.closed, pupil.closed) == (Close.BANNED, None)
        other = await come(room, "Other", address="2001:db8::2")  # of the same /64
        await room.moderation.ban(other.id, address=True)
        assert (other.closed, pupil.closed) == (Close.BANNED, Close.BANNED)
        with pytest.raises(Refused):
            await come(room, address="2001:db8::ffff")


async def test_who_posts_and_runs_is_banned_with_the_address() -> None:
    """A guest who has gone already can still be banned together with the address."""
    async with ChatRoom() as room:
        troll = await come(room, "Troll", address="203.0.113.7")
        member_id = troll.id
        await troll.close()
        await room.moderation.ban(member_id)
        with pytest.raises(Refused):
            await come(room, address="203.0.113.7")


async def test_who_becomes_somebody_else_on_one_connection_is_banned_with_the_address() -> None:
    """A guest who posted, gave the nickname back and took another one is put out by a ban of the first one's address."""
    async with ChatRoom() as room:
        troll = await come(room, "Troll", address="203.0.113.7")
        member_id = troll.id
        await troll.session.leave()
        await troll.session.join("Nice Person")
        assert troll.id != member_id
        await room.moderation.ban(member_id, address=True)
        assert troll.closed is Close.BANNED
        with pytest.raises(Refused):
            await come(room, address="203.0.113.7")


async def test_a_network_is_banned_for_guests() -> None:
    """A network is put out at once, and cannot come back until it is unbanned."""
    async with ChatRoom() as room:
        inside, outside = await come(room, address="198.51.100.9"), await come(room, address="198.51.99.9")
        await room.moderation.ban(network="198.51.100.0/24", reason="bots")
        assert (inside.closed, outside.closed) == (Close.BANNED, None)
        with pytest.raises(Refused, match="bots"):
            await come(room, address="198.51.100.200")
        await room.moderation.unban(network="198.51.100.0/24")
        await come(room, address="198.51.100.200")


async def test_a_person_and_a_network_in_one_action() -> None:
    """Both are banned, and the end of the person's ban ends both."""
    async with ChatRoom() as room:
        mo, ann = await come(room, user=MODERATOR), await come(room, "Ann", address="203.0.113.7")
        bob = await come(room, "Bob", address="198.51.100.9")
        await mo.does("ban", member=ann.id, network="198.51.100.0/24")
        assert [ann.closed, bob.closed] == [Close.BANNED] * 2
        await mo.does("unban", member=ann.id)
        assert (await room.moderation.state())["ban"] == []


@pytest.mark.parametrize("network", ["127.0.0.1", "::1", "0.0.0.1", "10.0.0.0/7", "2001::/15", "::ffff:127.0.0.1", "x"])
async def test_the_own_computer_and_half_the_internet_cannot_be_banned(network: str) -> None:
    """Loopback, unspecified addresses and too large networks are refused, with the reason."""
    async with ChatRoom() as room:
        with pytest.raises(Refused) as refusal:
            await room.moderation.ban(network=network)
        assert refusal.value.code == "bad_request"


async def test_trusted_proxies_cannot_be_banned() -> None:
    """Neither by their network, nor as the address of a guest whose proxy does not tell where they are."""
    room = ChatRoom()
    app = asgi_app(room, trusted_proxies=["10.1.0.0/16"])
    found = await app.mount.rooms.find(None, address="10.1.2.3")
    async with room:
        ann = await come(room, "Ann", address="10.1.2.3")
        for network in ("10.1.2.3", "10.0.0.0/8"):
            with pytest.raises(Refused, match="proxy"):
                await room.moderation.ban(network=network)
        await room.moderation.ban(ann.id, address=True)
        assert ann.closed is Close.BANNED
        await come(room, address="10.1.2.3")
    assert found.room is room.backend


async def test_a_kick_lasts_a_minute() -> None:
    """A kicked person reads why, cannot come back for a minute, and then can."""
    clock = FakeClock()
    async with ChatRoom(clock=clock) as room:
        mo, ann = await come(room, user=MODERATOR), await come(room, "Ann")
        member_id = ann.id
        await mo.does("kick", member=member_id, reason="calm down")
        assert ann.closed is Close.KICKED
        assert "calm down" in ann.told("error")[0]["text"]
        with pytest.raises(Refused) as refusal:
            await come(room, member_id=member_id)
        assert refusal.value.code == "kicked"
        clock.move(61)
        await come(room, member_id=member_id)


async def test_a_muted_person_only_reads() -> None:
    """A mute holds against messages, edits, reactions, typing and renames, on all connections, until it ends."""
    clock = FakeClock()
    async with ChatRoom(clock=clock) as room:
        ann = await come(room, "Ann")
        said = await ann.session.say("hi")
        await room.moderation.mute(ann.id, seconds=600, reason="noise")
        tab = await come(room, member_id=ann.id)
        for each in (ann, tab):
            session = each.session
            for attempt in (
                session.say("a"), session.edit(said.seq, "b"), session.react(said.seq, "👍"), session.set_typing(True),
                session.join("Angel"), session.delete(said.seq),
            ):  # fmt: skip
                with pytest.raises(Refused, match="noise") as refusal:
                    await attempt
                assert refusal.value.code == "muted"
                assert refusal.value.until is not None
        await tab.session.history()
        assert ann.told("access")[-1]["muted"]["reason"] == "noise"
        assert tab.told("welcome")[0]["muted"]["until"] == "2023-11-14T22:23:20.000Z"
        clock.move(601)
        assert ann.told("access")[-1] == {"access": ["read", "write", "react", "upload"]}
        await ann.session.say("again")


async def test_leaving_and_joining_does_not_end_a_mute() -> None:
    """Who gives the nickname back and takes another one is still the muted person."""
    async with ChatRoom() as room:
        ann = await come(room, "Ann")
        await room.moderation.mute(ann.id)
        await ann.session.leave()
        with pytest.raises(Refused) as refusal:
            await ann.session.join("Angel")
        assert refusal.value.code == "muted"
        await ann.session.join("Ann")
        with pytest.raises(Refused):
            await ann.session.say("hi")


async def test_one_acts_on_people_of_a_lower_role() -> None:
    """Moderators can do nothing to moderators and owners, nor to themselves; guests can do nothing at all."""
    async with ChatRoom() as room:
        mo, olga = await come(room, user=MODERATOR), await come(room, user=OWNER)
        bob, ann = await come(room, user=User("bob", "Bob", roles=("moderator",))), await come(room, "Ann")
        for target in (bob, olga, mo):
            for action in ("ban", "kick", "mute"):
                with pytest.raises(Refused) as refusal:
                    await mo.does(action, member=target.id)
                assert refusal.value.code == "forbidden"
        with pytest.raises(Refused):
            await ann.does("ban", member=mo.id)
        await olga.does("ban", member=bob.id)
        assert bob.closed is Close.BANNED
        with pytest.raises(Refused):  # an owner's ban is not for moderators to lift
            await mo.does("unban", member="user:bob")


async def test_a_window_without_a_name_does_not_protect_the_address() -> None:
    """A ban of a guest includes the address, although the same person has a second connection without a name."""
    async with ChatRoom() as room:
        reader = await come(room, address="203.0.113.7")
        troll = await come(room, "Troll", address="203.0.113.7")
        await room.moderation.ban(troll.id)
        assert (troll.closed, reader.closed) == (Close.BANNED, Close.BANNED)
