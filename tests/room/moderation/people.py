"""People in a room with moderators: guests with addresses, users with logins, and their roles."""

from __future__ import annotations

import asyncio
from typing import Any

from pychat import ChatRoom, Close, User
from pychat.domain.access import Access
from pychat.room.grant import Grant
from pychat.room.session import Session
from pychat.testing import Person, RecordingConnection

__all__ = ["MODERATOR", "OWNER", "Visitor", "come", "settle"]

OWNER, MODERATOR = User("olga", "Olga", roles=("owner",)), User("mo", "Mo", roles=("moderator",))


class Visitor(Person):
    """A person in a room."""

    def __init__(self, session: Session, connection: RecordingConnection) -> None:
        super().__init__(session, connection)
        self.session = session

    @property
    def id(self) -> str:
        """The id of the member."""
        assert self.session.member_id is not None
        return self.session.member_id

    @property
    def closed(self) -> Close | None:
        """Why the server closed the connection."""
        return self.connection.closed

    @property
    def errors(self) -> list[str]:
        """The codes of the `error` events."""
        return [fields["code"] for name, fields in self.connection.events if name == "error"]

    def told(self, name: str) -> list[dict[str, Any]]:
        """The events of that name."""
        return [fields for given, fields in self.connection.events if given == name]

    async def does(self, action: str, **fields: Any) -> dict[str, Any]:
        """Perform an action of moderators. Raise `Refused`."""
        return await self.session.moderate(action, fields)


async def come(
    room: ChatRoom,
    name: str | None = None,
    user: User | None = None,
    *,
    address: str = "",
    access: Access = Access.WRITE,
    member_id: str | None = None,
) -> Visitor:
    """Enter `room` as a transport does, and take a name. Raise `Refused`."""
    connection = RecordingConnection()
    grant = Grant(access, address=address)
    session = await room.backend.connect(
        connection, user=user, grant=grant, member_id=member_id, resume=member_id is not None
    )
    if name is not None:
        await session.join(name)
    return Visitor(session, connection)


async def settle(room: ChatRoom) -> None:
    """Wait until nothing is under way in the room."""
    async with asyncio.timeout(10):
        while len(room.backend.core.tasks):
            await asyncio.sleep(0)
