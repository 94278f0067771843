"""The in-memory transport: a person without a socket, for tests and for bots."""

from __future__ import annotations

import asyncio
from typing import Any

from pychat.domain.errors import Close
from pychat.domain.model import Position
from pychat.domain.notices import Notice
from pychat.protocol.v1 import close_event, encode
from pychat.room.chatroom import ChatRoom
from pychat.room.connection import Encoder
from pychat.room.session import Session
from pychat.transports.commands import execute

__all__ = ["Person", "RecordingConnection"]

_TIMEOUT = 10.0  # seconds

_Fields = dict[str, Any]


class _Events:
    """The events of one person, and which of them were returned by `next`."""

    def __init__(self) -> None:
        self.all: list[tuple[str, _Fields]] = []
        self._seen: set[int] = set()
        self._more = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, name: str, fields: _Fields) -> None:
        self.all.append((name, fields))
        task = asyncio.get_running_loop().create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def next(self, name: str) -> _Fields:
        def find() -> int | None:
            return next((i for i, (given, _) in enumerate(self.all) if given == name and i not in self._seen), None)

        async with asyncio.timeout(_TIMEOUT), self._more:
            await self._more.wait_for(lambda: find() is not None)
        index = find()
        assert index is not None  # noqa: S101 -- waited for above
        self._seen.add(index)
        return self.all[index][1]

    async def _wake(self) -> None:
        async with self._more:
            self._more.notify_all()


class _ObjectEncoder(Encoder):
    """Encodes events as a name and a dict."""

    def encode(self, notice: Notice) -> tuple[str, _Fields]:
        return encode(notice)


class RecordingConnection:
    """A connection that keeps all its events in a list."""

    encoder = _ObjectEncoder()

    def __init__(self) -> None:
        self.told = _Events()
        #: Why it was closed; `None` while it is open.
        self.closed: Close | None = None

    @property
    def events(self) -> list[tuple[str, _Fields]]:
        """Every event so far, as its name and its fields."""
        return self.told.all

    def send(self, frame: tuple[str, _Fields]) -> None:
        """Keep an event."""
        if self.closed is None:
            self.told.put(*frame)

    def close(self, why: Close) -> None:
        """Keep the reason as the last event."""
        if self.closed is None:
            self.send(close_event(why))
            self.closed = why


class Person:
    """A person, or a bot, in the same process. Has the methods of `Client`, and some more."""

    def __init__(self, session: Session, connection: RecordingConnection) -> None:
        self._session = session
        self.connection = connection

    @classmethod
    async def enter(cls, room: ChatRoom, *, since: Position | None = None) -> Person:
        """Enter `room` as a guest."""
        connection = RecordingConnection()
        return cls(await room.connect(connection, since=since), connection)

    async def command(self, name: str, fields: _Fields | None = None) -> _Fields:
        """Send a command of version 1 and return its answer."""
        return await execute(self._session, name, {} if fields is None else fields)

    async def join(self, name: str, token: str | None = None) -> _Fields:
        """Take a nickname; return the answer."""
        return await self.command("join", {"name": name, "token": token})

    async def say(self, text: str) -> _Fields:
        """Send a message; return the answer."""
        return await self.command("say", {"text": text})

    async def event(self, name: str) -> _Fields:
        """The next event of that name."""
        return await self.connection.told.next(name)

    async def close(self) -> None:
        """Leave, and free the nickname."""
        await self._session.close(left=True)

    async def drop(self) -> None:
        """Lose the connection."""
        await self._session.close()
