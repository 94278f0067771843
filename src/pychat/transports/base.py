"""The transport port: what a mount calls on every transport.

A transport makes a `Connection` for each person, lets it in with `RoomBackend.connect`, makes what it reads into calls
of the `Session` that it gets (`commands.execute` does that for version 1), awaiting each before the next, and
calls `Session.close` when the person has gone.
"""

from __future__ import annotations

from typing import Protocol

from pychat.domain.errors import Close
from pychat.room.connection import Connection, Encoder

__all__ = ["Connection", "Encoder", "Transport"]


class Transport(Protocol):
    """One kind of wire into the rooms of a mount."""

    async def aclose(self, why: Close) -> None:
        """Close what is open, telling why, and return when it is done or has taken too long."""
