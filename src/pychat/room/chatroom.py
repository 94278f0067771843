"""`ChatRoom`, the class that apps and transports use. `core` has the parts of a room."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal, Self, overload
from weakref import WeakSet

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import Deleted, Edited, Member, Message, Position, User
from pychat.domain.rules import NameFollower, quote
from pychat.domain.texts import accept_text
from pychat.room.clock import Clock
from pychat.room.connection import Connection
from pychat.room.core import RoomCore
from pychat.room.hooks import EventHook, Hooks, JoinHook, LeaveHook, MessageHook
from pychat.room.session import Session, event_id
from pychat.room.threads import ThreadsafeRoom
from pychat.room.tokens import Tokens
from pychat.room.welcome import admit
from pychat.stores import MemoryStore, Store, open_store

__all__ = ["ChatRoom"]

_STAYING = ("memory:", "sqlite:")  # stores that live on where an event loop has ended without closing them
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ChatRoom:
    """A chat room: an ordered log of what was said, and the people who are in it.

    It knows no sockets: mount it with `pychat.aiohttp_app` or `pychat.asgi_app`, or drive it from your own
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
        self._url = store if isinstance(store, str) else None  # of the store that this room opens and closes
        self._store: Store = open_store(store) if isinstance(store, str) else store
        self._followers = WeakSet[NameFollower]()
        self._begin = partial(
            RoomCore,
            name,
            self.title,
            limits=self.limits,
            reserved_names=tuple(reserved_names),
            grace=grace,
            followers=self._followers,
        )
        self._core = self._begin(store=self._store, clock=self.clock, hooks=Hooks())

    def __repr__(self) -> str:
        return f"<ChatRoom {self.name!r}, {self.here} here>"

    # What an app calls.

    @property
    def in_memory(self) -> bool:
        """Whether the room is kept in the memory of this process alone (`memory:`)."""
        return isinstance(self._store, MemoryStore)

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining."""
        return self._core.membership.members()

    @property
    def member_count(self) -> int:
        """How many people have a nickname: `len(room.members)` without listing them."""
        return self._core.membership.named()

    def first_members(self) -> tuple[Member, ...]:
        """The members who joined first, at most `limits.page` of them."""
        return self._core.membership.members(self.limits.page)

    @property
    def here(self) -> int:
        """How many people are connected, with a nickname or without."""
        return self._core.membership.count()

    @property
    def position(self) -> Position:
        """Where the log stands. The epoch is empty until somebody comes in."""
        return self._core.delivery.position

    def user(self, member_id: str) -> User | None:
        """Whom the app's `authenticate` said a member is, if they are connected to this server; `None` for guests."""
        return self._core.membership.user(member_id)

    async def post(
        self,
        text: str,
        *,
        author: str | User,
        id: str | None = None,  # noqa: A002 -- the wire's word
        reply_to: int | None = None,
    ) -> Message:
        """Say something as `author`, from code: no nickname is taken, and names that are reserved may be used.

        The author is a name, or a user of the app's: then it is their message, to edit and delete when they are here.
        With `reply_to` it answers the message of that number.

        With an `id` of yours (1-64 characters of `A-Z a-z 0-9 _ -`) a repeated call stores nothing twice. Return the
        message as stored. Raise `Refused` for a text, name or id that the room does not allow, for a message to answer
        that is not there, or where a hook does.
        """
        await self._ready()
        if isinstance(author, User):
            member_id, name = author.member_id, author.name
            if name is None:
                raise UsageError("A user who is to be the author of a message needs a name.")
        else:
            member_id, name = f"post:{author}", author
        member = Member(member_id, self._core.names.accept(name, reserved=True))
        first = None if id is None else self._core.delivery.recent.first(member.id, id)
        if isinstance(first, Message):
            return first
        reply = None if reply_to is None else quote(await self.message(reply_to))
        draft = Message(event_id(id), member, accept_text(text, self.limits.text), self.clock.date(), reply=reply)
        return await self._core.commands.store_message(draft)

    async def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`, from code, in its author's name; return it as it stands then."""
        target = await self.message(seq)
        if target.deleted:
            raise Refused("not_found", "This message was deleted; there is nothing left to edit.")
        text = accept_text(text, self.limits.text)
        await self._core.commands.append(Edited(Tokens.new_id(), target.author, seq, text, self.clock.date()))
        return await self.message(seq)

    async def delete(self, seq: int) -> None:
        """Delete message number `seq`, from code, in its author's name. A mark remains."""
        target = await self.message(seq)
        if not target.deleted:
            await self._core.commands.append(Deleted(Tokens.new_id(), target.author, seq, self.clock.date()))

    async def kick(self, member_id: str, text: str = "") -> None:
        """Send a member out: close all their connections with `Close.KICKED`, after telling them `text`.

        Their clients do not come back by themselves, and the nickname is free. It is no ban: `authenticate` and the
        hook `join` decide who is let in. No-op for a member who is not here.
        """
        await self._ready()
        await self._core.membership.kick(member_id, text)

    async def history(
        self, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before` (the end, if left out), as they stand, oldest first.

        With `matching`, only those that hold all of its words, however they are cased.
        """
        await self._ready()
        return await self._core.commands.history(before=before, limit=limit, matching=matching)

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        await self._ready()
        return await self._core.commands.message(seq)

    @overload
    def on(self, name: Literal["message"]) -> Callable[[MessageHook], MessageHook]: ...
    @overload
    def on(self, name: Literal["message"], hook: MessageHook) -> MessageHook: ...
    @overload
    def on(self, name: Literal["join"]) -> Callable[[JoinHook], JoinHook]: ...
    @overload
    def on(self, name: Literal["join"], hook: JoinHook) -> JoinHook: ...
    @overload
    def on(self, name: Literal["leave"]) -> Callable[[LeaveHook], LeaveHook]: ...
    @overload
    def on(self, name: Literal["leave"], hook: LeaveHook) -> LeaveHook: ...
    @overload
    def on(self, name: Literal["event"]) -> Callable[[EventHook], EventHook]: ...
    @overload
    def on(self, name: Literal["event"], hook: EventHook) -> EventHook: ...
    def on(self, name: str, hook: Any = None) -> Any:
        """Register a hook (`pychat.HOOKS` lists them): `@room.on("message")`, or `room.on("message", function)`."""
        return partial(self._core.hooks.add, name) if hook is None else self._core.hooks.add(name, hook)

    async def start(self) -> None:
        """Open the log. Everything that needs it does so by itself; call it to hear of trouble at once. Idempotent.

        A room that was closed is opened again, as after a restart of the process: with its hooks, nobody in it, and
        what its store has kept. So is one whose event loop has ended. Raise `UsageError` where it runs on another one.
        """
        core, loop = self._core, asyncio.get_running_loop()
        if core.delivery.closed or core.delivery.loop not in (None, loop):
            self._begin_again(core)
        await self._core.delivery.start()

    def _begin_again(self, before: RoomCore) -> None:
        if not before.delivery.closed:
            loop = before.delivery.loop
            if loop is not None and loop.is_running():
                raise UsageError(
                    f"The room “{self.name}” runs on another event loop. From other threads, use room.threadsafe."
                )
            before.abandon()
        if self._url is not None and (before.closed_store or not self._url.startswith(_STAYING)):
            self._store = open_store(self._url)
        self._core = self._begin(store=self._store, clock=self.clock, hooks=before.hooks.copy())

    async def _ready(self) -> None:
        """Open the log. Raise `UsageError` if the room was closed."""
        if self.closed:
            raise UsageError("This room is closed. Await room.start() to open it again.")
        await self.start()

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Close every connection, telling why, and the store if this room opened it. Names stay held. Idempotent.

        `start` opens it again.
        """
        core = self._core
        if core.delivery.loop not in (None, asyncio.get_running_loop()):
            core.abandon()  # its event loop has ended, and everybody's connection with it
        await core.aclose(why)
        if self._url is not None and not core.closed_store:
            core.closed_store = True
            await self._store.aclose()

    @property
    def closed(self) -> bool:
        """Whether the room was closed, and not started again since. On a new event loop it begins anew by itself."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        return self._core.delivery.closed and self._core.delivery.loop in (None, loop)

    def dismiss(self, why: Close) -> None:
        """Close every connection with the reason `why`, without waiting for it."""
        self._core.delivery.dismiss(why)

    async def __aenter__(self) -> Self:
        """`async with ChatRoom() as room:` starts the room, and closes it in the end."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def threadsafe(self) -> ThreadsafeRoom:
        """The same room for code in other threads: `room.threadsafe.post("hi", author="bot")`, without `await`."""
        return ThreadsafeRoom(self, lambda: self._core.delivery.loop)

    # What a transport calls.

    async def connect(
        self,
        connection: Connection,
        *,
        since: Position | None = None,
        member_id: str | None = None,
        own: bool = True,
        user: User | None = None,
    ) -> Session:
        """Let somebody in: they are welcomed, and told what they missed since `since`, or shown the newest page.

        A transport that knows who it is says so with `member_id` (and may call `Session.resume` next); with
        `own=False` they are not told what they wrote themselves. With a `user`, whom the app's `authenticate` gave,
        that is who they are, and they have their name before they are welcomed.
        """
        await self._ready()
        return await admit(self._core, connection, since=since, member_id=member_id, user=user, own=own)

    @property
    def tokens(self) -> Tokens:
        """Signs and reads resume tokens, for transports with a protocol of their own for them.

        Set when the room has started.
        """
        return self._core.delivery.tokens

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if here."""
        return self._core.state.members.get(member_id)

    def follow_names(self, follower: NameFollower) -> None:
        """Tell `follower` of every member here, and later of each who takes or changes a name.

        The room does not keep `follower` alive.
        """
        for member in self.members:
            follower.named(member)
        self._followers.add(follower)

    def check_name(self, name: str, member_id: str = "") -> str:
        """The form in which that member, or somebody new, could take `name` now. Raise `Refused` if they could not.

        Hooks are not asked, and nothing is taken: `Session.join` may still be refused.
        """
        return self._core.membership.check_name(name, member_id)
