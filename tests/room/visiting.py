"""People who enter the rooms of a chat by name, as a transport lets them in."""

from __future__ import annotations

from pychat import Chat, Request, User
from pychat.room.session import Session
from pychat.testing import Person, RecordingConnection
from pychat.transports.admission import admit

__all__ = ["ADA", "BOB", "Visitor", "enter", "request"]

ADA, BOB = User("ada", "Ada"), User("bob", "Bob")


def request(room: str = "", remote: str = "192.0.2.1") -> Request:
    """What a transport passes to the app."""
    return Request("GET", "/ws", {}, {"room": room} if room else {}, remote, room, None)


class Visitor(Person):
    """A person in one room of a chat."""

    def __init__(self, session: Session, connection: RecordingConnection) -> None:
        super().__init__(session, connection)
        self.session = session


async def enter(chat: Chat, name: str | None, user: User | None = None, *, remote: str = "192.0.2.1") -> Visitor:
    """Enter a room as a transport does. Raise `Refused`."""
    connection = RecordingConnection()
    room, grant = await chat.directory.find(name, user, request(name or "", remote))
    return Visitor(await admit(room, connection, user=user, grant=grant), connection)
