"""One visitor on one connection: joins, speaks, types, leaves, within limits, and hears nothing twice while joining."""

from __future__ import annotations

import asyncio
import re
from typing import Protocol

from .clock import Clock
from .connection import Connection, Notice, Welcome
from .errors import Refused
from .limits import Limits, TokenBucket
from .model import Command, Event, Join, Leave, Member, Message, Say, SetTyping
from .tokens import Tokens

__all__ = ["Room", "Session"]

TYPING_SECONDS = 6.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Room(Protocol):
    """What a session asks of its room."""

    limits: Limits
    clock: Clock
    tokens: Tokens

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""

    def everyone(self) -> tuple[int, tuple[Member, ...]]:
        """How many are connected, and those with a name."""

    async def perform(self, command: Command, origin: Session | None = None) -> Event | None:
        """Carry out a command, or raise `Refused`."""

    def soon(self, command: Command) -> None:
        """Carry out a command of nobody's, without waiting for it."""

    def seat(self, session: Session, member_id: str | None) -> None:
        """Count the session as `member_id`'s, or as a guest's."""

    async def depart(self, session: Session) -> None:
        """Forget the session."""


class Session:
    """One visitor's stay. A transport makes its commands into these calls, and awaits each before the next."""

    def __init__(self, room: Room, connection: Connection) -> None:
        self._room = room
        self.connection = connection
        self.member_id: str | None = None
        self._bucket = TokenBucket(room.limits.rate, room.limits.burst)
        self._held: list[Notice] | None = []
        self._typing: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def member(self) -> Member | None:
        """Who this is; `None` before a nickname was taken."""
        return None if self.member_id is None else self._room.member(self.member_id)

    def hold(self, notice: Notice) -> None:
        """Keep what happens while the log is read for this newcomer."""
        if self._held is not None:
            self._held.append(notice)

    def begin(self, welcome: Welcome) -> None:
        """Tell the newcomer where things stand, then what happened while that was looked up: no gap, nothing twice."""
        held, self._held = self._held or (), None
        for notice in (welcome, *held):
            if isinstance(notice, Message) and notice.seq <= welcome.position.seq:
                continue
            frame = self.connection.wire.encode(notice)
            if frame is not None:
                self.connection.send(frame)

    async def join(self, name: str | None, token: str | None = None) -> tuple[Member, str]:
        """Take or change the nickname; the member, and the token to come back as the same one. May raise `Refused`."""
        self._spend()
        before = self.member_id
        if before is None:
            self._room.seat(self, (self._room.tokens.read(token) if token else None) or Tokens.new_id())
        member_id = self.member_id
        assert member_id is not None  # noqa: S101 -- seated above; for the type checker
        try:
            if name is None and self._room.member(member_id) is None:
                raise Refused("bad_request", "Say which name: {“name”: “Ada”}.")
            if name is not None:
                await self._room.perform(Join(member_id, name), self)
        except Refused:
            if before is None:
                self._room.seat(self, None)
            raise
        member = self._room.member(member_id)
        if member is None:
            raise Refused("unavailable", "You were disconnected while joining. Try again.", 1.0)
        return member, self._room.tokens.issue(member_id)

    async def say(self, text: str, message_id: str | None = None) -> Message:
        """Send a message and return it as it was stored. May raise `Refused`."""
        self._spend()
        if message_id is None:
            message_id = Tokens.new_id()
        elif not _ID.fullmatch(message_id):
            raise Refused("bad_request", "A message id has 1-64 characters of A-Z a-z 0-9 _ and -.")
        event = await self._room.perform(Say(self._joined(), message_id, text), self)
        self._stop_typing_timer()
        assert isinstance(event, Message)  # noqa: S101 -- what deciding a Say gives
        return event

    async def type(self, on: bool) -> None:
        """Show that the visitor is writing, for 6 seconds, or no longer. May raise `Refused`."""
        self._spend()
        member_id = self._joined()
        self._stop_typing_timer()
        await self._room.perform(SetTyping(member_id, on), self)
        if on:
            self._typing = asyncio.get_running_loop().call_later(TYPING_SECONDS, self._typing_expired, member_id)

    def who(self) -> tuple[int, tuple[Member, ...]]:
        """How many are connected, and those with a name. May raise `Refused`."""
        self._spend()
        return self._room.everyone()

    async def leave(self) -> None:
        """Give the nickname back and stay as a guest."""
        self._spend()
        self._stop_typing_timer()
        member_id = self.member_id
        if member_id is not None:
            await self._room.perform(Leave(member_id), self)

    async def close(self) -> None:
        """The connection has gone. Idempotent."""
        if not self._closed:
            self._closed = True
            self._stop_typing_timer()
            await self._room.depart(self)

    def _spend(self) -> None:
        wait = self._bucket.take(self._room.clock.steady())
        if wait:
            raise Refused("rate_limited", f"That was too much at once. Wait {max(wait, 0.1):.1f} seconds.", wait)

    def _joined(self) -> str:
        if self.member_id is None:
            raise Refused("not_joined", "Take a nickname first, then you can write.")
        return self.member_id

    def _stop_typing_timer(self) -> None:
        if self._typing is not None:
            self._typing.cancel()
            self._typing = None

    def _typing_expired(self, member_id: str) -> None:
        self._typing = None
        self._room.soon(SetTyping(member_id, on=False))
