"""One room on a person's connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.room.backend import RoomBackend
from pychat.room.connection import Encoder
from pychat.room.session import Session

__all__ = ["RoomLink"]


class Owner(Protocol):
    """The person's connection, as its links see it."""

    def exited(self, link: RoomLink, why: Close) -> None:
        """The server ends a room for this person."""


def _drop(_: object) -> None:
    """Drop what is sent to somebody who is not in the room."""


class RoomLink:
    """A room that a person has entered or is entering: the `Connection` of that room.

    `send` is that of the person's connection, so that the room's loop finds no call between.
    """

    __slots__ = ("_owner", "encoder", "name", "room", "send", "session", "waiting", "why")

    room: RoomBackend
    encoder: Encoder

    def __init__(self, owner: Owner, name: str) -> None:
        self._owner = owner
        #: Of the room.
        self.name = name
        #: The person in the room; `None` while they enter.
        self.session: Session | None = None
        #: Why the room was ended for the person while they entered.
        self.why: Close | None = None
        #: Commands that wait until the room was entered or left; `None` if none have to wait.
        self.waiting: list[Callable[[], object]] | None = []
        self.send: Callable[[Any], None] = _drop

    def open(self, room: RoomBackend, encoder: Encoder, send: Callable[[Any], None]) -> None:
        """The room was found: let it send."""
        self.room, self.encoder, self.send = room, encoder, send

    def reroute(self, send: Callable[[Any], None]) -> None:
        """Send on another way from now on, unless nothing is sent."""
        if self.send is not _drop:
            self.send = send

    def close(self, why: Close) -> None:
        """Tell the person that this room has ended for them. They stay in the others."""
        self._owner.exited(self, why)

    def end(self) -> None:
        """Send nothing more."""
        self.send = _drop

    def release(self) -> None:
        """Execute the commands that have waited."""
        waiting, self.waiting = self.waiting or [], None
        for each in waiting:
            each()
