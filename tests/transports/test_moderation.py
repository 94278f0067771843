"""What clients that know nothing of moderation are told of it: those of 2013, and of version 1 as it was before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pychat import ChatRoom, aiohttp_app
from tests.clients import SocketIOPerson
from tests.servers import aiohttp_server


@pytest.fixture
def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby")


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room)) as address:
        yield address


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
async def test_a_client_of_2013_is_told_why_it_is_banned(
    room: ChatRoom, url: str, transports: list[str], node_clients: Any
) -> None:
    """It hears `error` with the reason, and `bye`; it does not come back by itself, and is refused with the reason."""
    ada = await node_clients(url, transports=transports)
    await ada.do("emit", "setPseudo", "Ada")
    assert (await ada.told("pseudoStatus"))[0] == "ok"
    await room.moderation.set(topic="Tea", slow=5)  # it knows no word for these
    await room.moderation.mute(room.members[0], seconds=60, reason="Caps")
    await ada.do("emit", "message", "HELLO")
    error = (await ada.told("error"))[0]
    assert error["code"] == "muted"
    assert "Caps" in error["text"]
    await room.moderation.unmute(room.members[0])
    assert (await ada.call("message", "hello"))["ok"]
    await room.moderation.ban(room.members[0], reason="Caps")
    if transports == ["websocket"]:  # over polling, the connection may end before the client asks for these
        error = (await ada.told("error"))[0]
        assert (error["code"], "Caps" in error["text"]) == ("banned", True)
        assert (await ada.told("bye"))[0]["code"] == 4014
    await ada.told("(disconnect)")
    await ada.do("connect")
    text, data = await ada.told("(connect_error)")
    assert "Caps" in text
    assert (data["code"], data["reconnect"]) == ("banned", False)
    assert [message.text for message in await room.history()] == ["hello"]


async def test_a_client_of_2013_is_told_why_it_is_kicked(room: ChatRoom, url: str) -> None:
    """The application's text comes as `error` too."""
    ada = await SocketIOPerson.enter(url, version=None, transports=("websocket",))
    await ada.client.emit("setPseudo", "Ada")
    assert await ada.event("pseudoStatus") == "ok"
    await room.kick(room.members[0].id, "Mind your words.")
    assert await ada.event("error") == {"code": "kicked", "text": "Mind your words."}
    assert (await ada.event("bye"))["reason"] == "kicked"
    await ada.close()
