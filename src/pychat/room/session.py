"""One visitor on one connection: each command is a method. `command_queue` has their order."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused
from pychat.domain.limits import SEARCH_COST, TokenBucket
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.model import (
    Delete,
    Edit,
    Event,
    Join,
    Leave,
    LogEvent,
    Member,
    Message,
    React,
    Say,
    SetTyping,
    User,
)
from pychat.domain.moderation import AuditEntry
from pychat.domain.notices import AccessChanged, Welcome, You
from pychat.room.answer import Answer
from pychat.room.clock import Timer
from pychat.room.command_queue import CommandQueue, queued
from pychat.room.commands import id_used
from pychat.room.connection import GONE, Connection
from pychat.room.core import RoomCore
from pychat.room.fanout import close_quietly, join_frames
from pychat.room.grant import FULL, Grant, unknown_room
from pychat.room.tokens import Tokens, event_id

__all__ = ["Session"]

_log = logging.getLogger("pychat.room")
_limited = RateLimitedLogger(_log, time.monotonic)
TYPING_SECONDS = 6.0
_FORBIDDEN = {
    "read": "You may no longer read this room.",
    "write": "You may read this room, but not write in it.",
    "react": "You may not react to messages in this room.",
    "moderate": "You may not delete the messages of others in this room.",
}


class Session(CommandQueue):
    """One visitor on one connection. A transport calls a method for each command, in the order in which they came.

    Each returns an `Answer`, which may raise `Refused`. It is done when everyone has been told what was stored before,
    so that no answer overtakes an event. Await `ready` of the `CommandQueue` before reading on.
    """

    def __init__(
        self, room: RoomCore, connection: Connection, user: User | None = None, grant: Grant | None = None
    ) -> None:
        """Without a `grant`, the visitor may do what any member may."""
        super().__init__(room.tasks, room.delivery.fanout)
        self._room = room
        self.connection = connection
        #: Whom the app knows this visitor as; `None` is a guest.
        self.user = user
        self._name_fixed = user is not None and user.name is not None and user.name_fixed
        self.member_id: str | None = None
        #: True if this connection continues an earlier one: nothing was missed, nothing is sent twice.
        self.recovered = False
        #: True if the connection gets a copy of its own visitor's messages.
        self.echo = False
        self._seen = 0  # the number of the last event that the visitor saw on an earlier connection
        self._epoch = ""  # in which the visitor's numbers of messages count
        #: What this visitor may do, and who they are in all rooms.
        self.grant = grant or FULL
        person, limits = self.grant.person, room.limits
        self._bucket = TokenBucket(limits.rate, limits.burst) if person is None else person.bucket(limits)
        if person is not None:
            person.sessions.add(self)
        self._begun = self._follows = False
        self._typing: Timer | None = None
        #: True after the visitor left or was kicked: a join that is still being stored must not add them.
        self.gone = False
        self._closed = False

    @property
    def member(self) -> Member | None:
        """The member that this visitor is; `None` without a nickname."""
        return None if self.member_id is None else self._room.state.members.get(self.member_id)

    @property
    def room(self) -> str:
        """The name of the room."""
        return self._room.name

    def name_of(self, member_id: str) -> str | None:
        """The name of somebody who is in the room, or was there lately; `None` if there is nobody of that id."""
        member = self._room.state.members.get(member_id)
        name = self._room.state.last_name(member_id) if member is None else member.name
        return self._room.delivery.recent.name_of(member_id) if name is None else name

    @property
    def access(self) -> Access:
        """What this visitor may do in the room."""
        return self.grant.access

    @property
    def you(self) -> You | None:
        """The identity of a visitor with a login, as they are told; `None` for a guest."""
        if self.user is None:
            return None
        member = self.member
        name, roles = (None, self.user.roles) if member is None else (member.name, member.roles)
        return You(self.user.member_id, name, roles, self._name_fixed)

    async def take_login_name(self) -> None:
        """Take the name that comes with the login, or the user's last one. If it is refused, they have no name."""
        user = self.user
        if user is None or self.member_id is None:
            return
        name = (None if self._name_fixed else self._room.state.last_name(user.member_id)) or user.name
        if name is None:
            return
        try:
            await self.enqueue(self._room.membership.perform(Join(user.member_id, name, user.roles, known=True), self))
        except Refused as refused:
            if refused.code == "unavailable":
                raise
            _log.warning("The user %s could not be seated as %r: %s", user.id, name, refused)
            if refused.code == "name_invalid":
                self._name_fixed = False  # or they would never have one

    def send_welcome(self, welcome: Welcome, missed: Sequence[LogEvent] = ()) -> None:
        """Send the welcome, then the events that the visitor missed."""
        self._begun = True
        self.recovered = welcome.recovered
        self._epoch = welcome.position.epoch
        self._seen = welcome.position.seq if welcome.recovered else 0
        connection = self.connection
        encoder, recent = connection.encoder, self._room.delivery.recent
        first = encoder.encode(welcome)
        frames = [frame for frame in (recent.frame(encoder, event) for event in missed) if frame is not None]
        # One frame if the encoder can join: a long recovery must not count as a slow reader.
        for frame in (first, *join_frames(encoder, frames)):
            if frame is not None:
                connection.send(frame)

    def follow(self) -> None:
        """Count from now on what this person has not read, if they have an identity of their own in all rooms."""
        person, readers = self.grant.person, self._room.readers
        if person is not None and readers is not None and person.member_id == self.member_id and not self._closed:
            self._follows = True
            readers.entered(person, self._room.state.seq)

    def show_whispers(self) -> None:
        """Show again what was whispered to this member since they were here."""
        self._room.whispers.show(self, self._seen)

    # The commands.

    async def resume(self) -> Member | None:
        """Take the name that this member had, if there was one and it is free."""
        name = None if self.member_id is None or self.user is not None else self._room.state.last_name(self.member_id)
        if self.member_id is not None and name is not None:
            try:
                await self.enqueue(self._room.membership.perform(Join(self.member_id, name), self))
            except Refused as refused:
                if refused.code == "unavailable":
                    raise
                return None
        return self.member

    @queued
    async def join(self, name: str | None, token: str | None = None) -> tuple[Member, str | None]:
        """Take or change the nickname; the member, and the token to come back as the same one.

        Without a name, take the one that the token's member had. Who has a login comes back by that: there is no token.
        """
        self._spend()
        if self.gone:
            raise Refused("unavailable", "You were disconnected before you joined. Try again.", 1.0)
        before, user = self.member_id, self.user
        if user is not None:
            member_id = user.member_id
        else:
            member_id = before or (self._room.delivery.tokens.read(token) if token else None) or Tokens.new_id()
        if before is None:
            self._room.membership.bind(self, member_id)
        try:
            await self._room.membership.perform(self._wish(member_id, name), self)
        except Refused:
            if before is None and not self.gone:
                self._room.membership.unbind(self, member_id)
            raise
        member = self._room.state.members.get(member_id)
        if member is None:
            raise Refused("unavailable", "You were disconnected while joining. Try again.", 1.0)
        if before is None:
            self.show_whispers()
        return member, None if user is not None else self._room.delivery.tokens.issue(member_id)

    def say(self, text: str, message_id: str | None = None, reply_to: int | None = None) -> Answer[Message]:
        """Send a message, or a reply to message number `reply_to`. The answer is the message as it was stored."""
        room = self._room
        if self._waiting is not None or reply_to is not None or room.hooks.registered["message"] or room.asks(text):
            return self.enqueue(self._say(text, message_id, reply_to))
        try:
            self._spend("write")
            stored = self._room.commands.say(Say(self._require_member_id(), event_id(message_id), text), self)
        except Exception as error:
            return self._failed(error)
        return self._when_stored(stored, self._said)

    async def _say(self, text: str, message_id: str | None, reply_to: int | None) -> Message:
        """The same, where something has to be awaited before the message can be stored."""
        self._spend("write")
        member_id, message_id = self._require_member_id(), event_id(message_id)
        answered = None if reply_to is None else await self._message(reply_to)
        command = Say(member_id, message_id, text, answered)
        return self._said(await self._room.commands.perform(command, self))

    def _said(self, event: Event | None) -> Message:
        """The message that was stored. Raise `Refused` if its id is another event's."""
        if not isinstance(event, Message):
            raise id_used()
        self._stop_typing_timer()
        return event

    @queued
    async def edit(self, seq: int, text: str, given_id: str | None = None) -> Event | None:
        """Change the text of one's own message number `seq`; `None` if it said that already."""
        self._spend("write")
        member_id, new_id = self._require_member_id(), event_id(given_id)
        return await self._room.commands.perform(Edit(member_id, new_id, await self._message(seq), text), self)

    @queued
    async def delete(self, seq: int, given_id: str | None = None) -> Event | None:
        """Take one's own message number `seq` back; `None` if it was deleted already.

        A visitor with access `moderate` may delete the messages of others.
        """
        moderates = "moderate" in self.grant.access
        self._spend("read" if moderates else "write")
        member_id, new_id = self._require_member_id(), event_id(given_id)
        command = Delete(member_id, new_id, await self._message(seq), moderates)
        return await self._room.commands.perform(command, self)

    @queued
    async def react(self, seq: int, emoji: str, on: bool = True, given_id: str | None = None) -> Event | None:  # noqa: FBT002
        """Put an emoji to message number `seq`, or take it away; `None` if that is so already."""
        self._spend("react")
        member_id, new_id = self._require_member_id(), event_id(given_id)
        return await self._room.commands.perform(React(member_id, new_id, await self._message(seq), emoji, on), self)

    @queued
    async def history(self, before: int | None = None, limit: int = 50, matching: str | None = None) -> list[Message]:
        """The last messages before number `before`, as they stand; if given, only those with all `matching` words."""
        self._spend("read", 1.0 if matching is None else SEARCH_COST)
        await self._room.commands.pages.wait()  # reading and encoding a page takes some milliseconds
        return await self._room.commands.history(before=before, limit=limit, matching=matching)

    @queued
    async def set_typing(self, on: bool) -> None:
        """Show that the visitor is writing, for 6 seconds, or no longer."""
        self._spend("write")
        member_id = self._require_member_id()
        self._stop_typing_timer()
        await self._room.commands.perform(SetTyping(member_id, on), self)
        if on and not self._closed:
            self._stop_typing_timer()
            self._typing = self._room.clock.call_later(TYPING_SECONDS, self._typing_expired, member_id)

    def type(self, on: bool) -> Answer[None]:
        """Do what `set_typing` does. Deprecated: use `set_typing`."""
        warnings.warn("Session.type() is now Session.set_typing()", DeprecationWarning, stacklevel=2)
        return self.set_typing(on)

    @queued
    async def who(self) -> tuple[int, tuple[Member, ...]]:
        """How many are connected, and those with a name."""
        self._spend()
        return self._room.membership.count(), self._room.membership.members(self._room.limits.page)

    @queued
    async def read(self, seq: int) -> None:
        """Move the read position forward to event number `seq`: this member has seen everything up to there."""
        self._spend()
        member_id, readers = self._require_member_id(), self._room.readers
        if readers is not None:
            if not self._follows:
                readers.follow(member_id, min(seq, self._room.state.seq))
            readers.read(member_id, seq, self._room.state.seq)

    @queued
    async def leave(self) -> None:
        """Give the nickname back and stay as a guest."""
        self._spend()
        self._stop_typing_timer()
        if self.member_id is not None:
            await self._room.membership.perform(Leave(self.member_id), self)

    @queued
    async def report(self, seq: int, reason: str | None = None) -> None:
        """Report message number `seq` to the moderators."""
        self._spend()
        self._require_member_id()
        await self._message(seq)
        raise Refused("forbidden", "Reports are not taken yet.")

    @queued
    async def moderate(self, action: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Perform an action of `ACTIONS`, and return what its author is told."""
        self._spend("moderate")
        raise Refused("forbidden", "Not yet.")

    @queued
    async def moderation(self) -> dict[str, Any]:
        """What moderators see: see `RoomModeration.overview`."""
        self._spend("moderate")
        raise Refused("forbidden", "Not yet.")

    @queued
    async def audit(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """At most `limit` entries of the audit log with numbers below `before`, the newest first."""
        self._spend("moderate")
        raise Refused("forbidden", "Not yet.")

    async def close(self, *, left: bool = False) -> None:
        """The connection has ended. The name is held, unless the visitor `left` on purpose. Idempotent."""
        if not self._closed:
            self._closed = self.gone = True
            await self._disconnect(left=left)

    async def _disconnect(self, *, left: bool) -> None:
        self._stop_typing_timer()
        try:
            await self._room.membership.disconnect(self, left=left)
        finally:
            self.connection = GONE
            person, readers = self.grant.person, self._room.readers
            if person is not None:
                person.sessions.discard(self)
                if self._follows and readers is not None:
                    readers.left(person)
            self._room.left()

    # What this visitor may do.

    def change_access(self, access: Access) -> None:
        """Set what this visitor may do from now on, and tell them. Without `read`, put them out of the room at once."""
        before, self.grant.access = self.grant.access, access
        if not self._begun or self._closed:
            return  # who is still entering is told with the welcome, or refused
        if "read" not in access:
            self.put_out(Close.NO_ACCESS)
        elif before != access:
            self._room.delivery.fanout.flush()
            frame = self.connection.encoder.encode(AccessChanged(access))
            if frame is not None:
                self._room.delivery.fanout.send_to(self.connection, frame)

    def put_out(self, why: Close) -> None:
        """Close the connection with the reason `why`. Nothing that happens in the room from now on is sent to it."""
        if not self._closed:
            self._closed = self.gone = True
            fanout = self._room.delivery.fanout
            fanout.flush()
            fanout.discard(self.connection)
            close_quietly(self.connection, why)
            self._room.tasks.spawn(self._disconnect(left=not why.reconnect))

    def require(self, permission: str) -> None:
        """Raise `Refused` with `forbidden` if this visitor may not do that."""
        if permission not in self.grant.access:
            raise Refused("forbidden", _FORBIDDEN[permission])

    def _spend(self, permission: str = "read", cost: float = 1.0) -> None:
        """Count a command that needs this permission. Raise `Refused`."""
        if self._closed:
            raise Refused("unavailable", "Your connection has ended. Connect again.", 1.0)
        wait = self._bucket.take(self._room.clock.steady(), cost)
        if wait:
            raise Refused("rate_limited", f"That was too much at once. Wait {max(wait, 0.1):.1f} seconds.", wait)
        if permission not in self.grant.access:
            self.require(permission)

    def _handed_out(self) -> None:
        if "read" not in self.grant.access:  # lost while a command ran: what it read is not handed out
            raise unknown_room()

    def _wish(self, member_id: str, name: str | None) -> Join:
        user, roles = self.user, () if self.user is None else self.user.roles
        if user is not None and user.name is not None and self._name_fixed:
            member = self.member
            if name is not None and name not in (user.name, user.name if member is None else member.name):
                raise Refused("name_fixed", f"Your name here is “{user.name}”: it comes with your login.")
            return Join(member_id, user.name, roles, known=True)
        if name is None:
            name = self._room.state.last_name(member_id)
        if name is None:
            raise Refused("bad_request", "Say which name: {“name”: “Ada”}.")
        return Join(member_id, name, roles)

    async def _message(self, seq: int) -> Message:
        """Message number `seq`. Raise `Refused` if the log was lost since the visitor came: numbers began anew."""
        message = await self._room.commands.message(seq)
        if self._room.delivery.position.epoch != self._epoch:
            raise Refused("not_found", "The room has lost its messages meanwhile, and numbers them anew.")
        return message

    def _require_member_id(self) -> str:
        if self.member_id is None:
            raise Refused("not_joined", "Take a nickname first, then you can write.")
        return self.member_id

    def _stop_typing_timer(self) -> None:
        if self._typing is not None:
            self._typing.cancel()
            self._typing = None

    def _typing_expired(self, member_id: str) -> None:
        self._typing = None
        self.enqueue(self._end_typing(member_id))

    async def _end_typing(self, member_id: str) -> None:
        try:
            await self._room.commands.perform(SetTyping(member_id, on=False))
        except Refused as refused:
            _limited.info("Typing of %s in room %s could not be ended: %s", member_id, self._room.name, refused)
