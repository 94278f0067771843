"""Who decides about whom in moderation, and what a decision changes. The rules are in `moderation_rules`."""

from __future__ import annotations

from dataclasses import dataclass

from pychat.domain.model import Member
from pychat.domain.moderation import AuditEntry, Record, Removed
from pychat.domain.roles import Role

__all__ = ["Actor", "Decision", "Subject"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever performs an action. The rank of people is their role; that of programs is `PROGRAM_RANK`."""

    member: Member
    rank: int


@dataclass(frozen=True, slots=True)
class Subject:
    """The member whom an action is about."""

    id: str
    name: str
    role: Role
    #: The networks of a guest's connections to this server.
    networks: tuple[str, ...] = ()
    #: True if nobody else in the room connects from these networks.
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action changes, and its entry in the audit log."""

    changes: tuple[Record | Removed, ...]
    entry: AuditEntry | None
