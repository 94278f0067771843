"""The limits on unread HTTP answers: a time for each, and a number of bytes for all of them."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pychat.net.addresses import address_key

__all__ = ["AnswerBudget"]

_SECONDS = 10.0  # that any answer may take, and
_BYTES_PER_SECOND = 16 * 1024  # that a client has to take besides
_MAX_BYTES = 32 * 1024 * 1024


class AnswerBudget:
    """Bounds the answers that are being sent. A host tells it of each for as long as the client has not taken it.

    An answer that takes longer than 10 seconds and a second for each 16 KiB is cut. When all of them together are too
    many bytes, the oldest one is cut of the address for which most bytes wait: who reads is not cut for others.
    """

    def __init__(
        self,
        *,
        max_bytes: int = _MAX_BYTES,
        seconds: float = _SECONDS,
        bytes_per_second: float = _BYTES_PER_SECOND,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._rate = bytes_per_second
        self._waiting: dict[str, dict[object, tuple[int, Callable[[], None]]]] = {}
        self._bytes: Counter[str] = Counter()
        self._total = 0

    @property
    def waiting(self) -> int:
        """The bytes of all answers that are being sent."""
        return self._total

    @contextmanager
    def sending(self, size: int, address: str, cut: Callable[[], None]) -> Iterator[None]:
        """Hold an answer of `size` bytes to the budget until the block ends; `cut` ends its connection.

        `cut` is called once at most, and returns at once; the block has to end soon after.
        """
        address, answer = address_key(address), object()
        timer = asyncio.get_running_loop().call_later(self._seconds + size / self._rate, self._cut, address, answer)
        self._waiting.setdefault(address, {})[answer] = (size, cut)
        self._bytes[address] += size
        self._total += size
        try:
            while self._total > self._max_bytes and (victim := self._heaviest(answer)) is not None:
                self._cut(*victim)
            yield
        finally:
            timer.cancel()
            self._forget(address, answer)

    def _heaviest(self, newest: object) -> tuple[str, object] | None:
        """The oldest answer of the address for which most bytes wait; never the `newest` of all."""
        # One of two: the newest is alone at one address at most.
        for address in heapq.nlargest(2, self._bytes, key=self._bytes.__getitem__):
            for answer in self._waiting[address]:
                if answer is not newest:
                    return address, answer
        return None

    def _cut(self, address: str, answer: object) -> None:
        cut = self._forget(address, answer)
        if cut is not None:
            cut()

    def _forget(self, address: str, answer: object) -> Callable[[], None] | None:
        there = self._waiting.get(address, {})
        size, cut = there.pop(answer, (0, None))
        if cut is not None:
            self._total -= size
            self._bytes[address] -= size
            if not there:
                del self._waiting[address], self._bytes[address]
        return cut
