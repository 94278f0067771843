"""`ChatRoom`, the class that apps use. What transports call on a room is in `backend`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from pychat.domain.errors import Close, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import Member, Message, Position, User, Whisper
from pychat.room.backend import RoomBackend
from pychat.room.clock import Clock
from pychat.room.connection import Connection
from pychat.room.erasing import purge
from pychat.room.hooked import Hooked
from pychat.room.hooks import Hooks
from pychat.room.moderator import Moderation
from pychat.room.session import Session
from pychat.room.threads import ThreadsafeRoom
from pychat.stores import Store

__all__ = ["ROOM_NAME", "ROOM_NAMES", "ChatRoom"]

#: Matches the names that a room can have.
ROOM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: The same for people.
ROOM_NAMES = "The name of a room has 1-64 of the characters A-Z a-z 0-9 . _ - and begins with a letter or a digit."
_MOVED = ("check_name", "first_members", "follow_names", "in_memory", "member", "tokens")  # to `ChatRoom.backend`


class ChatRoom(Hooked):
    """A chat room: an ordered log of events, and the people in the room.

    A room has no sockets: mount it with `pychat.aiohttp_app` or `pychat.asgi_app`, or use `connect` from your own
    transport. Make all calls on one event loop.
    """

    __slots__ = ("__dict__", "__weakref__", "backend", "limits", "name")

    def __init__(
        self,
        name: str = "lobby",
        *,
        title: str | None = None,
        store: str | Store | None = None,
        limits: Limits | None = None,
        reserved_names: Iterable[str] = ("admin",),
        grace: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        """`store` is a URL (`memory:`, `sqlite:chat.db`, `redis://…`) or a store; several rooms may share one store.

        Without one, a room has the store of its `Chat`; a room that is in no chat has a `memory:` of its own.

        `grace` is the number of seconds for which a name is held after a lost connection. Raise `UsageError` for an
        invalid name: it must have 1-64 characters of `A-Z a-z 0-9 . _ -`, and begin with a letter or a digit.
        """
        if not ROOM_NAME.fullmatch(name):
            raise UsageError(f"A room cannot be called {name!r}. {ROOM_NAMES}")
        self.name = name
        self.limits = limits or Limits()
        #: What transports, mounts and the HTTP API call on this room.
        self.backend = RoomBackend(
            name,
            name if title is None else title,
            store,
            self.limits,
            reserved_names=reserved_names,
            grace=grace,
            clock=clock or Clock(),
        )
        self.backend.face = self

    def __repr__(self) -> str:
        return f"<ChatRoom {self.name!r}, {self.here} here>"

    @property
    def title(self) -> str:
        """The title of the room: what moderators have set, or the one that the room was given."""
        return self.backend.title

    @property
    def clock(self) -> Clock:
        """The clock of the room."""
        return self.backend.clock

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining."""
        return self.backend.core.membership.members()

    @property
    def member_count(self) -> int:
        """The number of members: `len(room.members)` without listing them."""
        return self.backend.core.membership.named()

    @property
    def here(self) -> int:
        """The number of people connected, with a nickname or without."""
        return self.backend.core.membership.count()

    @property
    def position(self) -> Position:
        """The position of the newest event. The epoch is empty until the room is open."""
        return self.backend.core.delivery.position

    def user(self, member_id: str) -> User | None:
        """The user that `authenticate` returned for a member who is connected to this server; `None` for guests."""
        return self.backend.core.membership.user(member_id)

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
        return await (await self.backend.ready()).commands.post(text, author, id, reply_to)

    async def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`, from code, as its author. Return the changed message."""
        return await (await self.backend.ready()).commands.edit(seq, text)

    async def delete(self, seq: int) -> None:
        """Delete message number `seq`, from code, as its author. A mark remains."""
        await (await self.backend.ready()).commands.delete(seq)

    async def whisper(self, member: str | Member | User, text: str, *, author: str, store: bool = False) -> Whisper:
        """Send `text` to one member, by name of the bot `author`: nobody else gets it, or can tell that it was sent.

        All connections of the member get it. `member` can also be the id of one. With `store`, it is kept, and the
        member gets the newest 50 again after coming back; without it, a member who is not here gets nothing. Hooks are
        not called. Raise `Refused` if the text or the name of the author is not allowed.
        """
        whispers = (await self.backend.ready()).whispers
        return await whispers.send(member, text, author, stored=store)

    async def purge(
        self,
        *,
        before: float | datetime | None = None,
        author: str | Member | User | None = None,
        seqs: Iterable[int] | None = None,
    ) -> list[int]:
        """Erase messages: those older than the date `before`, those by `author`, those with the numbers `seqs`.

        If several are given, all must be true. Return the numbers of the messages. Their texts, edits, mentions and
        reactions, the quotes in replies and the names of the authors are taken out of the log itself, the search, and
        the memory of all servers. Clients are told that the messages were deleted. The numbers, the dates and the
        authors' ids remain. Without `seqs`, the reactions of the author, and the stored whispers to the author, go too.

        This cannot be undone. `before` is in seconds since 1970, or a datetime with a time zone. `author` can be the id
        of a member. Raise `UsageError` if nothing is given, or if the store cannot erase.
        """
        return await purge(await self.backend.ready(), before, author, seqs)

    async def kick(self, member_id: str, text: str = "") -> None:
        """Remove a member: send `text`, and close all connections of the member with `Close.KICKED`.

        The clients do not reconnect by themselves, and the nickname is free. This is not a ban, and is in no audit log:
        see `moderation`. No-op for a member who is not here.
        """
        await (await self.backend.ready()).membership.kick(member_id, text)

    @property
    def moderation(self) -> Moderation:
        """Keeps order in the room: `await room.moderation.ban(member, reason="spam")`."""
        return Moderation(self.backend)

    async def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, or before the end, as they stand, oldest first.

        With `after`, the first `limit` messages after that number (`after=0` begins at the oldest message). With
        `matching`, only messages that contain all of its words, in any case; `from:ada`, `after:2026-01-31` and
        `before:2026-02-28` among them are filters. It cannot be combined with `after`.
        `limit` is at most `limits.page`.
        """
        if after is not None and matching is not None:
            raise UsageError("`matching` finds the newest messages first: use it with `before`, not with `after`.")
        commands = (await self.backend.ready()).commands
        return await commands.history(before=before, after=after, limit=limit, matching=matching)

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        return await (await self.backend.ready()).commands.message(seq)

    def _own_hooks(self) -> Hooks:
        return self.backend.core.hooks

    async def start(self) -> None:
        """Open the log. Other methods do this by themselves; call it to get errors of the store early. Idempotent.

        A closed room is opened again, as after a restart of the process: it has its hooks and the data of its store,
        and nobody is in it. The same happens after its event loop has ended. Raise `UsageError` if the room runs on
        another event loop.
        """
        await self.backend.start()

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Close all connections for the reason `why`, and the store if this room opened it. Names are held. Idempotent.

        `start` opens it again.
        """
        await self.backend.aclose(why)

    @property
    def closed(self) -> bool:
        """True if the room was closed and not started again. On a new event loop, it starts by itself."""
        return self.backend.closed

    def dismiss(self, why: Close) -> None:
        """Close every connection with the reason `why`, without waiting for it."""
        self.backend.dismiss(why)

    async def __aenter__(self) -> Self:
        """`async with ChatRoom() as room:` starts the room, and closes it at the end."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def threadsafe(self) -> ThreadsafeRoom:
        """The same room for code in other threads: `room.threadsafe.post("hi", author="bot")`, without `await`."""
        return ThreadsafeRoom(self, lambda: self.backend.core.delivery.loop)

    async def connect(
        self,
        connection: Connection,
        *,
        since: Position | None = None,
        member_id: str | None = None,
        own: bool = True,
        user: User | None = None,
    ) -> Session:
        """Let a visitor in: send the welcome, and the events after `since`, or the newest page.

        A transport that knows the member passes `member_id` (and may call `Session.resume` next). With `own=False`, the
        visitor does not get their own missed events. `user` is the result of the app's `authenticate`; the visitor
        then has the user's name before the welcome.
        """
        return await self.backend.connect(connection, since=since, member_id=member_id, own=own, user=user)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Find what transports called here before `backend` had it. Deprecated."""
            if name not in _MOVED:
                msg = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(msg)
            warnings.warn(f"ChatRoom.{name} is now ChatRoom.backend.{name}", DeprecationWarning, stacklevel=2)
            return getattr(self.backend, name)
