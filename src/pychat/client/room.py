"""`RoomClient`: what a program does in one room."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from typing import Any

from pychat.client.event_queue import ClientEvent, EventQueue
from pychat.client.room_session import RoomSession
from pychat.client.snapshot import RoomSnapshot
from pychat.domain.access import Access
from pychat.domain.actions import ACTIONS
from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Member, Message, Quote
from pychat.domain.moderation import AuditEntry
from pychat.domain.notices import Mute, QueueChanged, RoomChanged
from pychat.domain.roles import Role
from pychat.domain.texts import accept_text

__all__ = ["RoomClient"]

_log = logging.getLogger("pychat.client")

_TYPING_SECONDS = 3.0  # between two notices that the person is typing
_PAGE = 200
_QUOTED = 200  # characters in a quote, as on the server


class RoomClient:
    """A room that your program is in: a `Client`, or what `ChatClient.enter` returns. Iterate over it for events."""

    def __init__(self, feed: EventQueue) -> None:
        self._feed = feed
        self._typing_sent = -_TYPING_SECONDS

    def __aiter__(self) -> AsyncIterator[ClientEvent]:
        return self

    async def __anext__(self) -> ClientEvent:
        if self._feed.events.drained:
            await self._client_session.catch_up()
        _ = self._client_session  # raises if the client was not entered
        return await self._feed.events.get()

    # State

    @property
    def me(self) -> Member | None:
        """Who you are; `None` before you have joined. It equals the author of all that you said, under any name."""
        return self._client_session.me

    @property
    def entered(self) -> RoomSnapshot:
        """The room when you entered it."""
        return self._client_session.entered

    @property
    def settings(self) -> RoomChanged:
        """What moderators have set: the title, the topic, slow mode, who may write, who may come in, the pins."""
        return self._client_session.settings

    @property
    def access(self) -> Access:
        """What you may do here."""
        return self._client_session.standing.access

    @property
    def role(self) -> Role:
        """Your role here."""
        return self._client_session.standing.role

    @property
    def muted(self) -> Mute | None:
        """Until when and why you may not write; `None` if you are not muted."""
        return self._client_session.standing.muted

    @property
    def queue(self) -> QueueChanged | None:
        """How much waits for moderators; `None` unless you are one."""
        return self._client_session.queue

    @property
    def room(self) -> str:
        """The name of the room."""
        return self.entered.room

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, in the order of joining. Empty in a crowd: use `who`."""
        return self._client_session.people.members

    @property
    def here(self) -> int:
        """How many people are connected, with a nickname or without."""
        return self._client_session.people.here

    # Commands

    async def join(self, name: str, *, resume: str | None = None) -> Member:
        """Take the nickname `name`, or change it. Raise `Refused` if it is not available.

        Without a nickname yet, you can `resume` as the member of an earlier run.
        """
        token = {} if self.me is not None else self._client_session.token() if resume is None else {"token": resume}
        member: Member = await self._client_session.command("join", {"name": name, **token})
        return member

    async def leave(self) -> None:
        """Give up the nickname, and stay as a guest."""
        await self._client_session.command("leave", {})

    async def say(self, text: str, reply_to: int | Message | None = None, *, id: str | None = None) -> Message:  # noqa: A002 -- the wire's word
        """Say something, as a reply to a message (or its `seq`) if given; return it as it was stored.

        It waits while there is no connection. It is stored once, however often it is sent; with your own `id` (1-64
        characters of `A-Z a-z 0-9 _ -`) even if another process sends it again.
        After temporary refusals (`rate_limited`, `slow_mode`, `unavailable`) it is sent again; others raise `Refused`.
        The code `held` is one of them: a moderator reads the message first, and `HeldDecided` tells you the decision.
        """
        text = accept_text(text, self.entered.longest_text)
        fields: dict[str, Any] = {"text": text, "id": id or _new_id()}
        quote = None
        if reply_to is not None:
            fields["reply_to"] = _seq(reply_to)
            quote = await self._quote(_seq(reply_to))
        said: Message = await self._client_session.command("say", fields, quote)
        return said

    async def edit(self, message: int | Message, text: str) -> None:
        """Change the text of a message of yours, given by itself or its `seq`. Everyone gets an event, you too."""
        text = accept_text(text, self.entered.longest_text)
        await self._client_session.command("edit", {"target": _seq(message), "text": text, "id": _new_id()})

    async def delete(self, message: int | Message) -> None:
        """Delete a message of yours; a mark remains."""
        await self._client_session.command("delete", {"target": _seq(message), "id": _new_id()})

    async def react(self, message: int | Message, emoji: str, *, on: bool = True) -> None:
        """Add an emoji to a message, or remove it."""
        await self._client_session.command(
            "react", {"target": _seq(message), "emoji": emoji, "on": on, "id": _new_id()}
        )

    async def typing(self, on: bool = True) -> None:  # noqa: FBT002 -- what it says is plain
        """Show that you are writing, for 6 seconds. Call it as often as you like; nothing is sent while away."""
        now = asyncio.get_running_loop().time()
        if self.me is None or (on and now - self._typing_sent < _TYPING_SECONDS):
            return
        self._typing_sent = now if on else -_TYPING_SECONDS
        await self._client_session.tell("typing", {"on": on})

    async def history(
        self, before: int | Message | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """Return the last `limit` messages before a message, or before the end, as they stand; oldest first.

        With `matching`, return only messages with all of its words; `from:ada`, `after:2026-01-31` and
        `before:2026-02-28` among them are filters. Fewer than `limit` means there are no older ones.
        """
        end = None if before is None else _seq(before)
        found: list[Message] = []
        while len(found) < limit:
            fields: dict[str, Any] = {"limit": min(_PAGE, limit - len(found))}
            if end is not None:
                fields["before"] = end
            if matching:
                fields["matching"] = matching
            page, more = await self._client_session.command("history", fields)
            found[:0] = page
            if not more or not page:
                break
            end = page[0].seq
        return found

    async def who(self) -> tuple[Member, ...]:
        """Ask the server for all members; at most 1,000."""
        members: tuple[Member, ...] = await self._client_session.command("who", {})
        return members

    async def read(self, message: int | Message) -> None:
        """Move your read position forward: you have seen everything up to this message (or its `seq`)."""
        await self._client_session.command("read", {"seq": _seq(message)})

    # Order

    async def report(self, message: int | Message, reason: str = "") -> None:
        """Report a message to the moderators."""
        await self._client_session.command(
            "report", {"target": _seq(message), **({"reason": reason} if reason else {})}
        )

    async def moderate(self, action: str, **fields: str | int | bool) -> dict[str, Any]:
        """Do what moderators do, for example `await room.moderate("ban", member=member.id, seconds=3600)`.

        [The protocol](wire.md#moderate) lists the actions and their fields. Return the fields of the answer: `deleted`
        of `clear` and `ban`, `token` and `invite` of `invite`. Raise `Refused`, and `UsageError` for an action or a
        field that does not exist. If the connection is lost before the answer, the action is performed again.
        """
        known = ACTIONS.get(action)
        if known is None:
            raise UsageError(f"There is no action {action!r}. There are: {', '.join(ACTIONS)}.")
        allowed = (*known.required, *known.optional)
        for field in fields:
            if field not in allowed:
                raise UsageError(f"{action} takes no field {field!r}, only: {', '.join(allowed)}.")
        told: dict[str, Any] = await self._client_session.command("moderate", {"action": action, **fields})
        return told

    async def moderation(self) -> dict[str, Any]:
        """What moderators see, [as in the protocol](wire.md#moderation): bans, mutes, roles, invitations, the queue."""
        told: dict[str, Any] = await self._client_session.command("moderation", {})
        return told

    async def audit(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """Return what moderators did, the newest first, at most `limit` entries with numbers below `before`."""
        found: list[AuditEntry] = []
        more = True
        while more and len(found) < limit:
            fields: dict[str, Any] = {"limit": min(_PAGE, limit - len(found))}
            if before is not None:
                fields["before"] = before
            page, more = await self._client_session.command("audit", fields)
            found += page
            more = more and bool(page)
            before = found[-1].number if found else before
        return found

    @property
    def _client_session(self) -> RoomSession:
        raise NotImplementedError

    async def _join_first(self, name: str) -> None:
        try:
            await self.join(name)
        except Refused as refused:
            # A program that runs on many servers also works where logins have names.
            if refused.code != "name_fixed" or self.me is None:
                raise
            _log.warning("You are “%s” and not “%s”: on this server the name comes with the login.", self.me.name, name)

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
