"""The in-memory transport keeps the contract of transports."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pychat import ChatRoom, Position
from pychat.testing import Client, Person, TransportContract


class TestMemory(TransportContract):
    """People in the same process."""

    @asynccontextmanager
    async def people(self, room: ChatRoom) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
        """Come in through `Person`."""

        async def enter(since: Position | None = None) -> Person:
            return await Person.enter(room, since=since)

        yield enter
        await room.aclose()
