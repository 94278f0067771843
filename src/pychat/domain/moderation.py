"""Moderation: the records of a room that say who may do what, and the entries of its audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pychat.domain.model import Member

__all__ = ["AuditEntry", "Moderated", "Record", "Removed"]


@dataclass(frozen=True, slots=True)
class Record:
    """One fact about a room, for example a ban. A room has one record at most of a kind and key.

    `data` is JSON. `until` is in seconds since 1970: the record is void from then on; `None` means that it has no end.
    """

    kind: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """The record of that kind and key was removed."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What a moderator did. `date` and `until` are in seconds since 1970.

    `target` is the id of a member, an address, or the number of a message; `name` is the name of the member. The store
    gives the `number`: 1, 2, 3 …
    """

    date: float
    by: Member
    action: str
    target: str = ""
    name: str = ""
    reason: str = ""
    until: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Moderated:
    """The records of a room were changed. `version` is the number of changes up to this one."""

    changes: tuple[Record | Removed, ...]
    version: int
    entry: AuditEntry | None = None
