"""The limit on large unread frames of all clients together."""

from __future__ import annotations

import heapq
import weakref
from collections import Counter
from typing import Protocol

from pychat.net.addresses import address_key

__all__ = ["LARGE_BYTES", "UNREAD", "UnreadFrames", "UnreadReceiver"]

#: Frames of more bytes than this are counted: pages of history, and what somebody missed.
LARGE_BYTES = 64 * 1024

_MAX_BYTES = 64 * 1024 * 1024


class UnreadReceiver(Protocol):
    """A connection for which bytes wait. It can be referenced weakly."""

    @property
    def remote(self) -> str:
        """The client's address."""

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""

    def drop(self) -> None:
        """Cut the connection with `Close.SLOW`, and drop what waits, at once."""


_Reference = weakref.ref[UnreadReceiver]


class UnreadFrames:
    """Bounds what waits for all receivers of large frames together.

    Past `max_bytes`, receivers of the address for which most bytes wait are closed, the oldest first, until a quarter
    is free. One that has taken its frames in the meantime does not count. A frame that is sent to many is in memory
    once, and is counted once.
    """

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max = max_bytes
        #: The bytes of each receiver, and the size of its last frame, which is in memory until all of it is sent.
        self._held: dict[_Reference, tuple[int, int]] = {}
        self._total = 0
        self._newest: object = None

    def __len__(self) -> int:
        return len(self._held)

    @property
    def total(self) -> int:
        """Bytes that are counted."""
        return self._total

    def add(self, receiver: UnreadReceiver, frame: object, size: int) -> None:
        """Count a large frame of `size` bytes that is about to wait for `receiver`. O(1), amortized."""
        if frame is self._newest:
            return
        self._newest = frame
        newest = weakref.ref(receiver, self._forget)
        self._hold(newest, self._held.get(newest, (0, 0))[0] + size, size)
        if self._total > self._max:
            self._count_again(newest)
        if self._total > self._max:
            self._free(newest)

    def _hold(self, reference: _Reference, size: int, last: int) -> None:
        self._total += size - self._held.get(reference, (0, 0))[0]
        self._held[reference] = (size, last)

    def _forget(self, reference: _Reference) -> None:
        self._total -= self._held.pop(reference, (0, 0))[0]

    def _count_again(self, newest: _Reference) -> None:
        """Most receivers have taken their frames; what has just been added is not in its buffer yet."""
        for reference, (size, last) in list(self._held.items()):
            receiver = reference()
            if reference == newest:
                continue
            if receiver is None or receiver.buffered <= LARGE_BYTES:
                self._forget(reference)
            else:
                self._hold(reference, min(size, receiver.buffered + last), last)

    def _free(self, newest: _Reference) -> None:
        """Close receivers until a quarter is free; never the newest one."""
        waiting: dict[str, list[_Reference]] = {}
        heavy: Counter[str] = Counter()
        for reference, (size, _) in reversed(self._held.items()):  # so that the oldest stand last
            receiver = reference()
            if receiver is not None and reference != newest:
                address = address_key(receiver.remote)
                waiting.setdefault(address, []).append(reference)
                heavy[address] += size
        heap = [(-size, address) for address, size in heavy.items()]
        heapq.heapify(heap)
        while heap and self._total > self._max * 3 // 4:
            weight, address = heapq.heappop(heap)
            reference = waiting[address].pop()
            weight += self._held[reference][0]
            receiver = reference()
            self._forget(reference)
            if receiver is not None:
                receiver.drop()
            if waiting[address]:
                heapq.heappush(heap, (weight, address))


#: The one of this process, whose memory it bounds.
UNREAD = UnreadFrames()
