"""What one visitor may do in one room, from the moment when they ask to enter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pychat.domain.access import Access
from pychat.domain.errors import Refused
from pychat.room.person import Person

__all__ = ["Grant", "unknown_room"]


def unknown_room(names: str = "") -> Refused:
    """The refusal of a room that does not exist, or does not exist for this visitor."""
    return Refused("unknown_room", f"There is no room of that name here.{names}")


class Grant:
    """The access of one `person` to one room."""

    __slots__ = ("_ask", "_seen", "access", "person")

    def __init__(
        self, access: Access, person: Person | None = None, ask: Callable[[], Awaitable[Access]] | None = None
    ) -> None:
        """`ask` asks the app again; without it, the access never changes."""
        self.access = access
        self.person = person or Person()
        self._ask = ask
        self._seen = self.person.refreshes

    async def renew(self) -> None:
        """Ask the app again, if it has said since that the access may have changed. Raise `Refused` if it is lost."""
        while self._ask is not None and self._seen != self.person.refreshes:
            self._seen = self.person.refreshes
            self.access = await self._ask()
        if "read" not in self.access:
            raise unknown_room()
