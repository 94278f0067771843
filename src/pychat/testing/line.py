"""The connection of a person in the same process. A test can break it, or stop reading from it."""

from __future__ import annotations

import json
from collections.abc import Callable

from pychat.domain.errors import Close
from pychat.domain.notices import Notice
from pychat.protocol.v1 import encode
from pychat.room.connection import Encoder

__all__ = ["OUTBOX", "Line"]

#: The maximum number of bytes that wait for a slow reader, as in pychat's own transports.
OUTBOX = 1024 * 1024


class _Notices(Encoder):
    """Encodes nothing: frames are the notices."""

    def encode(self, notice: Notice) -> Notice:
        return notice


class Line:
    """Shows notices, or keeps up to `outbox` bytes of them while nobody reads; with more it closes with `SLOW`."""

    encoder = _Notices()

    def __init__(self, show: Callable[[Notice], None], hang_up: Callable[[], None], *, outbox: int) -> None:
        self._show = show
        self._hang_up = hang_up
        self._outbox = outbox
        self._waiting: list[Notice] = []
        self._bytes = 0
        self._reading = True
        self._broken = False
        #: Why the server closed it; `None` if it did not.
        self.closed: Close | None = None

    @property
    def open(self) -> bool:
        """True if it is neither closed nor broken."""
        return self.closed is None and not self._broken

    def send(self, frame: Notice) -> None:
        """Show a notice, or keep it until it is read."""
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
        """Close the connection: the server calls this."""
        if self.open:
            self.closed = why
            self._waiting.clear()
            self._hang_up()

    def cut(self) -> None:
        """Break the connection. Waiting notices are lost."""
        self._broken = True
        self._waiting.clear()

    def read(self, on: bool) -> None:
        """Read the waiting notices and later ones, or stop reading."""
        self._reading = on
        if on:
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            for notice in waiting:
                self._show(notice)
