"""The memory store: a log that lives as long as the process. The smallest thing that keeps the store's promises."""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from dataclasses import replace
from itertools import islice

from pychat.model import Message, Position

from .base import Receiver, Signal

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps the newest `keep` messages of each room; older ones are forgotten, as are all when the process ends."""

    def __init__(self, keep: int = 10_000) -> None:
        self._keep = keep
        self._epoch = secrets.token_urlsafe(6)
        self._logs: dict[str, _Log] = defaultdict(_Log)

    async def subscribe(self, room: str, receive: Receiver) -> Position:
        log = self._logs[room]
        log.receivers.append(receive)
        return Position(self._epoch, log.seq)

    async def append(self, room: str, message: Message) -> Message:
        log = self._logs[room]
        known = log.by_id.get((message.author.id, message.id))
        if known is not None:
            return known
        log.seq += 1
        stored = replace(message, seq=log.seq)
        log.messages.append(stored)
        log.by_id[stored.author.id, stored.id] = stored
        if len(log.messages) > self._keep:
            oldest = log.messages.popleft()
            del log.by_id[oldest.author.id, oldest.id]
        for receive in log.receivers:
            receive(stored)
        return stored

    async def signal(self, room: str, event: Signal) -> None:
        for receive in self._logs[room].receivers:
            receive(event)

    async def read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        log = self._logs[room]
        first = log.seq - len(log.messages) + 1
        if after is not None:
            start = max(after + 1, first)
        else:
            end = log.seq + 1 if before is None else min(before, log.seq + 1)
            start = max(end - limit, first)
            limit = max(0, end - start)
        # From the near end: a deque is a chain of blocks, and nearly everyone reads its newest.
        if start - first > len(log.messages) // 2:
            tail = list(islice(reversed(log.messages), log.seq + 1 - start))
            tail.reverse()
            return tail[:limit]
        return list(islice(log.messages, start - first, start - first + limit))

    async def aclose(self) -> None:
        self._logs.clear()


class _Log:
    __slots__ = ("by_id", "messages", "receivers", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.messages: deque[Message] = deque()
        self.by_id: dict[tuple[str, str], Message] = {}
        self.receivers: list[Receiver] = []
