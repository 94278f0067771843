"""The store port: who keeps a room's log, and tells every server of the room what was added. Five methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pychat.model import Event, Joined, Left, Message, Position, Renamed, Typing

__all__ = ["Receiver", "Signal", "Store"]

#: Called with each event of a room, in order, on the event loop. It must not raise.
Receiver = Callable[[Event], None]

#: Events that pass through the log's pipe and are not kept.
Signal = Joined | Renamed | Left | Typing


class Store(Protocol):
    """An ordered log for each room. A message that was appended is stored, and everyone will be told of it.

    Any method raises `Refused` with `unavailable` when the store cannot be reached; nothing was stored then.
    """

    async def subscribe(self, room: str, receive: Receiver) -> Position:
        """Tell `receive` of every event of `room` from now on. The position is that of the newest message now."""

    async def append(self, room: str, message: Message) -> Message:
        """Store `message` and return it with its `seq`.

        (author's id, message id) is unique: if it is there already nothing is stored, nobody is told, and what is
        there is returned. Subscribers are told before this returns.
        """

    async def signal(self, room: str, event: Signal) -> None:
        """Tell all subscribers of `event`, in order with the messages, and keep nothing."""

    async def read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Messages in order, at most `limit`: the first ones after `after`, or else the last ones before `before`.

        `after` and `before` are numbers of messages and do not count themselves; `before=None` is the end of the log.
        """

    async def aclose(self) -> None:
        """Let go of everything. Further calls are a mistake of the caller's."""
