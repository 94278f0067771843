"""Performs a command: decides it, calls the hooks, and stores the event. Joins and leaves are in `membership`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import takewhile

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
    Quote,
    React,
    Reacted,
    Say,
    SetTyping,
    Typing,
    User,
    in_room,
)
from pychat.domain.moderation import Record
from pychat.domain.queue import Held, held_message
from pychat.domain.revision import revise
from pychat.domain.rules import RoomState, quote
from pychat.domain.texts import accept_text, emoji_of
from pychat.room.clock import Clock
from pychat.room.connections import Visitor
from pychat.room.delivery import Delivery
from pychat.room.hooks import Hooks
from pychat.room.mention_hook import MentionHook
from pychat.room.moderation import RoomModeration
from pychat.room.readers import RoomReaders
from pychat.room.tokens import Tokens, event_id
from pychat.room.turns import Turns
from pychat.stores import Store

__all__ = ["Commands", "id_used"]


class Commands:
    """Executes the commands of one room's visitors and of its app's code, and reads its messages."""

    __slots__ = (
        "_clock",
        "_delivery",
        "_hooks",
        "_limits",
        "_mention_hook",
        "_moderation",
        "_room",
        "_state",
        "_store",
        "pages",
        "readers",
    )

    def __init__(
        self,
        room: str,
        state: RoomState,
        store: Store,
        *,
        delivery: Delivery,
        moderation: RoomModeration,
        hooks: Hooks,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._room = room
        self._state = state
        self._store = store
        self._delivery = delivery
        self._moderation = moderation
        self._hooks = hooks
        self._mention_hook = MentionHook(hooks, state)
        self._limits = limits
        self._clock = clock
        #: Asked who has blocked whom; `None` outside of a chat.
        self.readers: RoomReaders | None = None
        #: Visitors' reads of the history begin one in a turn of the event loop.
        self.pages = Turns()

    def say(self, command: Say, visitor: Visitor | None = None) -> asyncio.Future[LogEvent]:
        """Decide a message and pass it to the store, awaiting nothing. Raise `Refused`. No hook for messages is called.

        The future is done already if the store answers at once. Its event is an earlier one, if the author used this id
        before. The `visitor` who sent it gets no copy, unless `echo` is set.
        """
        first = self._delivery.recent.find(command.member_id, command.id)
        if first is None:
            message = self._state.decide(command, self._clock.date())
            assert isinstance(message, Message)  # noqa: S101 -- what is decided on a `Say`
            if self._moderation.slow and visitor is not None:
                self._moderation.check_pace(command, visitor)
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
        _require(visitor, command)  # they may do less than before their message, or the answered one, was read
        event = self._state.decide(command, self._clock.date())
        if isinstance(command, Edit | Delete | React) and isinstance(event, Edited | Deleted | Reacted):
            event = await self._ask_hooks(command, event, visitor)
        match event:
            case None:
                return None
            case Message() if isinstance(command, Say):
                return await self._say(command, event, visitor)
            case Edited() | Deleted() | Reacted():
                return await self._append_change(event, partial(_require, visitor, command))
            case _:
                assert isinstance(event, Typing)  # noqa: S101 -- what is left
                await self._store.signal(self._room, event)
        return event

    async def _say(self, command: Say, draft: Message, visitor: Visitor | None) -> Message:
        """Store a message of a visitor, who may have to wait before the next one."""
        if not self._moderation.slow or visitor is None:
            return await self._store_message(draft, visitor)
        self._moderation.check_pace(command, visitor)
        try:
            return await self._store_message(draft, visitor)
        except Refused:
            self._moderation.not_said(command)
            raise

    async def _ask_hooks(
        self, command: Edit | Delete | React, event: Edited | Deleted | Reacted, visitor: Visitor | None
    ) -> Event | None:
        """`event` as the hooks change it, decided again for the message as it stands after they ran."""
        name, says = _HOOKS[type(event)], isinstance(event, Edited) and self._hooks.registered["message"]
        if not says and not self._hooks.registered[name]:
            return event
        message = await self.message(event.target)
        author = self._state.members.get(event.author.id, event.author)  # with the present roles
        if isinstance(event, Edited) and says:
            said = await self._hooks.change("message", replace(message, author=author, text=event.text))
            event = replace(event, text=said.text)
        event = await self._hooks.change(name, replace(event, author=author), message)
        command = replace(command, target=await self.message(command.target.seq))
        match command, event:
            case Edit(), Edited():
                command = replace(command, text=event.text)
            case React(), Reacted():
                command = replace(command, emoji=event.emoji)
        if self.readers is not None and not isinstance(command, Delete):
            await self.readers.check(command.member_id)
        _require(visitor, command)  # they may do less than before the hooks ran
        return self._state.decide(command, self._clock.date())

    async def _store_message(self, draft: Message, visitor: Visitor | None = None) -> Message:
        """Store a message as the hooks change it. Return it as it was stored the first time.

        The number of a message that waits for a moderator is 0.
        """
        asked = bool(self._hooks.registered["message"])
        held: Held | None = None
        if asked:
            try:
                changed = await self._hooks.change("message", in_room(draft, self._room))
            except Held as raised:
                held, changed = raised, raised.message or draft
            draft = replace(draft, text=accept_text(changed.text, self._limits.text))
        blockers: Collection[str] = ()
        if self.readers is not None and "@" in draft.text:
            asked, blockers = True, await self._blockers(draft)
        if asked and visitor is not None:  # meanwhile they may have left, or may no longer write
            if self.readers is not None:
                await self.readers.check(draft.author.id)
            visitor.require("write")
            self._state.decide(Say(draft.author.id, draft.id, draft.text), draft.date)
        if held is not None:
            await self._moderation.queue.hold(draft, held.reason)
            return in_room(draft, self._room)
        stored = await self._append(draft, visitor, blockers)
        if not isinstance(stored, Message):
            raise id_used()
        return in_room(stored, self._room)

    async def publish(self, record: Record) -> None:
        """Store an approved message, for everybody and its author."""
        await self._delivery.start()
        reply: Quote | None = None
        if "reply" in record.data:
            with suppress(Refused):  # it may be deleted
                reply = quote(await self.message(record.data["reply"]))
        message = held_message(record, self._clock.date(), reply)
        blockers = await self._blockers(message) if "@" in message.text and self.readers is not None else ()
        await self._append(message, None, blockers)

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
            return in_room(first, self._room)
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

    async def clear(self, author: Member, whose: Callable[[str], bool], seconds: float) -> int:
        """Delete the messages of some members from the last `seconds`, by name of `author`. Return how many.

        At most `_MAX_CLEARED` messages are deleted, and `_MAX_LOOKED_AT` looked at, the newest first.
        """
        since, before, looked, deleted = self._clock.date() - seconds, self._state.seq + 1, 0, 0
        while deleted < _MAX_CLEARED and looked < _MAX_LOOKED_AT:
            page = await self._store.history(self._room, before=before, limit=_EVENTS_AT_ONCE)
            late = list(takewhile(lambda each: each.date >= since, reversed(page.messages)))
            found = [each.seq for each in late if not each.deleted and whose(each.author.id)]
            for seqs in _batched(found[: _MAX_CLEARED - deleted]):
                deletions = (Deleted(Tokens.new_id(), author.bare, seq, self._clock.date()) for seq in seqs)
                await asyncio.gather(*(self._store.append(self._room, each) for each in deletions))
                deleted += len(seqs)
            if len(late) < _EVENTS_AT_ONCE:
                break
            looked += len(page.messages)
            before = page.messages[0].seq
        return deleted

    async def _append_mentions(self, draft: Edited, check: Callable[[], None]) -> LogEvent:
        """Store an edit whose text may mention people. Only those are told whom the message has not mentioned."""
        blockers = await self._blockers(draft)
        draft = replace(draft, mentions=self._mentions(draft, blockers))
        if not draft.mentions or not self._mention_hook.registered:
            check()
            return _same(await self._store.append(self._room, draft), draft)
        message = await self.message(draft.target)
        first = await self._store.events(self._room, after=draft.target - 1, limit=1)
        check()
        notified = {*message.mentions, *(first[0].mentions if first and isinstance(first[0], Message) else ())}
        stored = _same(await self._store.append(self._room, draft), draft)
        if isinstance(stored, Edited) and _is_first(stored, draft):
            self._mention_hook.tell(revise(message, stored), [each for each in stored.mentions if each not in notified])
        return stored

    def _mentions(self, draft: Message | Edited, blockers: Collection[str]) -> tuple[str, ...]:
        """The ids of those whom a text mentions, without `blockers`."""
        found = self._state.mentions(draft.text, draft.author.id)
        return tuple(each for each in found if each not in blockers) if blockers else found

    async def _blockers(self, draft: Message | Edited) -> Collection[str]:
        """Those whom a text mentions, and who have blocked its author."""
        found = () if self.readers is None else self._state.mentions(draft.text, draft.author.id)
        return await self.readers.blockers(found, draft.author.id) if found and self.readers is not None else ()

    def _append(
        self, draft: Message, visitor: Visitor | None, blockers: Collection[str] = ()
    ) -> asyncio.Future[LogEvent]:
        """Begin to store a message; it mentions none of `blockers`."""
        if draft.author.roles:
            draft = replace(draft, author=draft.author.bare)
        mentions = "@" in draft.text
        if mentions:
            draft = replace(draft, mentions=self._mentions(draft, blockers))
        if visitor is None or visitor.echo:
            stored = self._store_soon(draft)
        else:
            key, no_copy_for = (draft.author.id, draft.id), self._delivery.no_copy_for
            no_copy_for[key] = visitor.connection
            try:
                stored = self._store_soon(draft)
            except BaseException:
                no_copy_for.pop(key, None)
                raise
            if stored.done():
                no_copy_for.pop(key, None)
            else:
                stored.add_done_callback(lambda _: no_copy_for.pop(key, None))
        if (mentions and self._mention_hook.registered) or (self.readers is not None and self.readers.pushes):
            if stored.done():
                self._told(draft, stored)
            else:
                stored.add_done_callback(partial(self._told, draft))
        return stored

    def _told(self, draft: Message, stored: asyncio.Future[LogEvent]) -> None:
        if stored.cancelled() or stored.exception() is not None:
            return
        message = stored.result()
        if isinstance(message, Message) and _is_first(message, draft):
            message = in_room(message, self._room)
            self._mention_hook.tell(message, message.mentions)
            if self.readers is not None and self.readers.pushes:
                self.readers.said(message)

    def _store_soon(self, draft: Message) -> asyncio.Future[LogEvent]:
        stored = self._store.append(self._room, draft)
        return stored if isinstance(stored, asyncio.Future) else asyncio.ensure_future(stored)

    async def _append_change(self, event: LogEvent, check: Callable[[], None] = lambda: None) -> LogEvent:
        """Store a change of a message. `check` may refuse it until it is stored."""
        if isinstance(event, Edited) and "@" in event.text:
            return await self._append_mentions(event, check)
        return _same(await self._store.append(self._room, event), event)

    async def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, as they stand; with `matching`, those with its words.

        With `after`, the first `limit` messages after that number.
        """
        if matching is not None:
            matching = accept_search(matching)
        await self._delivery.start()
        limit = max(0, min(limit, self._limits.page))
        if after is not None:
            before, limit = await self._end_of_page(after, before, limit)
        page = await self._store.history(self._room, before=before, limit=limit, matching=matching)
        return [in_room(message, self._room) for message in page.messages]

    async def _end_of_page(self, after: int, before: int | None, limit: int) -> tuple[int, int]:
        """Where the page ends that has the first `limit` messages after number `after`, and how many they are."""
        found = 0
        end = self._state.seq + 1 if before is None else before
        while found < limit:
            events = await self._store.events(self._room, after=after, limit=_EVENTS_AT_ONCE)
            for event in events:
                if event.seq >= end:
                    break
                if isinstance(event, Message) and (found := found + 1) == limit:
                    return event.seq + 1, found
            else:
                if events:
                    after = events[-1].seq
                    continue
            break
        return end, found

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        await self._delivery.start()
        return await self.find(seq)

    async def find(self, seq: int) -> Message:
        """The same, while the room is being opened."""
        if 0 < seq <= self._state.seq:
            page = await self._store.history(self._room, before=seq + 1, limit=1)
            if page.messages and page.messages[-1].seq == seq:
                return in_room(page.messages[-1], self._room)
        raise Refused("not_found", "There is no message of that number (any more).")


_EVENTS_AT_ONCE = 500
_MAX_CLEARED = 1_000
_DELETED_AT_ONCE = 50  # a store commits them together
_MAX_LOOKED_AT = 100_000  # messages
_ROUNDED_SECONDS = 0.01
#: The hook for each change of a message.
_HOOKS = {Edited: "edit", Deleted: "delete", Reacted: "react"}


def _batched(seqs: list[int]) -> list[list[int]]:
    return [seqs[first : first + _DELETED_AT_ONCE] for first in range(0, len(seqs), _DELETED_AT_ONCE)]


def _require(visitor: Visitor | None, command: Say | Edit | Delete | React | SetTyping) -> None:
    """Raise `Refused` if this visitor may not do that at this moment."""
    if visitor is not None:
        moderates = isinstance(command, Delete) and command.moderates
        visitor.require("moderate" if moderates else "react" if isinstance(command, React) else "write")


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


def _is_first(stored: Message | Edited, draft: Message | Edited) -> bool:
    """False if `stored` was sent earlier, and `draft` only repeats it. A store may round its dates."""
    return abs(stored.date - draft.date) < _ROUNDED_SECONDS


def id_used() -> Refused:
    """The refusal of an event whose id its author used for something else."""
    return Refused("id_used", "This id was used for something else. Take another.")
