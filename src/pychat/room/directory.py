"""The rooms of one mount, by name."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pychat.domain.errors import Close, Refused, UsageError
from pychat.room.backend import RoomBackend
from pychat.room.chatroom import ChatRoom

__all__ = ["RoomDirectory"]

_log = logging.getLogger("pychat.room")


class RoomDirectory:
    """One or more rooms, each under its own name; the first is the one that is meant when none is named."""

    def __init__(self, *rooms: ChatRoom) -> None:
        if not rooms:
            msg = "There must be at least one room: pass a ChatRoom."
            raise UsageError(msg)
        self._by_name = {room.name: room.backend for room in rooms}
        if len(self._by_name) < len(rooms):
            msg = f"Two rooms of one mount have the same name: {', '.join(room.name for room in rooms)}."
            raise UsageError(msg)
        self.first = rooms[0].backend

    def __iter__(self) -> Iterator[RoomBackend]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> RoomBackend | None:
        """The room of that name."""
        return self._by_name.get(name)

    def pick(self, name: object) -> RoomBackend:
        """The room that a visitor named; the first for `None`. Raise `Refused` with `unknown_room`."""
        if name is None:
            return self.first
        room = self._by_name.get(name) if isinstance(name, str) else None
        if room is None:
            raise Refused("unknown_room", f"There is no room of that name here. There are: {', '.join(self._by_name)}.")
        return room

    @property
    def max_message_bytes(self) -> int:
        """Bytes of one message to the server, on any wire.

        A text of the longest length, each character escaped as a surrogate pair, and room for the rest.
        """
        return max(room.limits.text for room in self) * 12 + 4096

    async def start(self) -> None:
        """Open all rooms. Where a store cannot be reached, that is logged, and the room opens for whoever comes."""
        for room in self:
            try:
                await room.start()
            except Refused as refused:
                _log.warning("The room %s is not open yet: %s", room.name, refused.text)

    async def aclose(self, why: Close) -> None:
        """Close all rooms."""
        for room in self:
            room.dismiss(why)
        for room in self:
            await room.aclose(why)
