"""The memory store, which keeps logs until the process ends. It is the smallest implementation of the store port."""

from __future__ import annotations

import asyncio
import secrets
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable

from pychat.domain.errors import Refused
from pychat.domain.model import LogEvent, Message, Position, Signal, numbered
from pychat.domain.revision import check, revise
from pychat.stores.store import Page, Receiver, Retention, Store, Subscription

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
        self._epoch = secrets.token_urlsafe(6)
        self._secret = secrets.token_bytes(32)
        self._logs: dict[str, _Log] = defaultdict(_Log)

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        log = self._logs[room]
        log.receivers.append(receive)
        return Subscription(Position(self._epoch, log.seq), self._secret)

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        stored: asyncio.Future[LogEvent] = asyncio.get_running_loop().create_future()
        try:
            stored.set_result(self._append(self._logs[room], event))
        except Refused as refused:
            stored.set_exception(refused.with_traceback(None))
        return stored

    def _append(self, log: _Log, event: LogEvent) -> LogEvent:
        known = log.by_id.get((event.author.id, event.id))
        if known is not None:
            return known
        revised = None if isinstance(event, Message) else log.index(event.target)
        if revised is not None and not isinstance(event, Message):
            check(log.messages[revised], event)
        log.seq += 1
        stored = numbered(event, log.seq)
        log.by_id[stored.author.id, stored.id] = stored
        log.events.append(stored)
        if isinstance(stored, Message):
            log.messages.append(stored)
            self._retain(log)
        elif revised is not None:
            log.messages[revised] = revise(log.messages[revised], stored)
        for receive in log.receivers:
            receive(stored)
        return stored

    async def signal(self, room: str, event: Signal) -> None:
        for receive in self._logs[room].receivers:
            receive(event)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        log = self._logs[room]
        first = log.seq - len(log.events) + 1
        start = max(0, after + 1 - first)
        return log.events[start : start + limit]

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        log = self._logs[room]
        end = len(log.messages) if before is None else bisect_left(log.messages, before, key=lambda each: each.seq)
        if matching is None:
            return Page(tuple(log.messages[max(0, end - limit) : end]), log.seq)
        return await self._search(log, end, limit, set(matching.casefold().split()))

    async def _search(self, log: _Log, end: int, limit: int, words: set[str]) -> Page:
        """Find messages by words, in parts of one turn of the event loop each; one search of a room at a time."""
        seq, found = log.seq, list[Message]()
        if not words:
            return Page((), seq)
        async with log.searching:
            budget = _SEARCH_BUDGET
            while end and len(found) < limit:
                end -= 1
                message = log.messages[end]
                text = message.text.casefold()
                if all(word in text for word in words):
                    found.append(message)
                budget -= _MESSAGE_COST + len(text) * len(words)
                if budget < 0:
                    budget = _SEARCH_BUDGET
                    await asyncio.sleep(0)
                    end = bisect_left(
                        log.messages, message.seq, key=lambda each: each.seq
                    )  # retention may have removed the oldest
        return Page(tuple(reversed(found)), seq)

    async def aclose(self) -> None:
        self._logs.clear()

    def _retain(self, log: _Log) -> None:
        """Remove excess messages in batches: removing them one by one would move the whole log each time."""
        count, age = self._retention.count, self._retention.age
        end = 0 if count is None else max(0, len(log.messages) - count)
        if age is not None:
            oldest = self._date() - age
            while end < len(log.messages) and log.messages[end].date < oldest:
                end += 1
        if end and (end >= 1 + len(log.messages) // 10 or end == len(log.messages)):
            log.forget_before(log.messages[end].seq if end < len(log.messages) else log.seq + 1)


class _Log:
    __slots__ = ("by_id", "events", "messages", "receivers", "searching", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.events: list[LogEvent] = []  # as they were stored
        self.messages: list[Message] = []  # as they stand
        self.by_id: dict[tuple[str, str], LogEvent] = {}
        self.receivers: list[Receiver] = []
        self.searching = asyncio.Lock()

    def index(self, seq: int) -> int | None:
        index = bisect_left(self.messages, seq, key=lambda each: each.seq)
        return index if index < len(self.messages) and self.messages[index].seq == seq else None

    def forget_before(self, seq: int) -> None:
        kept = bisect_left(self.events, seq, key=lambda each: each.seq)
        for event in self.events[:kept]:
            del self.by_id[event.author.id, event.id]
        del self.events[:kept]
        del self.messages[: bisect_left(self.messages, seq, key=lambda each: each.seq)]
