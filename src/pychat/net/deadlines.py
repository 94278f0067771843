"""Many deadlines of the same length, with one timer for all of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Deadlines"]

Item = TypeVar("Item", bound=Hashable)


class Deadlines(Generic[Item]):
    """Calls `due(item)` so many seconds after `start(item)`, unless `stop(item)` comes first.

    All run for the same time, so the order of starting is the order of falling due: starting and stopping are O(1),
    and only the first needs a timer. The clock is the event loop's, which is monotonic.
    """

    __slots__ = ("_due", "_items", "_timer", "seconds")

    def __init__(self, seconds: float, due: Callable[[Item], None]) -> None:
        self.seconds = seconds
        self._due = due
        self._items: OrderedDict[Item, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: Item) -> bool:
        return item in self._items

    def start(self, item: Item) -> None:
        """Start the time of an item, or start it anew."""
        loop = asyncio.get_running_loop()
        when = loop.time() + self.seconds
        self._items[item] = when
        self._items.move_to_end(item)
        if self._timer is None:
            self._timer = loop.call_at(when, self._fire)

    def stop(self, item: Item) -> bool:
        """Stop the time of an item; whether it was running."""
        return self._items.pop(item, None) is not None

    def expire_first(self) -> bool:
        """Call `due` now for the item whose time ends first; return false if no item waits."""
        if not self._items:
            return False
        item, _ = self._items.popitem(last=False)
        self._due(item)
        return True

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()
        if self._timer is not None:
            self._timer.cancel()  # where its event loop has ended, that does nothing
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        items = self._items
        while items:
            item = next(iter(items))
            when = items[item]
            if when > now:
                if self._timer is None:
                    self._timer = loop.call_at(when, self._fire)
                return
            del items[item]
            self._due(item)
