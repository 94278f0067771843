"""The store port: who keeps a room's log, and tells every server of the room what was added. Six methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pychat.domain.model import Event, LogEvent, Member, Message, Position, Signal

__all__ = ["CountsGuests", "Guests", "Page", "Receiver", "Retention", "Store", "Subscription"]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long messages are kept: the newest `count`, and none older than `age` seconds; `None` keeps all."""

    count: int | None = None
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a room stands when a server opens it."""

    #: The epoch, and the number of the newest event.
    position: Position
    #: What signs resume tokens; the same for all servers of the room, and after a restart.
    secret: bytes
    #: Who is here on other servers of this room.
    members: tuple[Member, ...] = ()
    #: Whose names are held: they were here when the last server, or this one, went away.
    away: tuple[Member, ...] = ()
    #: The last names of members who left, the most recent 10,000: who comes back gets the name, if it is free.
    known: tuple[Member, ...] = ()


#: Called with each event of a room, in order, on the event loop. It must not raise.
#: A `Subscription` says that the store has lost its place: where the room stands from here on, whatever was told
#: before.
#: `members` are then all who are here, on this server too. If the epoch is another, the log was lost; if it is the
#: same, each event up to the position has been told, or retention has removed it.
Receiver = Callable[[Event | Subscription], None]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as they stand, oldest first, and the number of the newest event that has been taken into them."""

    messages: tuple[Message, ...]
    seq: int


class Guests(Protocol):
    """How many people without a nickname are connected to each server of a room. No call waits, and none raises."""

    def follow(self, room: str, changed: Callable[[], None]) -> None:
        """Call `changed` whenever `elsewhere` may be another, once the room has been subscribed to."""

    def elsewhere(self, room: str) -> int:
        """How many there are on the other servers, without those of servers that have died."""

    def publish(self, room: str, count: int) -> None:
        """Tell the other servers how many there are on this one."""


@runtime_checkable
class CountsGuests(Protocol):
    """An ability of a store whose rooms can have several servers. Others lack it: there is nothing to count."""

    @property
    def guests(self) -> Guests | None:
        """What counts people without a nickname over all servers."""


class Store(Protocol):
    """An ordered log for each room. What was appended is stored, and everyone will be told of it, in order.

    Numbers are 1, 2, 3 … without a gap, for each room. Any method raises `Refused` with `unavailable` (and seconds
    to wait) while the store cannot be reached or written; nothing was stored then, or it will be found again by its id.
    """

    @property
    def available(self) -> bool:
        """Whether the store can be reached and written just now, as far as is known."""

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Tell `receive` of every event of `room` after the opening's position, from now on.

        Once for each room; again after the receiver was told an `Subscription`, to replace it.
        """

    async def append(self, room: str, event: LogEvent) -> LogEvent:
        """Store `event` and return it with its `seq`.

        (author's id, event id) is unique: if it is there already nothing is stored, nobody is told, and what is
        there is returned, as it was first stored. Subscribers of this process are told before this returns, and
        after it is stored. Raise `Refused` where `pychat.domain.revision.check` does, for the message as it stands
        when the event takes its place: whoever asked did not know what came first.
        """

    async def signal(self, room: str, event: Signal) -> None:
        """Tell all subscribers of `event`, in order with the log, and remember who has which name; keep no more.

        Raise `Refused` with `name_taken` where somebody on another server was quicker.
        """

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """The log itself: at most `limit` events, those next after number `after`, each as it was first stored.

        Where retention has removed some of them, the first one returned is not `after + 1`, or there is none.
        """

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """The last `limit` messages before number `before` (the end, for `None`), as they stand now.

        With `matching`, only messages that hold all of its words (deleted ones hold none), however they are cased.
        """

    async def aclose(self) -> None:
        """Let go of everything, storing what was begun. Further calls are a mistake of the caller's."""
