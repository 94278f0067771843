"""The store port: a store keeps the log of each room and delivers each new event to every server of the room."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from pychat.domain.errors import UsageError
from pychat.domain.model import Erased, Event, LogEvent, Member, Message, Position, RoomDeleted, Signal
from pychat.domain.moderation import Moderated
from pychat.stores.moderation_records import ModerationRecords
from pychat.stores.push_records import PushRecords
from pychat.stores.reader_records import ReaderRecords
from pychat.stores.room_records import RoomRecords

__all__ = ["Guests", "Page", "Receiver", "Report", "Retention", "Store", "Subscription"]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long messages are kept: the newest `count`, and none older than `age` seconds; `None` means no limit."""

    count: int | None = None
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """The state of a room when a server opens it."""

    #: The epoch, and the sequence number of the newest event.
    position: Position
    #: The key that signs resume tokens; the same on all servers of the room, and after a restart.
    secret: bytes
    #: Members on other servers of this room.
    members: tuple[Member, ...] = ()
    #: Members whose names are held: they were here when the last server, or this one, stopped.
    away: tuple[Member, ...] = ()
    #: The last names of the 10,000 members who left most recently. A member who returns gets that name, if it is free.
    known: tuple[Member, ...] = ()


#: What a store reports to the subscribers of a room.
Report = Event | Erased | RoomDeleted | Subscription | Moderated

#: Called with each event of a room, in order, on the event loop. It must not raise.
#: It gets a `Subscription` after the store has lost its position in the log: the state of the room from then on. Its
#: `members` are all members, also those on this server. If the epoch has changed, the log was lost. If not, each event
#: up to the position has been delivered, or retention has removed it.
Receiver = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as they stand, oldest first. They include all events up to number `seq`."""

    messages: tuple[Message, ...]
    seq: int


class Guests(Protocol):
    """The number of guests (people without a nickname) on each server of a room. No method blocks or raises."""

    def follow(self, room: str, changed: Callable[[], None]) -> None:
        """Call `changed` whenever `elsewhere` may have changed. Subscribe to the room first."""

    def elsewhere(self, room: str) -> int:
        """Return the number of guests on the other servers; dead servers do not count."""

    def publish(self, room: str, count: int) -> None:
        """Send the number of guests on this server to the other servers."""


class Store(Protocol):
    """An ordered log for each room. Each appended event is stored, then delivered to all subscribers in order.

    A store of your own is a subclass: it implements the abstract methods and inherits the rest.
    Sequence numbers of a room are 1, 2, 3 … without a gap. Any method raises `Refused` with `unavailable` (and seconds
    to wait) while the store cannot be reached or written. Then the event was not stored, or a retry finds it by its id.
    """

    @property
    @abstractmethod
    def available(self) -> bool:
        """Whether the store can be reached and written at the moment, as far as it knows."""

    @property
    def guests(self) -> Guests | None:
        """The guest counts of the other servers; `None`, the default, if a room has only one server."""
        return None

    @property
    def rooms(self) -> RoomRecords | None:
        """The records of rooms; `None`, the default, if the store has none: then rooms cannot be made at run time."""
        return None

    @property
    def readers(self) -> ReaderRecords | None:
        """What members have read; `None`, the default, if the store does not keep it: then nothing is unread."""
        return None

    @property
    def moderation(self) -> ModerationRecords | None:
        """The moderation records; `None`, the default, if the store has none: then rooms keep them in memory."""
        return None

    @property
    def push(self) -> PushRecords | None:
        """The push subscriptions; `None`, the default, if the store keeps none: then there is no Web push."""
        return None

    @abstractmethod
    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Call `receive` with every event of `room` after the returned position.

        Call it once for each room; and again, to replace the receiver, after the receiver got a `Subscription`.
        """

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        """Stop calling `receive`, and let go of what the subscription holds. No-op if it is not subscribed.

        The default does nothing: then a store holds each receiver until it closes.
        """
        return

    @abstractmethod
    def append(self, room: str, event: LogEvent) -> Awaitable[LogEvent]:
        """Store `event` and return it with its `seq`.

        Events are stored in the order of the calls. This may be an `async def`: then each event takes a task.

        (author's id, event id) is unique. If it exists, nothing is stored or delivered, and the stored event is
        returned in its first form. A new event is delivered to the subscribers of this process after it is stored and
        before this returns. Raise `Refused` where `pychat.domain.revision.check` does, for the message as it stands
        when the event is stored: the caller could not know the events before it.
        """

    @abstractmethod
    async def signal(self, room: str, event: Signal) -> None:
        """Deliver `event` to all subscribers, in order with the log. Only the names of members are stored.

        Raise `Refused` with `name_taken` if a member on another server took the name first.
        """

    @abstractmethod
    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """Return at most `limit` events of the log after number `after`, each as it was first stored.

        If retention has removed some of them, the first returned event is not number `after + 1`, or the list is empty.
        """

    @abstractmethod
    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Return the last `limit` messages before number `before` (`None` is the end), as they stand now.

        With `matching`, return only messages that `Search.parse(matching)` finds: those that contain all of its words,
        of its author and dates. Case is ignored; deleted messages are not found.
        """

    async def erase(
        self,
        room: str,
        *,
        author: str | None = None,
        before: float | None = None,
        seqs: Collection[int] | None = None,
    ) -> list[int]:
        """Take the texts of the messages out of the log that are by `author`, older than `before`, and among `seqs`.

        A message keeps its number, its date and its author's id. Its text, edits, mentions, reactions and its author's
        name are gone, also from searches, from the quotes in replies, and from the store's files. With `author`, and
        without `seqs`, the emoji of the member's reactions and the member's name in all other places go too.

        The log gets a `Deleted` for each of the messages that was not deleted, and a `Reacted` for each withdrawn
        reaction, for the clients. Then subscribers get `Erased`. Return the numbers of the messages that had something
        to erase. The default raises `UsageError`, as does every store if all of the arguments are `None`.
        """
        raise UsageError(f"{type(self).__name__} cannot erase messages.")

    async def rooms_of(self, author: str) -> list[str]:
        """Return the names of the rooms with events or the name of that member. The default raises `UsageError`."""
        raise UsageError(f"{type(self).__name__} cannot find the messages of a member.")

    @abstractmethod
    async def aclose(self) -> None:
        """Finish pending writes and close the store. Calls after that are an error of the caller."""
