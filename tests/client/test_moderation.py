"""What the Python client knows of moderation: it does what moderators do, hears it, and stays out when it is put out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pychat import (
    AccessChanged,
    ChatClient,
    ChatRoom,
    Client,
    Close,
    Disconnected,
    Message,
    Refused,
    RoomChanged,
    UsageError,
    User,
    aiohttp_app,
)
from pychat.client import RoomClient
from pychat.domain.notices import Mute, Pinned
from pychat.domain.roles import Role
from tests.client.cable import Cable, cable
from tests.client.hearing import event, until
from tests.servers import aiohttp_server


@pytest.fixture
def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby", title="The Lobby")


@pytest.fixture
async def laid(room: ChatRoom) -> AsyncIterator[Cable]:
    """A cable to a server with the room, where Ada's login makes her a moderator."""

    def authenticate(request: object) -> User | None:
        login = getattr(request, "headers", {}).get("x-login")
        return None if login is None else User(login, login.title(), roles=("moderator",))

    async with aiohttp_server(aiohttp_app(room, authenticate=authenticate)) as url, cable(url) as found:
        yield found


MODERATOR = {"X-Login": "ada"}


async def test_a_moderator_keeps_order(laid: Cable) -> None:
    """Settings, pins and mutes reach everybody's client, as events and as state; what was done is in the audit log."""
    async with Client(laid.url, headers=MODERATOR) as ada, Client(laid.url, name="Bob") as bob:
        assert (ada.role, bob.role, ada.queue, bob.queue) == (Role.MODERATOR, Role.GUEST, ada.queue, None)
        assert bob.me is not None
        said = await ada.say("Be kind.")
        await ada.moderate("set", topic="Tea", slow=10)
        assert (await event(bob, RoomChanged)).topic == "Tea"
        await ada.moderate("pin", target=said.seq)
        assert (await event(bob, RoomChanged)).pinned == (Pinned(said.seq, "Ada", "Be kind."),)
        assert bob.settings == ada.settings
        assert (bob.settings.title, bob.settings.slow) == ("The Lobby", 10)
        await ada.moderate("mute", member=bob.me.id, reason="Caps")
        changed = await event(bob, AccessChanged)
        assert (changed.muted, bob.muted) == (Mute(None, "Caps"), Mute(None, "Caps"))
        assert "write" not in bob.access
        with pytest.raises(Refused) as caught:
            await bob.say("HI")
        assert (caught.value.code, caught.value.until) == ("muted", None)
        state = await ada.moderation()
        assert (state["settings"]["topic"], state["mutes"][0]["reason"], state["more"]) == ("Tea", "Caps", False)
        assert [each.action for each in await ada.audit()] == ["mute", "pin", "set"]
        (entry,) = await ada.audit(before=3, limit=1)
        assert (entry.action, entry.target, entry.by.name, entry.number) == ("pin", str(said.seq), "Ada", 2)


async def test_an_action_that_does_not_exist_is_found_at_once(laid: Cable) -> None:
    """A misspelled field must not make a ban of an hour one for ever."""
    async with Client(laid.url, headers=MODERATOR) as ada:
        with pytest.raises(UsageError, match="ban takes no field 'second', only: member, network, seconds"):
            await ada.moderate("ban", member="x", second=3600)
        with pytest.raises(UsageError, match="There is no action '__class__'"):
            await ada.moderate("__class__")
        with pytest.raises(Refused, match="“ban” needs “member”"):
            await ada.moderate("ban")
        assert await ada.audit() == []


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("action", "close"), [("ban", Close.BANNED), ("kick", Close.KICKED)])
async def test_who_is_put_out_stays_out(laid: Cable, version: int, action: str, close: Close) -> None:
    """The iterator raises the reason with its end, commands fail with it, and the client does not connect again."""
    async with Client(laid.url, headers=MODERATOR) as ada, ChatClient(laid.url, name="Bob") as chat:
        bob: RoomClient = await chat.enter("lobby")
        if version == 1:
            bob = await Client(laid.url, name="Bert").__aenter__()
        assert bob.me is not None
        connected = laid.connected
        await ada.moderate(action, member=bob.me.id, seconds=3600, reason="Caps")
        with pytest.raises(Disconnected, match="Caps") as caught:
            await event(bob, Message)
        assert caught.value.close is close
        assert caught.value.refused is not None
        assert caught.value.refused.until is not None
        with pytest.raises(Disconnected, match="Caps"):
            await bob.say("hi")
        if version == 2:  # the connection stays, and the room is closed for this person
            with pytest.raises(Refused, match="Caps") as refused:
                await chat.enter("lobby")
            assert refused.value.kind.close is close
            assert refused.value.until == caught.value.refused.until
        assert laid.connected == connected


async def test_what_has_changed_while_a_client_was_away_is_told(laid: Cable, room: ChatRoom) -> None:
    """After a drop, new settings and a new role come as events."""
    async with Client(laid.url, headers=MODERATOR) as ada, ChatClient(laid.url, name="Bob") as chat:
        bob = await chat.enter("lobby")
        laid.unplugged = True
        laid.cut()
        await until(lambda: chat.state.name == "reconnecting")
        await room.moderation.set(topic="Tea")
        await room.moderation.role(chat.id, "member")
        laid.unplugged = False
        assert (await event(bob, RoomChanged)).topic == "Tea"
        assert (await event(bob, AccessChanged)).role is Role.MEMBER
        assert ada.me is not None


async def test_slow_mode_is_waited_for(laid: Cable) -> None:
    """A message that comes too early is sent again when the time is over; nobody has to do anything."""
    async with Client(laid.url, headers=MODERATOR) as ada, Client(laid.url, name="Bob") as bob:
        await ada.moderate("set", slow=1)
        await event(bob, RoomChanged)
        assert [(await bob.say(text)).text for text in ("one", "two")] == ["one", "two"]
