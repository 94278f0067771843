"""Rooms that visitors make by visiting them: `--rooms open` and `--rooms listed`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pychat.domain.addresses import address_key
from pychat.domain.errors import Refused
from pychat.domain.limits import TokenBucket
from pychat.domain.request import Request
from pychat.domain.settings import RoomSettings
from pychat.room.clock import Clock
from pychat.stores import Store

__all__ = ["VisitorRooms"]

_PER_MINUTE, _AT_ONCE = 2.0, 20.0  # rooms that one address makes
_MAX_OPEN = 100  # rooms that one address has made and that are open
_REMEMBERED = 10_000  # addresses


class VisitorRooms:
    """The `find_room` of `pychat serve`: every name is a room, with limits on those that one address makes."""

    def __init__(
        self, store: Store, is_open: Callable[[str], bool], clock: Clock, *, listed: bool, limited: bool
    ) -> None:
        """`is_open` tells whether the room of a name is open. Rooms that the store knows are not made."""
        self._store = store
        self._is_open = is_open
        self._clock = clock
        self._settings = RoomSettings(listed=listed)
        self._limited = limited
        self._made: OrderedDict[str, tuple[TokenBucket, set[str]]] = OrderedDict()

    async def find(self, name: str, request: Request) -> RoomSettings:
        """The room of that name. Raise `Refused` for an address that makes too many."""
        address = address_key(request.remote)
        if self._limited and address and not await self._is_known(name):
            self._count(address, name)
        return self._settings

    async def _is_known(self, name: str) -> bool:
        records = self._store.rooms
        return records is not None and await records.find(name) is not None

    def _count(self, address: str, name: str) -> None:
        bucket, names = self._made.setdefault(address, (TokenBucket(_PER_MINUTE / 60, _AT_ONCE), set()))
        self._made.move_to_end(address)
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)
        names.intersection_update([each for each in names if self._is_open(each)])
        if len(names) >= _MAX_OPEN:
            raise Refused("too_many_rooms", f"{len(names)} rooms that were made from your address are open. Use those.")
        wait = bucket.take(self._clock.steady())
        if wait:
            raise Refused("rate_limited", f"Too many rooms were made from your address. Wait {wait:.0f} seconds.", wait)
        names.add(name)
