"""The engine of a room: what is asked of it becomes an event, or is refused; what has happened is told to everybody.

command ─▶ perform: decide ─▶ hooks ─▶ store ─▶ ack
                                       │
everyone ◀─ fan-out ◀─ received: apply ◀

`ChatRoom` is its face for apps; a `Session` asks it for one visitor.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import TypeVar

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.limits import Limits, accept_search
from pychat.domain.model import (
    Away,
    Command,
    Delete,
    Deleted,
    Drop,
    Edit,
    Edited,
    Event,
    Join,
    Joined,
    Kicked,
    Leave,
    Left,
    LogEvent,
    Member,
    Message,
    Position,
    React,
    Reacted,
    Renamed,
    Say,
    Signal,
    Typing,
    User,
)
from pychat.domain.names import Names
from pychat.domain.notices import Notice, Presence, Welcome
from pychat.domain.ratelog import RateLimitedLogger
from pychat.domain.rules import RoomState
from pychat.domain.texts import accept_text, emoji_of
from pychat.room.clock import Clock
from pychat.room.connection import Connection
from pychat.room.connections import ConnectionRegistry
from pychat.room.fanout import Fanout, close_quietly
from pychat.room.hooks import Hooks
from pychat.room.locks import Locks
from pychat.room.presence import PresenceGatherer
from pychat.room.progress import Progress
from pychat.room.recent import RecentEvents
from pychat.room.session import Session
from pychat.room.subscription import LogSubscription, Snapshot
from pychat.room.tokens import Tokens
from pychat.stores import CountsGuests, Store, Subscription

__all__ = ["Engine"]

_log = logging.getLogger("pychat.room")
_limited = RateLimitedLogger(_log, time.monotonic)

_GOING_AGAIN = 2.0  # seconds until the store is told once more of somebody who has gone
_BEHIND_SECONDS = 8.0  # for which somebody waits who comes from a server that is ahead of this one; clients wait 12
_TRIES = 3  # to find a name for somebody known, while people on other servers take the ones that are found
_T = TypeVar("_T")


class Engine:
    """One room at work in this process. All calls belong on one event loop."""

    tokens: Tokens

    def __init__(
        self,
        name: str,
        title: str,
        store: Store,
        limits: Limits,
        *,
        reserved_names: Iterable[str],
        grace: float,
        clock: Clock,
    ) -> None:
        self.name = name
        self.title = title
        self.limits = limits
        self.clock = clock
        self.hooks = Hooks()
        self.names = Names(longest=limits.name, reserved=reserved_names)
        self.state = RoomState(self.names, limits)
        self.tail = RecentEvents(keep=limits.page, page=limits.history)
        self.fanout = Fanout()
        self._progress = Progress(clock)
        self.seats = ConnectionRegistry(grace, self._expired, lambda member_id: member_id in self.state.members, clock)
        self._store = store
        self._guests = store.guests if isinstance(store, CountsGuests) else None
        self._log = LogSubscription(store, name, limits, self)
        self._presence = PresenceGatherer(
            self._tell_presence,
            here=self.count,
            members=self.members,
            position=lambda: self.position,
            listed=limits.listed,
            clock=clock,
        )
        self._claimed: set[str] = set()  # ids of the members of whom this server has told the store that they are here
        self._origins: dict[tuple[str, str], Connection] = {}  # messages on their way into the log -> who sent them
        self._naming: dict[str, int] = {}  # by member: how many nameless people more there are when it is told
        self._kicking: set[str] = set()  # ids of the members whom this server is sending out
        self._places = Locks()  # by member: each member's comings and goings happen one after the other
        self._tasks: set[asyncio.Task[object]] = set()
        self._closed = False
        #: Whether the room has closed the store that it opened.
        self.closed_store = False
        #: The event loop that the room runs on, once it does.
        self.loop: asyncio.AbstractEventLoop | None = None

    # How the room stands.

    @property
    def position(self) -> Position:
        """Where the log stands. The epoch is empty until it is open."""
        return Position(self._log.epoch or "", self.state.seq, self.tail.newest_id)

    @property
    def closed(self) -> bool:
        """Whether the room was closed."""
        return self._closed

    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining."""
        return tuple(self.state.members.values())

    def count(self) -> int:
        """How many people are connected, on all servers of the room."""
        elsewhere = 0 if self._guests is None else self._guests.elsewhere(self.name)
        return len(self.state.members) + self.seats.nameless + elsewhere

    async def start(self) -> None:
        """Open the log, if it is not."""
        if self._closed:
            raise UsageError("This room is closed. Await room.start() to open it again.")
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        await self._log.open()

    async def aclose(self, why: Close) -> None:
        """Close every connection, telling why. Names stay held. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._progress.release()
        self.dismiss(why)
        self.seats.stop()
        for session in self.seats:
            await session.close()
        self._presence.stop()
        self._log.close()
        await self.hooks.aclose()

    def abandon(self) -> None:
        """The event loop has ended, and with it every connection: hear and do nothing any more."""
        self._closed = True
        self._log.close()

    def dismiss(self, why: Close) -> None:
        """Close every connection, telling why, without waiting for it."""
        self.fanout.flush()
        for connection in self.fanout:
            close_quietly(connection, why)

    async def history(
        self, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, as they stand; with `matching`, those with its words."""
        if matching is not None:
            matching = accept_search(matching)
        await self.start()
        limit = max(0, min(limit, self.limits.page))
        return list((await self._store.history(self.name, before=before, limit=limit, matching=matching)).messages)

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        await self.start()
        found = await self.history(before=seq + 1, limit=1) if 0 < seq <= self.state.seq else []
        if not found or found[0].seq != seq:
            raise Refused("not_found", "There is no message of that number (any more).")
        return found[0]

    # Who comes and goes.

    async def admit(
        self, connection: Connection, since: Position | None, member_id: str | None, user: User | None, *, own: bool
    ) -> Session:
        """Seat somebody in the open room: see `ChatRoom.connect`."""
        if since is not None:
            await self._catch_up(since)
        session = Session(self, connection, user)
        if user is not None:
            member_id = user.member_id
            self.seats.take(session, member_id, counted=False)
            try:
                await session.introduce()
                await self.start()
            except BaseException:
                await session.close()
                raise
        else:
            await self.start()
        missed = None if since is None else self._missed(since)
        # From here to the end nothing may await: what was missed goes out, and what follows goes the common way.
        self.fanout.flush()
        self.seat(session, session.member_id if user is not None else member_id)
        try:
            if missed is None:
                session.begin(self._welcome(session, None))
            else:
                session.begin(
                    self._welcome(session, since),
                    missed if own else [each for each in missed if each.author.id != member_id],
                )
        except BaseException:
            await session.close()
            raise
        self.fanout.add(connection)
        self._presence.note(newcomer=True)
        return session

    def user(self, member_id: str) -> User | None:
        """Whom the app knows a member as who is connected here."""
        return next((session.user for session in self.seats.of(member_id)), None)

    async def kick(self, member_id: str, text: str) -> None:
        """Send a member out, on all servers of the room."""
        await self.start()
        member = self.state.members.get(member_id) or Member(member_id, "")
        self.fanout.flush()
        self._kicking.add(member_id)
        try:
            await self._signal(Kicked(member, text))
            await self._perform_quietly(Leave(member_id))
        finally:
            self._kicking.discard(member_id)

    # What a session calls (see session.Room).

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""
        return self.state.members.get(member_id)

    def check_name(self, name: str, member_id: str) -> str:
        """The form in which that member could take `name`; or `Refused`."""
        decided = self._decide(Join(member_id, name))
        return decided.member.name if isinstance(decided, Joined | Renamed) else name

    def last_name(self, member_id: str) -> str | None:
        """The name that a member has, or had."""
        return self.state.last_name(member_id)

    def hooked(self, name: str) -> bool:
        """Whether hooks of that name hang here."""
        return self.hooks.any(name)

    @property
    def stores_at_once(self) -> bool:
        """Whether the store never has to be waited for."""
        return getattr(self._store, "immediate", False) and not self.hooks.any("message")

    def flush(self) -> None:
        """Tell everybody now what would be told soon."""
        self.fanout.flush()

    def after_telling(self, call: Callable[[], None]) -> None:
        """Call when everybody has been told what has happened."""
        self.fanout.then(call)

    def everyone(self) -> tuple[int, tuple[Member, ...]]:
        """How many are connected, and those with a name (a page of them at most)."""
        return self.count(), self.members()[: self.limits.page]

    def frame(self, connection: Connection, notice: Notice) -> object:
        """`notice` for the wire of `connection`; what is in the log is encoded once for everybody."""
        return self.tail.frame(connection.wire, notice)

    async def perform(self, command: Command, origin: Session | None = None) -> Event | None:
        """Carry out `command`: decide, let the hooks see it, decide again if they changed it, store. Or `Refused`."""
        if isinstance(command, Join | Drop | Leave):
            return await self._come_or_go(command, origin)
        if isinstance(command, Say | Edit | Delete | React):
            first = self.tail.first(command.member_id, command.id)
            if first is not None:
                # Again, for want of an answer: whatever has happened since, it gets the same.
                return _same(first, _would_be(command))
        event = self._decide(command)
        if isinstance(command, Edit) and isinstance(event, Edited) and self.hooks.any("message"):
            target = await self.message(event.target)
            changed = await self.hooks.change(
                "message", replace(target, author=self._named(event.author), text=event.text)
            )
            event = self._decide(replace(command, target=await self.message(event.target), text=changed.text))
        match event:
            case None:
                return None
            case Message():
                return await self.store_message(event, origin)
            case Edited() | Deleted() | Reacted():
                return await self.append(event)
            case _:
                assert isinstance(event, Typing)  # noqa: S101 -- what is left
                await self._signal(event)
        return event

    async def _come_or_go(
        self, command: Join | Drop | Leave, origin: Session | None = None, when: Callable[[], bool] | None = None
    ) -> Event | None:
        """Carry out what changes who is here; nothing, if `when` is false as its turn comes."""
        asked = not self.hooks.any("join")
        while True:
            if isinstance(command, Join) and not asked:
                wished = self._decide(command)
                if isinstance(wished, Joined | Renamed):
                    asked = True
                    changed = await self.hooks.change("join", wished.member)
                    name = command.name if changed.name == wished.member.name else changed.name
                    command = replace(command, member_id=wished.member.id, name=name, roles=changed.roles)
            done, event = await self._to_its_end(self._take_turn(command, origin, when, asked=asked))
            if done:
                return event

    async def _take_turn(
        self, command: Join | Drop | Leave, origin: Session | None, when: Callable[[], bool] | None, *, asked: bool
    ) -> tuple[bool, Event | None]:
        """Decide and store, after what the same member asked for before. `False` if the hooks must be asked first.

        No code of the app's runs here, or a hook that asks for something of the same member would wait for itself.
        """
        async with self._places.hold(command.member_id):
            if when is not None and not when():
                return True, None
            if origin is not None and origin.gone and isinstance(command, Join):
                raise Refused("unavailable", "You were disconnected while joining. Try again.", 1.0)
            event: Event | None = None
            for tries in range(1, _TRIES + 1):
                event = self._decide(command)
                if isinstance(event, Joined | Renamed) and not asked:
                    return False, None
                try:
                    await self._settle(command, event)
                    break
                except Refused as refused:
                    # Somebody on another server was quicker. Who is known gets the next name that is like it.
                    again = refused.code == "name_taken" and isinstance(command, Join) and command.known
                    if not again or tries == _TRIES:
                        raise
            if isinstance(command, Join):
                await self._seated(command.member_id, origin)
            return True, event

    async def _settle(self, command: Join | Drop | Leave, event: Event | None) -> None:
        """Tell the store of `event`. The name in it is reserved until that is done, or has failed."""
        if event is None and isinstance(command, Join) and command.member_id not in self._claimed:
            # Here already, but on another server: if that one goes, or loses them, they are still here on this one.
            event = Joined(self.state.members[command.member_id])
        if isinstance(event, Joined | Renamed | Away | Left):
            with self.state.reserving(event.member):
                await self._signal(event)

    async def _seated(self, member_id: str, origin: Session | None) -> None:
        """After a join: its session is the member's, and a member whom nobody is any more is away at once.

        While the join was stored the connection may have ended, or the member may have left.
        """
        if member_id not in self.state.members:
            return
        if origin is not None and not origin.gone and origin.member_id != member_id:
            self.seat(origin, member_id)
        if member_id not in self.seats:
            gone: Drop | Leave = Drop(member_id) if self.seats.holds_names else Leave(member_id)
            await self._settle(gone, self._decide(gone))
            self._hold_name(member_id)

    async def _to_its_end(self, work: Coroutine[object, object, _T]) -> _T:
        """Await `work`, which goes on to its end even where its caller is cancelled: what is begun in a store is."""
        if getattr(self._store, "immediate", False):
            return await work
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        finally:
            del task  # or its failure would hold this frame, and this frame the failure

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # heard of, whether or not anybody waits for it

    async def append(self, event: LogEvent) -> LogEvent:
        """Store what has become of a message."""
        return _same(await self._store.append(self.name, event), event)

    def soon(self, command: Command) -> None:
        """Carry out a command of nobody's, without waiting for it; if it is refused, nobody needs to know."""
        self._spawn(self._perform_quietly(command))

    def _spawn(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def seat(self, session: Session, member_id: str | None) -> None:
        """Count `session` as one of `member_id`'s connections, or as a guest's. Idempotent."""
        self.seats.take(session, member_id)
        self._presence.note()

    async def depart(self, session: Session, *, left: bool) -> None:
        """Forget `session`; with the last of its connections its member is gone: for good, or for the time being."""
        member_id = session.member_id
        self.fanout.discard(session.connection)
        self.seats.free(session)
        self._presence.note()
        if member_id is not None and member_id not in self.seats:
            gone = left or not self.seats.holds_names
            command = Leave(member_id) if gone else Drop(member_id)
            await self._to_its_end(self._go(command, lambda: member_id not in self.seats))

    async def _go(self, command: Drop | Leave, when: Callable[[], bool]) -> None:
        """Carry out what takes a member away, if `when` is true then; again in a while, where the store is away."""
        try:
            await self._come_or_go(command, when=when)
        except Refused as refused:
            if refused.code == "unavailable" and not self._closed:
                self.clock.call_later(_GOING_AGAIN, lambda: self._spawn(self._go(command, when)))
            _log.debug("%s in room %s was refused: %s", command, self.name, refused)
        self._hold_name(command.member_id)

    # How things happen.

    def _decide(self, command: Command) -> Event | None:
        decided = self.state.decide(command, self.clock.date())
        if isinstance(decided, Refused):
            try:
                raise decided
            finally:
                del decided  # its traceback has this frame: the two would keep each other, and all that is above
        return decided

    async def _signal(self, event: Signal) -> None:
        if isinstance(event, Away | Left):
            self._claimed.discard(event.member.id)
        if isinstance(event, Joined | Renamed | Away | Left):
            self._naming[event.member.id] = self.seats.named_by(event)
            self._publish_guests()
        try:
            await self._store.signal(self.name, event)
        except BaseException:
            self._presence.note()
            raise
        finally:
            self._naming.pop(event.member.id, None)
        if isinstance(event, Joined | Renamed):
            self._claimed.add(event.member.id)

    async def store_message(self, draft: Message, origin: Session | None = None) -> Message:
        """Store what was said, as the hooks change it; return it as it was stored first."""
        if self.hooks.any("message"):
            changed = await self.hooks.change("message", draft)
            draft = replace(draft, text=accept_text(changed.text, self.limits.text))
            if origin is not None:
                self._decide(Say(draft.author.id, draft.id, draft.text))  # still here, after the hooks took their time?
        draft = draft if not draft.author.roles else replace(draft, author=draft.author.bare)
        key = (draft.author.id, draft.id)
        if origin is not None:
            self._origins[key] = origin.connection
        try:
            stored = await self._store.append(self.name, draft)
        finally:
            self._origins.pop(key, None)
        if not isinstance(stored, Message):
            raise _id_used()
        return stored

    def received(self, event: Event) -> None:
        """Something was added to the log, or signalled: take it in, and tell everyone."""
        self.state.apply(event)
        if self._naming and isinstance(event, Signal):
            self._naming.pop(event.member.id, None)
        match event:
            case Message():
                self.tail.add(event)
                self._progress.told(event.seq)
                self._announce(event, skip=self._origins.get((event.author.id, event.id)))
            case Edited() | Deleted() | Reacted():
                self.tail.add(event)
                self._progress.told(event.seq)
                self._announce(event)
            case Typing() if event.member.id in self.state.members:  # who has gone meanwhile is not writing
                self._announce(event)
            case Joined() | Renamed():
                self.seats.release(event.member.id)
                self.seats.name(event.member.id)
                self._presence.note(event)
            case Away():
                self._claimed.discard(event.member.id)
                self.seats.name(event.member.id)
                if event.member.id in self.seats:  # gone from another server, or taken for gone, but still on this one
                    self._rejoin(event.member)
                self._presence.note(event)
            case Kicked():
                self._send_out(event)
            case Left():
                self._claimed.discard(event.member.id)
                self.seats.release(event.member.id)
                self.seats.name(event.member.id)
                for session in list(self.seats.of(event.member.id)):
                    self.seat(session, None)
                self._presence.note(event)
                self.hooks.tell("leave", event.member)
        self.hooks.tell("event", event)

    def _send_out(self, event: Kicked) -> None:
        sessions = self.seats.of(event.member.id)
        for session in sessions:
            session.gone = True
            self.seats.free(session)  # it is on its way out, and counts no more
            session.member_id = None
            self._presence.note()
            frame = self.frame(session.connection, event) if event.text else None
            if frame is not None:
                self.fanout.tell(session.connection, frame)
            close_quietly(session.connection, Close.KICKED)
        if sessions and event.member.id not in self._kicking:
            self.soon(Leave(event.member.id))  # they were kicked by another server, which cannot say this for ours

    def _named(self, member: Member) -> Member:
        """The member with the roles of now, for hooks."""
        return self.state.members.get(member.id, member)

    def _announce(self, notice: Notice, *, skip: Connection | None = None) -> None:
        self.fanout.send(lambda wire: self.tail.frame(wire, notice), skip=skip)

    def _hold_name(self, member_id: str) -> None:
        """Hold the name of somebody who is away for the grace time: by this server alone, whichever others know."""
        if member_id in self.state.away and member_id not in self.seats:
            self.seats.hold(member_id)

    def _expired(self, member_id: str) -> None:
        """The grace time is over: the name is free, unless its owner comes back first."""
        self._spawn(self._go(Leave(member_id), lambda: member_id in self.state.away))

    def _rejoin(self, member: Member) -> None:
        """Somebody was taken for gone who is still connected here."""
        command = Join(member.id, member.name, member.roles, known=True)
        self._spawn(self._quietly(command, self._come_or_go(command, when=lambda: member.id in self.seats)))

    def _tell_presence(self, presence: Presence) -> None:
        self._announce(presence)
        self._publish_guests()

    def _publish_guests(self) -> None:
        """Tell the other servers how many people without a nickname are here, when what is under way has happened."""
        if self._guests is not None:
            self._guests.publish(self.name, self.seats.nameless + sum(self._naming.values()))

    async def _perform_quietly(self, command: Command) -> None:
        await self._quietly(command, self.perform(command))

    async def _quietly(self, command: Command, work: Coroutine[object, object, object]) -> None:
        try:
            await work
        except Refused as refused:
            _limited.info("%s in room %s was refused: %s", command, self.name, refused)

    def load(self, standing: Snapshot) -> None:
        """Begin, or begin anew, where the room stands."""
        opening = standing.opening
        self.tokens = Tokens(opening.secret)
        reserved = self.state.reserved  # what is under way stays so
        self.state = RoomState(self.names, self.limits)
        self.state.reserved = reserved
        for member in opening.known:
            self.state.remember(member)
        for member in opening.members:
            self.state.apply(Joined(member))
        for member in opening.away:
            self.state.apply(Away(member))
            self.seats.hold(member.id)
        self.state.seq = standing.seq
        self._claimed.clear()  # in what the store remembers now it may have no part
        self.tail.load(standing.seq, standing.events, standing.messages, more=standing.more)
        self._progress.release()
        self.seats.name_all()
        if self._guests is not None:
            self._guests.follow(self.name, self._presence.note)

    def reopened(self, opening: Subscription) -> None:
        """The store lost its place. Where the log is the same, only who is here may have changed meanwhile."""
        if opening.position != self.position:
            # Everybody comes back, to be told what a newcomer is told.
            self.dismiss(Close.LOST)
            self._log.lose()
            self._progress.release()
            return
        here = {member.id: member for member in opening.members}
        for member in [member for member in self.members() if member.id not in here]:
            self.received(Away(member))
        for member in opening.members:
            known = self.state.members.get(member.id)
            if known is None or (known, known.roles) != (member, member.roles):
                self.received(Joined(member))
        self._presence.note()

    async def _catch_up(self, since: Position) -> None:
        """Wait until this server has been told what somebody saw on another one, which is ahead.

        What the store does not have is not waited for: then another log was seen. Raise `Refused` with `unavailable`
        where the store cannot say so, or this server is told nothing for too long.
        """
        if not self._is_ahead(since):
            return
        found = await self._store.events(self.name, after=since.seq - 1, limit=1)
        if not found or found[0].seq != since.seq or since.id not in ("", found[0].id):
            return
        if self._is_ahead(since):
            await self._progress.wait(since.seq, _BEHIND_SECONDS)
        await self.start()  # the log may have been lost meanwhile
        if self._is_ahead(since):
            raise Refused("unavailable", "This server is behind the others. Please try again in a moment.", 1.0)

    def _is_ahead(self, position: Position) -> bool:
        return position.epoch == self._log.epoch and position.seq > self.state.seq

    def _missed(self, since: Position) -> list[LogEvent] | None:
        """What happened after `since`: all of it, or `None` if that can no longer be had (or is too much)."""
        return self.tail.since(since) if since.epoch == self._log.epoch else None

    def _welcome(self, session: Session, since: Position | None) -> Welcome:
        listed = self._presence.listed and len(self.state.members) <= self.limits.listed
        return Welcome(
            room=self.name,
            title=self.title,
            position=since or self.position,
            recovered=since is not None,
            here=self.count(),
            members=self.members() if listed else (),
            listed=listed,
            messages=() if since else tuple(self.tail.page()),
            more=self.tail.has_more(),
            longest_name=self.limits.name,
            longest_text=self.limits.text,
            you=session.you,
        )


def _would_be(command: Say | Edit | Delete | React) -> LogEvent:
    """What `command` makes happen, as far as two events of one id are compared."""
    author = Member(command.member_id, "")
    match command:
        case Say():
            return Message(command.id, author, command.text, 0)
        case Edit():
            return Edited(command.id, author, command.target.seq, command.text, 0)
        case Delete():
            return Deleted(command.id, author, command.target.seq, 0)
        case React():
            emoji = emoji_of(command.emoji) or command.emoji
            return Reacted(command.id, author, command.target.seq, emoji, command.on, 0)


def _same(stored: LogEvent, event: LogEvent) -> LogEvent:
    """`stored`, which the store has under the id of `event`; or `Refused`, if it is not that event."""
    match stored, event:
        case (Message(), Message()):
            same = True
        case Edited(), Edited():
            same = stored.target == event.target
        case Deleted(), Deleted():
            same = stored.target == event.target
        case Reacted(), Reacted():
            same = (stored.target, stored.emoji, stored.on) == (event.target, event.emoji, event.on)
        case _:
            same = False
    if not same:
        raise _id_used()
    return stored


def _id_used() -> Refused:
    return Refused("id_used", "This id was used for something else. Take another.")
