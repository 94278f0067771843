"""Keeps the unread counts of those who watch them: told of each event, it tells the watchers once a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pychat.domain.errors import Refused
from pychat.domain.model import Edited, Erased, LogEvent, Message, User
from pychat.domain.notices import UnreadRoom
from pychat.room.clock import Clock, Timer
from pychat.room.readers.unread_list import Count, Described, News, UnreadList, UnreadListener
from pychat.room.tasks import Tasks
from pychat.stores import Unread

__all__ = ["UnreadSource", "UnreadWatchers"]

_log = logging.getLogger("pychat.room")
_TICK_SECONDS = 1.0
_POLL_SECONDS = 3.0  # between two looks at what other servers have stored
_AT_ONCE = 200  # lists that are counted or told in one turn of the event loop
_ASKED_AT_ONCE = 8  # rooms that the app and the store are asked about, for one list
_RETRY_SECONDS = 5.0  # until the app is asked again that could not say what somebody may read


@dataclass(frozen=True, slots=True)
class UnreadSource:
    """What the watchers ask for."""

    #: Writes what is gathered, and returns the counts of these members in all rooms.
    count: Callable[[Collection[str]], Awaitable[dict[str, tuple[Unread, ...]]]]
    #: True if other servers store messages too.
    shared: Callable[[], bool]
    #: What a person (the login, and the member's id) sees of the room of that name; `None` if they may not read it.
    #: Raises `Refused` if the app or the store cannot say.
    describe: Callable[[User | None, str, str], Awaitable[Described | None]]


class _Watched:
    """A room that is in somebody's list."""

    __slots__ = ("changed", "lists", "news")

    def __init__(self) -> None:
        self.lists: dict[UnreadList, None] = {}
        #: What has happened since the last tick.
        self.news: list[LogEvent | Erased] = []
        #: When something happened last.
        self.changed = 0


class UnreadWatchers:
    """The unread lists of the people who watch them on this server.

    An event costs one look into an index of rooms. The lists that have the room are counted at the next tick, in
    memory; only what cannot be counted there is counted by the store.
    """

    def __init__(self, source: UnreadSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._lists: dict[str, UnreadList] = {}  # by member id
        self._rooms: dict[str, _Watched] = {}
        self._news: dict[str, _Watched] = {}  # the rooms with news
        self._recount: dict[str, None] = {}  # ids of the members who are counted by the store at the next tick
        self._begun: dict[str, asyncio.Task[None]] = {}  # lists that are read for the first time
        self._telling: dict[UnreadList, None] = {}  # that have changed since the last tick
        self._changes = 0  # counts all that happens here: the time for queries
        self._tasks = Tasks()
        self._timer: Timer | None = None
        self._ticking = False
        self._last_tick = -_TICK_SECONDS
        self._poll: Timer | None = None

    def __len__(self) -> int:
        """How many people watch."""
        return len(self._lists)

    # Who watches.

    async def watch(self, member_id: str, user: User | None, listener: UnreadListener) -> list[UnreadRoom]:
        """Return what is unread for a person, and tell `listener` what changes. Raise `Refused`."""
        found = self._lists.get(member_id)
        if found is None:
            found = self._lists[member_id] = UnreadList(member_id, user)
            task = self._begun[member_id] = asyncio.get_running_loop().create_task(self._begin(found))
            task.add_done_callback(lambda done: self._has_begun(member_id, done))
        found.user = user
        found.listeners.add(listener)
        begun = self._begun.get(member_id)
        try:
            if begun is not None:
                await asyncio.shield(begun)
        except BaseException:
            self.unwatch(member_id, listener)
            raise
        return found.as_it_stands()

    def _has_begun(self, member_id: str, task: asyncio.Task[None]) -> None:
        if self._begun.get(member_id) is task:
            del self._begun[member_id]
        if not task.cancelled():
            task.exception()  # told to those who wait

    def unwatch(self, member_id: str, listener: UnreadListener) -> None:
        """Tell `listener` nothing more."""
        found = self._lists.get(member_id)
        if found is None:
            return
        found.listeners.discard(listener)
        if not found.listeners:
            del self._lists[member_id]
            self._telling.pop(found, None)
            self._recount.pop(member_id, None)
            for name in list(found.rooms):
                self._drop(found, name)

    async def _begin(self, found: UnreadList) -> None:
        began = self._changes
        unread = (await self._source.count([found.member_id])).get(found.member_id, ())
        await self._ask(found, [each.room for each in unread])
        if self._lists.get(found.member_id) is not found:
            return
        self._take_over(found, unread, began)
        # Messages that came meanwhile, to rooms that were in no list, are counted at the next tick.
        self.changed(found.member_id)
        if self._poll is None and self._source.shared():
            self._poll = self._clock.call_later(_POLL_SECONDS, self._look)

    # What happens.

    def happened(self, room: str, event: LogEvent | Erased) -> None:
        """Something was added to the log of a room."""
        watched = self._rooms.get(room)
        if watched is not None:
            self._changes += 1
            watched.changed = self._changes
            watched.news.append(event)
            self._news[room] = watched
            self._schedule()

    def read(self, member_id: str, room: str, seq: int, head: int | None) -> None:
        """A member has read a room up to number `seq`; `head` is that of the newest event, if it is known."""
        found = self._lists.get(member_id)
        count = None if found is None else found.rooms.get(room)
        if found is None or count is None or seq <= count.seq:
            return
        self._changes += 1
        count.touched = self._changes
        if head is not None and seq >= head:
            count.read(head)
            self._note(found, room)
        else:
            self._recount[member_id] = None
        self._schedule()

    def followed(self, member_id: str, room: str) -> None:
        """A member follows a room."""
        found = self._lists.get(member_id)
        if found is not None and room not in found.rooms:
            self.changed(member_id)

    def changed(self, member_id: str) -> None:
        """The rooms that a member follows have changed."""
        if member_id in self._lists:
            self._changes += 1
            self._recount[member_id] = None
            self._schedule()

    def unfollowed(self, member_id: str, room: str) -> None:
        """A member has stopped to follow a room."""
        found = self._lists.get(member_id)
        if found is not None:
            self._gone(found, room)
            self.changed(member_id)  # for a count that is under way

    def deleted(self, room: str) -> None:
        """A room was deleted: it is in nobody's list any more."""
        watched = self._rooms.get(room)
        for found in () if watched is None else tuple(watched.lists):
            found.known.pop(room, None)
            self._gone(found, room)
            self.changed(found.member_id)

    def renamed(self, room: str) -> None:
        """Lists show a room in another way: describe it again."""
        watched = self._rooms.get(room)
        for found in () if watched is None else tuple(watched.lists):
            self._tasks.spawn(self._describe(found, room))

    def refresh(self, member_id: str | None = None) -> None:
        """What a member may read has changed, or what anybody may: tell nothing until the app was asked."""
        if member_id is None:
            lists = list(self._lists.values())
        else:
            lists = [self._lists[member_id]] if member_id in self._lists else []
        for found in lists:
            found.refreshes += 1
            found.stale = True
            self._tasks.spawn(self._ask_again(found))

    # The ticks.

    def restart(self) -> None:
        """The event loop is a new one: nobody is connected any more."""
        self.stop()
        self._tasks, self._ticking, self._last_tick = Tasks(), False, -_TICK_SECONDS
        for gathered in (self._lists, self._rooms, self._news, self._recount, self._begun, self._telling):
            gathered.clear()

    def stop(self) -> None:
        """Tell nothing more."""
        for timer in (self._timer, self._poll):
            if timer is not None:
                timer.cancel()
        self._timer = self._poll = None

    def _schedule(self) -> None:
        if self._timer is None and not self._ticking:
            wait = self._last_tick + _TICK_SECONDS - self._clock.steady()
            self._timer = self._clock.call_later(max(0.0, wait), self._due)

    def _due(self) -> None:
        self._timer = None
        self._ticking = True
        self._last_tick = self._clock.steady()
        self._tasks.spawn(self._tick())

    def _look(self) -> None:
        """Count all lists: other servers may have stored something."""
        self._poll = None
        if self._lists:
            self._poll = self._clock.call_later(_POLL_SECONDS, self._look)
            self._recount.update(dict.fromkeys(self._lists))
            self._schedule()

    async def _tick(self) -> None:
        recount: list[str] = []
        try:
            news, self._news = self._news, {}
            for room, watched in news.items():
                await self._apply(room, watched)
            recount, self._recount = list(self._recount), {}
            while recount:
                await self._count(recount[:_AT_ONCE])
                del recount[:_AT_ONCE]
        except Refused:
            pass  # the store is away for a while
        except Exception:
            _log.exception("Unread counts could not be made; they are tried again")
        finally:
            self._recount.update((each, None) for each in recount if each in self._lists)
            await self._tell()
            self._ticking = False
            if self._news or self._recount or any(not found.stale for found in self._telling):
                self._schedule()

    async def _count(self, member_ids: list[str]) -> None:
        """Let the store count what is unread for these members, in all rooms."""
        began = self._changes
        counted = await self._source.count(member_ids)
        for member_id in member_ids:
            found = self._lists.get(member_id)
            if found is not None:
                self._take_over(found, counted.get(member_id, ()), began)

    async def _tell(self) -> None:
        telling, self._telling = self._telling, {}
        for number, found in enumerate(telling, 1):
            if found.stale:
                self._telling[found] = None
            else:
                found.tell()
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _apply(self, room: str, watched: _Watched) -> None:
        """Count the news of a room, in the lists that have it."""
        events, watched.news = watched.news, []
        messages = [event for event in events if isinstance(event, Message)]
        news = News(messages) if messages else None
        revised = len(messages) < len(events)
        mentioned = {each for event in events if isinstance(event, Edited) for each in event.mentions}
        for number, found in enumerate(tuple(watched.lists), 1):
            count = found.rooms.get(room)
            if count is not None:
                if news is not None and count.add(found.member_id, news):
                    count.touched = self._changes
                    self._note(found, room)
                if revised and (count.mentions or found.member_id in mentioned):
                    self._recount[found.member_id] = None
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _take_over(self, found: UnreadList, unread: tuple[Unread, ...], began: int) -> None:
        """Take over what the store has counted for a query that began then."""
        found.removed = {name: when for name, when in found.removed.items() if when > began}
        unknown = [each.room for each in unread if each.room not in found.known and each.room not in found.asking]
        if unknown:
            found.asking.update(unknown)
            self._tasks.spawn(self._ask_about(found, unknown))
        readable = {each.room: each for each in unread if found.known.get(each.room) is not None}
        for name in [name for name in found.rooms if name not in readable]:
            self._gone(found, name)
        for name, each in readable.items():
            described, count = found.known[name], found.rooms.get(name)
            if count is None and described is not None and name not in found.removed:
                count = found.rooms[name] = Count(described, each)
                self._rooms.setdefault(name, _Watched()).lists[found] = None
                self._note(found, name)
            elif count is not None:
                if count.touched > began or self._rooms[name].changed > began:
                    self._recount[found.member_id] = None  # something happened while the store counted
                elif count.set(each):
                    self._note(found, name)

    # What the app is asked: never in a tick, for it may take seconds.

    async def _ask(self, found: UnreadList, names: list[str]) -> bool:
        """Ask what the person sees of these rooms. Return whether that is still so."""
        refreshes, failed = found.refreshes, list[str]()
        turns = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def ask(name: str) -> Described | None:
            try:
                async with turns:
                    return await self._source.describe(found.user, found.member_id, name)
            except Exception as error:
                if not isinstance(error, Refused):
                    _log.exception("Nobody could say whether somebody may read the room %s", name)
                failed.append(name)
                return None

        answers = await asyncio.gather(*map(ask, names))
        if found.refreshes != refreshes:
            return False
        found.known.update(zip(names, answers, strict=True))
        if failed:
            self._clock.call_later(_RETRY_SECONDS, self._forget, found, failed)
        return True

    async def _ask_about(self, found: UnreadList, names: list[str]) -> None:
        await self._ask(found, names)
        found.asking.difference_update(names)
        self.changed(found.member_id)

    async def _describe(self, found: UnreadList, room: str) -> None:
        if await self._ask(found, [room]):
            described, count = found.known.get(room), found.rooms.get(room)
            if described is not None and count is not None:
                count.described = described
                self._note(found, room)
                self._schedule()
            self.changed(found.member_id)

    async def _ask_again(self, found: UnreadList) -> None:
        """Ask about all rooms of a list, because the answers may be others now."""
        if await self._ask(found, list(found.known)):
            found.stale = False
            for name in [name for name in found.rooms if found.known.get(name) is None]:
                self._gone(found, name)
            self.changed(found.member_id)

    def _forget(self, found: UnreadList, names: list[str]) -> None:
        for name in names:
            if found.known.get(name) is None:
                found.known.pop(name, None)
        self.changed(found.member_id)

    # The lists.

    def _note(self, found: UnreadList, name: str) -> None:
        """Tell the list's listeners of that room at the end of the tick."""
        found.changed[name] = None
        self._telling[found] = None

    def _gone(self, found: UnreadList, name: str) -> None:
        """Take a room out of a list."""
        self._changes += 1
        found.removed[name] = self._changes
        if name in found.rooms:
            self._drop(found, name)
            self._note(found, name)
            self._schedule()

    def _drop(self, found: UnreadList, name: str) -> None:
        del found.rooms[name]
        watched = self._rooms[name]
        del watched.lists[found]
        if not watched.lists:
            del self._rooms[name]
            self._news.pop(name, None)
