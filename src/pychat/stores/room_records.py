"""The port for rooms that are made at run time: what each room is, and the deletion of a room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["RoomRecord", "RoomRecords"]


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """What a room is, apart from its log. `settings` is JSON; its meaning is the room's, except for `listed`."""

    name: str
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: The ids of the members of a direct room; empty for all other rooms.
    people: tuple[str, ...] = ()

    @property
    def listed(self) -> bool:
        """Whether lists of rooms show the room: not a direct room, and not one with `listed: false`."""
        return not self.people and self.settings.get("listed") is not False


class RoomRecords(Protocol):
    """The records of all rooms of a store."""

    async def secret(self) -> bytes:
        """Return the key that signs tokens for all rooms; the same on all servers, and after a restart."""

    async def save(self, record: RoomRecord) -> None:
        """Store `record`, in the place of an earlier one of that name."""

    async def find(self, name: str) -> RoomRecord | None:
        """Return the record of that name."""

    async def page(self, after: str = "", limit: int = 100, *, listed_only: bool = False) -> list[RoomRecord]:
        """Return at most `limit` records whose names come after `after`, in the order of names."""

    async def delete(self, name: str) -> None:
        """Delete a room: its record, log, search index, members, mentions and read positions. No-op if there is none.

        All its subscribers, on every server, get a `RoomDeleted` and then nothing more. Until somebody subscribes to
        that name or saves a record of it, `append` and `follow` raise `Refused` with `unknown_room`. After that it is
        a new room, with a new epoch and numbers from 1.
        """
