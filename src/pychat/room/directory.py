"""The rooms of one mount, by name: which there are, and what somebody may do in them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NamedTuple
from weakref import WeakValueDictionary

from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.model import User
from pychat.domain.request import Request
from pychat.room.app_function import AppFunction
from pychat.room.backend import RoomBackend
from pychat.room.chatroom import ChatRoom
from pychat.room.grant import Grant, unknown_room
from pychat.room.person import Person

__all__ = ["AskAccess", "Found", "ListedRoom", "RoomDirectory"]

_log = logging.getLogger("pychat.room")

#: The app's function: what `user`, or a guest (`None`), may do in the room of that name. May be async.
AskAccess = Callable[[User | None, str], object]


class Found(NamedTuple):
    """A room that somebody may enter, and what they may do in it."""

    room: RoomBackend
    grant: Grant


class ListedRoom(NamedTuple):
    """A room in a list of rooms."""

    name: str
    title: str
    #: How many people are connected to it; 0 for a room that is not open on this server.
    here: int


class RoomDirectory:
    """The rooms of a `Chat`, or of a mount of plain rooms, as transports see them."""

    def __init__(self, *rooms: ChatRoom, access: AskAccess | None = None) -> None:
        self._by_name: dict[str, RoomBackend] = {room.name: room.backend for room in rooms}
        if len(self._by_name) < len(rooms):
            msg = f"Two rooms of one mount have the same name: {', '.join(room.name for room in rooms)}."
            raise UsageError(msg)
        #: The room that is meant when none is named: the first one that was given, if any was.
        self.first: RoomBackend | None = rooms[0].backend if rooms else None
        usage = "it takes a pychat.User (None for a guest) and the name of a room, and returns a pychat.Access"
        self._ask = None if access is None else AppFunction("access", access, Access.of, usage)
        self._people = WeakValueDictionary[str, Person]()

    def __iter__(self) -> Iterator[RoomBackend]:
        """The rooms that are open."""
        return iter(tuple(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> RoomBackend | None:
        """The room of that name, if it is open."""
        return self._by_name.get(name)

    def person(self, member_id: str | None) -> Person:
        """The person of that member id, who is the same for all connections; a new one for a guest without an id."""
        if member_id is None:
            return Person()
        person = self._people.get(member_id)
        if person is None:
            person = self._people[member_id] = Person(member_id)
        return person

    async def find(
        self,
        name: object,
        user: User | None = None,
        request: Request | None = None,
        *,
        person: Person | None = None,
        trusted: bool = False,
    ) -> Found:
        """The room that a visitor named (the first for `None`), and what they may do in it.

        `person` is the visitor, if the transport knows more than `user` does. `trusted` is for programs of the app,
        which may enter any room. Raise `Refused` with `unknown_room`: the room does not exist, or not for them.
        """
        room = self.pick(name)
        person = person or self.person(None if user is None else user.member_id)
        if self._ask is None or trusted:
            return Found(room, Grant(Access.WRITE, person))
        ask: Callable[[], Awaitable[Access]] = partial(self.access, user, room.name)
        grant = Grant(Access.NONE, person, ask)
        grant.access = await ask()
        await grant.renew()
        return Found(room, grant)

    async def access(self, user: User | None, name: str) -> Access:
        """What `user`, or a guest, may do in the room of that name, whether there is one or not. Raise `Refused`."""
        if self._ask is None:
            return Access.WRITE
        return await self._ask(
            user,
            name,
            about=f"{'a guest' if user is None else user.member_id} in {name}",
            late="The server took too long to find out what you may do here. Try again.",
            failed="The server could not find out what you may do here. Try again later.",
        )

    async def visible(self, user: User | None = None, after: str = "", limit: int = 100) -> list[ListedRoom]:
        """The listed rooms that a visitor may read, in order of name: at most `limit` after the name `after`."""
        found: list[ListedRoom] = []
        for name in sorted(name for name in self._by_name if name > after):
            if len(found) < limit and "read" in await self.access(user, name):
                room = self._by_name[name]
                found.append(ListedRoom(name, room.title, room.here))
        return found

    def pick(self, name: object) -> RoomBackend:
        """The open room of that name, the first for `None`, whoever asks. Raise `Refused` with `unknown_room`."""
        room = self.first if name is None else self._by_name.get(name) if isinstance(name, str) else None
        if room is None:
            raise unknown_room("" if self._ask else f" There are: {', '.join(self._by_name)}.")
        return room

    @property
    def max_message_bytes(self) -> int:
        """Bytes of one message to the server, on any wire.

        A text of the longest length, each character escaped as a surrogate pair, and room for the rest.
        """
        return max((room.limits.text for room in self), default=2_000) * 12 + 4096

    async def start(self) -> None:
        """Open all rooms. Where a store cannot be reached, that is logged, and the room opens for whoever comes."""
        for room in self:
            try:
                await room.start()
            except Refused as refused:
                _log.warning("The room %s is not open yet: %s", room.name, refused.text)

    async def aclose(self, why: Close) -> None:
        """Close all rooms."""
        for room in self:
            room.dismiss(why)
        for room in self:
            await room.aclose(why)
