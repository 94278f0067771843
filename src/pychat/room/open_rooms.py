"""The open rooms of a chat, by name: each name has one room, and a room that nobody is in is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from weakref import WeakValueDictionary

from pychat.domain.errors import Close, UsageError
from pychat.room.backend import RoomBackend
from pychat.room.chatroom import ChatRoom
from pychat.room.clock import Clock, Timer

__all__ = ["OpenRooms"]

_MAX_AT_ONCE = 100  # rooms that are let go in one turn of the event loop: about 2 ms


class OpenRooms:
    """Rooms that were given stay open; all others rest after nobody was in them for `idle` seconds.

    A room that rests is forgotten, unless the app still holds it: then it is the same room that opens again.
    """

    def __init__(self, given: Iterable[ChatRoom], idle: float, clock: Clock) -> None:
        rooms = list(given)
        #: The rooms that were given.
        self.given = {room.name: room for room in rooms}
        if len(self.given) < len(rooms):
            msg = f"Two rooms of one mount have the same name: {', '.join(room.name for room in rooms)}."
            raise UsageError(msg)
        #: Called with each room that is opened on demand, for the first time.
        self.on_add: Callable[[ChatRoom], None] = lambda _: None
        #: Called with each room that is let go.
        self.on_rest: Callable[[ChatRoom], None] = lambda _: None
        #: Called with each room that was opened on demand and is deleted.
        self.on_deleted: Callable[[ChatRoom], None] = lambda _: None
        self._open = dict(self.given)
        self._known = WeakValueDictionary[str, ChatRoom]()  # also those that rest and are still held by somebody
        self._idle = idle
        self._clock = clock
        self._empty: dict[str, float] = {}  # name -> when it was seen empty, the longest ago first
        self._timer: Timer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # of the timer
        self._closed = False

    def __iter__(self) -> Iterator[ChatRoom]:
        """The open rooms, those that were given first. Rooms may open and rest during the iteration."""
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    @property
    def all(self) -> list[ChatRoom]:
        """The rooms that were given, and those that were opened on demand and that somebody still holds."""
        return [*self.given.values(), *self._known.values()]

    def get(self, name: str) -> ChatRoom | None:
        """The room of that name, if it is open."""
        return self._open.get(name)

    def known(self, name: str) -> ChatRoom | None:
        """The room of that name, if it is open, or if it rests and somebody still holds it."""
        return self._open.get(name) or self._known.get(name)

    def add(self, room: ChatRoom) -> None:
        """Add a room that is opened on demand. There must be no other of that name."""
        room.backend.keep(self)
        self._known[room.name] = room
        self.on_add(room)
        self.opened(room.backend)

    # The port `RoomKeeper`: called by the rooms that are opened on demand.

    def opened(self, room: RoomBackend) -> None:
        """The room is opened, perhaps again after it rested."""
        if room.name not in self._open and (face := self._known.get(room.name)) is not None:
            self._open[room.name] = face
            self.emptied(room)

    def emptied(self, room: RoomBackend) -> None:
        """Nobody is in the room: let it go in a while."""
        self._empty.pop(room.name, None)
        self._empty[room.name] = self._clock.steady()
        loop = asyncio.get_running_loop()
        if (self._timer is None or self._loop is not loop) and not self._closed:
            self._loop = loop
            self._timer = self._clock.call_later(self._idle, self._look)

    def deleted(self, room: RoomBackend) -> None:
        """The room was deleted: forget it, whoever holds it."""
        if (face := self._known.pop(room.name, None)) is not None:
            self._open.pop(room.name, None)
            self._empty.pop(room.name, None)
            self.on_deleted(face)
        room.end()

    def _look(self) -> None:
        """Let those rooms go that have been empty for long enough, some in each turn of the event loop."""
        self._timer = None
        now, looked = self._clock.steady(), 0
        while self._empty:
            name, since = next(iter(self._empty.items()))
            wait = since + self._idle - now
            if wait > 0 or looked == _MAX_AT_ONCE:
                self._timer = self._clock.call_later(max(0.0, wait), self._look)
                return
            looked += 1
            del self._empty[name]
            room = self._open.get(name)
            if room is None or not room.backend.core.membership.connections.empty:
                continue  # it will say when it is empty
            if room.backend.idle:
                del self._open[name]
                room.backend.rest()
                self.on_rest(room)
            else:
                self._empty[name] = now

    def start(self) -> None:
        """Begin, or begin again after `close`: rooms that the app holds open again when they are used."""
        self._closed = False
        for room in self.all:
            if room.name in self.given:
                continue
            room.backend.resting = room.name not in self._open and room.backend.core.delivery.closed

    async def close_room(self, room: ChatRoom, why: Close) -> None:
        """Close the connections to one room. If it was opened on demand, it rests then."""
        if room.name in self.given:
            room.dismiss(why)
            return
        await room.aclose(why)
        if self._open.get(room.name) is room:
            del self._open[room.name]
            self._empty.pop(room.name, None)
            self.on_rest(room)
        room.backend.resting = not room.backend.deleted

    def close(self) -> list[ChatRoom]:
        """Let nothing go any more, and forget the rooms that were opened on demand. Return all open rooms."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rooms = list(self._open.values())
        self._open = dict(self.given)
        self._empty.clear()
        return rooms
