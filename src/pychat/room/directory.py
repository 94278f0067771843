"""The rooms of one mount, by name: which there are for a visitor, and what the visitor may do in them."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused
from pychat.domain.limits import Limits
from pychat.domain.model import Member, Message, User
from pychat.domain.request import Request
from pychat.room.app_function import AppFunction
from pychat.room.backend import RoomBackend
from pychat.room.chatroom import ROOM_NAME, ROOM_NAMES, ChatRoom
from pychat.room.clock import Clock
from pychat.room.direct import ERASED, MAX_DIRECT, is_direct, stored_names
from pychat.room.entry import EntryDesk
from pychat.room.grant import Grant, unknown_room
from pychat.room.lookups import Lookups
from pychat.room.open_rooms import OpenRooms
from pychat.room.person import Person
from pychat.room.push import Push
from pychat.room.rate_limiter import RateLimiter, too_much
from pychat.room.readers import Described, Readers, blocked
from pychat.room.session import Session
from pychat.room.tokens import Tokens
from pychat.stores import RoomRecord, is_guest

__all__ = ["AskAccess", "Found", "ListedRoom", "RoomDirectory", "RoomSource"]

_log = logging.getLogger("pychat.room")
_T = TypeVar("_T")
#: Seconds. A visitor who is told that there is no room is told at a multiple of this time after they asked, and not
#: before the first: a room that they may not read takes as long as a room that does not exist.
_GRID = 0.1
_ASKED_AT_ONCE = 8  # calls of `access` for one list of rooms
_MAX_ASKED = 1_000  # for one list of rooms

#: The app's function: what `user`, or a guest (`None`), may do in the room of that name. May be async.
AskAccess = Callable[[User | None, str], object]


class RoomSource:
    """Where rooms come from that are not open. This one has none; `Chat` has those of its store and of the app."""

    #: True if strangers must not learn which rooms there are.
    guarded: bool = False
    #: The limits of rooms that have none of their own.
    limits: Limits = Limits()

    async def open(self, name: str, request: Request | None) -> ChatRoom | None:
        """Open the room of that name; `None` if there is none. Raise `Refused`."""

    async def secret(self) -> bytes | None:
        """The key that signs tokens for all rooms, if there is one."""

    async def listed(self, after: str, limit: int) -> list[RoomRecord]:
        """The next rooms that lists show, in order of name."""
        return []

    async def record(self, name: str) -> RoomRecord | None:
        """What is stored about the room of that name."""

    async def find_direct(self, member_ids: Collection[str]) -> RoomRecord | None:
        """What is stored about the direct room of these members."""

    async def direct(self, names: Mapping[str, str]) -> ChatRoom | None:
        """Open the direct room of the members with these ids and names; `None` if there are no direct rooms."""


class Found(NamedTuple):
    """A room that somebody may enter, and what they may do in it."""

    room: RoomBackend
    grant: Grant


class ListedRoom(NamedTuple):
    """A room in a list of rooms."""

    name: str
    title: str
    #: How many people are connected to it; 0 for a room that is not open on this server.
    here: int
    #: The number of the newest event; `None` for a room that is not open on this server.
    seq: int | None = None
    #: True for the room that is meant when none is named.
    first: bool = False


class RoomDirectory:
    """The rooms of a `Chat`, or of a mount of plain rooms, as transports see them."""

    def __init__(
        self,
        *rooms: ChatRoom,
        access: AskAccess | None = None,
        idle: float = 60.0,
        max_rooms_per_person: int = 1_000,
        clock: Clock | None = None,
    ) -> None:
        """The arguments are those of `Chat`."""
        #: The room that is meant when none is named: the first one that was given, if any was.
        self.first: RoomBackend | None = rooms[0].backend if rooms else None
        #: The clock of the rooms.
        self.clock = rooms[0].clock if clock is None and rooms else clock or Clock()
        #: Counts what visitors do, on all transports. Directories of the same rooms share it.
        self.rates = rooms[0].backend.rates if rooms else RateLimiter(self.clock)
        #: The rooms that are open.
        self.rooms = OpenRooms(rooms, idle, self.clock)
        #: Networks that no moderator can ban: those of the trusted proxies.
        self.protected: tuple[IPv4Network | IPv6Network, ...] = ()
        #: In how many rooms one person may be.
        self.max_rooms_per_person = max_rooms_per_person
        self._source: RoomSource | None = None
        usage = "it takes a pychat.User (None for a guest) and the name of a room, and returns a pychat.Access"
        self._ask = None if access is None else AppFunction("access", access, Access.of, usage)
        self._guarded = access is not None
        self._secret = secrets.token_bytes(32)  # where neither a room nor a store has one
        self._people = WeakValueDictionary[str, Person]()
        #: What the members have read.
        self.readers = Readers(self._people, self.clock, self.describe)
        #: Tells people who are away of mentions and direct messages.
        self.push = Push(lambda: self.readers.store, self._push_secret, self._shown_away, self.clock)
        for room in rooms:
            room.backend.readers = self.readers
            room.backend.share_rates(self.rates)
        self._opening: dict[str, asyncio.Task[ChatRoom | Refused | None]] = {}
        self._lookups = Lookups(self.rates)
        #: Lets people become known to rooms that ask for a password, or for a moderator's consent.
        self.desk = EntryDesk(self.rates)

    def look_in(self, source: RoomSource) -> None:
        """Find rooms that are not open in `source`."""
        self._source = source
        self._guarded = self._guarded or source.guarded

    def __iter__(self) -> Iterator[RoomBackend]:
        """The rooms that are open."""
        return (room.backend for room in self.rooms)

    def __len__(self) -> int:
        return len(self.rooms)

    @property
    def given(self) -> list[RoomBackend]:
        """The rooms that were given."""
        return [room.backend for room in self.rooms.given.values()]

    @property
    def limits(self) -> Limits:
        """The limits for what belongs to no room."""
        if self._source is not None:
            return self._source.limits
        return Limits() if self.first is None else self.first.limits

    @property
    def first_name(self) -> str:
        """The name of the room that is meant when none is named; empty if there is no such room."""
        return "" if self.first is None else self.first.name

    @property
    def asks_access(self) -> bool:
        """True if the app says for each room what somebody may do there."""
        return self._ask is not None

    @property
    def asks(self) -> bool:
        """True if `find` needs to know who asks."""
        return self._source is not None or self._ask is not None

    @property
    def guarded(self) -> bool:
        """True if visitors may not know which rooms there are."""
        return self._guarded

    @property
    def public_names(self) -> list[str]:
        """The names of the rooms that were given, if everybody may know them."""
        return [] if self._guarded else list(self.rooms.given)

    # Who asks.

    def person(self, member_id: str) -> Person:
        """The person of that member id, who is the same for all connections."""
        person = self._people.get(member_id)
        if person is None:
            person = self._people[member_id] = Person(member_id, self.rates.person(member_id))
        return person

    def is_here(self, member_id: str) -> bool:
        """True if a member is connected to this server, or to another one of the same rooms."""
        person = self._people.get(member_id)
        return bool(person is not None and person.sessions) or any(room.member(member_id) is not None for room in self)

    async def tokens(self) -> Tokens:
        """Signs and reads the tokens of guests, for all rooms. Raise `Refused` while the store is unavailable."""
        if self.first is not None:
            await self.first.start()
            return self.first.tokens
        secret = None if self._source is None else await self._source.secret()
        return Tokens(secret or self._secret)

    async def access(self, user: User | None, name: str, member_id: str | None = None) -> Access:
        """What `user`, or a guest, may do in the room of that name, whether there is one or not. Raise `Refused`.

        `member_id` is that of a guest with an identity. Only the members of a direct room may enter it.
        """
        members = await self.members(name)
        if members:
            return Access.WRITE if (member_id if user is None else user.member_id) in members else Access.NONE
        if self._ask is None:
            return Access.WRITE
        return await self._ask(
            user,
            name,
            about=f"{'a guest' if user is None else user.member_id} in {name}",
            late="The server took too long to find out what you may do here. Try again.",
            failed="The server could not find out what you may do here. Try again later.",
        )

    async def refresh(self, user_id: str | None = None) -> None:
        """Ask again what that user may do in the rooms that they are in, or everybody if no user is named.

        Open connections lose or gain access at once. If the app cannot say, they are closed, and may come back.
        """
        member_id = None if user_id is None else User(user_id).member_id
        if self._ask is None:
            return
        self.readers.refresh(member_id)
        if member_id is None:
            everybody = (visitor for room in self for visitor in room.core.membership.connections)
            visitors = [visitor for visitor in everybody if isinstance(visitor, Session)]
        else:
            known = self._people.get(member_id)
            visitors = [] if known is None else list(known.sessions)
            if known is not None and not visitors:
                known.refreshes += 1  # they are about to enter their first room
        groups: dict[tuple[int, str], list[Session]] = {}
        for session in visitors:
            groups.setdefault((id(session.grant.person), session.room), []).append(session)
        for person in {session.grant.person for session in visitors}:
            if person is not None:
                person.refreshes += 1
        await _in_batches([self._ask_again(sessions) for sessions in groups.values()])

    async def _ask_again(self, sessions: list[Session]) -> None:
        """Ask for the sessions of one person in one room."""
        user, name, person = sessions[-1].user, sessions[-1].room, sessions[-1].grant.person
        asked = 0 if person is None else person.refreshes
        access: Access | None = None
        with suppress(Refused):
            access = await self.access(user, name, None if person is None else person.member_id)
        if person is not None and person.refreshes != asked:
            return  # another answer is under way
        for session in sessions:
            if access is None:
                session.put_out(Close.UNAVAILABLE)
            else:
                session.change_access(access)

    # Which room.

    async def find(
        self,
        name: object,
        user: User | None = None,
        request: Request | None = None,
        *,
        person: Person | None = None,
        trusted: bool = False,
        address: str = "",
    ) -> Found:
        """The room that a visitor named (the first for `None`), and what they may do in it.

        `person` is the visitor, if the transport knows more than `user` does. `address` is theirs, if there is no
        `request`. `trusted` is for programs of the app, which may do everything in any room. Raise `Refused` with
        `unknown_room`: there is no such room for them.
        """
        began = self.clock.steady()
        if person is None and user is not None:
            person = self.person(user.member_id)
        try:
            found = await self._find(name, user, request, person, trusted=trusted)
        except Refused as refused:
            if refused.code == "unknown_room" and (self._guarded or is_direct(name)) and not trusted:
                await self._until_grid(began)
            raise
        found.grant.address = address if request is None else request.remote
        found.room.core.moderation.protected = self.protected
        return found

    async def _find(
        self, name: object, user: User | None, request: Request | None, person: Person | None, *, trusted: bool
    ) -> Found:
        if name is None and self.first is not None:
            name = self.first.name
        if not isinstance(name, str) or not ROOM_NAME.fullmatch(name):
            raise Refused("unknown_room", f"No room can have that name. {ROOM_NAMES}")
        if self._source is None and self._ask is None:
            room = self.rooms.get(name)
            if room is None:
                raise self._unknown()
            return Found(room.backend, Grant(Access.WRITE, person))
        if trusted:
            looks = None
        elif user is None and request is not None:
            looks = self.rates.address(request.remote)  # a guest can be somebody new each time
        else:
            looks = None if person is None else person.usage
        async with self._lookups.look(looks, self.limits.table["lookups"]):
            return await self._look(name, user, request, person, trusted=trusted)

    async def _look(
        self, name: str, user: User | None, request: Request | None, person: Person | None, *, trusted: bool
    ) -> Found:
        grant = Grant(Access.WRITE, person)
        if (self._ask is not None or is_direct(name)) and not trusted:
            member_id = None if person is None else person.member_id
            grant = Grant(Access.NONE, person, partial(self.access, user, name, member_id))
        access = await grant.renew()
        room = None
        if "read" in access:
            self._check_count(person, name)
            room = await self._open(name, request)
        if room is None:
            raise self._unknown()
        return Found(room.backend, grant)

    def _unknown(self) -> Refused:
        names = self.public_names
        return unknown_room(f" There are: {', '.join(names)}." if names else "")

    def _check_count(self, person: Person | None, name: str) -> None:
        if person is None or len(person.sessions) < self.max_rooms_per_person:
            return
        names = {session.room for session in person.sessions}
        if name not in names and len(names) >= self.max_rooms_per_person:
            raise Refused("too_many_rooms", f"You are in {len(names)} rooms. Leave one before you enter another.")

    async def _open(self, name: str, request: Request | None) -> ChatRoom | None:
        """The room of that name. Whoever comes while it is looked for waits for the same answer."""
        while True:
            room = self.rooms.known(name)
            if room is not None or self._source is None:
                return room
            loop = asyncio.get_running_loop()
            task = self._opening.get(name)
            mine = task is None or task.get_loop() is not loop
            if task is None or mine:
                task = self._opening[name] = loop.create_task(self._ask_source(self._source, name, request))
                task.add_done_callback(partial(self._opened, name))
            await asyncio.wait({task})
            if task.cancelled():
                raise Refused.standard("shutdown")
            outcome = task.result()
            if not isinstance(outcome, Refused):
                return outcome
            if mine or outcome.code in ("internal", "unavailable"):
                raise Refused(outcome.code, outcome.text, outcome.retry_after)

    @staticmethod
    async def _ask_source(source: RoomSource, name: str, request: Request | None) -> ChatRoom | Refused | None:
        try:
            return await source.open(name, request)
        except Refused as refused:
            return refused.with_traceback(None)

    def _opened(self, name: str, task: asyncio.Task[ChatRoom | Refused | None]) -> None:
        if self._opening.get(name) is task:
            del self._opening[name]
        if not task.cancelled():
            task.exception()  # told to those who wait, if anybody does

    async def _until_grid(self, began: float) -> None:
        passed = self.clock.steady() - began
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wait = max(1, math.ceil(passed / _GRID)) * _GRID - passed
        timer = self.clock.call_later(wait, lambda: None if reached.done() else reached.set_result(None))
        try:
            await reached
        finally:
            timer.cancel()

    async def visible(self, user: User | None = None, after: str = "", limit: int = 100) -> list[ListedRoom]:
        """The listed rooms that a visitor may read: at most `limit` after the room of the name `after`.

        The rooms that were given come first, the others follow in order of name.
        """
        began, found, asked = self.clock.steady(), list[ListedRoom](), 0
        async for batch in self._listed(after, limit):
            asked += len(batch)
            if self._ask is not None:
                allowed = await _in_batches([self._may_read(user, room.name) for room in batch])
                batch = [room for room, may_read in zip(batch, allowed, strict=True) if may_read]  # noqa: PLW2901
            found += batch
            if len(found) >= limit or asked >= _MAX_ASKED:
                break
        if self._guarded:
            await self._until_grid(began)
        return found[:limit]

    async def _may_read(self, user: User | None, name: str) -> bool:
        try:
            return "read" in await self.access(user, name)
        except Refused:
            return False

    async def _listed(self, after: str, limit: int) -> AsyncIterator[list[ListedRoom]]:
        """The rooms that lists show, whoever asks, in parts."""
        given = list(self.rooms.given)
        if not after or after in given:
            rest = given[given.index(after) + 1 :] if after else given
            after = ""
            yield [self._in_list(name, self.rooms.given[name].title) for name in rest]
        while self._source is not None:
            records = await self._source.listed(after, limit)
            if not records:
                return
            after = records[-1].name
            yield [self._in_list(each.name, each.title) for each in records if each.name not in self.rooms.given]

    def _in_list(self, name: str, title: str) -> ListedRoom:
        room = self.rooms.get(name)
        return ListedRoom(name, title, 0) if room is None else self.entry(room.backend)

    def entry(self, room: RoomBackend) -> ListedRoom:
        """`room` as it is in lists."""
        return ListedRoom(room.name, room.title, room.here, room.position.seq, room is self.first)

    # Direct rooms, and what lists of unread rooms show.

    async def members(self, name: str) -> tuple[str, ...]:
        """The ids of the members of a direct room; empty for another room."""
        if self._source is None or not is_direct(name):
            return ()
        room = self.rooms.get(name)
        if room is not None:
            return room.backend.members
        record = await self._source.record(name)
        return () if record is None else record.people

    async def direct(self, names: Mapping[str, str]) -> ChatRoom:
        """Open the direct room of the members with these ids and names, and put it into their lists."""
        room = None if self._source is None else await self._source.direct(names)
        if room is None:
            raise Refused("not_found", "This server has no direct rooms.")
        for member_id in names:
            await self.readers.follow(member_id, room.name)
        return room

    def spend_direct(self, person: Person, user: User | None, address: str) -> None:
        """Count a direct room that somebody opens: each one stays in the lists of its members. Raise `Refused`.

        A guest can be somebody new each time, so guests are counted by address.
        """
        usage = person.usage if user is not None else self.rates.address(address)
        wait = self.rates.take(self.limits.table["directs"], usage)
        if wait:
            raise too_much(wait, "You opened too many direct rooms.")

    async def direct_with(self, person: Person, others: Collection[str]) -> ChatRoom:
        """Open the direct room of a visitor and those of the ids in `others`. Raise `Refused`.

        The others must be in one of the visitor's rooms or have been there lately, and must not have blocked them.
        """
        ids = sorted({person.member_id, *others})
        if not 1 < len(ids) <= MAX_DIRECT:
            raise Refused("bad_request", f"A direct room has 2 to {MAX_DIRECT} members, you among them.")
        met = {each: _met(person, each) for each in ids}
        if not all(name is not None or each == person.member_id for each, name in met.items()):
            record = None if self._source is None else await self._source.find_direct(ids)
            if record is None or set(record.people) != set(ids):
                raise Refused("not_found", "There is nobody of that id in your rooms.")
        if await self.readers.blocks.by(ids, person.member_id):
            raise blocked()
        return await self.direct({each: name or self._name(each) for each, name in met.items()})

    async def describe(self, user: User | None, member_id: str, name: str) -> Described | None:
        """What a member sees of the room of that name in a list; `None` if they may not read it. Raise `Refused`."""
        if "read" not in await self.access(user, name, member_id):
            return None
        room, members = self.rooms.get(name), await self.members(name)
        if room is not None and room.backend.core.moderation.is_banned(member_id):
            return None
        record = None if self._source is None or (room and not members) else await self._source.record(name)
        title = room.title if room is not None else name if record is None else record.title
        if not members:
            return Described(title)
        stored = stored_names(record)
        people = tuple(Member(each, self._name(each) or stored.get(each, "")) for each in members)
        names = ", ".join(each.name for each in people if each.id != member_id)
        return Described(ERASED if len(people) == 1 else names, people)

    async def _push_secret(self) -> bytes:
        return (await self.tokens()).key("web push")

    async def _shown_away(self, member_id: str, message: Message) -> tuple[str, Message] | None:
        """What a member sees: the title of the room, and the message as it stands. Raise `Refused`.

        `None` if they are not away, may not read it, or have blocked its author, or if it was deleted.
        """
        person, room, name = self._people.get(member_id), self.rooms.get(message.room), message.room
        if room is None or room.backend.member(member_id) is not None or (person is not None and person.sessions):
            return None
        commands = room.backend.core.commands
        standing = await commands.find(message.seq)
        blocked = commands.readers is not None and await commands.readers.blockers((member_id,), message.author.id)
        if standing.deleted or blocked:
            return None
        user = None if is_guest(member_id) else User(member_id.removeprefix("user:"))
        described = await self.describe(user, member_id, name)
        if described is None:
            return None
        room.backend.check_entry(Grant(Access.READ), user, member_id)
        return described.title, standing

    def _name(self, member_id: str) -> str:
        """The name of a member who is connected, in any room; empty if there is none."""
        person = self._people.get(member_id)
        members = (session.member for session in (() if person is None else person.sessions))
        return next((member.name for member in members if member is not None), "")

    # Its life.

    @property
    def max_message_bytes(self) -> int:
        """Bytes of one message to the server, on any wire.

        A text of the longest length, each character escaped as a surrogate pair, and room for the rest.
        """
        longest = [room.limits.text for room in self.rooms.given.values()]
        return max([*longest, self.limits.text]) * 12 + 4096

    async def start(self) -> None:
        """Open the rooms that were given. If a store cannot be reached, that is logged, and visitors open the room."""
        self.rooms.start()
        for room in self.rooms.given.values():
            try:
                await room.start()
            except Refused as refused:
                _log.warning("The room %s is not open yet: %s", room.name, refused.text)

    async def aclose(self, why: Close) -> None:
        """Close all rooms."""
        for task in self._opening.values():
            task.cancel()
        rooms = self.rooms.close()
        for room in rooms:
            room.dismiss(why)
        for room in rooms:
            await room.aclose(why)
        await self.push.aclose()
        await self.readers.aclose()


def _met(person: Person, member_id: str) -> str | None:
    """The name of a member whom a visitor has met in one of their rooms; `None` if there is nobody of that id."""
    names = (session.name_of(member_id) for session in tuple(person.sessions))
    return next((name for name in names if name is not None), None)


async def _in_batches(calls: list[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Await all calls, some at a time, and return their results. If one fails, the others are ended."""
    turns = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def run(call: Coroutine[Any, Any, _T]) -> _T:
        async with turns:
            return await call

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(call)) for call in calls]
    return [task.result() for task in tasks]
