"""Delivers the events of a room to a program: each once, in the order of the log."""

from __future__ import annotations

from pychat.client.buffer import Buffer
from pychat.client.recent import Recent
from pychat.client.snapshot import RoomSnapshot
from pychat.domain.model import (
    Deleted,
    Edited,
    Joined,
    Left,
    LogEvent,
    Message,
    Position,
    Reacted,
    Renamed,
    Typing,
    Whisper,
)
from pychat.domain.notices import AccessChanged, HeldDecided, QueueChanged, RoomChanged

__all__ = ["ClientEvent", "EventQueue", "Signal"]

#: The events that `async for` yields.
ClientEvent = (
    RoomSnapshot
    | Message
    | Edited
    | Deleted
    | Reacted
    | Joined
    | Renamed
    | Left
    | Typing
    | Whisper
    | RoomChanged
    | AccessChanged
    | QueueChanged
    | HeldDecided
)
#: Those that have no number: they are dropped if the program falls behind.
Signal = Joined | Renamed | Left | Typing | RoomChanged | AccessChanged | QueueChanged | HeldDecided

_MAX_AHEAD_BYTES = 4 * 2**20
_SIGNAL_BYTES = 300
_MAX_WHISPERS = 1000


class EventQueue:
    """The position in the log, and the events that wait for the program."""

    def __init__(self, max_bytes: int) -> None:
        #: The program reads from this buffer.
        self.events: Buffer[ClientEvent] = Buffer(max_bytes)
        self.recent = Recent()
        #: Where to continue after a drop; `None` before the first welcome.
        self.position: Position | None = None
        self._ahead: dict[int, tuple[LogEvent, int]] = {}  # by number; earlier events are still missing
        self._saying = False
        self._whispered: dict[str, None] = {}  # ids of the newest whispers

    def start(self, position: Position, entered: RoomSnapshot | None, size: int) -> None:
        """Start with a new connection. Without `entered`, the missed events follow."""
        self.events.resume()
        self._ahead.clear()
        self._saying = False
        if entered is not None and not self.events.put(entered, size):
            return  # requested again from the position before, when the program has caught up
        self.position = position
        if entered is not None:
            self.recent.clear()
            for message in entered.messages:
                self.recent.take(message)

    def happened(self, event: LogEvent, size: int) -> None:
        """Add an event of the log, from an event or an answer."""
        if self.position is not None and event.seq > self.position.seq:
            self._ahead[event.seq] = event, size
            self._deliver()

    def signal(self, event: Signal) -> None:
        """Add an event without a number. It is dropped if the buffer is full."""
        self.events.put(event, _SIGNAL_BYTES)

    def whisper(self, whisper: Whisper, size: int) -> None:
        """Add a whisper, once: the server sends it again after a drop. It is dropped if the buffer is full."""
        if whisper.id not in self._whispered and self.events.put(whisper, size):
            self._whispered[whisper.id] = None
            if len(self._whispered) > _MAX_WHISPERS:
                del self._whispered[next(iter(self._whispered))]

    def say(self, under_way: bool) -> None:
        """Set whether a message of this client awaits its answer.

        Events that were stored after it may arrive before the answer; they are held back until then.
        """
        self._saying = under_way
        if not under_way:
            self._deliver()

    def _deliver(self) -> None:
        while self._ahead and self.position is not None:
            seq = self.position.seq + 1
            if seq not in self._ahead:
                if self._saying and sum(size for _, size in self._ahead.values()) <= _MAX_AHEAD_BYTES:
                    return
                seq = min(self._ahead)
            event, size = self._ahead.pop(seq)
            if not self.events.put(event, size):
                self._ahead.clear()  # requested again from here when the program has caught up
                return
            self.position = Position(self.position.epoch, seq, event.id)
            self.recent.take(event)
