"""The port between a room and whatever carries it to a person: two calls, and a way to put events into words."""

from __future__ import annotations

from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.domain.notices import Notice

__all__ = ["GONE", "Connection", "Encoder"]


class Encoder(Protocol):
    """How notices are put on one kind of wire. One object for all connections of that kind.

    A wire may have a method `join(frames)` too, which makes several frames one, to be written at once.
    """

    def encode(self, notice: Notice) -> Any:  # noqa: ANN401 -- whatever this wire's connections take
        """`notice` as a frame for any number of connections; `None` if this wire has no word for it."""


class Connection(Protocol):
    """One person's connection, as a room sees it."""

    @property
    def wire(self) -> Encoder:
        """The wire that this connection speaks. It does not change while the connection is in a room."""

    def send(self, frame: Any) -> None:  # noqa: ANN401 -- what its own wire encoded
        """Send a frame of its wire, in order. Never awaits, never raises, and never blocks on a slow reader."""

    def close(self, why: Close) -> None:
        """Tell the person why, send what waits, and close. Never awaits; a no-op when closed."""


class _Nothing:
    """A wire with no words."""

    def encode(self, notice: Notice) -> None:
        """Have no word for it."""


class _Gone:
    """A connection that has ended: a session lets go of its own for this, as each knows the other."""

    wire: Encoder = _Nothing()

    def send(self, frame: object) -> None:
        """Drop it."""

    def close(self, why: Close) -> None:
        """Be closed already."""


GONE: Connection = _Gone()
