"""The rooms of one person who watches what is unread, with their counts."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, Protocol

from pychat.domain.model import Member, Message, User
from pychat.domain.notices import UnreadRoom
from pychat.stores import Unread

__all__ = ["Count", "Described", "News", "UnreadList", "UnreadListener"]


class Described(NamedTuple):
    """What a list shows of a room, beside the counts."""

    title: str
    #: The members of a direct room; empty for other rooms.
    people: tuple[Member, ...] = ()


class UnreadListener(Protocol):
    """A connection of a person who watches what is unread."""

    def unread(self, changed: list[UnreadRoom], gone: list[str]) -> None:
        """These rooms have changed, and those are no longer in the list. Called at most once a second."""


class News:
    """The messages of one room since the last tick: what is the same for all lists is counted once."""

    def __init__(self, messages: list[Message]) -> None:
        """There must be one message at least."""
        self.messages = messages
        self.first = messages[0].seq
        self.authors = {message.author.id for message in messages}
        self.mentions = Counter(member_id for message in messages for member_id in set(message.mentions))


class Count:
    """What is unread in one room."""

    __slots__ = ("described", "mentions", "messages", "seq", "touched")

    def __init__(self, described: Described, unread: Unread) -> None:
        self.described = described
        self.seq = unread.seq
        self.messages = unread.messages
        self.mentions = unread.mentions
        #: When this was last changed here: what a query that began before that has found is outdated.
        self.touched = 0

    def set(self, unread: Unread) -> bool:
        """Take over what the store has counted. Return whether that is a change."""
        before = self.seq, self.messages, self.mentions
        self.seq, self.messages, self.mentions = unread.seq, unread.messages, unread.mentions
        return before != (unread.seq, unread.messages, unread.mentions)

    def read(self, seq: int) -> None:
        """Everything up to number `seq`, the newest, was read."""
        self.seq, self.messages, self.mentions = seq, 0, 0

    def add(self, member_id: str, news: News) -> bool:
        """Count new messages. Return whether that is a change."""
        if self.seq < news.first and member_id not in news.authors:
            self.messages += len(news.messages)
            self.mentions += news.mentions.get(member_id, 0)
            return True
        before = self.seq, self.messages, self.mentions
        for message in news.messages:
            if message.seq > self.seq:
                if message.author.id == member_id:
                    self.read(message.seq)
                else:
                    self.messages += 1
                    self.mentions += member_id in message.mentions
        return before != (self.seq, self.messages, self.mentions)


class UnreadList:
    """What is unread for one person, for all of their connections to this server."""

    def __init__(self, member_id: str, user: User | None) -> None:
        self.member_id = member_id
        #: The login; `None` for a guest.
        self.user = user
        self.listeners: set[UnreadListener] = set()
        self.rooms: dict[str, Count] = {}
        #: What the app and the store have said about rooms; `None` where the person may not read the room.
        self.known: dict[str, Described | None] = {}
        #: The rooms that they are being asked about for the first time.
        self.asking: set[str] = set()
        #: How often it has changed what this person may read.
        self.refreshes = 0
        #: True while the app is asked again what the person may read: nothing is told meanwhile.
        self.stale = False
        #: The rooms that were taken out of the list, and when: what a query that began before has found is outdated.
        self.removed: dict[str, int] = {}
        #: The names of rooms that the listeners have not been told about.
        self.changed: dict[str, None] = {}

    def room(self, name: str) -> UnreadRoom:
        """The room of that name as it stands."""
        count = self.rooms[name]
        title, people = count.described
        return UnreadRoom(name, title, count.seq, count.messages, count.mentions, people)

    def as_it_stands(self) -> list[UnreadRoom]:
        """All rooms, in order of name."""
        return [self.room(name) for name in sorted(self.rooms)]

    def tell(self) -> None:
        """Tell the listeners what has changed."""
        changed, self.changed = self.changed, {}
        rooms = [self.room(name) for name in changed if name in self.rooms]
        gone = [name for name in changed if name not in self.rooms]
        for listener in tuple(self.listeners):
            listener.unread(rooms, gone)
