"""The newest events of a room's log, in memory, so that most visitors enter without a query to the store."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from pychat.domain.erasure import erased
from pychat.domain.model import Deleted, Edited, Erased, LogEvent, Message, Position
from pychat.domain.notices import Messages
from pychat.domain.revision import revise
from pychat.room.connection import Encoder

__all__ = ["RecentEvents"]

_PAGE_CHARACTERS = 16 * 1024


class RecentEvents:
    """The last `keep` events as stored, the last `page` messages as they stand, and the frames made of them."""

    def __init__(self, *, keep: int, page: int) -> None:
        self._events: deque[LogEvent] = deque(maxlen=keep)
        self._messages: list[Message] = []
        self._page: Messages | None = None  # what `page` returned, until it changes
        self._max_messages = page
        self._floor = 0  # everything after this number is in `_events`
        self._floor_id: str | None = ""  # of the event of that number; `None` if it is not known
        self._frames: dict[Encoder, dict[int, object]] = {}
        self._first: dict[tuple[str, str], LogEvent] = {}  # author's id, event's id -> the event as it was stored
        #: Whether there are older messages than those of `page`.
        self.more = False

    def load(self, seq: int, events: Sequence[LogEvent], messages: Sequence[Message], *, more: bool) -> None:
        """Begin, or begin anew, at event number `seq`: with the newest `events` and, as they stand, `messages`."""
        self._events.clear()
        self._frames.clear()
        self._first.clear()
        self._floor, self._floor_id = seq, None
        for event in events:
            self.add(event)
        self._floor = seq - len(self._events)
        if self._floor == 0:
            self._floor_id = ""
        self._messages = list(messages)
        self._page = None
        self.more = more

    def add(self, event: LogEvent) -> None:
        """Something was added to the log."""
        if len(self._events) == self._events.maxlen:
            gone = self._events.popleft()
            self._floor, self._floor_id = gone.seq, gone.id
            self._first.pop((gone.author.id, gone.id), None)
            for frames in self._frames.values():
                frames.pop(gone.seq, None)
        self._events.append(event)
        self._page = None
        self._first[event.author.id, event.id] = event
        if isinstance(event, Message):
            self._messages.append(event)
            if len(self._messages) >= 2 * self._max_messages:  # in strides: half of it is moved for each page
                del self._messages[: len(self._messages) - self._max_messages]
                self.more = True
        else:
            if isinstance(event, Deleted):
                self._scrub(event.target)
            index = bisect_left(self._messages, event.target, key=lambda message: message.seq)
            if index < len(self._messages):
                self._messages[index] = revise(self._messages[index], event)

    def erase(self, what: Erased) -> None:
        """Forget the texts that were taken out of the log, also those in finished frames."""
        seqs = frozenset(what.seqs)
        for index, event in enumerate(self._events):
            after = erased(event, what, seqs)
            if after != event:
                self._events[index] = self._first[event.author.id, event.id] = after
                for frames in self._frames.values():
                    frames.pop(event.seq, None)
        self._messages = [erased(message, what, seqs) for message in self._messages]
        self._page = None

    def find(self, author_id: str, event_id: str) -> LogEvent | None:
        """The author's event with that id, as it was stored; `None` if it is not among the newest."""
        return self._first.get((author_id, event_id))

    def name_of(self, author_id: str) -> str | None:
        """The name under which somebody wrote last; `None` if it was not lately."""
        names = (event.author.name for event in reversed(self._events) if event.author.id == author_id)
        return next((name for name in names if name), None)

    def page(self) -> tuple[Messages, bool]:
        """The newest messages as they stand, oldest first, and whether there are older ones.

        Their texts have `_PAGE_CHARACTERS` at most, or there is one message. It is the same object until it changes.
        """
        if self._page is None:
            self._page = self._newest()
        return self._page, self.more or len(self._messages) > len(self._page)

    def _newest(self) -> Messages:
        messages = self._messages[-self._max_messages :] if self._max_messages else []
        characters, first = 0, len(messages)
        while first and (characters := characters + len(messages[first - 1].text)) <= _PAGE_CHARACTERS:
            first -= 1
        return Messages(messages[min(first, len(messages) - 1) :] if messages else ())

    @property
    def newest_id(self) -> str:
        """The id of the newest event; empty before the first, and where it is not known."""
        return self._events[-1].id if self._events else self._floor_id or ""

    def since(self, position: Position) -> list[LogEvent] | None:
        """The events after `position`; `None` if some of them are no longer here, or it is of another log.

        A position without an id is taken at its word.
        """
        index = position.seq - self._floor
        if not 0 <= index <= len(self._events):
            return None
        if position.id and position.id != (self._events[index - 1].id if index else self._floor_id):
            return None
        return list(islice(self._events, index, None))

    def frame(self, encoder: Encoder, event: LogEvent) -> object:
        """`event` as a frame of `encoder`, encoded once for live delivery and for recovery."""
        if event.seq <= self._floor:
            return encoder.encode(event)
        frames = self._frames.get(encoder)
        if frames is None:
            frames = self._frames[encoder] = {}
        if event.seq in frames:
            return frames[event.seq]
        frame = frames[event.seq] = encoder.encode(event)
        return frame

    def _scrub(self, target: int) -> None:
        for index, event in enumerate(self._events):
            scrubbed = _scrubbed(event, target)
            if scrubbed is not event:
                self._events[index] = scrubbed
                for frames in self._frames.values():
                    frames.pop(event.seq, None)


def _scrubbed(event: LogEvent, target: int) -> LogEvent:
    if isinstance(event, Message) and event.seq == target:
        return replace(event, text="", reply=None, deleted=True, mentions=())
    if isinstance(event, Edited) and event.target == target:
        return replace(event, text="", mentions=())
    return event
