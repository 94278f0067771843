"""A room with an IRC server before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
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


@pytest.fixture
async def people() -> AsyncIterator[Callable[[IrcPerson], IrcPerson]]:
    """Clients to be closed in the end."""
    known: list[IrcPerson] = []

    def keep(person: IrcPerson) -> IrcPerson:
        known.append(person)
        return person

    yield keep
    for person in known:
        await person.close()


@pytest.fixture
def enter(server: IrcServer, people: Callable[[IrcPerson], IrcPerson]) -> Enter:
    """Let somebody in."""

    async def come(nick: str, channel: str | None = "#lobby", **about: str) -> IrcPerson:
        return people(await IrcPerson.enter(server.port, nick, channel, **about))

    return come
