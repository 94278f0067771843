"""The port between a person's connection and the transport that carries it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.room.backend import RoomBackend
from pychat.room.connection import Encoder

__all__ = ["PersonWire"]


class PersonWire(Protocol):
    """A connection of one wire format, as the rooms on it share it."""

    #: True if a person gets a copy of their own messages.
    echo: bool
    #: Send a frame of `encoder_of`, in order. It never awaits and never raises.
    send: Callable[[Any], None]

    def encoder_of(self, room: RoomBackend) -> Encoder:
        """The encoder of a room's frames: the same object for all connections of this format."""

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell this person something, behind what was sent. It may wait for the end of this turn of the event loop."""

    def flush(self) -> None:
        """Send what waits for the end of the turn."""

    def close(self, why: Close) -> None:
        """Tell the person why, and close the connection."""

    async def wait_for_reader(self) -> None:
        """Wait while much is unread. Return at once when the connection has ended."""
