"""The moderation of one room: its records, what follows from them for visitors, and the actions of moderators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pychat.domain.access import Access
from pychat.domain.errors import Refused
from pychat.domain.model import User
from pychat.domain.moderation import AuditEntry
from pychat.domain.moderation_rules import Actor
from pychat.domain.moderation_state import ModerationState
from pychat.domain.notices import Mute, RoomChanged
from pychat.domain.roles import Role
from pychat.room.grant import Grant

__all__ = ["RoomModeration", "Standing"]


class Standing(NamedTuple):
    """What a visitor may do in a room at this moment, and why."""

    access: Access
    role: Role
    mute: Mute | None = None


class RoomModeration:
    """The moderation of one room: `RoomCore.moderation`."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        #: What the records say.
        self.state = ModerationState()

    def standing(self, grant: Grant, user: User | None, member_id: str | None) -> Standing:
        """What a visitor may do in the room at this moment."""
        raise NotImplementedError

    def check_entry(self, grant: Grant, user: User | None, member_id: str | None) -> None:
        """Raise `Refused` if this visitor may not be in the room, for example because of a ban."""
        raise NotImplementedError

    def settings(self) -> RoomChanged:
        """What moderators have set, and the defaults of the rest."""
        raise NotImplementedError

    def overview(self) -> dict[str, Any]:
        """What moderators see: the settings, the roles, the bans, the mutes, the pins, the invitations, the queue."""
        raise NotImplementedError

    async def audit(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """At most `limit` entries of the audit log with numbers below `before`, the newest first."""
        raise NotImplementedError

    async def perform(self, action: str, fields: Mapping[str, Any], actor: Callable[[], Actor]) -> dict[str, Any]:
        """Perform an action of `ACTIONS`, and return what its author is told. Raise `Refused`.

        `actor` is called for each attempt: the role of whoever acts may have changed meanwhile.
        """
        raise Refused("forbidden", "Not yet.")
