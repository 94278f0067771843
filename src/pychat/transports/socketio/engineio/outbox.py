"""The packets that wait for the next poll of a client, bounded in bytes."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable

from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.websocket.frames import Frame
from pychat.transports.socketio.engineio.packet import NOOP

__all__ = ["Outbox"]


def _nothing() -> None:
    """Nothing waits in a closed outbox."""


class Outbox:
    """The sending half of a socket that polls. Nothing here awaits but `wait_for_reader`."""

    __slots__ = (
        "__weakref__",
        "_budget",
        "_items",
        "_last",
        "_on_slow",
        "buffered",
        "closed",
        "poll",
        "reader",
        "remote",
    )

    def __init__(self, remote: str, max_bytes: int, on_slow: Callable[[], None]) -> None:
        """`on_slow` is called when more than `max_bytes` wait beside the largest packet."""
        self.remote = remote
        self._budget = SendBudget(max_bytes)
        self._on_slow = on_slow
        self._items: list[Frame | bytes] = []
        #: Bytes that wait for the next poll.
        self.buffered = 0
        #: The poll that waits for something to send.
        self.poll: asyncio.Future[bool] | None = None
        #: Done when the client has fetched what it was sent, for those who wait for that.
        self.reader: asyncio.Future[None] | None = None
        self.closed = False
        #: What the last poll of a closed socket is answered; `None` once it has been sent.
        self._last: str | None = None

    @property
    def empty(self) -> bool:
        """Whether no packet waits."""
        return not self._items

    def finished(self) -> bool:
        """Whether the client of a closed socket has been told everything."""
        return self._last is None

    def send(self, frame: Frame) -> None:
        """Send a frame with the next poll. A no-op once closed."""
        self._add(frame, len(frame.raw))

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message, in base64, with the next poll. A no-op once closed."""
        self._add(data, len(data) * 4 // 3 + 4)

    def _add(self, item: Frame | bytes, size: int) -> None:
        if self.closed:
            return
        if not self._budget.admits(self.buffered, size, item, self):
            self.drop()
            return
        self._items.append(item)
        self.buffered += size
        self.wake()

    def drop(self) -> None:
        """Drop what waits, and call `on_slow`."""
        self._items.clear()
        self.buffered = 0
        self._on_slow()

    def wake(self) -> None:
        """Let the pending poll fetch what waits."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(True)

    def take(self) -> str:
        """Everything that waits, as the body of a poll's answer.

        How the socket ended goes alone, in the answer after it: npm's client loses what arrives together with a CLOSE.
        """
        parts: list[str] = []
        for item in self.drain():
            if isinstance(item, Frame):
                parts.extend(item.texts)
            else:
                parts.append("b" + b64encode(item).decode())
        if self._last is not None and not parts:
            parts.append(self._last)
            self._last = None
        return "\x1e".join(parts) if parts else NOOP

    def drain(self) -> list[Frame | bytes]:
        """Take everything that waits."""
        items, self._items = self._items, []
        self.buffered = 0
        self._has_read()
        return items

    def close(self, last: str) -> None:
        """Send nothing more; `last` is the packet that the last poll is answered with."""
        self.closed = True
        self._on_slow = _nothing  # socket and outbox let go of each other
        self._last = last
        self._has_read()

    async def wait_for_reader(self, max_bytes: int, *, in_all: bool = False) -> None:
        """Wait while more than `max_bytes` wait beside the largest packet, or in all.

        A client that asks and does not fetch the answers would have them kept here, a MiB for each socket.
        """
        while (self.buffered > max_bytes if in_all else self.unread(max_bytes)) and not self.closed:
            if self.reader is None:
                self.reader = asyncio.get_running_loop().create_future()
            await asyncio.wait([self.reader])  # several may wait, and one of them may be cancelled

    def unread(self, max_bytes: int) -> bool:
        """Whether more than `max_bytes` wait beside the largest packet."""
        return self._budget.exceeded(self.buffered, max_bytes)

    def _has_read(self) -> None:
        reader, self.reader = self.reader, None
        if reader is not None:
            reader.set_result(None)
