"""What the members of a chat have read, in all of its rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from pychat.domain.model import Message, User
from pychat.domain.notices import UnreadRoom
from pychat.room.clock import Clock
from pychat.room.person import Person
from pychat.room.readers.blocks import Blocks
from pychat.room.readers.positions import ReadPositions
from pychat.room.readers.room_readers import RoomReaders
from pychat.room.readers.unread_list import Described, UnreadListener
from pychat.room.readers.watchers import UnreadSource, UnreadWatchers
from pychat.stores import Store, Unread

__all__ = ["Readers"]


class Readers:
    """Read positions, unread counts and blocks of all members. A room gets its part of it from `room`."""

    def __init__(
        self,
        people: Mapping[str, Person],
        clock: Clock,
        describe: Callable[[User | None, str, str], Awaitable[Described | None]],
    ) -> None:
        """`describe` returns what a member sees of a room, and `None` if they may not read it: see `UnreadSource`."""
        self._people = people
        self._clock = clock
        self._stores: dict[Store, ReadPositions] = {}
        self._rooms: dict[str, Store] = {}  # the rooms that have a store of their own
        self._default: Store | None = None
        #: Who has blocked whom.
        self.blocks = Blocks(lambda: self._default, clock)
        self._watchers = UnreadWatchers(UnreadSource(self.unread, self._shared, describe), clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Tells members of a direct message who are away; `None` while push is off. Set it before rooms start.
        self.push: Callable[[Message, tuple[str, ...]], None] | None = None

    @property
    def store(self) -> Store | None:
        """The store of the chat; `None` outside of a chat."""
        return self._default

    # Where the positions are.

    def use(self, store: Store) -> None:
        """Keep the positions in `store` for all rooms without a store of their own."""
        if store is not self._default:
            self._default = store
            self.blocks.clear()
        self.positions(store)

    def positions(self, store: Store) -> ReadPositions:
        """The positions in a store of the chat."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._watchers.restart()
            for each in self._stores.values():
                each.restart()
        if store not in self._stores:
            self._stores[store] = ReadPositions(store, self._clock)
        return self._stores[store]

    def room(self, name: str, store: Store, members: tuple[str, ...]) -> RoomReaders:
        """The part of a room, which is kept in `store`; `members` are the ids of the members of a direct room."""
        positions = self.positions(store)
        if store is self._default:
            self._rooms.pop(name, None)
        else:
            self._rooms[name] = store
        return RoomReaders(name, positions, self._watchers, self._people, self.blocks, members, self.push)

    async def settle(self, store: Store) -> None:
        """Write everything that is gathered for `store`, which is about to be closed."""
        positions = self._stores.pop(store, None)
        if positions is not None:
            await positions.aclose()

    async def aclose(self) -> None:
        """Write everything, and tell nobody anything more."""
        self._watchers.stop()
        for store in list(self._stores):
            await self.settle(store)

    # What members do.

    async def unread(self, member_ids: Collection[str]) -> dict[str, tuple[Unread, ...]]:
        """What is unread for each of the members, in all rooms. Raise `Refused` while a store is unavailable."""
        found: dict[str, tuple[Unread, ...]] = dict.fromkeys(member_ids, ())
        for positions in list(self._stores.values()):
            if positions.records is not None:
                if positions.pending:
                    await positions.flush()
                for member_id, counts in (await positions.records.unread(member_ids)).items():
                    found[member_id] += counts
        return found

    async def follow(self, member_id: str, room: str) -> None:
        """Put a room into a member's list, from its end on. Raise `Refused`."""
        positions = self._of(room)
        if positions is not None and positions.records is not None:
            await positions.records.follow(member_id, room)
            self._watchers.changed(member_id)

    async def unfollow(self, member_id: str, room: str) -> None:
        """Take a room out of a member's list. Raise `Refused` while the store is unavailable."""
        positions = self._of(room)
        if positions is not None:
            await positions.unfollow(member_id, room)
            self._watchers.unfollowed(member_id, room)

    def read(self, member_id: str, room: str, seq: int, head: int | None = None) -> None:
        """A member has seen everything up to number `seq`; `head` is the newest, if the room is open.

        No-op if they do not follow the room.
        """
        positions = self._of(room)
        if positions is not None:
            seq = seq if head is None else min(seq, head)
            positions.mark(member_id, room, seq)
            self._watchers.read(member_id, room, seq, head)

    async def forget(self, member_id: str) -> None:
        """Forget everything about a member. Raise `Refused` while a store is unavailable."""
        for positions in list(self._stores.values()):
            await positions.forget(member_id)
        self._watchers.changed(member_id)

    def renamed(self, room: str) -> None:
        """Lists show a room in another way."""
        self._watchers.renamed(room)

    def refresh(self, member_id: str | None) -> None:
        """What a member may read has changed, or what anybody may."""
        self._watchers.refresh(member_id)

    # Who watches.

    async def watch(self, member_id: str, user: User | None, listener: UnreadListener) -> list[UnreadRoom]:
        """Return what is unread for a person, and tell `listener` what changes. Raise `Refused`."""
        return await self._watchers.watch(member_id, user, listener)

    def unwatch(self, member_id: str, listener: UnreadListener) -> None:
        """Tell `listener` nothing more."""
        self._watchers.unwatch(member_id, listener)

    def _of(self, room: str) -> ReadPositions | None:
        store = self._rooms.get(room, self._default)
        return None if store is None else self.positions(store)

    def _shared(self) -> bool:
        return any(store.guests is not None for store in self._stores)
