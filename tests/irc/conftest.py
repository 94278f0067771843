"""A room with an IRC server before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from pychat import ChatRoom, IrcServer
from tests.irc.person import IrcPerson


class Open(Protocol):
    """Opens a server for rooms."""

    def __call__(self, *rooms: ChatRoom, **options: Any) -> Awaitable[IrcServer]:
        """Do it."""


class Enter(Protocol):
    """Lets somebody in."""

    def __call__(self, nick: str, channel: str | None = "#lobby", **about: str) -> Awaitable[IrcPerson]:
        """Do it."""


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Start servers; close them, and their rooms, in the end."""
    async with AsyncExitStack() as stack:

        async def start(*rooms: ChatRoom, **options: Any) -> IrcServer:
            server = IrcServer(*rooms, **options)
            await server.start(port=0)
            for room in rooms:
                stack.push_async_callback(room.aclose)
            stack.push_async_callback(server.aclose)
            return server

        yield start


@pytest.fixture
def room() -> ChatRoom:
    """The lobby."""
    return ChatRoom("lobby", title="The Lobby")


@pytest.fixture
async def server(opened: Open, room: ChatRoom) -> IrcServer:
    """A server with the lobby."""
    return await opened(room)


@pytest.fixture(autouse=True)
async def everybody_goes() -> AsyncIterator[None]:
    """Close every client in the end, whatever a test came to."""
    yield
    while IrcPerson.connected:
        await IrcPerson.connected.pop().close()


@pytest.fixture
def enter(server: IrcServer) -> Enter:
    """Let somebody in."""

    async def come(nick: str, channel: str | None = "#lobby", **about: str) -> IrcPerson:
        return await IrcPerson.enter(server.port, nick, channel, **about)

    return come
