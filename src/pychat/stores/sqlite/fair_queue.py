"""The queue of the writing thread. Authors take turns, so that no author waits for all events of another."""

from __future__ import annotations

import collections
import contextlib
import queue
from collections.abc import Callable
from operator import attrgetter

from pychat.stores.sqlite.item import Item

__all__ = ["MAX_BATCH", "FairQueue"]

#: Items in a transaction: the event loop delivers them in one go, and must not be blocked for long.
MAX_BATCH = 512
_MAX_BATCH_BYTES = 512 << 10  # the longest Chinese texts take 1 ms each to index: a transaction must stay short

_arrival_number = attrgetter("number")


class FairQueue:
    """Items and functions. Any thread may put them; only the writing thread takes them."""

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[Item | Callable[[], None]] = queue.SimpleQueue()
        self._by_author: collections.OrderedDict[str, collections.deque[Item]] = collections.OrderedDict()
        self._function: Callable[[], None] | None = None
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self._by_author) or not self._arrived.empty()

    def put(self, each: Item | Callable[[], None]) -> None:
        """Add an item, or a function that is to be called after all items before it."""
        self._arrived.put(each)

    def fill(self, batch: list[Item], seconds: float) -> None:
        """Fill the empty `batch`, with one item of each author in turn; wait up to `seconds` for the first.

        Within the batch, items are in the order of arrival.
        """
        self._sort_by_author(seconds)
        size = 0
        while self._by_author and len(batch) < MAX_BATCH and size < _MAX_BATCH_BYTES:
            author, items = self._by_author.popitem(last=False)
            item = items.popleft()
            if items:
                self._by_author[author] = items
            batch.append(item)
            size += item.size
        batch.sort(key=_arrival_number)

    def function(self) -> Callable[[], None] | None:
        """Return the next function if all items before it were taken."""
        if self._by_author:
            return None
        function, self._function = self._function, None
        return function

    def _sort_by_author(self, seconds: float) -> None:
        """Take what has arrived, up to the next function."""
        if self._function is not None:
            return
        with contextlib.suppress(queue.Empty):
            each = self._arrived.get_nowait() if self._by_author else self._arrived.get(timeout=seconds)
            while isinstance(each, Item):
                self._number += 1
                each.number = self._number
                items = self._by_author.get(each.author)
                if items is None:
                    items = self._by_author[each.author] = collections.deque()
                items.append(each)
                each = self._arrived.get_nowait()
            self._function = each
