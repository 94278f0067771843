"""`ChatRoom`: the room that people embed. Wires rules, log, fan-out and hooks together; how a message travels is here.

command ─▶ perform: decide ─▶ hooks ─▶ store ─▶ ack
                                       │
everyone ◀─ fan-out ◀─ received: apply ◀
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar, overload

from .clock import Clock
from .connection import Connection, Presence, Welcome
from .errors import Close, Refused, UsageError
from .fanout import Fanout
from .hooks import Hooks
from .limits import Limits
from .model import Command, Event, Join, Joined, Leave, Left, Member, Message, Position, Renamed, Say, Typing
from .names import Names
from .presence import PresenceGatherer
from .session import Session
from .state import RoomState
from .stores import Store, open_store
from .texts import accept_text
from .tokens import Tokens

__all__ = ["ChatRoom"]

_log = logging.getLogger("pychat.room")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HookT = TypeVar("_HookT", bound="Callable[[Any], Any]")


class ChatRoom:
    """A chat room: an ordered log of what was said, and the people who are in it.

    Nothing here knows of sockets: mount it with `pychat.aiohttp_app` or `pychat.asgi_app`, or drive it from your own
    transport with `connect`. All calls belong on one event loop.
    """

    def __init__(
        self,
        name: str = "lobby",
        *,
        title: str | None = None,
        store: str | Store = "memory:",
        limits: Limits | None = None,
        reserved_names: Iterable[str] = ("admin",),
        secret: bytes | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`store` is a URL (`memory:`) or a store; several rooms may share one store.

        `secret` signs resume tokens; without one they end with this process. Raise `UsageError` for a name that
        cannot stand in a URL: it has 1-64 characters of `A-Z a-z 0-9 . _ -` and begins with a letter or a digit.
        """
        if not _NAME.fullmatch(name):
            msg = f"A room cannot be called {name!r}: use 1-64 of A-Z a-z 0-9 . _ - and begin with a letter or a digit."
            raise UsageError(msg)
        self.name = name
        self.title = name if title is None else title
        self.limits = limits or Limits()
        self.clock = clock or Clock()
        self.tokens = Tokens(secret or secrets.token_bytes(32))
        self._owns_store = isinstance(store, str)
        self._store: Store = open_store(store) if isinstance(store, str) else store
        self._hooks = Hooks()
        self._state = RoomState(Names(longest=self.limits.name, reserved=reserved_names), self.limits)
        self._fanout = Fanout()
        self._presence = PresenceGatherer(
            self._announce, here=self._count, members=lambda: self.members, listed=self.limits.listed
        )
        self._position: Position | None = None
        self._starting: asyncio.Lock | None = None
        self._opening: set[Session] = set()
        self._seats: dict[str, set[Session]] = {}  # member id -> that member's connections
        self._guests: set[Session] = set()
        self._origins: dict[tuple[str, str], Connection] = {}  # messages on their way into the log -> who sent them
        self._tasks: set[asyncio.Task[object]] = set()

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

    async def post(self, text: str, *, author: str, id: str | None = None) -> Message:  # noqa: A002 -- the wire's word
        """Say something as `author`, from code: no nickname is taken, and names that are reserved may be used.

        With an `id` of yours (1-64 characters of `A-Z a-z 0-9 _ -`) a repeated call stores nothing twice. Return the
        message as stored. Raise `Refused` for a text that the room does not allow, or where a hook refuses.
        """
        await self._start()
        member = Member(f"post:{author}", author)
        draft = Message(id or Tokens.new_id(), member, accept_text(text, self.limits.text), self.clock.date())
        return await self._store_message(draft)

    async def history(self, *, before: int | None = None, limit: int = 50) -> list[Message]:
        """The last `limit` messages before number `before` (the end, if left out), oldest first."""
        return await self._store.read(self.name, before=before, limit=max(0, min(limit, self.limits.page)))

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

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Close every connection, telling why, and the store if this room opened it."""
        self.dismiss(why)
        for session in [*self._guests, *(session for seats in self._seats.values() for session in seats)]:
            await session.close()
        self._presence.stop()
        if self._owns_store:
            await self._store.aclose()

    def dismiss(self, why: Close) -> None:
        """Close every connection, telling why, without waiting for it."""
        for connection in self._fanout:
            connection.close(why)

    # What a transport calls.

    async def connect(self, connection: Connection, *, since: Position | None = None) -> Session:
        """Let somebody in: they are welcomed with what they missed since `since`, or with the newest page."""
        await self._start()
        session = Session(self, connection)
        self._guests.add(session)
        self._opening.add(session)
        try:
            welcome = await self._welcome(since)
        except BaseException:
            self._guests.discard(session)
            raise
        finally:
            self._opening.discard(session)
        # From here to the end nothing may await: what is held goes out, and what follows goes the common way.
        session.begin(welcome)
        self._fanout.add(connection)
        self._presence.note(newcomer=True)
        return session

    # What a session calls (see session.Room).

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""
        return self._state.members.get(member_id)

    def everyone(self) -> tuple[int, tuple[Member, ...]]:
        """How many are connected, and those with a name (a page of them at most)."""
        return self._count(), self.members[: self.limits.page]

    async def perform(self, command: Command, origin: Session | None = None) -> Event | None:
        """Carry out `command`: decide, let the hooks see it, decide again if they changed it, store. Or `Refused`."""
        event = self._decide(command)
        match event:
            case Message():
                return await self._store_message(event, origin)
            case Joined() | Renamed() if self._hooks.any("join"):
                changed = await self._hooks.change("join", event.member)
                event = self._decide(Join(event.member.id, changed.name))
        if event is not None and not isinstance(event, Message):
            await self._store.signal(self.name, event)
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

    async def depart(self, session: Session) -> None:
        """Forget `session`; its member leaves the room with the last of its connections."""
        member_id = session.member_id
        self._fanout.discard(session.connection)
        self._unseat(session)
        self._presence.note()
        if member_id is not None and member_id not in self._seats:
            await self._perform_quietly(Leave(member_id))

    # How things happen.

    def _decide(self, command: Command) -> Event | None:
        decided = self._state.decide(command, self.clock.date())
        if isinstance(decided, Refused):
            raise decided
        return decided

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
            return await self._store.append(self.name, draft)
        finally:
            self._origins.pop(key, None)

    def _received(self, event: Event) -> None:
        """Something was added to the log, or signalled: take it in, and tell everyone."""
        self._state.apply(event)
        match event:
            case Message():
                self._announce(event, skip=self._origins.get((event.author.id, event.id)))
            case Typing():
                self._announce(event)
            case Joined() | Renamed():
                self._presence.note(event)
            case Left():
                for session in list(self._seats.get(event.member.id, ())):
                    self.seat(session, None)
                self._presence.note(event)
                self._hooks.tell("leave", event.member)
        self._hooks.tell("event", event)

    def _announce(self, notice: Message | Presence | Typing, *, skip: Connection | None = None) -> None:
        for session in self._opening:
            session.hold(notice)
        self._fanout.send(notice, skip=skip)

    async def _perform_quietly(self, command: Command) -> None:
        try:
            await self.perform(command)
        except Refused as refused:
            _log.info("%s in room %s was refused: %s", command, self.name, refused)

    async def _start(self) -> None:
        if self._position is None:
            self._starting = self._starting or asyncio.Lock()
            async with self._starting:
                if self._position is None:
                    self._position = await self._store.subscribe(self.name, self._received)
                    self._state.seq = max(self._state.seq, self._position.seq)

    async def _welcome(self, since: Position | None) -> Welcome:
        assert self._position is not None  # noqa: S101 -- started by the caller
        recovered, messages = False, list[Message]()
        if since is not None and since.epoch == self._position.epoch and 0 <= since.seq <= self._state.seq:
            most = self.limits.page
            messages = await self._store.read(self.name, after=since.seq, limit=most + 1)
            # Nothing missed, or all of it: never a part.
            recovered = len(messages) <= most and (
                messages[0].seq == since.seq + 1 if messages else since.seq == self._state.seq
            )
        if not recovered:
            messages = await self._store.read(self.name, limit=self.limits.history)
        newest = messages[-1].seq if messages else (since.seq if recovered and since else self._state.seq)
        listed = self._presence.listed and len(self._state.members) <= self.limits.listed
        return Welcome(
            room=self.name,
            title=self.title,
            position=Position(self._position.epoch, newest),
            recovered=recovered,
            here=self._count(),
            members=self.members if listed else (),
            listed=listed,
            messages=tuple(messages),
            longest_name=self.limits.name,
            longest_text=self.limits.text,
        )

    def _count(self) -> int:
        return len(self._seats) + len(self._guests)

    def _unseat(self, session: Session) -> None:
        self._guests.discard(session)
        seats = self._seats.get(session.member_id) if session.member_id is not None else None
        if seats is not None:
            seats.discard(session)
            if not seats and session.member_id is not None:
                del self._seats[session.member_id]
