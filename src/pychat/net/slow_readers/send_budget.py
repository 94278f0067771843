"""The limit on data that waits for a slow reader, the same for every transport.

It only decides: the sender, such as `FrameWriter`, closes the connection.
"""

from __future__ import annotations

from pychat.net.slow_readers.unread_frames import LARGE_BYTES, UNREAD, UnreadReceiver

__all__ = ["SendBudget"]


class SendBudget:
    """Bounds the data that waits for one receiver to `max_bytes`. The largest item is not counted.

    A client that comes back gets all missed events as one item, and may take its time to read it. "Largest" means since
    the queue was last empty. Past the bound the caller closes the connection with `Close.SLOW`.
    """

    __slots__ = ("largest", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        #: In bytes.
        self.largest = 0

    def admits(self, waiting: int, size: int, item: object = None, receiver: UnreadReceiver | None = None) -> bool:
        """Return whether `item`, of `size` bytes, may wait behind `waiting` bytes. Call it once for each item.

        With a `receiver`, a large item counts for all receivers together too (`UnreadFrames`).
        """
        if not waiting or size > self.largest:
            self.largest = size
            if size > LARGE_BYTES and receiver is not None:
                UNREAD.add(receiver, item, size)
            return waiting <= self.max_bytes
        return waiting + size <= self.max_bytes + self.largest

    def exceeded(self, waiting: int, max_bytes: int) -> bool:
        """Return whether more than `max_bytes` wait, not counting the largest item."""
        return waiting - self.largest > max_bytes
