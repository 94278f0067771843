"""`ChatRoom`: the room that people embed. Wires rules, log, fan-out and hooks together; how a message travels is here.

command ─▶ perform: decide ─▶ hooks ─▶ store ─▶ ack
                                       │
everyone ◀─ fan-out ◀─ received: apply ◀
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar, overload

from pychat.clock import Clock
from pychat.connection import Connection, Notice, Welcome
from pychat.errors import Close, Refused, UsageError
from pychat.fanout import Fanout
from pychat.hooks import Hooks
from pychat.limits import Limits
from pychat.model import (
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
)
from pychat.names import Names
from pychat.presence import PresenceGatherer
from pychat.session import Session, event_id
from pychat.state import RoomState
from pychat.stores import Opening, Store, open_store
from pychat.tail import Tail
from pychat.texts import accept_text
from pychat.tokens import Tokens

__all__ = ["ChatRoom"]

_log = logging.getLogger("pychat.room")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HookT = TypeVar("_HookT", bound="Callable[[Any], Any]")


class ChatRoom:
    """A chat room: an ordered log of what was said, and the people who are in it.

    Nothing here knows of sockets: mount it with `pychat.aiohttp_app` or `pychat.asgi_app`, or drive it from your own
    transport with `connect`. All calls belong on one event loop.
    """

    tokens: Tokens

    def __init__(
        self,
        name: str = "lobby",
        *,
        title: str | None = None,
        store: str | Store = "memory:",
        limits: Limits | None = None,
        reserved_names: Iterable[str] = ("admin",),
        grace: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        """`store` is a URL (`memory:`, `sqlite:chat.db`, `redis://…`) or a store; several rooms may share one store.

        `grace` is for how many seconds the name of somebody whose connection broke is held for them. Raise
        `UsageError` for a name that cannot stand in a URL: it has 1-64 characters of `A-Z a-z 0-9 . _ -` and begins
        with a letter or a digit.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"A room cannot be called {name!r}: use 1-64 of A-Z a-z 0-9 . _ - and begin with a letter or a digit."
            )
        self.name = name
        self.title = name if title is None else title
        self.limits = limits or Limits()
        self.clock = clock or Clock()
        self._grace = grace
        self._owns_store = isinstance(store, str)
        self._store: Store = open_store(store) if isinstance(store, str) else store
        self._hooks = Hooks()
        self._names = Names(longest=self.limits.name, reserved=reserved_names)
        self._state = RoomState(self._names, self.limits)
        self._tail = Tail(keep=self.limits.page, page=self.limits.history)
        self._fanout = Fanout()
        self._presence = PresenceGatherer(
            self._announce,
            here=self._count,
            members=lambda: self.members,
            position=lambda: self.position,
            listed=self.limits.listed,
        )
        self._epoch: str | None = None
        self._starting: asyncio.Lock | None = None
        self._opening: Opening | None = None
        self._waiting: list[Event | Opening] = []  # what happens while the room opens
        self._seats: dict[str, set[Session]] = {}  # member id -> that member's connections
        self._guests: set[Session] = set()
        self._claimed: set[str] = set()  # ids of the members of whom this server has told the store that they are here
        self._graces: dict[str, asyncio.TimerHandle] = {}  # member id -> when the name is free
        self._origins: dict[tuple[str, str], Connection] = {}  # messages on their way into the log -> who sent them
        self._tasks: set[asyncio.Task[object]] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<ChatRoom {self.name!r}, {self._count()} here>"

    # What an app calls.

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining."""
        return tuple(self._state.members.values())

    @property
    def here(self) -> int:
        """How many people are connected, with a nickname or without."""
        return self._count()

    @property
    def position(self) -> Position:
        """Where the log stands. The epoch is empty until somebody comes in."""
        return Position(self._epoch or "", self._state.seq)

    async def post(self, text: str, *, author: str, id: str | None = None) -> Message:  # noqa: A002 -- the wire's word
        """Say something as `author`, from code: no nickname is taken, and names that are reserved may be used.

        With an `id` of yours (1-64 characters of `A-Z a-z 0-9 _ -`) a repeated call stores nothing twice. Return the
        message as stored. Raise `Refused` for a text, name or id that the room does not allow, or where a hook does.
        """
        await self.start()
        member = Member(f"post:{author}", self._names.accept(author, reserved=True))
        first = None if id is None else self._tail.first(member.id, id)
        if isinstance(first, Message):
            return first
        draft = Message(event_id(id), member, accept_text(text, self.limits.text), self.clock.date())
        return await self._store_message(draft)

    async def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`, from code, in its author's name; return it as it stands then."""
        target = await self.message(seq)
        if target.deleted:
            raise Refused("not_found", "This message was deleted; there is nothing left to edit.")
        text = accept_text(text, self.limits.text)
        await self._store.append(self.name, Edited(Tokens.new_id(), target.author, seq, text, self.clock.date()))
        return await self.message(seq)

    async def delete(self, seq: int) -> None:
        """Delete message number `seq`, from code, in its author's name. A mark remains."""
        target = await self.message(seq)
        if not target.deleted:
            await self._store.append(self.name, Deleted(Tokens.new_id(), target.author, seq, self.clock.date()))

    async def history(
        self, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before` (the end, if left out), as they stand, oldest first.

        With `matching`, only those that hold all of its words, however they are cased.
        """
        await self.start()
        limit = max(0, min(limit, self.limits.page))
        return list((await self._store.history(self.name, before=before, limit=limit, matching=matching)).messages)

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        found = await self.history(before=seq + 1, limit=1) if 0 < seq <= self._state.seq else []
        if not found or found[0].seq != seq:
            raise Refused("not_found", "There is no message of that number (any more).")
        return found[0]

    @overload
    def on(self, name: str) -> Callable[[_HookT], _HookT]: ...
    @overload
    def on(self, name: str, hook: _HookT) -> _HookT: ...
    def on(self, name: str, hook: Any = None) -> Any:
        """Hang in a hook (`pychat.HOOKS` lists them): `@room.on("message")`, or `room.on("message", function)`."""
        if hook is None:
            return lambda given: self.on(name, given)
        self._hooks.add(name, hook)
        return hook

    async def start(self) -> None:
        """Open the log. Everything that needs it does so by itself; call it to hear of trouble at once. Idempotent."""
        if self._closed:
            raise UsageError("This room is closed. Make another ChatRoom.")
        if self._epoch is None:
            self._starting = self._starting or asyncio.Lock()
            async with self._starting:
                if self._epoch is None:
                    await self._open()

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Close every connection, telling why, and the store if this room opened it. Names stay held."""
        self._closed = True
        self.dismiss(why)
        for session in [*self._guests, *(session for seats in self._seats.values() for session in seats)]:
            await session.close()
        self._presence.stop()
        for timer in self._graces.values():
            timer.cancel()
        if self._owns_store:
            await self._store.aclose()

    def dismiss(self, why: Close) -> None:
        """Close every connection, telling why, without waiting for it."""
        self._fanout.flush()
        for connection in self._fanout:
            connection.close(why)

    # What a transport calls.

    async def connect(
        self,
        connection: Connection,
        *,
        since: Position | None = None,
        member_id: str | None = None,
        own: bool = True,
    ) -> Session:
        """Let somebody in: they are welcomed, and told what they missed since `since`, or shown the newest page.

        A transport that knows who it is says so with `member_id` (and may call `Session.resume` next); with
        `own=False` they are not told what they wrote themselves.
        """
        await self.start()
        session = Session(self, connection)
        missed = None if since is None else self._missed(since)
        # From here to the end nothing may await: what was missed goes out, and what follows goes the common way.
        self._fanout.flush()
        self.seat(session, member_id)
        if missed is None:
            session.begin(self._welcome(None))
        else:
            session.begin(
                self._welcome(since), missed if own else [each for each in missed if each.author.id != member_id]
            )
        self._fanout.add(connection)
        self._presence.note(newcomer=True)
        return session

    # What a session calls (see session.Room).

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""
        return self._state.members.get(member_id)

    def last_name(self, member_id: str) -> str | None:
        """The name that a member has, or had."""
        return self._state.last_name(member_id)

    def hooked(self, name: str) -> bool:
        """Whether hooks of that name hang here."""
        return self._hooks.any(name)

    def flush(self) -> None:
        """Tell everybody now what would be told at the end of this turn of the event loop."""
        self._fanout.flush()

    def everyone(self) -> tuple[int, tuple[Member, ...]]:
        """How many are connected, and those with a name (a page of them at most)."""
        return self._count(), self.members[: self.limits.page]

    def frame(self, connection: Connection, notice: Notice) -> object:
        """`notice` for the wire of `connection`; what is in the log is encoded once for everybody."""
        return self._tail.frame(connection.wire, notice)

    async def perform(self, command: Command, origin: Session | None = None) -> Event | None:
        """Carry out `command`: decide, let the hooks see it, decide again if they changed it, store. Or `Refused`."""
        if isinstance(command, Say | Edit | Delete | React):
            first = self._tail.first(command.member_id, command.id)
            if first is not None:
                return first  # again, for want of an answer: whatever has happened since, it gets the same
        event = self._decide(command)
        match event:
            case Message():
                return await self._store_message(event, origin)
            case Edited() if self._hooks.any("message"):
                target = await self.message(event.target)
                changed = await self._hooks.change("message", replace(target, text=event.text))
                event = replace(event, text=accept_text(changed.text, self.limits.text))
            case Joined() | Renamed() if self._hooks.any("join"):
                changed_member = await self._hooks.change("join", event.member)
                event = self._decide(Join(event.member.id, changed_member.name))
        match event:
            case None if isinstance(command, Join) and command.member_id not in self._claimed:
                # Here already, but on another server: if that one goes, or loses them, they are still here on this one.
                await self._signal(Joined(self._state.members[command.member_id]))
            case None:
                return None
            case Edited() | Deleted() | Reacted():
                return await self._store.append(self.name, event)
            case Joined() | Renamed() | Away() | Left() | Typing():
                await self._signal(event)
        return event

    def soon(self, command: Command) -> None:
        """Carry out a command of nobody's, without waiting for it; if it is refused, nobody needs to know."""
        task = asyncio.get_running_loop().create_task(self._perform_quietly(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def seat(self, session: Session, member_id: str | None) -> None:
        """Count `session` as one of `member_id`'s connections, or as a guest's. Idempotent."""
        self._unseat(session)
        session.member_id = member_id
        if member_id is None:
            self._guests.add(session)
        else:
            self._seats.setdefault(member_id, set()).add(session)
        self._presence.note()

    async def depart(self, session: Session, *, left: bool) -> None:
        """Forget `session`; with the last of its connections its member is gone: for good, or for the time being."""
        member_id = session.member_id
        self._fanout.discard(session.connection)
        self._unseat(session)
        self._presence.note()
        if member_id is not None and member_id not in self._seats:
            gone = left or (self._grace <= 0 and not self._closed)
            await self._perform_quietly(Leave(member_id) if gone else Drop(member_id))
            if member_id in self._state.away and member_id not in self._seats:
                self._begin_grace(member_id)  # by this server alone, whichever others hear of it

    # How things happen.

    def _decide(self, command: Command) -> Event | None:
        decided = self._state.decide(command, self.clock.date())
        if isinstance(decided, Refused):
            raise decided
        return decided

    async def _signal(self, event: Signal) -> None:
        if isinstance(event, Away | Left):
            self._claimed.discard(event.member.id)
        await self._store.signal(self.name, event)
        if isinstance(event, Joined | Renamed):
            self._claimed.add(event.member.id)

    async def _store_message(self, draft: Message, origin: Session | None = None) -> Message:
        if self._hooks.any("message"):
            changed = await self._hooks.change("message", draft)
            draft = replace(draft, text=accept_text(changed.text, self.limits.text))
            if origin is not None:
                self._decide(Say(draft.author.id, draft.id, draft.text))  # still here, after the hooks took their time?
        key = (draft.author.id, draft.id)
        if origin is not None:
            self._origins[key] = origin.connection
        try:
            stored = await self._store.append(self.name, draft)
        finally:
            self._origins.pop(key, None)
        if not isinstance(stored, Message):
            raise Refused("bad_request", "This id was used for something else than a message. Take another.")
        return stored

    def _hear(self, event: Event | Opening) -> None:
        if self._epoch is None:
            self._waiting.append(event)
        else:
            self._received(event)

    def _received(self, event: Event | Opening) -> None:
        """Something was added to the log, or signalled: take it in, and tell everyone."""
        if isinstance(event, Opening):
            self._reopened(event)
            return
        self._state.apply(event)
        match event:
            case Message():
                self._tail.add(event)
                self._announce(event, skip=self._origins.get((event.author.id, event.id)))
            case Edited() | Deleted() | Reacted():
                self._tail.add(event)
                self._announce(event)
            case Typing():
                self._announce(event)
            case Joined() | Renamed():
                self._end_grace(event.member.id)
                self._presence.note(event)
            case Away():
                self._claimed.discard(event.member.id)
                if event.member.id in self._seats:  # gone from another server, or taken for gone, but still on this one
                    self.soon(Join(event.member.id, event.member.name))
                self._presence.note(event)
            case Left():
                self._claimed.discard(event.member.id)
                self._end_grace(event.member.id)
                for session in list(self._seats.get(event.member.id, ())):
                    self.seat(session, None)
                self._presence.note(event)
                self._hooks.tell("leave", event.member)
        self._hooks.tell("event", event)

    def _announce(self, notice: Notice, *, skip: Connection | None = None) -> None:
        self._fanout.send(lambda wire: self._tail.frame(wire, notice), skip=skip)

    def _begin_grace(self, member_id: str) -> None:
        self._end_grace(member_id)
        if not self._closed:
            loop = asyncio.get_running_loop()
            self._graces[member_id] = loop.call_later(self._grace, self.soon, Leave(member_id))

    def _end_grace(self, member_id: str) -> None:
        timer = self._graces.pop(member_id, None)
        if timer is not None:
            timer.cancel()

    async def _perform_quietly(self, command: Command) -> None:
        try:
            await self.perform(command)
        except Refused as refused:
            _log.info("%s in room %s was refused: %s", command, self.name, refused)

    async def _open(self) -> None:
        """Read where the room stands. What happens meanwhile waits its turn."""
        if self._opening is None:
            self._waiting.clear()
            self._opening = await self._store.subscribe(self.name, self._hear)
        opening = self._opening  # kept where what follows fails: the next try goes on from here
        page = await self._store.history(self.name, limit=self.limits.history + 1)
        recent = await self._recent(page.seq)
        self.tokens = Tokens(opening.secret)
        self._state = RoomState(self._names, self.limits)
        for member in opening.known:
            self._state.remember(member)
        for member in opening.members:
            self._state.apply(Joined(member))
        for member in opening.away:
            self._state.apply(Away(member))
            self._begin_grace(member.id)
        self._state.seq = page.seq
        more = len(page.messages) > self.limits.history
        self._tail.load(page.seq, recent, page.messages[1:] if more else page.messages, more=more)
        self._epoch = opening.position.epoch
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            if getattr(event, "seq", page.seq + 1) > page.seq:
                self._received(event)

    async def _recent(self, head: int) -> list[LogEvent]:
        """The newest events up to number `head`, without a gap. After a restart everybody comes back at once."""
        most = self.limits.page
        events = await self._store.events(self.name, after=max(0, head - most), limit=most)
        events = [event for event in events if event.seq <= head]
        return events if [event.seq for event in events] == list(range(head - len(events) + 1, head + 1)) else []

    def _reopened(self, opening: Opening) -> None:
        """The store lost its place. Where the log is the same, only who is here may have changed meanwhile."""
        if opening.position != self.position:
            # Everybody comes back, to be told what a newcomer is told.
            self._epoch = self._opening = None
            self.dismiss(Close.LOST)
            return
        here = {member.id: member for member in opening.members}
        for member in [member for member in self.members if member.id not in here]:
            self._received(Away(member))
        for member in opening.members:
            if self._state.members.get(member.id) != member:
                self._received(Joined(member))

    def _missed(self, since: Position) -> list[LogEvent] | None:
        """What happened after `since`: all of it, or `None` if that can no longer be had (or is too much)."""
        if since.epoch != self._epoch or not 0 <= since.seq <= self._state.seq:
            return None
        return self._tail.since(since.seq)

    def _welcome(self, since: Position | None) -> Welcome:
        listed = self._presence.listed and len(self._state.members) <= self.limits.listed
        return Welcome(
            room=self.name,
            title=self.title,
            position=since or self.position,
            recovered=since is not None,
            here=self._count(),
            members=self.members if listed else (),
            listed=listed,
            messages=() if since else tuple(self._tail.page()),
            more=self._tail.has_more(),
            longest_name=self.limits.name,
            longest_text=self.limits.text,
        )

    def _count(self) -> int:
        # Members of other servers are here too; guests of other servers are known to those alone.
        return len(self._seats.keys() | self._state.members.keys()) + len(self._guests)

    def _unseat(self, session: Session) -> None:
        self._guests.discard(session)
        seats = self._seats.get(session.member_id) if session.member_id is not None else None
        if seats is not None:
            seats.discard(session)
            if not seats and session.member_id is not None:
                del self._seats[session.member_id]
