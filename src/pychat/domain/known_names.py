"""The last names of members who left."""

from __future__ import annotations

from collections import OrderedDict

from pychat.domain.names import Names

__all__ = ["KnownNames"]

_MAX_NAMES = 10_000


class KnownNames:
    """The last names of the 10,000 members who left most recently, by id and by the keys of the name."""

    __slots__ = ("_ids", "_names")

    def __init__(self) -> None:
        #: Unlike a dict, it finds its first item in one step. `None` until somebody leaves: it takes 128 bytes.
        self._names: OrderedDict[str, str] | None = None
        #: Key of a name -> the ids of the members who had it, the most recent last. A message with `@` is the first
        #: that needs it: to make the keys of 10,000 names takes some 60 ms.
        self._ids: dict[str, dict[str, None]] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KnownNames) and (self._names or {}) == (other._names or {})

    __hash__ = None  # type: ignore[assignment]  # it changes

    def name(self, member_id: str) -> str | None:
        """The last name of that member."""
        return None if self._names is None else self._names.get(member_id)

    def find(self, key: str) -> str | None:
        """The id of the member who left most recently with a name of that key."""
        if self._ids is None:
            self._ids = {}
            for member_id, name in (self._names or {}).items():
                self._index(member_id, name)
        return next(reversed(self._ids.get(key, _NOBODY)), None)

    def add(self, member_id: str, name: str) -> None:
        """Keep the name of a member who left."""
        self.discard(member_id)
        if self._names is None:
            self._names = OrderedDict()
        self._names[member_id] = name
        if self._ids is not None:
            self._index(member_id, name)
        if len(self._names) > _MAX_NAMES:
            self.discard(next(iter(self._names)))

    def discard(self, member_id: str) -> None:
        """Forget a member, if known."""
        name = None if self._names is None else self._names.pop(member_id, None)
        if name is None or self._ids is None:
            return
        for key in Names.keys(name):
            ids = self._ids[key]
            del ids[member_id]
            if not ids:
                del self._ids[key]

    def clear(self) -> None:
        """Forget everybody."""
        self._names = self._ids = None

    def _index(self, member_id: str, name: str) -> None:
        assert self._ids is not None  # noqa: S101 -- made by the caller
        for key in Names.keys(name):
            self._ids.setdefault(key, {})[member_id] = None


_NOBODY: dict[str, None] = {}
