"""A command's way in: decide, ask the hooks, store. What joins and leaves do is in `membership`."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from pychat.domain.errors import Refused
from pychat.domain.limits import Limits, accept_search
from pychat.domain.model import (
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
    LogEvent,
    Member,
    Message,
    React,
    Reacted,
    Renamed,
    Say,
    Typing,
)
from pychat.domain.ratelog import RateLimitedLogger
from pychat.domain.rules import RoomState
from pychat.domain.texts import accept_text, emoji_of
from pychat.room.clock import Clock
from pychat.room.connections import Visitor
from pychat.room.decision import decide
from pychat.room.delivery import Delivery
from pychat.room.hooks import Hooks
from pychat.room.membership import Membership
from pychat.room.tasks import Tasks
from pychat.stores import Store

__all__ = ["Commands"]

_limited = RateLimitedLogger(logging.getLogger("pychat.room"), time.monotonic)


class Commands:
    """Executes the commands of one room's visitors, and reads its messages."""

    def __init__(
        self,
        room: str,
        state: RoomState,
        store: Store,
        *,
        membership: Membership,
        delivery: Delivery,
        hooks: Hooks,
        tasks: Tasks,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._room = room
        self._state = state
        self._store = store
        self._membership = membership
        self._delivery = delivery
        self._hooks = hooks
        self._tasks = tasks
        self._limits = limits
        self._clock = clock

    @property
    def immediate(self) -> bool:
        """True if a message is stored without awaiting anything."""
        return getattr(self._store, "immediate", False) and not self._hooks.any("message")

    async def perform(self, command: Command, origin: Visitor | None = None) -> Event | None:
        """Execute `command` and return its event; `None` if nothing changed. Raise `Refused`.

        The visitor `origin` does not get a copy of its own message.
        """
        if isinstance(command, Join | Drop | Leave):
            return await self._membership.perform(command, origin)
        if isinstance(command, Say | Edit | Delete | React):
            first = self._delivery.recent.first(command.member_id, command.id)
            if first is not None:
                # The client repeats a command because it got no answer: it gets the first one, whatever happened since.
                return _same(first, _would_be(command))
        event = self._decide(command)
        if isinstance(command, Edit) and isinstance(event, Edited) and self._hooks.any("message"):
            target = await self.message(event.target)
            author = self._state.members.get(event.author.id, event.author)  # with the present roles
            changed = await self._hooks.change("message", replace(target, author=author, text=event.text))
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
                await self._store.signal(self._room, event)
        return event

    def schedule(self, command: Command) -> None:
        """Execute a command that no client sent, in a task. Log a refusal."""
        self._tasks.spawn(self._log_refusal(command))

    async def store_message(self, draft: Message, origin: Visitor | None = None) -> Message:
        """Store a message as the hooks change it. Return it as it was stored the first time."""
        if self._hooks.any("message"):
            changed = await self._hooks.change("message", draft)
            draft = replace(draft, text=accept_text(changed.text, self._limits.text))
            if origin is not None:
                self._decide(Say(draft.author.id, draft.id, draft.text))  # they may have left while the hooks ran
        draft = draft if not draft.author.roles else replace(draft, author=draft.author.bare)
        key = (draft.author.id, draft.id)
        origins = self._delivery.origins
        if origin is not None:
            origins[key] = origin.connection
        try:
            stored = await self._store.append(self._room, draft)
        finally:
            origins.pop(key, None)
        if not isinstance(stored, Message):
            raise _id_used()
        return stored

    async def append(self, event: LogEvent) -> LogEvent:
        """Store a change of a message."""
        return _same(await self._store.append(self._room, event), event)

    def check_name(self, name: str, member_id: str) -> str:
        """The form in which that member could take `name`. Raise `Refused` if they could not."""
        decided = self._decide(Join(member_id, name))
        return decided.member.name if isinstance(decided, Joined | Renamed) else name

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

    def _decide(self, command: Command) -> Event | None:
        return decide(self._state, command, self._clock.date())

    async def _log_refusal(self, command: Command) -> None:
        try:
            await self.perform(command)
        except Refused as refused:
            _limited.info("%s in room %s was refused: %s", command, self._room, refused)


def _would_be(command: Say | Edit | Delete | React) -> LogEvent:
    """The event that `command` causes, as far as two events of one id are compared."""
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
    """`stored`, which the store has under the id of `event`. Raise `Refused` if it is not the same event."""
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
