"""People of a chat, for the tests of what is unread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pychat import User
from pychat.domain.notices import UnreadRoom
from pychat.room.chat import Chat
from pychat.testing import FakeClock, Person, RecordingConnection

_T = TypeVar("_T")
ADA, BOB, CLEO = User("ada", "Ada"), User("bob", "Bob"), User("cleo", "Cleo")


async def enter(chat: Chat, room: str, user: User) -> Person:
    """Enter a room, as a transport does for a user."""
    found = await chat.directory.find(room, user, person=chat.directory.person(user.member_id))
    connection = RecordingConnection()
    return Person(await found.room.connect(connection, user=user, grant=found.grant), connection)


class Watcher:
    """One device of somebody who watches what is unread."""

    def __init__(self, chat: Chat, user: User) -> None:
        self._chat = chat
        self._user = user
        self.rooms: dict[str, UnreadRoom] = {}
        #: The frames: the names in each.
        self.frames: list[tuple[list[str], list[str]]] = []

    async def watch(self) -> dict[str, tuple[int, int]]:
        """Begin; return messages and mentions by room."""
        rooms = await self._chat.directory.readers.watch(self._user.member_id, self._user, self)
        self.rooms = {room.name: room for room in rooms}
        return self.counts

    def stop(self) -> None:
        """Watch no more."""
        self._chat.directory.readers.unwatch(self._user.member_id, self)

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Messages and mentions by room."""
        return {name: (room.messages, room.mentions) for name, room in sorted(self.rooms.items())}

    def unread(self, changed: list[UnreadRoom], gone: list[str]) -> None:
        """Take a frame."""
        self.frames.append((sorted(room.name for room in changed), sorted(gone)))
        self.rooms.update((room.name, room) for room in changed)
        for name in gone:
            self.rooms.pop(name, None)


async def settle(clock: FakeClock, seconds: float = 1.0) -> None:
    """Let time pass, and all that it starts."""
    clock.move(seconds)
    for _ in range(50):
        await asyncio.sleep(0)


async def eventually(clock: FakeClock, condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Let time pass until `condition` is true, for 60 seconds at most. Stores of files and servers take real time."""
    for _ in range(60):
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        await settle(clock)
        await asyncio.sleep(0.005)
    raise AssertionError("It did not happen")


async def late(clock: FakeClock, work: Awaitable[_T]) -> _T:
    """The result of something that waits for the time to pass."""
    task = asyncio.ensure_future(work)
    await settle(clock, 0)
    await settle(clock)
    return await task
