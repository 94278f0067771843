"""The port between a room and a transport: a connection with two calls, and the encoder of its frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.domain.model import Kicked, LogEvent, Member, Message, Position, Typing

__all__ = ["GONE", "Connection", "Encoder", "Notice", "Presence", "Welcome", "You"]


@dataclass(frozen=True, slots=True)
class You:
    """Who somebody is that came in with a login: member id, the name that was taken for them (if any), and roles."""

    id: str
    name: str | None
    roles: tuple[str, ...]
    name_fixed: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first thing that somebody is told, on every connection.

    A newcomer gets the newest `messages` (`more` tells that there are older ones), as of `position`. Who comes back
    and is `recovered` gets what was missed after `position`, as ordinary notices, next.
    """

    room: str
    title: str
    position: Position
    recovered: bool
    here: int
    members: tuple[Member, ...]
    listed: bool
    messages: tuple[Message, ...]
    more: bool
    longest_name: int
    longest_text: int
    #: `None` is a guest.
    you: You | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """Who came, went or changed names since the last one; `here` counts the people connected, named or not.

    `counted` tells that the number may be news to somebody. In a crowd nobody is `listed`. When it
    thins, `members` holds everyone once.
    """

    here: int
    position: Position
    joined: tuple[Member, ...] = ()
    left: tuple[Member, ...] = ()
    renamed: tuple[Member, ...] = ()
    counted: bool = True
    listed: bool = True
    members: tuple[Member, ...] | None = None


#: What a connection can be told.
Notice = LogEvent | Presence | Typing | Welcome | Kicked


class Encoder(Protocol):
    """Turns notices into frames of one wire format. One object serves all connections of that format.

    An encoder may also have a method `join(frames)`, which makes one frame of several, to be written at once.
    """

    def encode(self, notice: Notice) -> Any:  # noqa: ANN401 -- whatever its connections send
        """`notice` as a frame for any number of connections; `None` if this wire format does not carry it."""


class Connection(Protocol):
    """One person's connection, as a room sees it."""

    @property
    def encoder(self) -> Encoder:
        """Encodes the frames for `send`. It does not change while the connection is in a room."""

    def send(self, frame: Any) -> None:  # noqa: ANN401 -- what its own encoder made
        """Send a frame of its encoder, in order. Never awaits, never raises, and never blocks on a slow reader."""

    def close(self, why: Close) -> None:
        """Tell the person why, send what waits, and close. Never awaits; a no-op when closed."""


class _Nothing:
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
