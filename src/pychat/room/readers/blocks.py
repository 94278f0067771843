"""Who has blocked whom: read from the store, and kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection

from pychat.domain.errors import Refused
from pychat.room.clock import Clock
from pychat.stores import Store

__all__ = ["Blocks", "blocked"]

_KEPT = 10_000  # members
_SHARED_SECONDS = 5.0  # for which an answer is kept that another server may change
_AT_ONCE = 50


def blocked() -> Refused:
    """The refusal for somebody whom the other person has blocked."""
    return Refused.standard("blocked")


class Blocks:
    """The members whom each member has blocked."""

    def __init__(self, store: Callable[[], Store | None], clock: Clock) -> None:
        """`store` returns the store of the chat as it is now."""
        self._store = store
        self._clock = clock
        self._known: OrderedDict[str, tuple[frozenset[str], float]] = OrderedDict()
        self._changes = 0

    async def block(self, member_id: str, other: str, *, on: bool) -> None:
        """Block `other` for a member, or no longer. Raise `Refused` while the store is unavailable."""
        store = self._store()
        if store is not None and store.readers is not None:
            self._changes += 1  # a read that is under way may return the former state
            try:
                await store.readers.block(member_id, other, on)
            finally:
                self._changes += 1
                self._known.pop(member_id, None)

    async def of(self, member_id: str) -> frozenset[str]:
        """The ids of the members whom a member has blocked. Raise `Refused` while the store is unavailable."""
        store = self._store()
        known = self._known.get(member_id)
        if store is None or store.readers is None:
            return frozenset()
        if known is not None and (store.guests is None or self._clock.steady() - known[1] < _SHARED_SECONDS):
            return known[0]
        changes, now = self._changes, self._clock.steady()
        found = await store.readers.blocked(member_id)
        if changes == self._changes:
            self._known[member_id] = found, now
            self._known.move_to_end(member_id)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    async def by(self, member_ids: Collection[str], other: str) -> set[str]:
        """Those of the members who have blocked `other`. Raise `Refused` while the store is unavailable."""
        found: set[str] = set()
        ids = [each for each in member_ids if each != other]
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            lists = await asyncio.gather(*map(self.of, some))
            found.update(each for each, theirs in zip(some, lists, strict=True) if other in theirs)
        return found

    def clear(self) -> None:
        """Read everything again: the store is another one."""
        self._known.clear()
