"""One piece of work for the writing thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Left, LogEvent, Signal
from pychat.stores.store import Receiver, Report

__all__ = ["EVENT_BYTES", "Effect", "Item"]

#: The size of an event without its text.
EVENT_BYTES = 1_000
_UNAVAILABLE = "The room cannot store messages just now. Try again soon."
_RETRY_SECONDS = 5.0


class Effect(Enum):
    """What an item does to a room that was deleted."""

    #: Nothing: it is written in any case.
    NONE = 0
    #: It is refused.
    REFUSED = 1
    #: It makes a new room of that name.
    OPENS = 2
    #: It deletes the room.
    DELETES = 3


@dataclass(slots=True)
class Item:
    """A waiting event of the log with its columns, or a signal, or a subscriber; and later its result."""

    room: str
    future: asyncio.Future[Any]
    event: LogEvent | None = None
    columns: tuple[Any, ...] = ()
    signal: Signal | None = None
    receive: Receiver | None = None
    #: Any other change: called with the connection and the logs within the transaction, and returns the result.
    work: Callable[[sqlite3.Connection, Any], Any] | None = None
    #: Reports to the subscribers that `work` makes.
    reports: Sequence[Report] = ()
    #: Whether the change must survive a power failure.
    durable: bool = True
    #: What it does to the room, as `Deletions` needs it.
    effect: Effect = Effect.NONE
    author: str = ""
    size: int = 0
    result: Any = None
    error: Exception | None = None
    #: Whether the event or the signal goes to the subscribers.
    deliver: bool = False
    #: The order of arrival.
    number: int = 0

    def refuse(self) -> None:
        """Refuse the item, because its room was deleted. A member who goes is never refused."""
        self.deliver = False
        if not isinstance(self.signal, Away | Left):
            self.error = Refused.standard("unknown_room")

    def fail(self, stored: LogEvent | None = None) -> None:
        """After a failed transaction, refuse the item unless its event is `stored` all the same.

        A signal is delivered in any case.
        """
        if self.signal is None:
            self.deliver, self.result, self.reports = False, stored, ()
            self.error = Refused("unavailable", _UNAVAILABLE, _RETRY_SECONDS) if stored is None else None
