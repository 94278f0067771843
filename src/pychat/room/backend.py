"""The port between rooms and what serves them: all that transports and the HTTP API call on a room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from pychat.domain.errors import Close
from pychat.domain.limits import Limits
from pychat.domain.model import Member, Message, Position, User
from pychat.domain.rules import NameFollower
from pychat.room.clock import Clock
from pychat.room.connection import Connection
from pychat.room.session import Session
from pychat.room.tokens import Tokens

__all__ = ["RoomBackend"]


class RoomBackend(Protocol):
    """A room, as far as those who bring people into it are concerned. `ChatRoom` is the implementation."""

    name: str
    title: str
    limits: Limits
    clock: Clock

    # Its life.

    async def start(self) -> None:
        """Open the log, if it is not open. Raise `Refused` while the store cannot be reached."""

    @property
    def closed(self) -> bool:
        """Whether the room was closed, and not started again since."""

    @property
    def in_memory(self) -> bool:
        """Whether the room is kept in the memory of this process alone."""

    def dismiss(self, why: Close) -> None:
        """Close every connection with the reason `why`, without waiting for it."""

    async def aclose(self, why: Close) -> None:
        """Close every connection, and the store if this room opened it."""

    # Who is in it.

    async def connect(
        self,
        connection: Connection,
        *,
        since: Position | None = None,
        member_id: str | None = None,
        own: bool = True,
        user: User | None = None,
        resume: bool = False,
        before_welcome: Callable[[], Awaitable[object]] | None = None,
    ) -> Session:
        """Let somebody in: see `ChatRoom.connect`."""

    @property
    def tokens(self) -> Tokens:
        """Signs and reads resume tokens. Set when the room has started."""

    @property
    def here(self) -> int:
        """How many people are connected, with a nickname or without."""

    @property
    def member_count(self) -> int:
        """How many people have a nickname."""

    def first_members(self) -> tuple[Member, ...]:
        """The members who joined first, at most `limits.page` of them."""

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""

    def check_name(self, name: str, member_id: str = "") -> str:
        """The form in which that member could take `name` now. Raise `Refused` if they could not."""

    def follow_names(self, follower: NameFollower) -> None:
        """Tell `follower` of every member here, and later of each who takes or changes a name."""

    # What was said.

    @property
    def position(self) -> Position:
        """The position of the newest event."""

    async def history(
        self, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, oldest first; with `matching`, those with its words."""

    async def message(self, seq: int) -> Message:
        """Message number `seq`. Raise `Refused` with `not_found` if there is none."""

    async def post(
        self,
        text: str,
        *,
        author: str | User,
        id: str | None = None,  # noqa: A002 -- the wire's word
        reply_to: int | None = None,
    ) -> Message:
        """Send a message as `author`."""

    async def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`, in its author's name."""

    async def delete(self, seq: int) -> None:
        """Delete message number `seq`, in its author's name."""
