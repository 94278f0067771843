"""The memory store: implements the store port, with one log for each room."""

from __future__ import annotations

import asyncio
import secrets
import time
from bisect import bisect_left
from collections.abc import Callable, Collection

from pychat.domain.erasure import Choice
from pychat.domain.errors import Refused
from pychat.domain.model import LogEvent, Message, Position, Signal
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.domain.search import Search
from pychat.stores.memory.log import Log
from pychat.stores.memory.logs import Logs
from pychat.stores.memory.moderation_records import MemoryModeration
from pychat.stores.memory.push_records import MemoryPush
from pychat.stores.memory.reader_records import MemoryReaders
from pychat.stores.memory.room_records import MemoryRooms
from pychat.stores.store import Page, Receiver, Report, Retention, Store, Subscription

__all__ = ["MemoryStore"]

_DEFAULT_RETENTION = Retention(count=10_000)
_SEARCH_BUDGET = 500_000  # characters that a search compares in one turn of the event loop: 1 to 2 ms
_MESSAGE_COST = 500  # the fixed cost of one message, in characters


class MemoryStore(Store):
    """Keeps the newest 10,000 messages of each room (or `retention`) until the process ends."""

    available = True

    def __init__(self, retention: Retention = _DEFAULT_RETENTION, *, date: Callable[[], float] = time.time) -> None:
        self._retention = retention
        self._date = date
        self._secret = secrets.token_bytes(32)
        self._logs = Logs()
        self._readers = MemoryReaders(self._logs)
        self._moderation = MemoryModeration(lambda room: self._logs.open(room).receivers, date=date)
        self._push = MemoryPush(date)
        self._rooms = MemoryRooms(self._logs, self._readers, self._moderation, self._secret)

    @property
    def rooms(self) -> MemoryRooms:
        return self._rooms

    @property
    def readers(self) -> MemoryReaders:
        return self._readers

    @property
    def moderation(self) -> MemoryModeration:
        return self._moderation

    @property
    def push(self) -> MemoryPush:
        return self._push

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        self._logs.revive(room)
        log = self._logs.open(room)
        log.receivers += (receive,)
        return Subscription(Position(log.epoch, log.seq), self._secret)

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        log = self._logs.find(room)
        if log is not None and receive in log.receivers:
            index = log.receivers.index(receive)
            log.receivers = log.receivers[:index] + log.receivers[index + 1 :]
            self._logs.let_go(room)

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        stored: asyncio.Future[LogEvent] = asyncio.get_running_loop().create_future()
        try:
            stored.set_result(self._append(self._logs.open(room), event))
        except Refused as refused:
            stored.set_exception(refused.with_traceback(None))
        return stored

    def _append(self, log: Log, event: LogEvent) -> LogEvent:
        stored = log.append(event)
        if stored is None:
            return log.by_id[event.author.id, event.id]
        if isinstance(stored, Message):
            self._retain(log)
        for receive in log.receivers:
            receive(stored)
        return stored

    async def signal(self, room: str, event: Signal) -> None:
        log = self._logs.find(room)
        for receive in () if log is None else log.receivers:
            receive(event)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        log = self._logs.find(room)
        if log is None:
            return []
        first = log.seq - len(log.events) + 1
        start = max(0, after + 1 - first)
        return log.events[start : start + limit]

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        log = self._logs.find(room)
        if log is None:
            return Page((), 0)
        end = len(log.messages) if before is None else bisect_left(log.messages, before, key=lambda each: each.seq)
        if matching is None:
            return Page(tuple(log.messages[max(0, end - limit) : end]), log.seq)
        return await self._search(log, end, limit, Search.parse(matching))

    async def _search(self, log: Log, end: int, limit: int, search: Search) -> Page:
        """Find messages in parts of one turn of the event loop each; one search of a room at a time."""
        seq, found = log.seq, list[int]()
        if search.empty:
            return Page((), seq)
        async with log.searching:
            budget = _SEARCH_BUDGET
            while end and len(found) < limit:
                end -= 1
                message = log.messages[end]
                if search.finds(message):
                    found.append(message.seq)
                budget -= _MESSAGE_COST + len(message.text) * len(search.words)
                if budget < 0:
                    budget = _SEARCH_BUDGET
                    await asyncio.sleep(0)
                    end = bisect_left(
                        log.messages, message.seq, key=lambda each: each.seq
                    )  # retention may have removed the oldest
        kept = (log.index(each) for each in reversed(found))  # some may have been deleted during the search
        messages = (log.messages[index] for index in kept if index is not None)
        return Page(tuple(message for message in messages if not message.deleted), seq)

    async def erase(
        self,
        room: str,
        *,
        author: str | None = None,
        before: float | None = None,
        seqs: Collection[int] | None = None,
    ) -> list[int]:
        choice = Choice.of(author, before, seqs)
        log = self._logs.find(room)
        if log is None:
            await self._moderation.erase(room, ModerationErasure(choice.everything_of))
            return []
        chosen = {each.seq for each in log.messages if choice.has(each)}
        await self._moderation.erase(room, ModerationErasure(choice.everything_of, chosen))
        events, what = log.erase(choice, self._date())
        reports: list[Report] = [*events, what]
        for report in reports:
            for receive in log.receivers:
                receive(report)
        return list(what.seqs)

    async def rooms_of(self, author: str) -> list[str]:
        found = {room for room, log in self._logs if any(event.author.id == author for event in log.events)}
        return sorted(found | self._moderation.rooms_of(author))

    async def aclose(self) -> None:
        self._logs.clear()
        self._moderation.clear()

    def _retain(self, log: Log) -> None:
        """Remove excess messages in batches: removing them one by one would move the whole log each time."""
        count, age = self._retention.count, self._retention.age
        end = 0 if count is None else max(0, len(log.messages) - count)
        if age is not None:
            oldest = self._date() - age
            while end < len(log.messages) and log.messages[end].date < oldest:
                end += 1
        if end and (end >= 1 + len(log.messages) // 10 or end == len(log.messages)):
            log.forget_before(log.messages[end].seq if end < len(log.messages) else log.seq + 1)
