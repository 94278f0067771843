"""The state of one room in Redis as this server knows it: the position in the feed, and the members on this server."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from pychat.domain.errors import Refused
from pychat.domain.model import Away, Event, Left, LogEvent, Member, Renamed, RoomDeleted, Signal
from pychat.stores.redis.codec import decode
from pychat.stores.redis.connection import unavailable
from pychat.stores.redis.loop_timeout import LoopTimeout
from pychat.stores.store import Receiver, Report, Subscription

__all__ = ["RoomFeed", "SyncState"]

_log = logging.getLogger(__name__)


#: The start of a line with the number of guests on a server.
_GUESTS = b'{"kind":"guests"'


class SyncState(Enum):
    """Why a feed cannot go on. No event is delivered until this is resolved."""

    UNSURE = "the connection broke, and the data in Redis may have changed"
    BEHIND = "Redis has already trimmed the next events"
    LOST = "Redis has lost events that this server has received"


@dataclass(slots=True)
class RoomFeed:
    """One room. Delivers each event once, in the order of its ticks."""

    room: str
    #: The prefix of the room's keys.
    key: str
    receive: Receiver
    epoch: str
    #: Signs the room's tokens. A server that knows it restores it to a Redis that has lost it.
    secret: bytes
    #: The tick of the last delivered entry, and its text.
    tick: int
    last: bytes = b""
    #: The id of this server in Redis.
    server: str = ""
    #: The sequence number of the newest delivered event of the log.
    seq: int = 0
    sync_state: SyncState | None = None
    #: Members on this server by id, each with the tick of the join.
    here: dict[str, tuple[Member, int]] = field(default_factory=dict)
    #: Events by member id that could not be sent to Redis while it was unavailable.
    pending: dict[str, Away | Left] = field(default_factory=dict)
    #: Members that are connected here, although another server took this one for dead.
    reclaim: dict[str, Member] = field(default_factory=dict)
    #: The number of guests on this server; and on each other server, by the server's id.
    guests_here: int = 0
    guests: dict[str, int] = field(default_factory=dict)
    #: Called when the number of guests on other servers changes.
    on_guests: Callable[[], None] | None = None
    #: Called when the room was deleted, before the room learns it.
    on_deleted: Callable[[RoomFeed], None] = lambda _: None
    #: True after the room was deleted, or nobody is subscribed any more.
    ended: bool = False
    _waiting: dict[int, list[asyncio.Future[None]]] = field(default_factory=dict)

    def advance(self, tick: int, seq: int, text: bytes) -> None:
        """Deliver the entry at `tick`, if it is the next one."""
        if tick <= self.tick or self.sync_state is not None or self.ended:
            return
        if tick != self.tick + 1:
            self.sync_state = SyncState.BEHIND
            return
        self.tick, self.last = tick, text
        try:
            event = None if text.startswith(_GUESTS) else decode(text, seq)
            if event is None:
                self._note_guests(**json.loads(text))
        except (KeyError, TypeError, ValueError):
            _log.exception("Room %s: cannot read %r. Does a newer version of pychat use this Redis?", self.room, text)
        else:
            if isinstance(event, RoomDeleted):
                self.end()
            elif event is not None:
                self.deliver(event)
        for future in self._waiting.pop(tick, ()):
            if not future.done():
                future.set_result(None)

    def end(self) -> None:
        """The room was deleted: tell it, and refuse what waits for its events."""
        self.ended = True
        self.on_deleted(self)
        self.deliver(RoomDeleted())
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(Refused.standard("unknown_room"))
        self._waiting.clear()

    def deliver(self, event: Report) -> None:
        """Pass `event` to the room."""
        if isinstance(event, LogEvent):
            self.seq = event.seq
        elif isinstance(event, Signal) and event.member.id in self.here:
            self._note_member(event)
        try:
            self.receive(event)
        except Exception:
            _log.exception("Room %s failed at %r.", self.room, event)

    def reopen(self, opening: Subscription, tick: int) -> None:
        """Continue from `opening`, whose tick is `tick`."""
        lost = opening.position.epoch != self.epoch
        self.epoch, self.seq, self.secret = opening.position.epoch, opening.position.seq, opening.secret
        self.tick, self.last, self.sync_state = tick, b"", None
        present = {member.id for member in opening.members}
        self.here = {id_: entry for id_, entry in self.here.items() if id_ in present}
        self.deliver(opening)
        waiting, self._waiting = self._waiting, {}
        for at, futures in waiting.items():
            for future in futures:
                if future.done():
                    continue
                if lost:
                    future.set_exception(unavailable())
                elif at <= tick:
                    future.set_result(None)
                else:
                    self._waiting.setdefault(at, []).append(future)

    async def wait_delivered(self, tick: int, timeout: float) -> None:  # noqa: ASYNC109 -- it becomes a Refused
        """Wait until the entry at `tick` has been delivered; raise `Refused` after `timeout` seconds."""
        if tick <= self.tick:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tick, []).append(future)
        try:
            async with LoopTimeout(timeout):
                await future
        except TimeoutError:
            raise unavailable() from None

    def _note_guests(self, *, server: str, count: int, kind: str) -> None:
        if server != self.server:
            self.guests[server] = count
            if not count:
                del self.guests[server]
            if self.on_guests is not None:
                self.on_guests()

    def _note_member(self, event: Event) -> None:
        match event:
            case Renamed(member=member):
                self.here[member.id] = (member, self.here[member.id][1])
            case Away(member=member):
                self.reclaim[member.id] = self.here[member.id][0]
            case Left(member=member) if self.here[member.id][1] <= self.tick:
                del self.here[member.id]
