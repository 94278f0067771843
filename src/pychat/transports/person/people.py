"""What all connections of persons of one mount share: the rooms, and the tokens by which guests come back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Protocol

from pychat.domain.limits import Limits
from pychat.domain.model import User
from pychat.net.deadlines import Deadlines
from pychat.net.http.request import Request
from pychat.room.directory import Found, RoomDirectory
from pychat.room.person import Person
from pychat.room.tokens import Tokens
from pychat.room.turns import Turns
from pychat.transports.admission import opened
from pychat.transports.authenticator import Authenticator

__all__ = ["Identity", "People"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is, in all rooms of a connection."""

    member_id: str
    #: The login; `None` for a guest.
    user: User | None
    #: The handshake of the connection.
    request: Request
    #: With this, a guest comes back as the same person.
    token: str | None
    #: The same object for all connections of this person.
    person: Person

    @property
    def guest_id(self) -> str:
        """The id in a room where the app knows no user: a guest is never taken for a user."""
        return self.member_id if self.user is None else Tokens.new_id()


class Roomless(Hashable, Protocol):
    """A connection that is in no room."""

    def late(self) -> None:
        """It was in none for too long."""


def _never_entered(connection: Roomless) -> None:
    connection.late()


class People:
    """Finds out who somebody is, and which room they mean. One for each mount."""

    def __init__(self, rooms: RoomDirectory, authenticator: Authenticator, *, enter_seconds: float = 300.0) -> None:
        """A connection that is in no room for so long, and has not asked what is unread, is closed."""
        #: Connections that are in no room.
        self.roomless = Deadlines[Roomless](enter_seconds, _never_entered)
        #: The rooms.
        self.rooms = rooms
        #: The number of rooms that one person can be in.
        self.max_rooms = rooms.max_rooms_per_person
        #: Asks the app who somebody is.
        self.authenticator = authenticator
        #: Entering a room takes up to a millisecond, so one room is entered in each turn of the event loop.
        self.turns = Turns()

    @property
    def first_name(self) -> str:
        """The name of the room that the app is asked about for a handshake that names none; empty if there is none."""
        return "" if self.rooms.first is None else self.rooms.first.name

    @property
    def limits(self) -> Limits:
        """The rates at which a person may send commands that are not for one room."""
        return self.rooms.limits

    async def tokens(self) -> Tokens:
        """Signs who somebody is in all rooms. Raise `Refused` while the store is unavailable."""
        if self.rooms.first is not None:
            await opened(self.rooms.first)
        return await self.rooms.tokens()

    async def member_id(self, token: str) -> str | None:
        """The guest of a token; `None` if it is unknown. Raise `Refused` while the store is unavailable."""
        return (await self.rooms.tokens()).read(token)

    async def identify(self, request: Request, user: User | None, token: str | None) -> Identity:
        """Who opens a connection: the app's `user`, the guest of a token, or somebody new."""
        if user is not None:
            return Identity(user.member_id, user, request, None, self.rooms.person(user.member_id))
        tokens = await self.tokens()
        member_id = (tokens.read(token) if token else None) or Tokens.new_id()
        return Identity(member_id, None, request, tokens.issue(member_id), self.rooms.person(member_id))

    async def find(self, name: str, identity: Identity) -> tuple[Found, User | None]:
        """The open room of that name, what the person may do there, and their login there. Raise `Refused`.

        An app without `access` may let a user into some rooms only by its `authenticate`, which is asked again for each
        room.
        """
        user, request = identity.user, identity.request
        if name != request.room:
            request = replace(request, room=name)
            if self.authenticator.asks and not self.rooms.asks_access:
                user = await self.authenticator.authenticate(request)
        found = await self.rooms.find(name, user, request, person=identity.person)
        await opened(found.room, 0)
        return found, user
