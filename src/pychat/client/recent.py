"""The newest messages that a client has seen; replies take their quotes from here. Pure."""

from __future__ import annotations

from collections import OrderedDict

from pychat.domain.model import LogEvent, Message
from pychat.domain.revision import revise

__all__ = ["Recent"]

_MAX_MESSAGES = 200


class Recent:
    """At most 200 messages by number."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, Message] = OrderedDict()

    def take(self, event: LogEvent) -> None:
        """Add a message, or apply a revision."""
        if isinstance(event, Message):
            self._messages[event.seq] = event
            if len(self._messages) > _MAX_MESSAGES:
                self._messages.popitem(last=False)
        elif event.target in self._messages:
            self._messages[event.target] = revise(self._messages[event.target], event)

    def find(self, seq: int) -> Message | None:
        """Return the message of that number, if known."""
        return self._messages.get(seq)

    def clear(self) -> None:
        """Forget all: the numbers have changed."""
        self._messages.clear()
