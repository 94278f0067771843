"""What a client is told of the room when it comes in."""

from __future__ import annotations

from dataclasses import dataclass

from pychat.domain.model import Message

__all__ = ["RoomSnapshot"]


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """You are in the room, which stands like this. The first event; it comes again only where something was `missed`.

    `messages` are the newest ones as they stand, oldest first; `more` tells that `history` has older ones. Where
    `missed` is true the client had been away for too long, or the server lost its messages: what happened between the
    last event and `messages` cannot be told, so forget what you had. Where the `epoch` is another one, messages are
    numbered anew. A message can have `longest_text` characters.
    """

    room: str
    title: str
    messages: tuple[Message, ...] = ()
    more: bool = False
    missed: bool = False
    longest_name: int = 32
    longest_text: int = 2_000
    epoch: str = ""
