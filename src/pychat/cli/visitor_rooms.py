"""Rooms that visitors make by visiting them: `--rooms open` and `--rooms listed`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pychat.domain.addresses import address_key
from pychat.domain.errors import Refused
from pychat.domain.rates import Rate
from pychat.domain.request import Request
from pychat.domain.settings import RoomSettings
from pychat.room.rate_limiter import RateLimiter, too_much
from pychat.stores import Store

__all__ = ["VisitorRooms"]

_MAX_OPEN = 100  # rooms that one address has made and that are open
_REMEMBERED = 10_000  # addresses


class VisitorRooms:
    """The `find_room` of `pychat serve`: every name is a room, with limits on those that one address makes."""

    def __init__(
        self, store: Store, is_open: Callable[[str], bool], rates: RateLimiter, rate: Rate, *, listed: bool
    ) -> None:
        """`is_open` tells whether the room of a name is open. Rooms that the store knows are not made.

        One address makes rooms at `rate`. If that has no limit, any number of them may be open too.
        """
        self._store = store
        self._is_open = is_open
        self._rates = rates
        self._rate = rate
        self._settings = RoomSettings(listed=listed)
        self._made: OrderedDict[str, set[str]] = OrderedDict()

    async def find(self, name: str, request: Request) -> RoomSettings:
        """The room of that name. Raise `Refused` for an address that makes too many."""
        address = address_key(request.remote)
        if self._rate.interval and address and not await self._is_known(name):
            self._count(address, name)
        return self._settings

    async def _is_known(self, name: str) -> bool:
        records = self._store.rooms
        return records is not None and await records.find(name) is not None

    def _count(self, address: str, name: str) -> None:
        names = self._made.setdefault(address, set())
        self._made.move_to_end(address)
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)
        names.intersection_update([each for each in names if self._is_open(each)])
        if len(names) >= _MAX_OPEN:
            raise Refused("too_many_rooms", f"{len(names)} rooms that were made from your address are open. Use those.")
        wait = self._rates.take(self._rate, self._rates.address(address))
        if wait:
            raise too_much(wait, "Too many rooms were made from your address.")
        names.add(name)
