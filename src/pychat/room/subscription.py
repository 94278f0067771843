"""The subscription of one room to its log: opens it without a gap, and opens it again if it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from pychat.domain.errors import Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import Erased, Event, LogEvent, Message, RoomDeleted
from pychat.domain.moderation import Moderated, Record
from pychat.stores import Report, Store, Subscription

__all__ = ["LogListener", "LogSubscription", "Snapshot"]

_PAUSE_SECONDS = 0.5  # between two tries to open a log while its store is away


class Snapshot(NamedTuple):
    """What a room loads when its log is opened."""

    opening: Subscription
    #: The number of the newest event.
    seq: int
    #: The newest events without a gap, as they were stored.
    events: list[LogEvent]
    #: The newest page of messages, as they stand; `more` tells that there are older ones.
    messages: tuple[Message, ...]
    more: bool
    #: The moderation records, and their version.
    moderation: tuple[tuple[Record, ...], int]


class LogListener(Protocol):
    """Receives the events of a log. No call may raise."""

    def load(self, snapshot: Snapshot) -> None:
        """Begin, or begin anew, with what the store holds."""

    def received(self, event: Event) -> None:
        """Something was added to the log, or signalled."""

    def reopened(self, opening: Subscription) -> None:
        """The store lost its place in the open log: go on from here, or call `LogSubscription.lose`."""

    def erased(self, what: Erased) -> None:
        """Texts were taken out of the log."""

    def moderated(self, what: Moderated) -> None:
        """The moderation records were changed."""

    def deleted(self) -> None:
        """The room was deleted. The next `open` makes a new one."""


class LogSubscription:
    """The log of `room` in `store`."""

    __slots__ = (
        "_closed",
        "_limits",
        "_listener",
        "_opening",
        "_read_moderation",
        "_refused",
        "_refused_until",
        "_room",
        "_trying",
        "_waiting",
        "epoch",
        "store",
    )

    def __init__(
        self,
        store: Store,
        room: str,
        limits: Limits,
        listener: LogListener,
        read_moderation: Callable[[], Awaitable[tuple[tuple[Record, ...], int]]],
    ) -> None:
        self.store = store
        self._room = room
        self._limits = limits
        self._listener = listener
        self._read_moderation = read_moderation
        self._trying: asyncio.Task[Refused | None] | None = None
        self._refused: Refused | None = None  # why the newest try failed
        self._refused_until = 0.0
        self._closed = False
        self._opening: Subscription | None = None
        self._waiting: list[Report] | None = None  # what happens while the log is opened
        #: The epoch of the log's numbers; `None` until the log is open.
        self.epoch: str | None = None

    async def open(self) -> None:
        """Open the log, if it is not. Idempotent; whoever comes meanwhile waits for the same opening.

        Where that fails, whoever comes in the next half a second is told the same, unless the store is back: a crowd
        that returns asks a store that is away twice a second, and not once for each. Raise `UsageError` where whoever
        runs the server has to change something first, such as a password, or a file that another process serves.
        """
        while self.epoch is None:  # again where it was lost while it was opened
            loop = asyncio.get_running_loop()
            refused = self._refused
            if refused is None or self.store.available or loop.time() >= self._refused_until:
                if self._trying is None:
                    self._trying = loop.create_task(self._try())
                    self._trying.add_done_callback(self._tried)
                refused = await asyncio.shield(self._trying)
            if refused is not None:  # an error of each one's own: one that many raise would gather all their frames
                raise Refused(refused.code, refused.text, refused.retry_after)

    async def _try(self) -> Refused | None:
        try:
            await self._open()
        except Refused as refused:
            if isinstance(refused.__cause__, UsageError):  # waiting will not help
                raise refused.__cause__ from None
            self._refused = Refused(refused.code, refused.text, refused.retry_after)
            self._refused_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS
        else:
            self._refused = None
        finally:
            # Here and not when the task is known to be done: whoever comes between would wait for a try that is over,
            # find the log lost again, and so on, and the event loop would never get a turn.
            self._trying = None
        return self._refused

    def _tried(self, task: asyncio.Task[Refused | None]) -> None:
        if self._trying is task:  # cancelled before it began
            self._trying = None
        if not task.cancelled():
            task.exception()  # told to all who wait, if anybody does

    def close(self) -> None:
        """Receive no more events. The store stays open for other rooms."""
        self._closed = True
        self.store.unsubscribe(self._room, self._receive)
        if self._trying is not None and not self._trying.get_loop().is_closed():
            self._trying.cancel()

    def lose(self) -> None:
        """The log is another one now: the next `open` loads it anew."""
        self.epoch = self._opening = None

    async def _open(self) -> None:
        """Load the newest events and messages. Events that arrive meanwhile are queued."""
        if self._opening is None:
            self._waiting = []
            self._opening = await self.store.subscribe(self._room, self._receive)
        opening = self._opening  # kept where what comes next fails: the next try continues from here
        page = await self.store.history(self._room, limit=self._limits.history + 1)
        recent = await self._recent(page.seq)
        moderation = await self._read_moderation()
        more = len(page.messages) > self._limits.history
        messages = page.messages[1:] if more else page.messages
        self._listener.load(Snapshot(opening, page.seq, recent, messages, more, moderation))
        self.epoch, self._opening = opening.position.epoch, None
        waiting, self._waiting = self._waiting, None
        for event in waiting or ():
            if not isinstance(event, LogEvent) or event.seq > page.seq:
                self._receive(event)

    def _receive(self, event: Report) -> None:
        """Pass on what the store reports, in order. While the log is being opened, keep it."""
        if self._closed:
            return
        if self.epoch is None:
            if self._waiting is not None:
                self._waiting.append(event)
        elif isinstance(event, Subscription):
            self._listener.reopened(event)
        elif isinstance(event, Erased):
            self._listener.erased(event)
        elif isinstance(event, Moderated):
            self._listener.moderated(event)
        elif isinstance(event, RoomDeleted):
            self.lose()
            self._listener.deleted()
        else:
            self._listener.received(event)

    async def _recent(self, head: int) -> list[LogEvent]:
        """The newest events up to number `head`, without a gap. After a restart everybody comes back at once."""
        limit = self._limits.page + 1  # one more tells what was just before them
        events = await self.store.events(self._room, after=max(0, head - limit), limit=limit)
        events = [event for event in events if event.seq <= head]
        return events if [event.seq for event in events] == list(range(head - len(events) + 1, head + 1)) else []
