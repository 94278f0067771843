"""What the moderation records of one room say: bans, mutes, roles, settings and pins. Looking up walks over nothing."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Any

from pychat.domain.moderation import Moderated, Record
from pychat.domain.networks import Networks
from pychat.domain.roles import Role

__all__ = ["ADDRESS", "DEFAULTS", "MEMBER", "ModerationState"]

#: How the keys of bans and mutes begin.
MEMBER, ADDRESS = "member:", "address:"
#: The settings of a room that has no records of them.
DEFAULTS: Mapping[str, Any] = {
    "slow": 0,
    "writing": "all",
    "entry": "open",
    "challenge": False,
    "password": "",
    "title": "",
    "topic": "",
}
_NONE: Mapping[str, Record] = {}


class ModerationState:
    """The records of one room, by kind and key."""

    __slots__ = ("_ends", "_kinds", "_networks", "version")

    def __init__(self, records: Iterable[Record] = (), version: int = 0) -> None:
        #: The number of changes up to now.
        self.version = version
        self._kinds: dict[str, dict[str, Record]] = {}
        self._networks: dict[str, Networks[Record]] = {}  # by kind
        self._ends: list[tuple[float, str, str]] = []  # a heap: when, the kind and the key of records that end
        for record in records:
            self._add(record)

    def __bool__(self) -> bool:
        """True if there are records."""
        return bool(self._kinds)

    def apply(self, moderated: Moderated) -> None:
        """Change the records, with the change that comes next."""
        for change in moderated.changes:
            if isinstance(change, Record):
                self._add(change)
            else:
                self._remove(change.kind, change.key)
        self.version = moderated.version

    def expire(self, now: float) -> list[Record]:
        """Forget the records that have ended by `now` (seconds since 1970), and return them."""
        ended: list[Record] = []
        while self._ends and self._ends[0][0] <= now:
            until, kind, key = heapq.heappop(self._ends)
            record = self.get(kind, key)
            if record is not None and record.until == until:
                self._remove(kind, key)
                ended.append(record)
        return ended

    @property
    def next_end(self) -> float | None:
        """When the next record ends, or may end."""
        return self._ends[0][0] if self._ends else None

    def of(self, kind: str) -> Mapping[str, Record]:
        """All records of a kind, by key."""
        return self._kinds.get(kind, _NONE)

    def get(self, kind: str, key: str) -> Record | None:
        """The record of that kind and key."""
        return self._kinds.get(kind, _NONE).get(key)

    def stored_role(self, member_id: str | None) -> Role | None:
        """The role that the room has recorded for a member."""
        record = None if member_id is None else self.get("role", member_id)
        return None if record is None else Role.of(record.data["role"])

    def anonymous(self, member_id: str | None, role: Role) -> bool:
        """True for guests, readers, and members who became that by a password or an invitation: anybody can, again."""
        if role is not Role.MEMBER:
            return role <= Role.GUEST
        record = None if member_id is None else self.get("role", member_id)
        return record is not None and str(record.data.get("by", "")).startswith(("password", "invite:"))

    def setting(self, name: str) -> Any:  # noqa: ANN401 -- each setting has its type
        """The value of a setting."""
        record = self.get("setting", name)
        return DEFAULTS[name] if record is None else record.data["value"]

    def held_against(
        self, kind: str, member_id: str | None, address: str, role: Role, now: float, *, login: bool
    ) -> Record | None:
        """The ban or mute (`kind`) that holds against a visitor; `None` if there is none.

        It holds only against roles below its author's. One of an address holds only against `anonymous` people.
        """
        records = self._kinds.get(kind)
        if not records:
            return None
        found = [] if member_id is None else [records.get(MEMBER + member_id)]
        if not login and kind in self._networks and self.anonymous(member_id, role):
            found += self._networks[kind].find(address)
        for record in found:
            if record is not None and not _ended(record, now) and role < record.data.get("rank", 0):
                return record
        return None

    def _add(self, record: Record) -> None:
        self._kinds.setdefault(record.kind, {})[record.key] = record
        if record.kind in ("ban", "mute") and record.key.startswith(ADDRESS):
            self._networks.setdefault(record.kind, Networks()).add(record.key.removeprefix(ADDRESS), record)
        if record.until is not None:
            heapq.heappush(self._ends, (record.until, record.kind, record.key))

    def _remove(self, kind: str, key: str) -> None:
        records = self._kinds.get(kind)
        if records is None or records.pop(key, None) is None:
            return
        if not records:
            del self._kinds[kind]
        networks = self._networks.get(kind)
        if networks is not None:
            networks.discard(key.removeprefix(ADDRESS))
            if not networks:
                del self._networks[kind]


def _ended(record: Record, now: float) -> bool:
    return record.until is not None and record.until <= now
