"""One piece of work for the writing thread."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import LogEvent, Signal
from pychat.stores.store import Receiver

__all__ = ["EVENT_BYTES", "Item"]

#: The size of an event without its text.
EVENT_BYTES = 1_000
_UNAVAILABLE = "The room cannot store messages just now. Try again soon."
_RETRY_SECONDS = 5.0


@dataclass(slots=True)
class Item:
    """A waiting event of the log with its columns, or a signal, or a subscriber; and later its result."""

    room: str
    future: asyncio.Future[Any]
    event: LogEvent | None = None
    columns: tuple[Any, ...] = ()
    signal: Signal | None = None
    receive: Receiver | None = None
    author: str = ""
    size: int = 0
    result: Any = None
    error: Exception | None = None
    #: Whether the event or the signal goes to the subscribers.
    deliver: bool = False
    #: The order of arrival.
    number: int = 0

    def fail(self, stored: LogEvent | None = None) -> None:
        """After a failed transaction, refuse the item unless its event is `stored` all the same.

        A signal is delivered in any case.
        """
        if self.signal is None:
            self.deliver, self.result = False, stored
            self.error = Refused("unavailable", _UNAVAILABLE, _RETRY_SECONDS) if stored is None else None
