"""The port between a room and what serves it: all that transports, mounts and the HTTP API call on a room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol, Unpack
from weakref import WeakSet

from pychat.domain.errors import Close, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import Member, Position, User
from pychat.domain.rules import NameFollower
from pychat.room.clock import Clock
from pychat.room.connection import Connection
from pychat.room.core import RoomCore
from pychat.room.grant import Grant, unknown_room
from pychat.room.hooks import Hooks
from pychat.room.moderation import ModerationFollower
from pychat.room.rate_limiter import RateLimiter
from pychat.room.readers import Readers
from pychat.room.session import Session
from pychat.room.tokens import Tokens
from pychat.room.welcome import EntryOptions, welcome_visitor
from pychat.stores import MemoryStore, Store, open_store

__all__ = ["STAYING", "RoomBackend", "RoomKeeper"]

#: Stores that live on where an event loop has ended without closing them.
STAYING = ("memory:", "sqlite:")


class RoomKeeper(Protocol):
    """Keeps rooms that are opened on demand: told when one is used, and when nobody is in it any more."""

    def opened(self, room: RoomBackend) -> None:
        """The room is opened, perhaps again after it was let go."""

    def emptied(self, room: RoomBackend) -> None:
        """The last connection to the room has ended."""

    def deleted(self, room: RoomBackend) -> None:
        """The room was deleted."""


class RoomBackend:
    """A room, as far as those who bring people into it are concerned: `ChatRoom.backend`.

    It owns the parts of the room (`core`), and replaces them when the room is opened again after it was closed.
    """

    __slots__ = (
        "__weakref__",
        "_followers",
        "_grace",
        "_moderation_followers",
        "_readying",
        "_reserved_names",
        "_store",
        "_title",
        "_url",
        "clock",
        "core",
        "deleted",
        "face",
        "keeper",
        "limits",
        "members",
        "name",
        "rates",
        "readers",
        "resting",
        "storeless",
    )

    def __init__(
        self,
        name: str,
        title: str,
        store: str | Store | None,
        limits: Limits,
        *,
        reserved_names: Iterable[str],
        grace: float,
        clock: Clock,
    ) -> None:
        """The arguments are those of `ChatRoom`."""
        self.name = name
        self._title = title  # that the room was given
        self.limits = limits
        self.clock = clock
        #: True if the room was given no store.
        self.storeless = store is None
        store = store or "memory:"
        self._url = store if isinstance(store, str) else None  # of the store that this room opens and closes
        self._store: Store = open_store(store) if isinstance(store, str) else store
        self._followers: WeakSet[NameFollower] | None = None
        self._moderation_followers: WeakSet[ModerationFollower] | None = None
        self._reserved_names = tuple(reserved_names)
        self._grace = grace
        #: Counts what visitors do, in all rooms of a mount.
        self.rates = RateLimiter(clock)
        self.core = self._begin(Hooks())
        #: The `ChatRoom` of this backend, which lives as long.
        self.face: object = None
        #: Opens this room again when it is used, and lets it go when it is empty. Without one, `start` and `aclose` do.
        self.keeper: RoomKeeper | None = None
        #: What is known of those who read the rooms of the chat; `None` outside of a chat.
        self.readers: Readers | None = None
        #: The ids of the members of a direct room; empty for other rooms.
        self.members: tuple[str, ...] = ()
        #: True after the keeper let the room go: it opens again when it is used.
        self.resting = False
        #: True after the room was deleted for good.
        self.deleted = False
        self._readying = 0

    def _begin(self, hooks: Hooks) -> RoomCore:
        """New parts of this room, with the present store and clock."""
        core = RoomCore(
            self.name,
            self._title,
            self._store,
            self.limits,
            reserved_names=self._reserved_names,
            grace=self._grace,
            clock=self.clock,
            hooks=hooks,
            rates=self.rates,
        )
        core.state.followers = () if self._followers is None else self._followers
        if self._moderation_followers is not None:
            core.moderation.followers = self._moderation_followers
        core.watcher = core.delivery.watcher = self
        return core

    @property
    def title(self) -> str:
        """The title: what moderators have set, or the one that the room was given."""
        return self.core.moderation.title

    @title.setter
    def title(self, title: str) -> None:
        self._title = self.core.moderation.room_title = title

    # Its life.

    async def start(self) -> None:
        """Open the log, if it is not open: see `ChatRoom.start`. Raise `Refused` while the store is unavailable."""
        if self.deleted:
            raise unknown_room()
        core, loop = self.core, asyncio.get_running_loop()
        if core.delivery.closed or core.delivery.loop not in (None, loop):
            self._begin_again(core)
        self.resting = False
        if self.keeper is not None:
            self.keeper.opened(self)
        if self.readers is not None and self.core.readers is None:
            self.core.use(self.readers.room(self.name, self._store, self.members))
        self._readying += 1
        try:
            await self.core.delivery.start()
        finally:
            self._readying -= 1

    def use(self, store: Store) -> None:
        """Keep the room in `store` from its next start on, if it was given no store. No-op while it runs."""
        delivery = self.core.delivery
        if self.storeless and store is not self._store:
            if delivery.loop is not None and not delivery.closed and delivery.loop.is_running():
                return
            self._store, self._url = store, None
            if delivery.loop is None:
                self.core = self._begin(self.core.hooks)

    def share_rates(self, rates: RateLimiter) -> None:
        """Count what visitors do together with the other rooms of `rates`."""
        self.rates = self.core.rates = rates

    def _begin_again(self, before: RoomCore) -> None:
        if not before.delivery.closed:
            loop = before.delivery.loop
            if loop is not None and loop.is_running():
                raise UsageError(
                    f"The room “{self.name}” runs on another event loop. From other threads, use room.threadsafe."
                )
            before.abandon()
        if self._url is not None and (before.closed_store or not self._url.startswith(STAYING)):
            self._store = open_store(self._url)
        self.core = self._begin(before.hooks.copy())

    # The port `RoomWatcher`: called by the parts of the room.

    def emptied(self) -> None:
        """Tell the keeper that the last connection to the room has ended."""
        if self.keeper is not None:
            self.keeper.emptied(self)

    def was_deleted(self) -> None:
        """Tell the keeper that the room was deleted."""
        if self.keeper is not None:
            self.keeper.deleted(self)

    def keep(self, keeper: RoomKeeper) -> None:
        """Let `keeper` open this room when it is used, and let it go when it is empty."""
        self.keeper = keeper

    async def ready(self) -> RoomCore:
        """Open the log, and return the parts of the open room. Raise `UsageError` if the room was closed."""
        if self.closed and not self.deleted:
            raise UsageError("This room is closed. Await room.start() to open it again.")
        await self.start()
        return self.core

    @property
    def closed(self) -> bool:
        """True if the room was closed and not started again. On a new event loop, it starts by itself."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        return self.core.delivery.closed and not self.resting and self.core.delivery.loop in (None, loop)

    @property
    def idle(self) -> bool:
        """True if nobody is in the room or about to enter, and nothing is under way in it."""
        return not self._readying and self.core.idle

    def end(self) -> None:
        """The room was deleted: nobody can use it any more."""
        self.deleted = True
        self.core.let_go()

    def rest(self) -> None:
        """Let the room go, which must be idle. It opens again when it is used."""
        self.resting = True
        self.core.let_go()

    @property
    def in_memory(self) -> bool:
        """True if only the memory of this process has the room (`memory:`)."""
        return isinstance(self._store, MemoryStore)

    def dismiss(self, why: Close) -> None:
        """Close every connection with the reason `why`, without waiting for it."""
        self.core.delivery.dismiss(why)

    async def aclose(self, why: Close) -> None:
        """Close every connection, and the store if this room opened it: see `ChatRoom.aclose`."""
        self.resting = False
        core = self.core
        if core.delivery.loop not in (None, asyncio.get_running_loop()):
            core.abandon()  # its event loop has ended, and everybody's connection with it
        await core.aclose(why)
        if self._url is not None and not core.closed_store:
            core.closed_store = True
            if self.readers is not None:
                await self.readers.settle(self._store)
            await self._store.aclose()

    # Who is in it.

    def check_entry(self, grant: Grant, user: User | None, member_id: str | None = None) -> None:
        """Raise `Refused` if this visitor may not come into the open room, for example because of a ban."""
        self.core.moderation.check_entry(grant, user, member_id)

    async def connect(self, connection: Connection, **entry: Unpack[EntryOptions]) -> Session:
        """Let a visitor in: see `ChatRoom.connect`."""
        core = await self.ready()
        self._readying += 1  # until somebody is in, the room is not idle
        try:
            return await welcome_visitor(core, connection, **entry)
        finally:
            self._readying -= 1

    @property
    def tokens(self) -> Tokens:
        """Signs and checks resume tokens. Set when the room has started."""
        return self.core.delivery.tokens

    @property
    def here(self) -> int:
        """The number of people connected, with a nickname or without."""
        return self.core.membership.count()

    @property
    def member_count(self) -> int:
        """The number of people with a nickname."""
        return self.core.membership.named()

    def first_members(self) -> tuple[Member, ...]:
        """The first members in the order of joining, at most `limits.page`."""
        return self.core.membership.members(self.limits.page)

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""
        return self.core.state.members.get(member_id)

    def name_of(self, member_id: str) -> str | None:
        """The name of a member who is here, or was here lately; `None` if there is none."""
        return self.core.name_of(member_id)

    def check_name(self, name: str, member_id: str = "") -> str:
        """The form in which that member, or somebody new, could take `name` now. Raise `Refused` if they could not.

        Hooks are not asked, and nothing is taken: `Session.join` may still be refused.
        """
        return self.core.membership.check_name(name, member_id)

    def follow_names(self, follower: NameFollower) -> None:
        """Tell `follower` of every member here, and later of each who takes or changes a name.

        The room does not keep `follower` alive.
        """
        for member in self.core.membership.members():
            follower.named(member)
        if self._followers is None:
            self._followers = self.core.state.followers = WeakSet()
        self._followers.add(follower)

    def follow_moderation(self, follower: ModerationFollower) -> None:
        """Tell `follower` what moderators do from now on. The room does not keep `follower` alive."""
        if self._moderation_followers is None:
            self._moderation_followers = self.core.moderation.followers = WeakSet()
        self._moderation_followers.add(follower)

    def read(self, member_id: str, seq: int, *, follow: bool = False) -> None:
        """A member has seen everything up to event number `seq`. With `follow`, count what they miss from now on."""
        readers, head = self.core.readers, self.position.seq
        if readers is not None:
            if follow:
                readers.follow(member_id, min(seq, head))
            readers.read(member_id, seq, head)

    # What was said: `ready` returns the core, and its `commands` read and write messages.

    @property
    def epoch(self) -> str:
        """The epoch of the newest event."""
        return self.core.delivery.epoch

    @property
    def position(self) -> Position:
        """The position of the newest event. The epoch is empty until the room is open."""
        return self.core.delivery.position
