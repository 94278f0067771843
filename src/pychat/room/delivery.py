"""Delivers an event from the store: applies it to the state, keeps it in memory, and sends it to every connection."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import (
    Away,
    Deleted,
    Edited,
    Erased,
    Event,
    Joined,
    LogEvent,
    Message,
    Position,
    Reacted,
    Typing,
    Whisper,
    in_room,
)
from pychat.domain.moderation import Moderated
from pychat.domain.names import Names
from pychat.domain.rules import RoomState
from pychat.room.clock import Clock
from pychat.room.connection import Connection
from pychat.room.fanout import Fanout, close_quietly
from pychat.room.hooks import OTHER_EVENT, Hooks
from pychat.room.membership import Membership
from pychat.room.moderation import RoomModeration
from pychat.room.readers import RoomReaders
from pychat.room.recent import RecentEvents
from pychat.room.subscription import LogSubscription, Snapshot
from pychat.room.tokens import Tokens
from pychat.room.whispers import Whispers
from pychat.stores import Store, Subscription

__all__ = ["Delivery", "RoomWatcher"]

_BEHIND_SECONDS = 8.0  # that a visitor waits for events that another server has sent them already; clients wait 12


class RoomWatcher(Protocol):
    """Is told what happens to an open room."""

    def emptied(self) -> None:
        """The last connection to the room has ended."""

    def was_deleted(self) -> None:
        """The room was deleted."""


class Delivery:
    """Follows the log of one room, and tells everyone on this server what it brings."""

    __slots__ = (
        "__weakref__",
        "_awaited",
        "_clock",
        "_hooks",
        "_log",
        "_membership",
        "_moderation",
        "_room",
        "_state",
        "_store",
        "_whispers",
        "closed",
        "fanout",
        "loop",
        "no_copy_for",
        "readers",
        "recent",
        "tokens",
        "watcher",
    )

    #: Signs and reads the tokens by which people come back. Set when the log was opened.
    tokens: Tokens

    def __init__(
        self,
        room: str,
        state: RoomState,
        store: Store,
        *,
        membership: Membership,
        moderation: RoomModeration,
        whispers: Whispers,
        hooks: Hooks,
        fanout: Fanout,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._room = room
        self._state = state
        self._store = store
        self._membership = membership
        self._moderation = moderation
        self._whispers = whispers
        self._hooks = hooks
        self.fanout = fanout
        self.recent = RecentEvents(keep=limits.page, page=limits.history)
        #: Messages that are being stored: (author's id, message's id) -> the author's connection, which gets no copy.
        self.no_copy_for: dict[tuple[str, str], Connection] = {}
        self._log = LogSubscription(store, room, limits, self, moderation.read)
        self._clock = clock
        self._awaited: dict[int, asyncio.Event] = {}  # numbers of events that visitors wait for in `catch_up`
        #: Told who reads the room; `None` outside of a chat.
        self.readers: RoomReaders | None = None
        #: Told after the room was deleted.
        self.watcher: RoomWatcher | None = None
        #: True after the room was closed.
        self.closed = False
        #: The event loop that the room runs on, once it was started.
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def epoch(self) -> str:
        """The epoch of the log's numbers; empty until the log is open."""
        return self._log.epoch or ""

    @property
    def position(self) -> Position:
        """The position of the newest event."""
        return Position(self.epoch, self._state.seq, self.recent.newest_id)

    async def start(self) -> None:
        """Open the log. Idempotent."""
        if self.closed:
            raise UsageError("This room is closed. Await room.start() to open it again.")
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        await self._log.open()
        while self._moderation.incomplete:
            await self._moderation.complete()

    def stop(self) -> None:
        """Receive no more events. Connections stay open."""
        self._log.close()
        self._moderation.stop()

    def dismiss(self, why: Close) -> None:
        """Close every connection with the reason `why`, without waiting for it."""
        self.fanout.flush()
        for connection in self.fanout:
            close_quietly(connection, why)

    def release(self) -> None:
        """Wake the visitors who wait in `catch_up`: the log was begun anew, or the room closes."""
        awaited, self._awaited = self._awaited, {}
        for each in awaited.values():
            each.set()

    # The port `LogListener`: called by the subscription.

    def received(self, event: Event) -> None:
        """Apply an event that was added to the log, or signalled, and tell everyone."""
        self._state.apply(event)
        match event:
            case Message() | Edited() | Deleted() | Reacted():
                self.recent.add(event)
                if event.seq in self._awaited:
                    self._awaited.pop(event.seq).set()
                skip = self.no_copy_for.get((event.author.id, event.id)) if isinstance(event, Message) else None
                self.fanout.send(event, self.recent.frame, skip=skip)
                if self.readers is not None:
                    self.readers.received(event)
                if not isinstance(event, Message):
                    self._moderation.revised(event)
                elif self._moderation.slow:
                    self._moderation.said(event)
            case Whisper():
                self._whispers.received(event)
                return  # hooks are not told
            case Typing():
                if event.member.id in self._state.members:  # a member who has left meanwhile is not writing
                    self.fanout.send(event)
            case _:
                self._membership.applied(event)
        if not isinstance(event, Message):
            self._hooks.notify("event", event)
            self._hooks.notify(OTHER_EVENT, event)
        elif self._hooks.registered["event"]:
            self._hooks.notify("event", in_room(event, self._room))

    def load(self, snapshot: Snapshot) -> None:
        """Begin, or begin anew, with what the store holds."""
        opening = snapshot.opening
        self.tokens = Tokens(opening.secret)
        self._state.clear()
        for member in opening.known:
            self._state.remember(member)
        for member in opening.members:
            self._state.apply(Joined(member))
        for member in opening.away:
            self._state.apply(Away(member))
        self._moderation.load(*snapshot.moderation)
        self._state.seq = snapshot.seq
        self.recent.load(snapshot.seq, snapshot.events, snapshot.messages, more=snapshot.more)
        self.release()
        self._membership.load(opening)

    def reopened(self, opening: Subscription) -> None:
        """The store lost its place. If the log is still the same, only the members may have changed meanwhile."""
        if opening.position != self.position:
            # Clients reconnect, and are welcomed like newcomers.
            self.dismiss(Close.LOST)
            self._log.lose()
            self.release()
            return
        here = {member.id: member for member in opening.members}
        for member in [member for member in self._state.members.values() if member.id not in here]:
            self.received(Away(member))
        for member in opening.members:
            known = self._state.members.get(member.id)
            if known is None or (known, known.roles) != (member, member.roles):
                self.received(Joined(member))
        self._membership.presence.note()
        self._moderation.reopened()

    def erased(self, what: Erased) -> None:
        """Forget the texts that were taken out of the log."""
        self.recent.erase(what)
        self._moderation.erased(what)
        self._whispers.forget()
        if what.author is not None and what.before is None:
            self._state.known.discard(what.author)
            Names.keys.cache_clear()  # it holds names
        if self.readers is not None:
            self.readers.received(what)

    def moderated(self, what: Moderated) -> None:
        """The moderation records were changed."""
        self._moderation.received(what)

    def deleted(self) -> None:
        """Close all connections. Whoever enters after that makes a new room."""
        self.dismiss(Close.DELETED)
        self.release()
        if self.readers is not None:
            self.readers.deleted()
        if self.watcher is not None:
            self.watcher.was_deleted()

    # Recovery.

    async def catch_up(self, since: Position) -> None:
        """Wait until this server has received what a visitor saw on another server, which is ahead.

        Return at once if the store does not have that event: the visitor saw another log. Raise `Refused` with
        `unavailable` if the store cannot be read, or the event does not arrive in time.
        """
        if not self._is_ahead(since):
            return
        found = await self._store.events(self._room, after=since.seq - 1, limit=1)
        if not found or found[0].seq != since.seq or since.id not in ("", found[0].id):
            return
        if self._is_ahead(since):
            await self._wait_for(since.seq)
        await self.start()  # the log may have been lost meanwhile
        if self._is_ahead(since):
            raise Refused("unavailable", "This server is behind the others. Please try again in a moment.", 1.0)

    async def _wait_for(self, seq: int) -> None:
        """Wait until event number `seq` is received or cannot come any more, at most 8 seconds."""
        awaited = self._awaited.setdefault(seq, asyncio.Event())
        timer = self._clock.call_later(_BEHIND_SECONDS, awaited.set)
        try:
            await awaited.wait()
        finally:
            timer.cancel()
            if awaited.is_set() and self._awaited.get(seq) is awaited:
                del self._awaited[seq]

    def missed(self, since: Position) -> list[LogEvent] | None:
        """All events after `since`; `None` if some are no longer kept in memory, or `since` is of another log."""
        return self.recent.since(since) if since.epoch == self._log.epoch else None

    def _is_ahead(self, position: Position) -> bool:
        return position.epoch == self._log.epoch and position.seq > self._state.seq
