"""The events of a room on their way to a program: each once, in the order of the log, whatever order they came in."""

from __future__ import annotations

from pychat.client.buffer import Buffer
from pychat.client.recent import Recent
from pychat.client.snapshot import RoomSnapshot
from pychat.domain.model import Deleted, Edited, Joined, Left, LogEvent, Message, Position, Reacted, Renamed, Typing

__all__ = ["ClientEvent", "EventQueue"]

#: What `async for` gives.
ClientEvent = RoomSnapshot | Message | Edited | Deleted | Reacted | Joined | Renamed | Left | Typing

_MOST_AHEAD_BYTES = 4 * 2**20
_SIGNAL_BYTES = 300


class EventQueue:
    """How far the program was told the log, and what waits to be told."""

    def __init__(self, most_bytes: int) -> None:
        #: What the program takes from.
        self.events: Buffer[ClientEvent] = Buffer(most_bytes)
        self.recent = Recent()
        #: Where to go on from after a drop; `None` before the first welcome.
        self.position: Position | None = None
        self._ahead: dict[int, tuple[LogEvent, int]] = {}  # by number; what stands before them has not come yet
        self._saying = False

    def start(self, position: Position, entered: RoomSnapshot | None, size: int) -> None:
        """A connection is up. Without `entered` what was missed follows."""
        self.events.resume()
        self._ahead.clear()
        self._saying = False
        self.position = position
        if entered is not None:
            self.recent.clear()
            for message in entered.messages:
                self.recent.take(message)
            self.events.put(entered, size)

    def happened(self, event: LogEvent, size: int) -> None:
        """An event of the log, from an event or an answer."""
        if self.position is not None and event.seq > self.position.seq:
            self._ahead[event.seq] = event, size
            self._deliver()

    def signal(self, event: Joined | Renamed | Left | Typing) -> None:
        """Something without a number. It is lost on a program that has fallen behind."""
        self.events.put(event, _SIGNAL_BYTES)

    def say(self, under_way: bool) -> None:
        """A message of ours is on its way into the log; or no longer, as it was refused or its answer has come.

        What was stored after it may come before its answer, and is held back until then.
        """
        self._saying = under_way
        if not under_way:
            self._deliver()

    def _deliver(self) -> None:
        while self._ahead and self.position is not None:
            seq = self.position.seq + 1
            if seq not in self._ahead:
                if self._saying and sum(size for _, size in self._ahead.values()) <= _MOST_AHEAD_BYTES:
                    return
                seq = min(self._ahead)
            event, size = self._ahead.pop(seq)
            if not self.events.put(event, size):
                self._ahead.clear()  # asked for again, from here, when the program has caught up
                return
            self.position = Position(self.position.epoch, seq, event.id)
            self.recent.take(event)
