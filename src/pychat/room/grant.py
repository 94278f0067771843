"""What one visitor may do in one room, from the moment when they ask to enter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pychat.domain.access import Access
from pychat.domain.errors import Refused
from pychat.room.person import Person

__all__ = ["FULL", "Grant", "unknown_room"]


def unknown_room(names: str = "") -> Refused:
    """The refusal of a room that does not exist, or does not exist for this visitor."""
    return Refused("unknown_room", f"There is no room of that name here.{names}")


class Grant:
    """The access of one visitor to one room. `person` is `None` for a guest without an identity.

    `access` is what the app allows. What the visitor may do also depends on the room: see `Session.access`. `address`
    is where the visitor connects from, behind trusted proxies; empty if unknown.
    """

    __slots__ = ("_ask", "_asked", "access", "address", "person")

    def __init__(
        self,
        access: Access,
        person: Person | None = None,
        ask: Callable[[], Awaitable[Access]] | None = None,
        *,
        address: str = "",
    ) -> None:
        """`ask` asks the app again; without it, the access never changes."""
        self.access = access
        self.person = person
        self.address = address
        self._ask = ask
        self._asked = self._refreshes

    @property
    def _refreshes(self) -> int:
        return 0 if self.person is None else self.person.refreshes

    @property
    def fixed(self) -> bool:
        """True if the access never changes."""
        return self._ask is None

    @property
    def stale(self) -> bool:
        """True if the app has said, since it was asked, that the access may have changed."""
        return self._ask is not None and self._asked != self._refreshes

    async def renew(self) -> Access:
        """Ask the app, again if it says meanwhile that the access may have changed. Return the access."""
        if self._ask is not None:
            self._asked = self._refreshes
            self.access = await self._ask()
            while self.stale:
                self._asked = self._refreshes
                self.access = await self._ask()
        return self.access


#: The access to rooms where nobody is asked, for guests.
FULL = Grant(Access.WRITE)
