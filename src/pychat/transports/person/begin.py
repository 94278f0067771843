"""Begins the connection of a person on version 2."""

from __future__ import annotations

from pychat.domain.model import User
from pychat.domain.notices import You
from pychat.net.http.request import Request
from pychat.protocol.v2 import welcome_event
from pychat.transports.person.commands import COMMANDS
from pychat.transports.person.connection import PersonConnection
from pychat.transports.person.people import People
from pychat.transports.person.wire import PersonWire

__all__ = ["begin"]


async def begin(
    people: People, wire: PersonWire, request: Request, user: User | None, token: str | None
) -> PersonConnection:
    """Welcome the person who opened a connection; they are in no room yet. Raise `Refused`."""
    identity = await people.identify(request, user, token)
    you = None
    if user is not None:
        you = You(user.member_id, user.name, user.roles, user.name is not None and user.name_fixed)
    blocked = await people.rooms.readers.blocks.of(identity.member_id)
    wire.tell(*welcome_event(identity.member_id, identity.token, you, people.max_rooms, blocked))
    return PersonConnection(people, wire, identity, COMMANDS)
