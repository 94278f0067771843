"""The state of a room when a client enters."""

from __future__ import annotations

from dataclasses import dataclass

from pychat.domain.model import Message

__all__ = ["RoomSnapshot"]


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """The state of the room on entering. It is the first event, and comes again only if events were `missed`.

    `messages` are the newest ones as they stand, oldest first; with `more`, `history` has older ones. If `missed` is
    true, the client was away for too long, or the server lost its messages: the events between the last event and
    `messages` are unknown, so discard earlier messages. If the `epoch` has changed, messages are numbered anew. A
    message can have `longest_text` characters.
    """

    room: str
    title: str
    messages: tuple[Message, ...] = ()
    more: bool = False
    missed: bool = False
    longest_name: int = 32
    longest_text: int = 2_000
    epoch: str = ""
