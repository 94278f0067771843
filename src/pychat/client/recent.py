"""The newest messages that a client has seen, as they stand: what a reply quotes is looked up here. Pure."""

from __future__ import annotations

from collections import OrderedDict

from pychat.domain.model import LogEvent, Message
from pychat.domain.revision import revise

__all__ = ["Recent"]

_MOST = 200


class Recent:
    """At most 200 messages by number."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, Message] = OrderedDict()

    def take(self, event: LogEvent) -> None:
        """A message, or what became of one."""
        if isinstance(event, Message):
            self._messages[event.seq] = event
            if len(self._messages) > _MOST:
                self._messages.popitem(last=False)
        elif event.target in self._messages:
            self._messages[event.target] = revise(self._messages[event.target], event)

    def find(self, seq: int) -> Message | None:
        """The message of that number, if it is known here."""
        return self._messages.get(seq)

    def clear(self) -> None:
        """Forget all: numbers mean others now."""
        self._messages.clear()
