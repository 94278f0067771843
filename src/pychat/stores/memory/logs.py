"""All logs of a memory store. A log without events, subscribers and followers is not kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from pychat.domain.errors import Refused
from pychat.domain.model import RoomDeleted
from pychat.stores.memory.log import Log

__all__ = ["Logs"]

_MAX_DELETED = 10_000  # names of deleted rooms that are remembered: an append to one of them may be on its way


class Logs:
    """The logs by the names of their rooms."""

    def __init__(self) -> None:
        self.epoch = secrets.token_urlsafe(6)
        self._logs: dict[str, Log] = {}
        self._deleted: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._logs)

    def __iter__(self) -> Iterator[tuple[str, Log]]:
        return iter(self._logs.items())

    def find(self, room: str) -> Log | None:
        """Return the log of a room, if it has one."""
        return self._logs.get(room)

    def open(self, room: str) -> Log:
        """Return the log of a room, or begin one. Raise `Refused` if the room was deleted."""
        log = self._logs.get(room)
        if log is None:
            if room in self._deleted:
                raise Refused.standard("unknown_room")
            log = self._logs[room] = Log(self.epoch)
        return log

    def revive(self, room: str) -> None:
        """Allow a new room with the name of a deleted one."""
        self._deleted.pop(room, None)

    def let_go(self, room: str) -> None:
        """Forget the log if it is empty."""
        log = self._logs.get(room)
        if log is not None and log.is_empty:
            del self._logs[room]

    def delete(self, room: str) -> Log | None:
        """Delete the log of a room, and tell its subscribers."""
        log = self._logs.pop(room, None)
        if log is None:
            return None
        self.epoch = secrets.token_urlsafe(6)  # a new room of that name counts from 1 again
        self._deleted[room] = None
        if len(self._deleted) > _MAX_DELETED:
            del self._deleted[next(iter(self._deleted))]
        receivers, log.receivers = log.receivers, ()
        for receive in receivers:
            receive(RoomDeleted())
        return log

    def clear(self) -> None:
        """Forget everything."""
        self._logs.clear()
