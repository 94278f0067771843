"""Puts the parts of a room together.

command ─▶ commands.say/perform: decide ─▶ hooks ─▶ store ─▶ answer
                                                  │
everyone ◀─ fan-out ◀─ delivery.received: apply ◀─┘
"""

from __future__ import annotations

from collections.abc import Callable

from pychat.domain.errors import Close
from pychat.domain.limits import Limits
from pychat.domain.model import Member, Message
from pychat.domain.moderation import Record
from pychat.domain.names import Names
from pychat.domain.rules import RoomState
from pychat.room.clock import Clock
from pychat.room.commands import Commands
from pychat.room.delivery import Delivery, RoomWatcher
from pychat.room.fanout import Fanout
from pychat.room.hooks import Hooks
from pychat.room.membership import Membership
from pychat.room.moderation import ModerationQueue, RoomModeration
from pychat.room.rate_limiter import RateLimiter
from pychat.room.readers import RoomReaders
from pychat.room.tasks import Tasks
from pychat.room.whispers import Whispers
from pychat.stores import Store

__all__ = ["RoomCore"]


class RoomCore:
    """One room from its start to its end. All calls belong on one event loop."""

    __slots__ = (
        "__weakref__",
        "charges",
        "clock",
        "closed_store",
        "commands",
        "delivery",
        "hooks",
        "limits",
        "membership",
        "moderation",
        "name",
        "rates",
        "state",
        "store",
        "tasks",
        "watcher",
        "whispers",
    )

    def __init__(
        self,
        name: str,
        title: str,
        store: Store,
        limits: Limits,
        *,
        reserved_names: tuple[str, ...],
        grace: float,
        clock: Clock,
        hooks: Hooks,
        rates: RateLimiter,
    ) -> None:
        self.name = name
        self.store = store
        self.limits = limits
        #: What commands count in, by kind.
        self.charges = limits.table.charges
        self.clock = clock
        self.hooks = hooks
        #: Counts what visitors do, in all rooms that share it.
        self.rates = rates
        self.state = RoomState(Names.of(limits.name, reserved_names), limits)
        self.tasks = Tasks()
        fanout = Fanout()
        self.membership = Membership(
            name,
            self.state,
            store,
            hooks=hooks,
            fanout=fanout,
            tasks=self.tasks,
            limits=limits,
            grace=grace,
            clock=clock,
        )
        self.moderation = self.membership.moderation = RoomModeration(
            name,
            title,
            self.state,
            store,
            connections=self.membership.connections,
            fanout=fanout,
            tasks=self.tasks,
            clock=clock,
        )
        self.moderation.people = self
        self.whispers = Whispers(
            name,
            self.state,
            store,
            fanout=fanout,
            tasks=self.tasks,
            limits=limits,
            clock=clock,
            connections=self.membership.connections,
        )
        self.delivery = Delivery(
            name,
            self.state,
            store,
            membership=self.membership,
            moderation=self.moderation,
            whispers=self.whispers,
            hooks=hooks,
            fanout=fanout,
            limits=limits,
            clock=clock,
        )
        self.membership.log = self.delivery
        self.commands = Commands(
            name,
            self.state,
            store,
            delivery=self.delivery,
            moderation=self.moderation,
            hooks=hooks,
            limits=limits,
            clock=clock,
        )
        #: Told when the last connection to this room has ended.
        self.watcher: RoomWatcher | None = None
        #: True after the room has closed the store that it opened.
        self.closed_store = False

    @property
    def readers(self) -> RoomReaders | None:
        """What is known of those who read the room; `None` for a room outside of a chat."""
        return self.delivery.readers

    def asks(self, text: str) -> bool:
        """True if it has to be asked who has blocked the author of a text, before it is stored."""
        readers = self.readers
        return readers is not None and ("@" in text or bool(readers.members))

    def use(self, readers: RoomReaders) -> None:
        """Tell `readers` who reads the room, and ask them who has blocked whom."""
        self.delivery.readers = self.commands.readers = readers

    # The port `RoomPeople`: called by the moderation.

    def name_of(self, member_id: str) -> str | None:
        """The name of somebody who is in the room, or was there lately; `None` if there is nobody of that id."""
        member = self.state.members.get(member_id)
        name = self.state.last_name(member_id) if member is None else member.name
        return self.delivery.recent.name_of(member_id) if name is None else name

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""
        return await self.commands.find(seq)

    @property
    def queue(self) -> ModerationQueue:
        """What waits for moderators."""
        return self.moderation.queue

    async def publish(self, record: Record) -> None:
        """Store the message of an approved record, for everybody and its author."""
        await self.commands.publish(record)

    async def clear(self, author: Member, whose: Callable[[str], bool], seconds: float) -> int:
        """Delete the messages of some members from the last `seconds`, by name of `author`. Return how many."""
        return await self.commands.clear(author, whose, seconds)

    def role_changed(self, member_id: str) -> None:
        """The role of a member may have changed: show it to everybody."""
        self.membership.role_changed(member_id)

    def list_again(self, member_id: str) -> None:
        """A member was banned, or a ban has ended: they see another list of rooms."""
        if self.readers is not None:
            self.readers.list_again(member_id)

    async def free(self, member_id: str) -> None:
        """Free the name of a member who is away."""
        await self.membership.free(member_id)

    # Its life.

    async def aclose(self, why: Close) -> None:
        """Close every connection with the reason `why`. Names stay held. Idempotent."""
        if self.delivery.closed:
            return
        self.delivery.closed = True
        self.delivery.release()
        self.delivery.dismiss(why)
        self.membership.stop()
        for visitor in self.membership.connections:
            await visitor.close()
        self._stop()
        await self.hooks.aclose()

    def _stop(self) -> None:
        self.membership.presence.stop()
        self.delivery.stop()

    def left(self) -> None:
        """A connection to this room has ended."""
        if self.watcher is not None and self.membership.connections.empty:
            self.watcher.emptied()

    @property
    def idle(self) -> bool:
        """True if nobody is here, no name is held for anybody, and nothing is under way."""
        busy = self.tasks or self.hooks.busy or not self.membership.connections.empty
        return not (busy or self.state.away or self.delivery.no_copy_for)

    def let_go(self) -> None:
        """Close an idle room, awaiting nothing. No timer and no subscription of it remains."""
        self.delivery.closed = True
        self.delivery.release()
        self.membership.stop()
        self._stop()

    def abandon(self) -> None:
        """The event loop has ended, and every connection with it: receive nothing, and do nothing any more."""
        self.delivery.closed = True
        self.membership.abandon()
        self.delivery.stop()
