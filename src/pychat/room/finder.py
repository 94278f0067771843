"""Finds the rooms of a chat that are not open: asks the app and the store, and makes the `ChatRoom`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.request import Request
from pychat.domain.settings import RoomSettings
from pychat.room.app_function import AppFunction
from pychat.room.chatroom import ChatRoom
from pychat.room.clock import Clock
from pychat.room.direct import direct_name, direct_record, is_direct
from pychat.room.directory import RoomSource
from pychat.room.hooks import Hooks
from pychat.room.open_rooms import OpenRooms
from pychat.room.rate_limiter import RateLimiter
from pychat.room.readers import Readers
from pychat.room.tasks import Tasks
from pychat.stores import RoomRecord, Store

__all__ = ["FindRoom", "RoomFinder"]

_log = logging.getLogger("pychat.room")
_FOUND = "found"  # in the settings of a record: `find_room` decides whether there is such a room

_FoundRoom = RoomSettings | ChatRoom | None
#: The app's function: the settings of the room of that name, or the room; `None` if there is none. May be async.
FindRoom = Callable[[str, Request], _FoundRoom | Awaitable[_FoundRoom]]


class RoomFinder(RoomSource):
    """The rooms that a chat can open. The app's `find_room` goes before the records in the store."""

    def __init__(
        self,
        rooms: OpenRooms,
        find_room: FindRoom | None,
        *,
        readers: Readers,
        rates: RateLimiter,
        store: Callable[[], Store],
        hooks: Hooks,
        limits: Limits,
        reserved_names: Iterable[str],
        grace: float,
        clock: Clock,
    ) -> None:
        """`store` returns the store of the chat as it is now; the rest are the values where a room has none."""
        usage = "it takes the name of a room and a pychat.Request, and returns a RoomSettings, a ChatRoom or None"
        self._ask = None if find_room is None else AppFunction("find_room", find_room, _found, usage)
        self.guarded = find_room is not None
        self.limits = limits
        self._rooms = rooms
        rooms.on_rest, rooms.on_deleted = self._rests, self._forget
        self._readers = readers
        self._rates = rates
        self._store = store
        self._hooks = hooks
        self._reserved_names = tuple(reserved_names)
        self._grace = grace
        self._clock = clock
        self._records: dict[str, tuple[RoomRecord, bool]] = {}  # of open rooms; true if the store has this record
        self._tasks = Tasks()

    # The port `RoomSource`.

    async def open(self, name: str, request: Request | None) -> ChatRoom | None:
        """Open the room that the app or the store knows under that name."""
        if is_direct(name):
            direct = await self.record(name)
            if direct is not None and direct.people:
                return self._add(name, RoomSettings(direct.title), direct, direct)
        found: RoomSettings | ChatRoom | None = None
        if self._ask is not None and request is not None:
            found = await self._ask(
                name,
                request,
                about=f"{name}, {request.method} {request.path} from {request.remote}",
                late="The server took too long to find this room. Try again.",
                failed="The server could not find this room. Try again later.",
            )
        record = await self.record(name)
        if found is None:
            if record is None or record.settings.get(_FOUND):
                return None
            return self._add(name, RoomSettings.from_json(record.title, record.settings), record, record)
        if isinstance(found, ChatRoom):
            if found.name != name:
                _log.error("find_room returned the room %r for the name %r", found.name, name)
                raise Refused("internal", "The server could not find this room. Try again later.")
            return self._keep(found, RoomRecord(name, found.title, {_FOUND: True}), record)
        if record is not None and not record.settings.get(_FOUND):  # opened by the app as well: it stays
            return self._add(name, found, _record(name, found), record)
        return self._add(name, found, _record(name, found, found=True), record)

    async def secret(self) -> bytes | None:
        """The key of the store."""
        records = self._store().rooms
        return None if records is None else await records.secret()

    async def listed(self, after: str, limit: int) -> list[RoomRecord]:
        """The next rooms that lists show: those in the store, and those that are open."""
        store = self._store()
        stored = [] if store.rooms is None else await store.rooms.page(after, limit, listed_only=True)
        last = stored[-1].name if len(stored) == limit else None
        merged = {
            name: record
            for name, (record, _) in self._records.items()
            if name > after and record.listed and (last is None or name <= last) and self._rooms.get(name) is not None
        }
        for record in stored:
            merged.setdefault(record.name, record)
        return [merged[name] for name in sorted(merged)]

    async def find_direct(self, member_ids: Collection[str]) -> RoomRecord | None:
        """What is stored about the direct room of these members."""
        records = self._store().rooms
        return None if records is None else await records.find(direct_name(await records.secret(), member_ids))

    async def direct(self, names: Mapping[str, str]) -> ChatRoom | None:
        """Open the direct room of the members with these ids and names. When two ask at once, both get the same."""
        records = self._store().rooms
        if records is None:
            return None
        name = direct_name(await records.secret(), names)
        record = await records.find(name)
        if record is None or set(record.people) != set(names):  # somebody was erased, and has come back
            record = direct_record(name, names)
            await self.change_direct(record)
        return self._add(name, RoomSettings(record.title), record, record)

    # For `Chat`.

    async def record(self, name: str) -> RoomRecord | None:
        """What the store knows about the room of that name."""
        records = self._store().rooms
        return None if records is None else await records.find(name)

    async def make(self, name: str, settings: RoomSettings) -> ChatRoom:
        """Open a room for the app, and store what it is."""
        records = self._store().rooms
        if records is None:
            raise UsageError("This store keeps no records of rooms, so rooms cannot be made at run time.")
        record = _record(name, settings)
        await records.save(record)
        room = self._rooms.known(name)
        if room is None:
            return self._add(name, settings, record, record)
        self._records[name] = record, True
        room.backend.title = record.title
        return room

    async def change_direct(self, record: RoomRecord) -> None:
        """Store the record of a direct room. If the room is open, close it: it opens again with these members."""
        records = self._store().rooms
        assert records is not None  # noqa: S101 -- the caller has asked
        await records.save(record)
        room = self._rooms.known(record.name)
        if room is not None:
            room.backend.title = record.title
            room.backend.members = record.people
            await self._rooms.close_room(room, Close.SHUTDOWN)
        self._readers.renamed(record.name)

    async def save(self) -> None:
        """Store what the open rooms are."""
        records = self._store().rooms
        for room in self._rooms:
            record, stored = self._records.get(room.name, (None, True))
            if records is not None and record is not None and not stored and room.position.seq:
                await records.save(replace(record, title=room.title))
        self._records.clear()

    def _forget(self, room: ChatRoom) -> None:
        """The room was deleted."""
        self._records.pop(room.name, None)

    def _add(self, name: str, settings: RoomSettings, record: RoomRecord, stored: RoomRecord | None) -> ChatRoom:
        room = ChatRoom(
            name,
            title=settings.title,
            limits=settings.limits or self.limits,
            reserved_names=self._reserved_names if settings.reserved_names is None else settings.reserved_names,
            grace=self._grace if settings.grace is None else settings.grace,
            clock=self._clock,
        )
        return self._keep(room, record, stored)

    def _keep(self, room: ChatRoom, record: RoomRecord, stored: RoomRecord | None) -> ChatRoom:
        before = self._rooms.known(room.name)
        if before is not None:  # it was opened meanwhile
            return before
        room.backend.use(self._store())
        room.backend.readers = self._readers
        room.backend.share_rates(self._rates)
        room.backend.members = record.people
        room.backend.core.hooks.share(self._hooks)
        self._rooms.add(room)
        self._records[room.name] = record, stored == record
        records = self._store().rooms
        if records is not None and stored != record and record.title != record.name:
            self._tasks.spawn(_save(records.save(record), room.name))  # lists show it while the room is not open
        return room

    def _rests(self, room: ChatRoom) -> None:
        """Nobody is in the room: store what it is, if it has messages."""
        record, stored = self._records.pop(room.name, (None, True))
        records = self._store().rooms
        if record is not None and not stored and room.position.seq and records is not None:
            self._tasks.spawn(_save(records.save(replace(record, title=room.title)), room.name))


def _found(found: object) -> RoomSettings | ChatRoom | None:
    if found is not None and not isinstance(found, RoomSettings | ChatRoom):
        raise UsageError(f"find_room returned {found!r}: return a RoomSettings, a ChatRoom, None, or a Refused")
    return found


def _record(name: str, settings: RoomSettings, *, found: bool = False) -> RoomRecord:
    told = settings.as_json()
    title = name if settings.title is None else settings.title
    return RoomRecord(name, title, {**told, _FOUND: True} if found else told)


async def _save(saving: Awaitable[None], name: str) -> None:
    try:
        await saving
    except Refused as refused:
        _log.warning("What the room %s is could not be stored: %s", name, refused)
