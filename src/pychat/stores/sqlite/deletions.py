"""The rooms that were deleted in this process: what was sent to one is not stored in a new room of its name."""

from __future__ import annotations

from math import inf

from pychat.stores.sqlite.item import Effect, Item

__all__ = ["Deletions"]

_MAX_ROOMS = 10_000  # names that are remembered; an item for one of them may have waited since


class Deletions:
    """For each deleted room the number of the item that opened it again. Only for the writing thread."""

    def __init__(self) -> None:
        self._opened: dict[str, float] = {}
        self._pending: dict[str, float] = {}  # in the transaction

    def __bool__(self) -> bool:
        return bool(self._opened or self._pending)

    def refuses(self, item: Item) -> bool:
        """Return whether the item must not be written, and note what it does to its room otherwise."""
        if item.effect is Effect.DELETES:
            self._pending[item.room] = inf
        opened = self._pending.get(item.room, self._opened.get(item.room))
        if opened is not None and item.effect is Effect.OPENS:
            self._pending[item.room] = min(opened, item.number)
        return opened is not None and item.effect is Effect.REFUSED and item.number < opened

    def committed(self) -> None:
        """Remember what the items of a transaction did."""
        if self._pending:
            self._opened.update(self._pending)
            self._pending.clear()
            while len(self._opened) > _MAX_ROOMS:
                del self._opened[next(iter(self._opened))]

    def failed(self) -> None:
        """Forget what the items of a transaction did."""
        self._pending.clear()
