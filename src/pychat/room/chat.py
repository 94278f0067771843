"""`Chat`: many rooms with one store, one `authenticate` and hooks for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Self

from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused
from pychat.domain.limits import Limits
from pychat.domain.model import User
from pychat.domain.request import Request
from pychat.domain.settings import RoomSettings
from pychat.room.chatroom import ChatRoom
from pychat.room.directory import RoomDirectory
from pychat.room.erasing import erase_user
from pychat.stores import Store, open_store

__all__ = ["AccessFunction", "Authenticate", "Chat", "FindRoom"]

#: The app's function: it returns a `User`, or `None` for a guest. It may raise or return `Refused`, and may be async.
Authenticate = Callable[[Request], User | Refused | Awaitable[User | Refused | None] | None]

_FoundRoom = RoomSettings | ChatRoom | None
#: The app's function: the settings of the room of that name, or the room; `None` if there is none. May be async.
FindRoom = Callable[[str, Request], _FoundRoom | Awaitable[_FoundRoom]]

_Level = Access | str | Iterable[str]
#: The app's function: what a user, or a guest (`None`), may do in the room of that name. May be async.
AccessFunction = Callable[[User | None, str], _Level | Awaitable[_Level]]


class Chat:
    """Many rooms: those that are given, and those that are opened while the app runs. Mount it as you mount a room."""

    def __init__(
        self,
        *rooms: ChatRoom,
        store: str | Store = "memory:",
        authenticate: Authenticate | None = None,
        find_room: FindRoom | None = None,
        access: AccessFunction | None = None,
        limits: Limits | None = None,
        reserved_names: Iterable[str] = ("admin",),
        grace: float = 30.0,
        idle: float = 60.0,
        max_rooms_per_person: int = 1000,
    ) -> None:
        """`store` is for the rooms that have none of their own.

        `find_room` is asked for a room that is not open; `access` says what a visitor may do in a room. A room that was
        opened while the app runs closes when nobody was in it for `idle` seconds.
        """
        self.authenticate = authenticate
        self.max_rooms_per_person = max_rooms_per_person
        self._store = open_store(store) if isinstance(store, str) else store
        self._find_room = find_room
        self._limits = limits or Limits()
        self._reserved_names = tuple(reserved_names)
        self._grace = grace
        self._idle = idle
        self._rooms = {room.name: room for room in rooms}
        #: The rooms as transports see them.
        self.directory = RoomDirectory(*rooms, access=access)

    def get(self, name: str) -> ChatRoom | None:
        """The room of that name, if it is open."""
        return self._rooms.get(name)

    async def erase_user(self, user_id: str) -> None:
        """Erase all that the user of that id wrote, in all rooms of the store, also in those that are not open.

        What is erased is the same as with `ChatRoom.purge(author=…)`, and what the user has read. The user's
        connections to this server are closed with `Close.KICKED`; let `authenticate` refuse the user before that. Raise
        `UsageError` if the store cannot erase.
        """
        await erase_user(self._store, [room.backend.core for room in self._rooms.values()], user_id)

    async def start(self) -> None:
        """Open the rooms that were given. Idempotent; after `aclose`, everything is opened again."""
        await self.directory.start()

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Close all connections for the reason `why`, and the store if this chat opened it. Idempotent."""
        await self.directory.aclose(why)

    async def __aenter__(self) -> Self:
        """`async with Chat() as chat:` starts the chat, and closes it at the end."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
