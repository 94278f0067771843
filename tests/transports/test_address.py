"""Every wire tells the room the address of each visitor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pychat import ChatRoom, IrcServer
from pychat.room.session import Session
from tests.clients import (
    InRoom,
    PollingManyRooms,
    SocketIOManyRooms,
    SocketIOPerson,
    SSEManyRooms,
    SSEPerson,
    WebSocketManyRooms,
    WebSocketPerson,
)
from tests.irc.person import IrcPerson
from tests.transports.test_contract import served

Enter = Callable[[str], Awaitable[Any]]


async def _in_room(wire: type[Any], url: str) -> InRoom:
    return await InRoom.enter(await wire.connect(url))


#: How somebody enters the lobby on each wire; `url` is that of the mount, for IRC that of the server.
WIRES: dict[str, Enter] = {
    "websocket": WebSocketPerson.enter,
    "socketio": lambda url: SocketIOPerson.enter(url.removesuffix("/some/chat"), path="some/chat/socket.io"),
    "sse": SSEPerson.enter,
    "websocket-2": lambda url: _in_room(WebSocketManyRooms, url),
    "socketio-2": lambda url: _in_room(SocketIOManyRooms, url),
    "polling-2": lambda url: _in_room(PollingManyRooms, url),
    "sse-2": lambda url: _in_room(SSEManyRooms, url),
}


@asynccontextmanager
async def visitor(wire: str, host: str, room: ChatRoom) -> AsyncIterator[Session]:
    """Somebody in the room, as the room sees them."""
    if wire == "irc":
        server = IrcServer(room)
        person = await IrcPerson.enter(await server.start(port=0), "ada")
        try:
            yield _only(room)
        finally:
            person.writer.close()
            await server.aclose()
        return
    async with served(host, room) as url:
        person = await WIRES[wire](f"{url}/some/chat")
        try:
            await person.command("who", {})
            yield _only(room)
        finally:
            await person.close()


def _only(room: ChatRoom) -> Session:
    (session,) = room.backend.core.membership.connections
    assert isinstance(session, Session)
    return session


@pytest.mark.parametrize("host", ["aiohttp", "asgi"])
@pytest.mark.parametrize("wire", [*WIRES, "irc"])
async def test_a_room_knows_where_somebody_is(wire: str, host: str) -> None:
    """The grant has the address of the peer, on every wire and host."""
    async with visitor(wire, host, ChatRoom("lobby")) as session:
        assert session.grant.address == "127.0.0.1"
