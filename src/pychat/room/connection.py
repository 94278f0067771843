"""The port between a room and a transport: a connection, and the encoder of its frames."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.domain.notices import Notice

__all__ = ["GONE", "Connection", "Encoder"]


class Encoder(Protocol):
    """Turns notices into frames of one wire format. One object serves all connections of that format.

    An encoder of your own is a subclass, or has both methods.
    """

    @abstractmethod
    def encode(self, notice: Notice) -> Any:  # noqa: ANN401 -- whatever its connections send
        """`notice` as a frame for any number of connections; `None` if this wire format does not carry it."""

    def join(self, frames: list[Any], /) -> Any:  # noqa: ANN401 -- as above
        """Several frames as one, to be written at once; `None`, the default, where each is sent by itself."""
        return None


class Connection(Protocol):
    """One person's connection, as a room sees it."""

    @property
    def encoder(self) -> Encoder:
        """Encodes the frames for `send`. It does not change while the connection is in a room."""

    def send(self, frame: Any) -> None:  # noqa: ANN401 -- what its own encoder made
        """Send a frame of its encoder, in order. Never awaits, never raises, and never blocks on a slow reader."""

    def close(self, why: Close) -> None:
        """Tell the person why, send what waits, and close. Never awaits; a no-op when closed."""


class _Nothing(Encoder):
    """An encoder that encodes nothing."""

    def encode(self, notice: Notice) -> None:
        """Encode nothing."""


class _Gone:
    """Stands in for a connection that has ended: without it, session and connection would keep each other alive."""

    encoder: Encoder = _Nothing()

    def send(self, frame: object) -> None:
        """Drop the frame."""

    def close(self, why: Close) -> None:
        """No-op: it is closed already."""


GONE: Connection = _Gone()
