"""The port for moderation: the records of a room, such as bans and roles, and its audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pychat.domain.errors import ChatError
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed

__all__ = ["MAX_ENTRIES", "Conflict", "ModerationRecords"]

#: How many entries the audit log of a room keeps, the newest ones.
MAX_ENTRIES = 10_000


class Conflict(ChatError):
    """Somebody else changed the records first. Load them again, decide again, and try again."""


class ModerationRecords(Protocol):
    """The moderation records of all rooms of a store. They are deleted with their room.

    `Store.erase` with an author, and without `before` and `seqs`, takes the member's name, and the reasons and texts,
    out of the records and entries that name the member; subscribers get the changed records as `Moderated`.
    """

    async def load(self, room: str) -> tuple[tuple[Record, ...], int]:
        """Return the records that have not ended, and their version: the number of changes up to now.

        A subscriber may get changes before this returns. Those up to that version are in the records.
        """

    async def change(
        self, room: str, changes: Sequence[Record | Removed], entry: AuditEntry | None, after: int
    ) -> Moderated:
        """Store the changes and the entry, all or nothing, and deliver them. Subscribe to the room first.

        The version becomes `after + 1`. The subscribers of all servers get the returned `Moderated`, in order with the
        events of the log; those of this process before this returns. A record takes the place of an earlier one with
        its kind and key.

        Raise `Conflict` if the version is not `after`: nothing was stored, and subscribers of this process have got the
        changes that came first. Raise `Refused` with `unavailable` or `unknown_room`, as `Store.append` does. After
        `unavailable` it may be stored all the same: then the next attempt raises `Conflict`.
        """

    async def audit(self, room: str, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """Return at most `limit` entries with numbers below `before` (`None` is the end), the newest first.

        About `MAX_ENTRIES` entries of a room are kept.
        """
