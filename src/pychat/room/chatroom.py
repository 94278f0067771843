"""`ChatRoom`, the class that apps and transports use. `core` has the parts of a room."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
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
from pychat.room.hooks import (
    DeleteHook,
    EditHook,
    EventHook,
    Hooks,
    JoinHook,
    LeaveHook,
    MentionHook,
    MessageHook,
    ReactHook,
)
from pychat.room.session import Session, event_id
from pychat.room.threads import ThreadsafeRoom
from pychat.room.tokens import Tokens
from pychat.room.welcome import admit
from pychat.stores import MemoryStore, Store, open_store

__all__ = ["ChatRoom"]

_STAYING = ("memory:", "sqlite:")  # stores that live on where an event loop has ended without closing them
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ChatRoom:
    """A chat room: an ordered log of events, and the people in the room.

    A room has no sockets: mount it with `pychat.aiohttp_app` or `pychat.asgi_app`, or use `connect` from your own
    transport. Make all calls on one event loop.
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

        `grace` is the number of seconds for which a name is held after a lost connection. Raise `UsageError` for an
        invalid name: it must have 1-64 characters of `A-Z a-z 0-9 . _ -`, and begin with a letter or a digit.
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
        """True if only the memory of this process has the room (`memory:`)."""
        return isinstance(self._store, MemoryStore)

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining."""
        return self._core.membership.members()

    @property
    def member_count(self) -> int:
        """The number of members: `len(room.members)` without listing them."""
        return self._core.membership.named()

    def first_members(self) -> tuple[Member, ...]:
        """The first members in the order of joining, at most `limits.page`."""
        return self._core.membership.members(self.limits.page)

    @property
    def here(self) -> int:
        """The number of people connected, with a nickname or without."""
        return self._core.membership.count()

    @property
    def position(self) -> Position:
        """The position of the newest event. The epoch is empty until the room is open."""
        return self._core.delivery.position

    def user(self, member_id: str) -> User | None:
        """The user that `authenticate` returned for a member who is connected to this server; `None` for guests."""
        return self._core.membership.user(member_id)

    async def post(
        self,
        text: str,
        *,
        author: str | User,
        id: str | None = None,  # noqa: A002 -- the wire's word
        reply_to: int | None = None,
    ) -> Message:
        """Post a message as `author`, from code. This takes no nickname, and reserved names are allowed.

        The author is a name, or a user of the app, who can edit and delete the message. With `reply_to`, the message is
        a reply to the message of that number.

        With your own `id` (1-64 characters of `A-Z a-z 0-9 _ -`), a repeated call stores nothing twice. Return the
        message as stored. Raise `Refused` if the text, the name or the id is not allowed, if there is no message
        `reply_to`, or if a hook refuses.
        """
        await self._ready()
        if isinstance(author, User):
            member_id, name = author.member_id, author.name
            if name is None:
                raise UsageError("A user who is to be the author of a message needs a name.")
        else:
            member_id, name = f"post:{author}", author
        member = Member(member_id, self._core.names.accept(name, reserved=True))
        first = None if id is None else self._core.delivery.recent.find(member.id, id)
        if isinstance(first, Message):
            return first
        reply = None if reply_to is None else quote(await self.message(reply_to))
        draft = Message(event_id(id), member, accept_text(text, self.limits.text), self.clock.date(), reply=reply)
        return await self._core.commands.store_message(draft)

    async def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`, from code, as its author. Return the changed message."""
        target = await self.message(seq)
        if target.deleted:
            raise Refused("not_found", "This message was deleted; there is nothing left to edit.")
        text = accept_text(text, self.limits.text)
        await self._core.commands.append(Edited(Tokens.new_id(), target.author, seq, text, self.clock.date()))
        return await self.message(seq)

    async def delete(self, seq: int) -> None:
        """Delete message number `seq`, from code, as its author. A mark remains."""
        target = await self.message(seq)
        if not target.deleted:
            await self._core.commands.append(Deleted(Tokens.new_id(), target.author, seq, self.clock.date()))

    async def kick(self, member_id: str, text: str = "") -> None:
        """Remove a member: send `text`, and close all connections of the member with `Close.KICKED`.

        The clients do not reconnect by themselves, and the nickname is free. This is not a ban: `authenticate` and the
        hook `join` decide who can enter. No-op for a member who is not here.
        """
        await self._ready()
        await self._core.membership.kick(member_id, text)

    async def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, or before the end, as they stand, oldest first.

        With `after`, the first `limit` messages after that number (`after=0` begins at the oldest message). With
        `matching`, only messages that contain all of its words, in any case; it cannot be combined with `after`.
        `limit` is at most `limits.page`.
        """
        if after is not None and matching is not None:
            raise UsageError("`matching` finds the newest messages first: use it with `before`, not with `after`.")
        await self._ready()
        return await self._core.commands.history(before=before, after=after, limit=limit, matching=matching)

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        await self._ready()
        return await self._core.commands.message(seq)

    @overload
    def on(self, name: Literal["message"]) -> Callable[[MessageHook], MessageHook]: ...
    @overload
    def on(self, name: Literal["message"], hook: MessageHook) -> MessageHook: ...
    @overload
    def on(self, name: Literal["edit"]) -> Callable[[EditHook], EditHook]: ...
    @overload
    def on(self, name: Literal["edit"], hook: EditHook) -> EditHook: ...
    @overload
    def on(self, name: Literal["delete"]) -> Callable[[DeleteHook], DeleteHook]: ...
    @overload
    def on(self, name: Literal["delete"], hook: DeleteHook) -> DeleteHook: ...
    @overload
    def on(self, name: Literal["react"]) -> Callable[[ReactHook], ReactHook]: ...
    @overload
    def on(self, name: Literal["react"], hook: ReactHook) -> ReactHook: ...
    @overload
    def on(self, name: Literal["mention"]) -> Callable[[MentionHook], MentionHook]: ...
    @overload
    def on(self, name: Literal["mention"], hook: MentionHook) -> MentionHook: ...
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
        """Open the log. Other methods do this by themselves; call it to get errors of the store early. Idempotent.

        A closed room is opened again, as after a restart of the process: it has its hooks and the data of its store,
        and nobody is in it. The same happens after its event loop has ended. Raise `UsageError` if the room runs on
        another event loop.
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
        """Close all connections for the reason `why`, and the store if this room opened it. Names are held. Idempotent.

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
        """True if the room was closed and not started again. On a new event loop, it starts by itself."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        return self._core.delivery.closed and self._core.delivery.loop in (None, loop)

    def dismiss(self, why: Close) -> None:
        """Close every connection with the reason `why`, without waiting for it."""
        self._core.delivery.dismiss(why)

    async def __aenter__(self) -> Self:
        """`async with ChatRoom() as room:` starts the room, and closes it at the end."""
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
        resume: bool = False,
        before_welcome: Callable[[], Awaitable[object]] | None = None,
    ) -> Session:
        """Let a visitor in: send the welcome, and the events after `since`, or the newest page.

        A transport that knows the member passes `member_id` (and may call `Session.resume` next). With `own=False`, the
        visitor does not get their own missed events. `user` is the result of the app's `authenticate`; the visitor
        then has the user's name before the welcome. With `resume`, a guest has the last name of `member_id` before the
        welcome. `before_welcome` is awaited last.
        """
        await self._ready()
        return await admit(
            self._core,
            connection,
            since=since,
            member_id=member_id,
            user=user,
            own=own,
            resume=resume,
            before_welcome=before_welcome,
        )

    @property
    def tokens(self) -> Tokens:
        """Signs and checks resume tokens, for transports with their own protocol for them.

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
