"""One visitor on one connection: each command is a method. `command_queue` has their order."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pychat.domain.access import Access
from pychat.domain.decision import Actor
from pychat.domain.errors import Close, Refused
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
from pychat.domain.notices import AccessChanged, PutOut, Welcome, You
from pychat.domain.rates import Usage, take
from pychat.room.answer import Answer
from pychat.room.clock import Timer
from pychat.room.command_queue import CommandQueue, queued
from pychat.room.commands import id_used
from pychat.room.connection import GONE, Connection
from pychat.room.core import RoomCore
from pychat.room.fanout import close_quietly, join_frames
from pychat.room.grant import FULL, Grant, unknown_room
from pychat.room.rate_limiter import log_flooding, too_much
from pychat.room.tokens import Tokens, event_id

__all__ = ["Session"]

_log = logging.getLogger("pychat.room")
_limited = RateLimitedLogger(_log, time.monotonic)
TYPING_SECONDS = 6.0
_MAX_RECORDS = 1_000  # of each kind, that moderators are told at once
_SHORT = 256  # characters; the bytes of longer texts are counted
_OUTSIDE = AccessChanged(Access.NONE)


class Session(CommandQueue):
    """One visitor on one connection. A transport calls a method for each command, in the order in which they came.

    Each returns an `Answer`, which may raise `Refused`. It is done when everyone has been told what was stored before,
    so that no answer overtakes an event. Await `ready` of the `CommandQueue` before reading on.
    """

    _error: Refused | None = None  # why this visitor was put out of the room
    _muted_as: str | None = None  # who this guest was, who was muted and gave the nickname back

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
        #: What this visitor may do in the room, which also depends on its moderators.
        self.standing = room.moderation.standing(self.grant, user, None)
        self._revision = room.moderation.revision  # of the rules that `standing` follows
        person = self.grant.person
        #: What this person has used of each rate; a guest without an identity is one connection.
        if person is not None:
            self._usage = person.usage
        else:
            self._usage = Usage() if user is None else room.rates.person(user.member_id)
        self._address_usage = room.rates.address(self.grant.address)
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
        return self._room.name_of(member_id)

    @property
    def access(self) -> Access:
        """What this visitor may do in the room."""
        return self.standing.access

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
        """Show again what was whispered to this member since they were here, and which messages were rejected."""
        self._room.whispers.show(self, self._seen)
        if self._room.moderation.state.of("held"):
            self._room.queue.tell_rejected(self)

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
        before, user = self.member_id, self.user
        if user is not None:
            member_id = user.member_id
        else:
            of_token = self._room.delivery.tokens.read(token) if token else None
            known = before or of_token or self._muted_as
            member_id = known or Tokens.new_id()
            if known is not None:
                self.count_as(known)
        self._spend(kind="rename")
        self._room.rates.is_person(member_id, self._usage)
        if self.gone:
            raise Refused("unavailable", "You were disconnected before you joined. Try again.", 1.0)
        if before is None:
            self._check_returning(member_id)
            self._room.membership.bind(self, member_id)
            self.recheck()
        try:
            self._check_rename(member_id, name)
            await self._room.membership.perform(self._wish(member_id, name), self)
        except Refused:
            if before is None and not self.gone:
                self._room.membership.unbind(self, member_id)
                self.recheck()
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
            self._spend("write", "message", text)
            stored = self._room.commands.say(Say(self._require_member_id(), event_id(message_id), text), self)
        except Exception as error:
            return self._failed(error)
        return self._when_stored(stored, self._said)

    async def _say(self, text: str, message_id: str | None, reply_to: int | None) -> Message:
        """The same, where something has to be awaited before the message can be stored."""
        self._spend("write", "message", text)
        member_id, message_id = self._require_member_id(), event_id(message_id)
        answered = None if reply_to is None else await self._message(reply_to)
        command = Say(member_id, message_id, text, answered)
        return self._said(await self._room.commands.perform(command, self))

    def _said(self, event: Event | None) -> Message:
        """The message that was stored, or waits for a moderator. Raise `Refused` if its id is another event's."""
        if not isinstance(event, Message):
            raise id_used()
        self._stop_typing_timer()
        return event

    @queued
    async def edit(self, seq: int, text: str, given_id: str | None = None) -> Event | None:
        """Change the text of one's own message number `seq`; `None` if it said that already."""
        self._spend("write", "edit", text)
        member_id, new_id = self._require_member_id(), event_id(given_id)
        return await self._room.commands.perform(Edit(member_id, new_id, await self._message(seq), text), self)

    @queued
    async def delete(self, seq: int, given_id: str | None = None) -> Event | None:
        """Take one's own message number `seq` back; `None` if it was deleted already.

        A visitor with access `moderate` may delete the messages of others.
        """
        moderates = "moderate" in self.standing.access
        self._spend("read" if moderates else "write", "edit")
        member_id, new_id = self._require_member_id(), event_id(given_id)
        message = await self._message(seq)
        command = Delete(member_id, new_id, message, moderates or self._moderates_by_hook(member_id))
        deleted = await self._room.commands.perform(command, self)
        if deleted is not None and message.author.id != member_id:
            self._room.moderation.noted("delete", self.member or Member(member_id, ""), message)
        return deleted

    @queued
    async def react(self, seq: int, emoji: str, on: bool = True, given_id: str | None = None) -> Event | None:  # noqa: FBT002
        """Put an emoji to message number `seq`, or take it away; `None` if that is so already."""
        self._spend("react", "reaction")
        member_id, new_id = self._require_member_id(), event_id(given_id)
        return await self._room.commands.perform(React(member_id, new_id, await self._message(seq), emoji, on), self)

    @queued
    async def history(self, before: int | None = None, limit: int = 50, matching: str | None = None) -> list[Message]:
        """The last messages before number `before`, as they stand; if given, only those with all `matching` words."""
        self._spend("read", "history" if matching is None else "search")
        await self._room.commands.pages.wait()  # reading and encoding a page takes some milliseconds
        return await self._room.commands.history(before=before, limit=limit, matching=matching)

    @queued
    async def set_typing(self, on: bool) -> None:
        """Show that the visitor is writing, for 6 seconds, or no longer."""
        self._spend("write", "typing")
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
            if self.standing.muted is not None:
                self._muted_as = self.member_id
            self._room.moderation.left(self)
            await self._room.membership.perform(Leave(self.member_id), self)
            self.recheck()

    @queued
    async def report(self, seq: int, reason: str | None = None) -> None:
        """Report message number `seq` to the moderators."""
        self._spend(kind="report")
        by = self.member or Member(self._require_member_id(), "")
        message = await self._message(seq)
        await self._room.queue.report(message, by, reason or "")

    async def close(self, *, left: bool = False) -> None:
        """The connection has ended. The name is held, unless the visitor `left` on purpose. Idempotent."""
        if not self._closed:
            self._closed = self.gone = True
            await self._disconnect(left=left)

    async def _disconnect(self, *, left: bool) -> None:
        self._stop_typing_timer()
        self._room.moderation.left(self)
        try:
            await self._room.membership.disconnect(self, left=left)
        finally:
            self.connection = GONE
            self._room.rates.remember(self._usage, self._address_usage)
            person, readers = self.grant.person, self._room.readers
            if person is not None:
                person.sessions.discard(self)
                if self._follows and readers is not None:
                    readers.left(person)
            self._room.left()

    # Moderation.

    @queued
    async def moderate(self, action: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Perform an action of `ACTIONS`; what its author is told."""
        self._spend()
        return await self._room.moderation.perform(action, fields, self._actor)

    @queued
    async def moderation(self) -> dict[str, Any]:
        """What moderators see of the moderation of this room, as JSON."""
        self._spend("moderate")
        return self._room.moderation.overview(_MAX_RECORDS)

    @queued
    async def audit(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """The newest `limit` entries of the audit log with numbers below `before`, the newest first."""
        self._spend("moderate")
        entries = await self._room.moderation.audit(before, limit)
        self.require("moderate")  # they may have lost it meanwhile
        return entries

    def _actor(self) -> Actor:
        """The visitor with the role at this moment. Raise `Refused` if they have been put out."""
        if self._closed:
            raise Refused("unavailable", "Your connection has ended. Connect again.", 1.0)
        standing = self._room.moderation.standing(self.grant, self.user, self.member_id)
        return Actor(self.member or Member(self.member_id or "", ""), standing.role)

    def _check_returning(self, member_id: str) -> None:
        """Put a guest out who turns out to be somebody who is banned. Raise `Refused`."""
        try:
            self._room.moderation.check_stay(self.grant, self.user, member_id)
        except Refused as refused:
            self.put_out(refused.kind.close, refused)
            raise

    def _check_rename(self, member_id: str, name: str | None) -> None:
        """Somebody who may not write may not take another name either. Raise `Refused`."""
        if self.standing.muted is not None and name is not None:
            before = self._room.state.last_name(member_id)
            if before is not None and before != name:
                self.require("write")

    # What this visitor may do.

    def change_access(self, access: Access) -> None:
        """Set what the app allows this visitor from now on. Without `read`, put them out of the room at once."""
        self.grant.access = access
        self.recheck()

    def recheck(self) -> None:
        """Something has changed that this visitor's permissions depend on: tell them, or put them out of the room."""
        moderation, before = self._room.moderation, self.standing
        self._revision = moderation.revision
        self.standing = moderation.standing(self.grant, self.user, self.member_id)
        if not self._begun or self._closed:
            return  # who is still entering is told with the welcome, or refused
        if "read" not in self.standing.access:
            self.put_out(Close.NO_ACCESS)
            return
        try:
            moderation.check_stay(self.grant, self.user, self.member_id)
        except Refused as refused:
            self.put_out(refused.kind.close, refused)
            return
        if before != self.standing:
            self._room.delivery.fanout.flush()
            self._send(self.standing)

    def put_out(self, why: Close, error: Refused | None = None) -> None:
        """Close the connection with the reason `why`. Nothing that happens in the room from now on is sent to it.

        `error` is told first, if it is given.
        """
        if not self._closed:
            self._closed = self.gone = True
            fanout = self._room.delivery.fanout
            fanout.flush()
            if error is not None:
                self._error = error.with_traceback(None)
                self.standing = _OUTSIDE  # a command that waits for a hook or for the store ends here
                self._send(PutOut(error))
            fanout.discard(self.connection)
            close_quietly(self.connection, why)
            self._room.tasks.spawn(self._disconnect(left=not why.reconnect))

    def _send(self, notice: AccessChanged | PutOut) -> None:
        """Send a notice to this connection alone."""
        frame = self.connection.encoder.encode(notice)
        if frame is not None:
            self._room.delivery.fanout.send_to(self.connection, frame)

    def require(self, permission: str) -> None:
        """Raise `Refused` if this visitor may not do that; the text says why."""
        if self._revision != self._room.moderation.revision:
            self.recheck()
        if self._error is not None:
            raise Refused(self._error.code, self._error.text, until=self._error.until)
        if permission not in self.standing.access:
            raise self._room.moderation.refusal(self.grant, self.standing, permission)

    def begin_entry(self, member_id: str | None) -> None:
        """Count that this visitor enters, as the member of that id if there is one. Raise `Refused`."""
        if member_id is not None:
            self.count_as(member_id)
        rates, table = self._room.rates, self._room.limits.table
        rates.check_flooding(table, self._usage)
        rates.spend(table.charges["join"], self._usage, self._address_usage)

    def count_as(self, member_id: str) -> None:
        """Count what this guest does as that of the member, on all connections."""
        if self.grant.person is None and self.user is None:
            self._usage = self._room.rates.person(member_id)

    def spend_refused(self) -> None:
        """Count a command that was refused before it began. Raise `Refused` if there were too many."""
        self._spend()

    def _spend(self, permission: str = "read", kind: str = "command", text: str = "") -> None:
        """Count a command of that kind, which needs this permission. Raise `Refused`."""
        if self._closed:
            raise Refused("unavailable", "Your connection has ended. Connect again.", 1.0)
        if self._revision != self._room.moderation.revision:
            self.require("read")
        if "moderate" not in self.standing.access:
            charges, now = self._room.charges, self._room.rates.clock.steady()
            wait = take(charges[kind], self._usage, self._address_usage, now)
            if not wait and len(text) > _SHORT:
                size = len(text.encode(errors="surrogatepass"))
                wait = take(charges["bytes"], self._usage, self._address_usage, now, size)
            if wait:
                self._refuse(wait)
        if permission not in self.standing.access:
            self.require(permission)

    def _refuse(self, wait: float) -> NoReturn:
        """Refuse a command for some seconds. Whoever goes on is disconnected."""
        if self._room.rates.is_flooding(self._room.limits.table, self._usage, self._address_usage):
            log_flooding(self.grant.address)
            self.put_out(Close.FLOODING)
            raise Refused.standard("flooding")
        raise too_much(wait)

    def _handed_out(self) -> None:
        if self._revision != self._room.moderation.revision:
            self.recheck()
        if "read" not in self.standing.access:  # lost while a command ran: what it read is not handed out
            if self._error is not None:
                self.require("read")
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

    def _moderates_by_hook(self, member_id: str) -> bool | None:
        """`None` if the hook `join` may have made this member a moderator: then the roles of the member tell."""
        recorded = self._room.moderation.state.stored_role(member_id) is not None
        return None if self._room.hooks.registered["join"] and not recorded else False

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
