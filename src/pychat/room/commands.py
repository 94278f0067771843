"""Performs a command: decides it, calls the hooks, and stores the event. Joins and leaves are in `membership`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pychat.domain.errors import Refused, UsageError
from pychat.domain.limits import Limits, accept_search
from pychat.domain.model import (
    Delete,
    Deleted,
    Edit,
    Edited,
    Event,
    LogEvent,
    Member,
    Message,
    React,
    Reacted,
    Say,
    SetTyping,
    Typing,
    User,
)
from pychat.domain.rules import RoomState, quote
from pychat.domain.texts import accept_text, emoji_of
from pychat.room.clock import Clock
from pychat.room.connections import Visitor
from pychat.room.delivery import Delivery
from pychat.room.hooks import Hooks
from pychat.room.readers import RoomReaders
from pychat.room.tokens import Tokens, event_id
from pychat.room.turns import Turns
from pychat.stores import Store

__all__ = ["Commands", "id_used"]


class Commands:
    """Executes the commands of one room's visitors and of its app's code, and reads its messages."""

    def __init__(
        self,
        room: str,
        state: RoomState,
        store: Store,
        *,
        delivery: Delivery,
        hooks: Hooks,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._room = room
        self._state = state
        self._store = store
        self._delivery = delivery
        self._hooks = hooks
        self._limits = limits
        self._clock = clock
        #: Asked who has blocked whom; `None` outside of a chat.
        self.readers: RoomReaders | None = None
        #: Visitors' reads of the history begin one in a turn of the event loop.
        self.pages = Turns()

    def say(self, command: Say, visitor: Visitor | None = None) -> asyncio.Future[LogEvent]:
        """Begin to store a message of a room without hooks for messages, awaiting nothing. Raise `Refused`.

        What is returned is done at once if the store answers at once. The event may be another one of the same id.
        The `visitor` who sent it gets no copy, unless `echo` is set.
        """
        first = self._delivery.recent.find(command.member_id, command.id)
        if first is None:
            message = self._state.decide(command, self._clock.date())
            assert isinstance(message, Message)  # noqa: S101 -- what is decided on a `Say`
            return self._append(message, visitor)
        # The client repeats a command because it got no answer: it gets the first one, whatever happened since.
        again: asyncio.Future[LogEvent] = asyncio.get_running_loop().create_future()
        again.set_result(first)
        return again

    async def perform(
        self, command: Say | Edit | Delete | React | SetTyping, visitor: Visitor | None = None
    ) -> Event | None:
        """Execute `command` and return its event; `None` if nothing changed. Raise `Refused`."""
        if not isinstance(command, SetTyping):
            first = self._delivery.recent.find(command.member_id, command.id)
            if first is not None:
                return _same(first, command)
        if self.readers is not None and not isinstance(command, Delete):
            await self.readers.check(command.member_id)
        event = self._state.decide(command, self._clock.date())
        if isinstance(command, Edit) and isinstance(event, Edited) and self._hooks.registered["message"]:
            target = await self.message(event.target)
            author = self._state.members.get(event.author.id, event.author)  # with the present roles
            changed = await self._hooks.change("message", replace(target, author=author, text=event.text))
            command = replace(command, target=await self.message(event.target), text=changed.text)
            if visitor is not None:
                visitor.require("write")
            event = self._state.decide(command, self._clock.date())
        match event:
            case None:
                return None
            case Message():
                return await self._store_message(event, visitor)
            case Edited() | Deleted() | Reacted():
                return await self._append_change(event)
            case _:
                assert isinstance(event, Typing)  # noqa: S101 -- what is left
                await self._store.signal(self._room, event)
        return event

    async def _store_message(self, draft: Message, visitor: Visitor | None = None) -> Message:
        """Store a message as the hooks change it. Return it as it was stored the first time."""
        if self._hooks.registered["message"]:
            changed = await self._hooks.change("message", draft)
            draft = replace(draft, text=accept_text(changed.text, self._limits.text))
            if visitor is not None:  # they may have left while the hooks ran, or may no longer write
                visitor.require("write")
                if self.readers is not None:
                    await self.readers.check(draft.author.id)
                self._state.decide(Say(draft.author.id, draft.id, draft.text), draft.date)
        stored = await self._append(draft, visitor)
        if not isinstance(stored, Message):
            raise id_used()
        return stored

    async def post(self, text: str, author: str | User, given_id: str | None, reply_to: int | None) -> Message:
        """Store a message that code sends: see `ChatRoom.post`."""
        if isinstance(author, User):
            member_id, name = author.member_id, author.name
            if name is None:
                raise UsageError("A user who is to be the author of a message needs a name.")
        else:
            member_id, name = f"post:{author}", author
        member = Member(member_id, self._state.names.accept(name, reserved=True))
        first = None if given_id is None else self._delivery.recent.find(member.id, given_id)
        if isinstance(first, Message):
            return first
        reply = None if reply_to is None else quote(await self.message(reply_to))
        new_id, text = event_id(given_id), accept_text(text, self._limits.text)
        return await self._store_message(Message(new_id, member, text, self._clock.date(), reply=reply))

    async def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`, from code, as its author. Return the changed message."""
        target = await self.message(seq)
        if target.deleted:
            raise Refused("not_found", "This message was deleted; there is nothing left to edit.")
        text = accept_text(text, self._limits.text)
        await self._append_change(Edited(Tokens.new_id(), target.author, seq, text, self._clock.date()))
        return await self.message(seq)

    async def delete(self, seq: int) -> None:
        """Delete message number `seq`, from code, as its author. No-op if it was deleted already."""
        target = await self.message(seq)
        if not target.deleted:
            await self._append_change(Deleted(Tokens.new_id(), target.author, seq, self._clock.date()))

    def _append(self, draft: Message, visitor: Visitor | None) -> asyncio.Future[LogEvent]:
        if draft.author.roles:
            draft = replace(draft, author=draft.author.bare)
        if visitor is None or visitor.echo:
            return self._store_soon(draft)
        key, origins = (draft.author.id, draft.id), self._delivery.origins
        origins[key] = visitor.connection
        try:
            stored = self._store_soon(draft)
        except BaseException:
            origins.pop(key, None)
            raise
        if stored.done():
            origins.pop(key, None)
        else:
            stored.add_done_callback(lambda _: origins.pop(key, None))
        return stored

    def _store_soon(self, draft: Message) -> asyncio.Future[LogEvent]:
        stored = self._store.append(self._room, draft)
        return stored if isinstance(stored, asyncio.Future) else asyncio.ensure_future(stored)

    async def _append_change(self, event: LogEvent) -> LogEvent:
        """Store a change of a message."""
        return _same(await self._store.append(self._room, event), event)

    async def history(
        self, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, as they stand; with `matching`, those with its words."""
        if matching is not None:
            matching = accept_search(matching)
        await self._delivery.start()
        limit = max(0, min(limit, self._limits.page))
        return list((await self._store.history(self._room, before=before, limit=limit, matching=matching)).messages)

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        await self._delivery.start()
        found = await self.history(before=seq + 1, limit=1) if 0 < seq <= self._state.seq else []
        if not found or found[0].seq != seq:
            raise Refused("not_found", "There is no message of that number (any more).")
        return found[0]


def _same(stored: LogEvent, asked: LogEvent | Say | Edit | Delete | React) -> LogEvent:
    """`stored`, which the store has under the id of `asked`. Raise `Refused` if they are not about the same change."""
    if _change(stored) != _change(asked):
        raise id_used()
    return stored


def _change(of: LogEvent | Say | Edit | Delete | React) -> tuple[object, ...]:
    """What an event changes, or what a command asks to change, as far as two of one id are compared."""
    match of:
        case Message() | Say():
            return ("message",)
        case Edited():
            return ("edit", of.target)
        case Deleted():
            return ("delete", of.target)
        case Reacted():
            return ("react", of.target, of.emoji, of.on)
        case Edit():
            return ("edit", of.target.seq)
        case Delete():
            return ("delete", of.target.seq)
        case React():
            return ("react", of.target.seq, emoji_of(of.emoji) or of.emoji, of.on)


def id_used() -> Refused:
    """The refusal of an event whose id its author used for something else."""
    return Refused("id_used", "This id was used for something else. Take another.")
