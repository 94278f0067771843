"""Who is connected under which name: joins, leaves, lost connections, held names and kicks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import islice
from typing import Protocol

from pychat.domain.errors import Close, Refused
from pychat.domain.limits import Limits
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.model import (
    Away,
    Command,
    Drop,
    Event,
    Join,
    Joined,
    Kicked,
    Leave,
    Left,
    Member,
    Position,
    Renamed,
    User,
)
from pychat.domain.notices import Presence
from pychat.domain.rules import RoomState
from pychat.room.clock import Clock
from pychat.room.connections import ConnectionRegistry, Visitor
from pychat.room.fanout import Fanout, close_quietly
from pychat.room.hooks import Hooks
from pychat.room.locks import Locks
from pychat.room.moderation import RoomModeration
from pychat.room.presence import PresenceGatherer
from pychat.room.tasks import Tasks
from pychat.stores import Store, Subscription

__all__ = ["Membership"]

_log = logging.getLogger("pychat.room")
_limited = RateLimitedLogger(_log, time.monotonic)

_RETRY_SECONDS = 2.0  # until the store is told again that a member has gone
_TRIES = 3  # to find a free name for a known user, while people on other servers take the ones that are found


class NewestEvent(Protocol):
    """Knows the newest event of the room. `Delivery` is the implementation."""

    @property
    def position(self) -> Position:
        """The position of the newest event."""


class Membership:
    """The members of one room, and their connections to this server.

    Each member's joins and leaves happen one after the other. A name is reserved from the decision until its event was
    applied, or could not be stored.
    """

    __slots__ = (
        "_claimed",
        "_clock",
        "_fanout",
        "_guests",
        "_hooks",
        "_kicking",
        "_locks",
        "_nameless_changes",
        "_room",
        "_state",
        "_stopped",
        "_store",
        "_tasks",
        "connections",
        "log",
        "moderation",
        "presence",
    )

    #: Knows the newest event. Set before anybody enters.
    log: NewestEvent
    #: Knows the roles of the members. Set before anybody enters.
    moderation: RoomModeration

    def __init__(
        self,
        room: str,
        state: RoomState,
        store: Store,
        *,
        hooks: Hooks,
        fanout: Fanout,
        tasks: Tasks,
        limits: Limits,
        grace: float,
        clock: Clock,
    ) -> None:
        self._room = room
        self._state = state
        self._store = store
        self._hooks = hooks
        self._fanout = fanout
        self._tasks = tasks
        self._clock = clock
        self.connections = ConnectionRegistry(grace, self, clock)
        self.presence = PresenceGatherer(self, listed=limits.listed, clock=clock)
        self._guests = store.guests
        self._claimed: dict[str, None] = {}  # ids of the members that this server has reported to the store as here
        #: Member id -> change in the number of nameless people, once that member's event is applied.
        self._nameless_changes: dict[str, int] = {}
        self._kicking: set[str] | None = None  # ids of the members that this server is kicking
        self._locks = Locks()  # by member id
        self._stopped = False

    def position(self) -> Position:
        """The position of the newest event."""
        return self.log.position

    def has_name(self, member_id: str) -> bool:
        """True if the member of that id has a nickname."""
        return member_id in self._state.members

    def members(self, limit: int | None = None) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining; the first `limit` of them, if that is given."""
        return tuple(islice(self._state.members.values(), limit))

    def named(self) -> int:
        """How many people have a nickname."""
        return len(self._state.members)

    def count(self) -> int:
        """How many people are connected, on all servers of the room."""
        elsewhere = 0 if self._guests is None else self._guests.elsewhere(self._room)
        return len(self._state.members) + self.connections.nameless + elsewhere

    def user(self, member_id: str) -> User | None:
        """The app's user behind a member that is connected here."""
        return next((visitor.user for visitor in self.connections.of(member_id)), None)

    def check_name(self, name: str, member_id: str) -> str:
        """The form in which that member could take `name`. Raise `Refused` if they could not."""
        decided = self._state.decide(Join(member_id, name), self._clock.date())
        return decided.member.name if isinstance(decided, Joined | Renamed) else name

    def bind(self, visitor: Visitor, member_id: str | None) -> None:
        """Register `visitor` as one of `member_id`'s connections, or as a guest. Idempotent."""
        self.connections.add(visitor, member_id)
        self.presence.note()

    def unbind(self, visitor: Visitor, member_id: str) -> None:
        """The join of `visitor` was refused: they are a guest again. Hold the name that the member had before.

        `_hold_name` does nothing for a member with a connection, so it could not be held earlier.
        """
        self.bind(visitor, None)
        self._hold_name(member_id)

    async def disconnect(self, visitor: Visitor, *, left: bool) -> None:
        """Forget `visitor`. If it was the last connection of its member, the member is away, or gone if they `left`."""
        member_id = visitor.member_id
        self._fanout.discard(visitor.connection)
        self.connections.remove(visitor)
        self.presence.note()
        if member_id is not None and member_id not in self.connections:
            gone = left or not self.connections.holds_names
            command = Leave(member_id) if gone else Drop(member_id)
            await self._tasks.finish(self._go(command, lambda: member_id not in self.connections))

    async def kick(self, member_id: str, text: str) -> None:
        """Close all connections of a member, on all servers of the room, and free the name."""
        member = self._state.members.get(member_id) or Member(member_id, "")
        self._fanout.flush()
        if self._kicking is None:
            self._kicking = set()
        kicking = self._kicking
        kicking.add(member_id)
        try:
            await self._store.signal(self._room, Kicked(member, text))
            leave = Leave(member_id)
            await self._tasks.finish(self._log_refusal(leave, self.perform(leave)))
        finally:
            kicking.discard(member_id)
            if not kicking:
                self._kicking = None

    async def free(self, member_id: str) -> None:
        """Free the name of a member who is away. No-op for a member who is here."""
        leave = Leave(member_id)
        try:
            await self.perform(leave, condition=lambda: member_id in self._state.away)
        except Refused as refused:
            _limited.info("%s in room %s was refused: %s", leave, self._room, refused)

    def role_changed(self, member_id: str) -> None:
        """The recorded role of a member may have changed: if the member is connected here, show it to everybody."""
        member = self._state.members.get(member_id)
        if member is None or member_id not in self.connections:
            return
        user = self.user(member_id)
        roles = () if user is None else user.roles
        if not self.moderation.shows(member, roles):
            command = Join(member.id, member.name, roles, known=True)
            self._tasks.spawn(self._log_refusal(command, self._show_role(command)))

    async def _show_role(self, command: Join) -> None:
        """Show the role of a member to everybody. The hook `join` may add roles, but refuses nothing here."""

        def condition() -> bool:
            return command.member_id in self.connections

        try:
            await self.perform(command, condition=condition)
        except Refused:
            await self._take_turn(command, None, condition, asked=True)

    async def perform(
        self,
        command: Join | Drop | Leave,
        visitor: Visitor | None = None,
        condition: Callable[[], bool] | None = None,
    ) -> Event | None:
        """Execute a command that changes who is here, in a task that nobody cancels. Raise `Refused`.

        `condition` is asked when the member's earlier commands are done; if it is false, nothing happens.
        """
        asked = not self._hooks.registered["join"]
        while True:
            if isinstance(command, Join) and not asked:
                wished = self._decide(command)
                if isinstance(wished, Joined | Renamed):
                    asked = True
                    changed = await self._hooks.change("join", wished.member)
                    name = command.name if changed.name == wished.member.name else changed.name
                    roles = command.roles if changed.roles == wished.member.roles else changed.roles
                    command = replace(command, member_id=wished.member.id, name=name, roles=roles)
            done, event = await self._take_turn(command, visitor, condition, asked=asked)
            if done:
                return event

    def _decide(self, command: Join | Drop | Leave) -> Event | None:
        """What the command would cause now. A member who joins has the role that the room has recorded."""
        if isinstance(command, Join) and self.moderation.state:
            command = replace(command, roles=self.moderation.badges(command.member_id, command.roles))
        return self._state.decide(command, self._clock.date())

    async def _take_turn(
        self,
        command: Join | Drop | Leave,
        visitor: Visitor | None,
        condition: Callable[[], bool] | None,
        *,
        asked: bool,
    ) -> tuple[bool, Event | None]:
        """Decide and store, after the member's earlier commands. Return `False` if the hooks must be asked first.

        No code of the app's may run here: a hook that asks for something of the same member would wait for itself.
        """
        async with self._locks.hold(command.member_id):
            if condition is not None and not condition():
                return True, None
            if visitor is not None and visitor.gone and isinstance(command, Join):
                raise Refused("unavailable", "You were disconnected while joining. Try again.", 1.0)
            event: Event | None = None
            for tries in range(1, _TRIES + 1):
                event = self._decide(command)
                if isinstance(event, Joined | Renamed) and not asked:
                    return False, None
                try:
                    await self._store_event(command, event)
                    break
                except Refused as refused:
                    # Another server stored the same name first. A known user gets the next free name like it.
                    again = refused.code == "name_taken" and isinstance(command, Join) and command.known
                    if not again or tries == _TRIES:
                        raise
            if isinstance(command, Join):
                await self._joined(command.member_id, visitor)
            return True, event

    async def _store_event(self, command: Join | Drop | Leave, event: Event | None) -> None:
        """Signal `event` to the store. Its name is reserved until that is done or has failed."""
        if event is None and isinstance(command, Join) and command.member_id not in self._claimed:
            # Here already, but through another server: if that one goes or loses them, they are still here on this one.
            event = Joined(self._state.members[command.member_id])
        if isinstance(event, Joined | Renamed | Away | Left):
            with self._state.reserving(event.member):
                await self._signal(event)

    async def _signal(self, event: Joined | Renamed | Away | Left) -> None:
        member_id = event.member.id
        if isinstance(event, Away | Left):
            self._claimed.pop(member_id, None)
        self._nameless_changes[member_id] = self.connections.nameless_change(event)
        self._publish_guests()
        try:
            await self._store.signal(self._room, event)
        except BaseException:
            self.presence.note()
            raise
        finally:
            self._forget_change(member_id)
        if isinstance(event, Joined | Renamed):
            self._claimed[member_id] = None

    async def _joined(self, member_id: str, visitor: Visitor | None) -> None:
        """After a join: bind the connection that asked for it. A member without a connection is away at once.

        The connection may have ended, or the member may have left, while the join was stored.
        """
        if member_id not in self._state.members:
            return
        if visitor is not None and not visitor.gone and visitor.member_id != member_id:
            self.bind(visitor, member_id)
        if member_id not in self.connections:
            gone: Drop | Leave = Drop(member_id) if self.connections.holds_names else Leave(member_id)
            await self._store_event(gone, self._state.decide(gone, self._clock.date()))
            self._hold_name(member_id)

    async def _go(self, command: Drop | Leave, condition: Callable[[], bool]) -> None:
        """Execute what takes a member away, if `condition` is true then. Retry later while the store is unavailable."""
        try:
            await self.perform(command, condition=condition)
        except Refused as refused:
            if refused.code == "unavailable" and not self._stopped:
                self._clock.call_later(_RETRY_SECONDS, lambda: self._tasks.spawn(self._go(command, condition)))
            _log.debug("%s in room %s was refused: %s", command, self._room, refused)
        self._hold_name(command.member_id)

    def _hold_name(self, member_id: str) -> None:
        """Hold the name of a member who is away for the grace time. Each server does so for its own members only."""
        if member_id in self._state.away and member_id not in self.connections:
            self.connections.hold(member_id)

    def expired(self, member_id: str) -> None:
        """The grace time is over: free the name, unless its owner comes back first."""
        self._tasks.spawn(self._go(Leave(member_id), lambda: member_id in self._state.away))

    def applied(self, event: Joined | Renamed | Away | Left | Kicked) -> None:
        """The store told this server of `event`, and it was applied to the state."""
        member_id = event.member.id
        self._forget_change(member_id)
        if isinstance(event, Kicked):
            self._kicked(event)
            return
        if isinstance(event, Away | Left):
            self._claimed.pop(member_id, None)
        if not isinstance(event, Away):
            self.connections.release(member_id)
        self.connections.update_nameless(member_id)
        if isinstance(event, Away) and member_id in self.connections:
            self._rejoin(event.member)  # another server lost them, or the store took them for gone
        if isinstance(event, Left):
            for visitor in self.connections.of(member_id):
                self.bind(visitor, None)
        self.presence.note(event)
        if isinstance(event, Joined | Renamed) and self.moderation.state:
            self.role_changed(member_id)  # it may have changed while this was stored
        if isinstance(event, Left):
            self._hooks.notify("leave", event.member)

    def _rejoin(self, member: Member) -> None:
        """The store says that a member is away who is still connected here."""
        command = Join(member.id, member.name, member.roles, known=True)
        rejoining = self.perform(command, condition=lambda: member.id in self.connections)
        self._tasks.spawn(self._log_refusal(command, rejoining))

    def _kicked(self, event: Kicked) -> None:
        member_id = event.member.id
        visitors = self.connections.of(member_id)
        for visitor in visitors:
            visitor.gone = True
            self.connections.remove(visitor)  # no longer counted, although its socket is still closing
            visitor.member_id = None
            self.presence.note()
            frame = visitor.connection.encoder.encode(event) if event.text else None
            if frame is not None:
                self._fanout.send_to(visitor.connection, frame)
            close_quietly(visitor.connection, Close.KICKED)
        if visitors and member_id not in (
            self._kicking or ()
        ):  # another server kicked them; it cannot leave for this one
            leave = Leave(member_id)
            self._tasks.spawn(self._log_refusal(leave, self.perform(leave)))

    def load(self, opening: Subscription) -> None:
        """The log was opened, or opened anew, and the state was loaded from it."""
        for member in opening.away:
            self.connections.hold(member.id)
        self._claimed.clear()  # the store may no longer know what this server reported
        self.connections.update_all_nameless()
        if self._guests is not None:
            self._guests.follow(self._room, self.presence.note)

    def stop(self) -> None:
        """The room closes: free no name, and retry nothing."""
        self._stopped = True
        self.connections.stop()

    def abandon(self) -> None:
        """The event loop has ended: retry nothing."""
        self._stopped = True

    def announce(self, presence: Presence) -> None:
        """Tell everybody here who came and left, and the other servers how many guests are here."""
        self._fanout.send(presence)
        self._publish_guests()

    def _forget_change(self, member_id: str) -> None:
        self._nameless_changes.pop(member_id, None)
        if not self._nameless_changes:
            self._nameless_changes.clear()  # `pop` keeps the room that the dict has grown to

    def _publish_guests(self) -> None:
        """Tell the other servers how many nameless people will be here once the events under way have happened."""
        if self._guests is not None:
            self._guests.publish(self._room, self.connections.nameless + sum(self._nameless_changes.values()))

    async def _log_refusal(self, command: Command, work: Coroutine[object, object, object]) -> None:
        try:
            await work
        except Refused as refused:
            _limited.info("%s in room %s was refused: %s", command, self._room, refused)
