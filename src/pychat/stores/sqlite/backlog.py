"""Limits the bytes that wait for the disk, for each author. Only for the thread of the event loop."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.stores.sqlite.item import Item

__all__ = ["Backlog"]

_MAX_BYTES = 32 << 20


class Backlog:
    """Counts the bytes of waiting items."""

    def __init__(self) -> None:
        self._bytes = 0
        self._by_author: dict[str, int] = {}

    def __bool__(self) -> bool:
        return self._bytes > 0

    def check(self, author: str, size: int) -> None:
        """Raise `Refused` if an author would have more bytes waiting than are free.

        One author can use half of the limit; twenty at the same time can use a twenty-first each, and a twenty-first
        stays free for the next author.
        """
        free = _MAX_BYTES - self._bytes
        if size > free - self._by_author.get(author, 0):
            raise Refused("unavailable", "The room cannot store messages as fast as they come. Try again.", 1.0)

    def add(self, item: Item) -> None:
        """Count an item."""
        self._bytes += item.size
        self._by_author[item.author] = self._by_author.get(item.author, 0) + item.size

    def remove(self, item: Item) -> None:
        """Stop counting an item."""
        self._bytes -= item.size
        left = self._by_author.pop(item.author, 0) - item.size
        if left > 0:
            self._by_author[item.author] = left
