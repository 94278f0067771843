"""A line: the connection of somebody in the same process, that can break, and that can be read slowly."""

from __future__ import annotations

import json
from collections.abc import Callable

from pychat.domain.errors import Close
from pychat.domain.notices import Notice
from pychat.protocol.v1 import encode
from pychat.room.connection import Encoder

__all__ = ["OUTBOX", "Line"]

#: Bytes that wait for a slow reader, as pychat's own transports keep them.
OUTBOX = 1024 * 1024


class _Notices(Encoder):
    """Notices as they are."""

    def encode(self, notice: Notice) -> Notice:
        return notice


class Line:
    """Shows what comes, or keeps it while nobody reads: at most `outbox` bytes of JSON, then it closes with SLOW."""

    encoder = _Notices()

    def __init__(self, show: Callable[[Notice], None], hang_up: Callable[[], None], *, outbox: int) -> None:
        self._show = show
        self._hang_up = hang_up
        self._outbox = outbox
        self._waiting: list[Notice] = []
        self._bytes = 0
        self._reading = True
        self._broken = False
        #: Why the server closed it; `None` while it has not.
        self.closed: Close | None = None

    @property
    def open(self) -> bool:
        """Whether it carries anything."""
        return self.closed is None and not self._broken

    def send(self, frame: Notice) -> None:
        """Show it, or let it wait."""
        if not self.open:
            return
        if self._reading:
            self._show(frame)
            return
        self._bytes += len(json.dumps(encode(frame)[1]).encode())
        if self._bytes > self._outbox:
            self.close(Close.SLOW)
        else:
            self._waiting.append(frame)

    def close(self, why: Close) -> None:
        """The server closes it."""
        if self.open:
            self.closed = why
            self._waiting.clear()
            self._hang_up()

    def cut(self) -> None:
        """It breaks; what waits is lost."""
        self._broken = True
        self._waiting.clear()

    def read(self, on: bool) -> None:
        """Read what waits and what comes, or stop reading."""
        self._reading = on
        if on:
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            for notice in waiting:
                self._show(notice)
