"""What one server knows of one room in Redis: how far it has told the room, and whom the room has here."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from pychat.domain.model import Away, Event, Left, LogEvent, Member, Renamed
from pychat.stores.redis.codec import decode
from pychat.stores.redis.connection import unavailable
from pychat.stores.store import Receiver, Subscription

__all__ = ["RoomFeed", "SyncState"]

_log = logging.getLogger(__name__)


#: How a line begins that tells how many people without a name a server has.
_GUESTS = b'{"kind":"guests"'


class SyncState(Enum):
    """What may be wrong with a feed. Until that is settled nothing more is told."""

    UNSURE = "the connection broke, and what is in Redis may be another"
    BEHIND = "Redis has forgotten what comes next"
    LOST = "Redis has lost what this server was told"


@dataclass(slots=True)
class RoomFeed:
    """One room: everything that is told goes through here, in the order of its ticks, each once."""

    room: str
    #: What begins the names of its keys.
    key: str
    receive: Receiver
    epoch: str
    #: What signs the room's tokens; who knows it brings it back to a Redis that has lost it.
    secret: bytes
    #: The number of what was told last, and how it was written.
    tick: int
    last: bytes = b""
    #: The id of this server in Redis.
    server: str = ""
    #: The number of the newest event of the log that was told.
    seq: int = 0
    doubt: SyncState | None = None
    #: Who is on this server: the member, and the tick of the joining.
    here: dict[str, tuple[Member, int]] = field(default_factory=dict)
    #: What Redis has not been told, because it was away. By the member's id.
    owed: dict[str, Away | Left] = field(default_factory=dict)
    #: Who is here, though another server took this one for dead.
    reclaim: dict[str, Member] = field(default_factory=dict)
    #: How many people without a name are on this server; and, by the server's id, on each of the others.
    guests_here: int = 0
    guests: dict[str, int] = field(default_factory=dict)
    #: Called when there are more or fewer of them on the others.
    on_guests: Callable[[], None] | None = None
    _waiting: dict[int, list[asyncio.Future[None]]] = field(default_factory=dict)

    def tell(self, tick: int, seq: int, text: bytes) -> None:
        """Tell the room what stands at `tick`."""
        if tick <= self.tick or self.doubt is not None:
            return
        if tick != self.tick + 1:
            self.doubt = SyncState.BEHIND
            return
        self.tick, self.last = tick, text
        try:
            event = None if text.startswith(_GUESTS) else decode(text, seq)
            if event is None:
                self._count(**json.loads(text))
        except (KeyError, TypeError, ValueError):
            _log.exception("Room %s: nothing is known of %r. Does a newer server share this Redis?", self.room, text)
        else:
            if event is not None:
                self.deliver(event)
        for future in self._waiting.pop(tick, ()):
            if not future.done():
                future.set_result(None)

    def deliver(self, event: Event | Subscription) -> None:
        """Hand `event` to the room."""
        if isinstance(event, LogEvent):
            self.seq = event.seq
        elif not isinstance(event, Subscription) and event.member.id in self.here:
            self._know(event)
        try:
            self.receive(event)
        except Exception:
            _log.exception("Room %s failed at %r.", self.room, event)

    def reopen(self, opening: Subscription, tick: int) -> None:
        """Go on from `opening`, which stands at `tick`."""
        lost = opening.position.epoch != self.epoch
        self.epoch, self.seq, self.secret = opening.position.epoch, opening.position.seq, opening.secret
        self.tick, self.last, self.doubt = tick, b"", None
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

    async def told(self, tick: int, patience: float) -> None:
        """Wait until the room has been told what stands at `tick`."""
        if tick <= self.tick:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tick, []).append(future)
        try:
            async with asyncio.timeout(patience):
                await future
        except TimeoutError:
            raise unavailable() from None

    def _count(self, *, server: str, count: int, kind: str) -> None:
        if server != self.server:
            self.guests[server] = count
            if not count:
                del self.guests[server]
            if self.on_guests is not None:
                self.on_guests()

    def _know(self, event: Event) -> None:
        match event:
            case Renamed(member=member):
                self.here[member.id] = (member, self.here[member.id][1])
            case Away(member=member):
                self.reclaim[member.id] = self.here[member.id][0]
            case Left(member=member) if self.here[member.id][1] <= self.tick:
                del self.here[member.id]
