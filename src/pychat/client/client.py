"""`Client`: one room as one program takes part in it. Connects, comes back, and tells everything once, in order."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from pychat.client.address import Address
from pychat.client.backoff import Backoff
from pychat.client.event_queue import ClientEvent, EventQueue
from pychat.client.session import ClientSession
from pychat.client.snapshot import RoomSnapshot
from pychat.client.status import State
from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Member, Message, Quote
from pychat.domain.texts import accept_text

__all__ = ["Client"]

_log = logging.getLogger("pychat.client")

_TYPING_SECONDS = 3.0
_PAGE = 200
_QUOTED = 200  # characters of a message that a reply quotes, as the server has it


class Client:
    """A room on a server. Use it as `async with pychat.Client(url, name="bot") as chat`, and iterate over it.

    `url` is the server's, with any prefix, or that of a room's page; `room` names one of several rooms. With `name`
    you join at once; without, you listen, and may `join` later. Where the name comes with your login that one counts,
    and a warning is logged if it is another. `headers`, `cookies` and `token` (sent as
    `Authorization: Bearer …`) are for servers that ask who you are; a `session` of aiohttp's brings its own TLS and
    proxies. `resume` is the `chat.resume` of an earlier run: with it you are the same member again. `on_state` is
    called whenever `state` changes.

    Iterating gives `RoomSnapshot` first, then what happens: messages (yours too, once they are stored), what becomes of
    them, and who comes, goes, and writes. The connection is kept up: after a drop everything that was missed follows,
    in order, nothing twice. Commands that were not answered are sent again, and carried out once. The iterator ends
    when you close the client, and raises `Disconnected` when the server ends the connection for good; `Refused` if the
    nickname cannot be had again after a drop (`join` with another one, and iterate on).

    No more than `max_buffer_bytes` wait for the iterator. A program that falls behind further is told what it missed
    when it has caught up, but for who came, went and wrote meanwhile.
    """

    def __init__(
        self,
        url: str,
        room: str | None = None,
        name: str | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        resume: str | None = None,
        on_state: Callable[[State], object] | None = None,
        max_buffer_bytes: int = 4 * 2**20,
    ) -> None:
        self._address = Address.parse(url, room)
        self._name = name
        self._headers = dict(headers or {})
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        if cookies:
            self._headers["Cookie"] = "; ".join(f"{each}={value}" for each, value in cookies.items())
        self._session = session
        self._resume = resume
        self._on_state = on_state
        self._feed = EventQueue(max_buffer_bytes)
        self._made: ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._said_typing = -_TYPING_SECONDS

    # Coming and going

    async def __aenter__(self) -> Self:
        if self._made is not None:
            raise UsageError("A client is entered once. Make a new one.")
        visit = ClientSession(self._address, self._headers, self._feed, Backoff(random.random), self._on_state)
        visit.resume = self._resume
        self._made = visit
        self._task = asyncio.create_task(visit.run(self._session))
        try:
            await visit.ready
            if self._name is not None:
                await self._join_first(self._name)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Go for good: the nickname is free at once. What nobody has answered yet is given up. Idempotent."""
        if self._task is not None:
            self._visit.leave()
            self._task.cancel()
            await asyncio.wait([self._task])
            self._visit.end(StopAsyncIteration())

    def __aiter__(self) -> AsyncIterator[ClientEvent]:
        return self

    async def __anext__(self) -> ClientEvent:
        if self._feed.events.drained:
            await self._visit.catch_up()
        _ = self._visit  # or nothing would ever come
        return await self._feed.events.get()

    async def _join_first(self, name: str) -> None:
        try:
            await self.join(name)
        except Refused as refused:
            # Who runs one program at many servers is not kept out by the one where logins have names.
            if refused.code != "name_fixed" or self.me is None:
                raise
            _log.warning("You are “%s” and not “%s”: on this server the name comes with the login.", self.me.name, name)

    # What one can know

    @property
    def me(self) -> Member | None:
        """Who you are; `None` before you have joined."""
        return self._visit.me

    @property
    def resume(self) -> str | None:
        """With this, a later client is the same member again. Keep it as you keep a password."""
        return self._visit.resume

    @property
    def state(self) -> State:
        """How it stands with the connection."""
        return self._visit.state

    @property
    def entered(self) -> RoomSnapshot:
        """The room as you came in."""
        return self._visit.entered

    @property
    def room(self) -> str:
        """The name of the room."""
        return self.entered.room

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining. Empty in a crowd: ask `who`."""
        return self._visit.people.members

    @property
    def here(self) -> int:
        """How many people are connected, with a nickname or without."""
        return self._visit.people.here

    # What one can do

    async def join(self, name: str, *, resume: str | None = None) -> Member:
        """Take the nickname `name`, or change it. `Refused` if it cannot be had.

        Who has no nickname yet can `resume` as the member of an earlier run.
        """
        token = {} if self.me is not None else self._visit.token() if resume is None else {"token": resume}
        member: Member = await self._visit.command("join", {"name": name, **token})
        return member

    async def leave(self) -> None:
        """Give the nickname back, and stay as a guest who listens."""
        await self._visit.command("leave", {})

    async def say(self, text: str, reply_to: int | Message | None = None, *, id: str | None = None) -> Message:  # noqa: A002 -- the wire's word
        """Say something, as a reply to a message (or its `seq`) if given; return it as it was stored.

        While the connection is away it waits. It is stored once, however often it has to be sent; with an `id` of your
        own (1-64 characters of `A-Z a-z 0-9 _ -`) even if another process says it again.
        Refusals for a while (`rate_limited`, `unavailable`) are waited for; others raise `Refused`.
        """
        text = accept_text(text, self.entered.longest_text)
        fields: dict[str, Any] = {"text": text, "id": id or _new_id()}
        quote = None
        if reply_to is not None:
            fields["reply_to"] = _seq(reply_to)
            quote = await self._quote(_seq(reply_to))
        said: Message = await self._visit.command("say", fields, quote)
        return said

    async def edit(self, message: int | Message, text: str) -> None:
        """Change the text of a message of yours (or of its `seq`). Everyone is told by an event, you too."""
        text = accept_text(text, self.entered.longest_text)
        await self._visit.command("edit", {"target": _seq(message), "text": text, "id": _new_id()})

    async def delete(self, message: int | Message) -> None:
        """Take a message of yours back; a mark remains."""
        await self._visit.command("delete", {"target": _seq(message), "id": _new_id()})

    async def react(self, message: int | Message, emoji: str, *, on: bool = True) -> None:
        """Put an emoji to a message, or take yours away."""
        await self._visit.command("react", {"target": _seq(message), "emoji": emoji, "on": on, "id": _new_id()})

    async def typing(self, on: bool = True) -> None:  # noqa: FBT002 -- what it says is plain
        """Show that you are writing, for 6 seconds. Call it as often as you like; nothing is sent while away."""
        now = asyncio.get_running_loop().time()
        if self.me is None or (on and now - self._said_typing < _TYPING_SECONDS):
            return
        self._said_typing = now if on else -_TYPING_SECONDS
        await self._visit.tell("typing", {"on": on})

    async def history(
        self, before: int | Message | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before one, or before the end, as they stand; oldest first.

        With `matching`, only those that hold all of its words. Fewer than `limit` means that there are no older ones.
        """
        end = None if before is None else _seq(before)
        found: list[Message] = []
        while len(found) < limit:
            fields: dict[str, Any] = {"limit": min(_PAGE, limit - len(found))}
            if end is not None:
                fields["before"] = end
            if matching:
                fields["matching"] = matching
            page, more = await self._visit.command("history", fields)
            found[:0] = page
            if not more or not page:
                break
            end = page[0].seq
        return found

    async def who(self) -> tuple[Member, ...]:
        """Everyone with a nickname, asked from the server; 1,000 at most."""
        members: tuple[Member, ...] = await self._visit.command("who", {})
        return members

    @property
    def _visit(self) -> ClientSession:
        if self._made is None:
            raise UsageError("Enter the client first: async with pychat.Client(url) as chat: …")
        return self._made

    async def _quote(self, seq: int) -> Quote | None:
        found = self._feed.recent.find(seq) or next(iter(await self.history(before=seq + 1, limit=1)), None)
        if found is None or found.seq != seq:
            return None
        text = found.text if len(found.text) <= _QUOTED else found.text[: _QUOTED - 1] + "…"
        return Quote(seq, found.author.name, text)


def _seq(message: int | Message) -> int:
    return message.seq if isinstance(message, Message) else message


def _new_id() -> str:
    return secrets.token_urlsafe(16)
