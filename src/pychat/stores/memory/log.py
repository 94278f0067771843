"""One log in memory: its events, and its messages as they stand."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict

from pychat.domain.erasure import Choice, deletion, erased, requoted, withdrawal
from pychat.domain.model import Deleted, Edited, Erased, LogEvent, Message, Reacted, numbered
from pychat.domain.revision import check, revise
from pychat.stores.store import Receiver

__all__ = ["Log"]


class Log:
    """The log of one room."""

    __slots__ = (
        "by_id",
        "epoch",
        "events",
        "followers",
        "guests",
        "mentions",
        "messages",
        "receivers",
        "searching",
        "seq",
    )

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.seq = 0
        self.events: list[LogEvent] = []  # as they were stored
        self.messages: list[Message] = []  # as they stand
        self.by_id: dict[tuple[str, str], LogEvent] = {}
        #: The numbers of the messages that mention a member, by the member's id.
        self.mentions: dict[str, list[int]] = {}
        #: Copied when it changes: a receiver may unsubscribe while all are called.
        self.receivers: tuple[Receiver, ...] = ()
        #: Ids of the members who have a read position in this room, and those of guests, the oldest first.
        self.followers: set[str] = set()
        self.guests: OrderedDict[str, None] | None = None
        self.searching = asyncio.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is lost if the log is let go."""
        return not (self.seq or self.receivers or self.followers)

    def index(self, seq: int) -> int | None:
        """Return the index of message number `seq` in `messages`."""
        index = bisect_left(self.messages, seq, key=lambda each: each.seq)
        return index if index < len(self.messages) and self.messages[index].seq == seq else None

    def append(self, event: LogEvent) -> LogEvent | None:
        """Number and add an event, and return it; `None` if its author has used its id. Raise `Refused`."""
        if (event.author.id, event.id) in self.by_id:
            return None
        revised = None if isinstance(event, Message) else self.index(event.target)
        if isinstance(event, Message):
            if event.reply is not None and (quoted := self.index(event.reply.seq)) is not None:
                event = requoted(event) if self.messages[quoted].deleted else event
        elif revised is not None:
            check(self.messages[revised], event)
        self.seq += 1
        stored = numbered(event, self.seq)
        self.by_id[stored.author.id, stored.id] = stored
        self.events.append(stored)
        if isinstance(stored, Message):
            self.messages.append(stored)
            self._mention(stored.seq, stored.mentions)
        elif revised is not None:
            self._revise(revised, stored)
        return stored

    def unread(self, member_id: str, seq: int) -> tuple[int, int]:
        """Return how many messages come after number `seq`, and how many of them mention the member."""
        mentions = self.mentions.get(member_id, ())
        after = bisect_right(self.messages, seq, key=lambda each: each.seq)
        return len(self.messages) - after, len(mentions) - bisect_right(mentions, seq)

    def erase(self, choice: Choice, date: float) -> tuple[list[LogEvent], Erased]:
        """Erase the chosen messages. Return the events that clients need, and what the subscribers get after them."""
        chosen = [message for message in self.messages if choice.has(message)]
        events = [self.append(deletion(message, date)) for message in chosen if not message.deleted]
        if choice.author is not None and choice.seqs is None:
            events += [
                self.append(withdrawal(message.seq, emoji, choice.author, date, f"{self.seq}"))
                for message in self.messages
                for emoji, ids in message.reactions
                if choice.author in ids
            ]
        what = choice.report([each.seq for each in chosen])
        seqs, changed = frozenset(what.seqs), list[int]()
        for index, event in enumerate(self.events):
            after = erased(event, what, seqs)
            if after != event:
                self.events[index] = self.by_id[event.author.id, event.id] = after
                if event.seq in seqs:
                    changed.append(event.seq)
        for index, message in enumerate(self.messages):
            self.messages[index] = erased(message, what, seqs)
        return [each for each in events if each is not None], choice.report(changed)

    def forget_before(self, seq: int) -> None:
        """Remove all events before number `seq`."""
        kept = bisect_left(self.events, seq, key=lambda each: each.seq)
        for event in self.events[:kept]:
            del self.by_id[event.author.id, event.id]
        del self.events[:kept]
        end = bisect_left(self.messages, seq, key=lambda each: each.seq)
        for message in self.messages[:end]:
            self._unmention(message.seq, message.mentions)
        del self.messages[:end]

    def _revise(self, index: int, event: Edited | Deleted | Reacted) -> None:
        before = self.messages[index]
        self.messages[index] = after = revise(before, event)
        if before.mentions != after.mentions:
            self._unmention(before.seq, before.mentions)
            self._mention(after.seq, after.mentions)

    def _mention(self, seq: int, member_ids: tuple[str, ...]) -> None:
        for member_id in frozenset(member_ids):
            insort(self.mentions.setdefault(member_id, []), seq)

    def _unmention(self, seq: int, member_ids: tuple[str, ...]) -> None:
        for member_id in frozenset(member_ids):
            numbers = self.mentions[member_id]
            del numbers[bisect_left(numbers, seq)]
            if not numbers:
                del self.mentions[member_id]
