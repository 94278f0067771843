"""Whispers: messages of the app that one member of a room gets, and nobody else can notice."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial

from pychat.domain.errors import Refused
from pychat.domain.limits import Limits
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.model import Member, Message, Quote, User, Whisper, id_of
from pychat.domain.rules import RoomState
from pychat.domain.texts import accept_text
from pychat.room.clock import Clock
from pychat.room.connections import Visitor
from pychat.room.fanout import Fanout
from pychat.room.tasks import Tasks
from pychat.room.tokens import Tokens
from pychat.stores.store import Report, Store

__all__ = ["Whispers", "whisper_log"]

_limited = RateLimitedLogger(logging.getLogger("pychat.room"), time.monotonic)
_MAX_KEPT = 1000  # the newest whispers of a room, which are shown again
_MAX_SHOWN = 50  # to one member at a time


def whisper_log(room: str) -> str:
    """The name of the log with the stored whispers of a room. No room can have this name.

    An entry is a message whose author is the member who gets it, so that erasing the member erases it. The bot that
    whispers is in its quote.
    """
    return f"~{room}"


class Whispers:
    """The whispers of one room. The stored ones are loaded when the first member comes."""

    __slots__ = (
        "_arrived",
        "_clock",
        "_erasures",
        "_fanout",
        "_kept",
        "_limits",
        "_lock",
        "_log",
        "_room",
        "_state",
        "_store",
        "_tasks",
        "_visitors",
    )

    def __init__(
        self,
        room: str,
        state: RoomState,
        store: Store,
        *,
        fanout: Fanout,
        tasks: Tasks,
        limits: Limits,
        clock: Clock,
        visitors: Callable[[str], Iterable[Visitor]],
    ) -> None:
        """`visitors` returns the connections of a member to this server."""
        self._room = room
        self._state = state
        self._limits = limits
        self._clock = clock
        self._log = whisper_log(room)
        self._store = store
        self._fanout = fanout
        self._tasks = tasks
        self._visitors = visitors
        self._lock = asyncio.Lock()
        self._kept: dict[str, list[Whisper]] | None = None  # by member id; `None` until they were loaded
        self._arrived: list[Whisper] | None = None  # while the others are loaded
        self._erasures = 0

    async def send(self, member: str | Member | User, text: str, author: str, *, stored: bool) -> Whisper:
        """Send `text` to all connections of a member, on all servers of the room: see `ChatRoom.whisper`."""
        member_id = id_of(member)
        whisper = Whisper(
            id=Tokens.new_id(),
            author=Member(f"post:{author}", self._state.names.accept(author, reserved=True)),
            member=Member(member_id, self._state.last_name(member_id) or ""),
            text=accept_text(text, self._limits.text),
            date=self._clock.date(),
            stored=stored,
            after=self._state.seq,
            room=self._room,
        )
        if stored:
            by = Quote(whisper.after, whisper.author.name, whisper.author.id)
            entry = Message(whisper.id, whisper.member, whisper.text, whisper.date, reply=by)
            async with self._lock:
                await self._store.subscribe(self._log, _ignore)
                try:
                    await self._store.append(self._log, entry)
                finally:
                    self._store.unsubscribe(self._log, _ignore)
        await self._store.signal(self._room, whisper)
        return whisper

    def received(self, whisper: Whisper) -> None:
        """The store delivered a whisper."""
        if whisper.stored:
            if self._arrived is not None:
                self._arrived.append(whisper)
            elif self._kept is not None:
                _keep(self._kept, whisper)
        for visitor in self._visitors(whisper.member.id):
            self._fanout.then(partial(self._tell, visitor, [whisper]))

    def show(self, visitor: Visitor, after: int) -> None:
        """Show a visitor again what was whispered to them since event number `after`; soon, if it must be loaded."""
        if visitor.member_id is None:
            return
        if self._kept is None:
            self._tasks.spawn(self._show_soon(visitor, visitor.member_id, after))
        else:
            self._tell(visitor, self._of(visitor.member_id, after))

    def forget(self) -> None:
        """Whispers were erased: load the others again when a member comes."""
        self._erasures += 1
        self._kept = None

    async def _show_soon(self, visitor: Visitor, member_id: str, after: int) -> None:
        async with self._lock:
            if self._kept is None:
                try:
                    await self._load()
                except Refused as refused:
                    _limited.info("The whispers in room %s could not be loaded: %s", self._room, refused)
        if visitor.member_id == member_id:
            self._tell(visitor, self._of(member_id, after))

    async def _load(self) -> None:
        erasures, self._arrived = self._erasures, []
        try:
            page = await self._store.history(self._log, limit=_MAX_KEPT)
            kept: dict[str, list[Whisper]] = {}
            ids = set[str]()
            for whisper in (*map(_decode, page.messages), *self._arrived):
                if whisper is not None and whisper.id not in ids:
                    ids.add(whisper.id)
                    _keep(kept, whisper)
        finally:
            self._arrived = None
        if erasures == self._erasures:
            self._kept = kept

    def _of(self, member_id: str, after: int) -> list[Whisper]:
        return [each for each in (self._kept or {}).get(member_id, ()) if each.after >= after]

    def _tell(self, visitor: Visitor, whispers: Iterable[Whisper]) -> None:
        connection = visitor.connection
        for whisper in whispers:
            frame = connection.encoder.encode(whisper)
            if frame is not None:
                self._fanout.send_to(connection, frame)


def _keep(kept: dict[str, list[Whisper]], whisper: Whisper) -> None:
    of_member = kept.setdefault(whisper.member.id, [])
    of_member.append(whisper)
    del of_member[:-_MAX_SHOWN]


def _decode(entry: Message) -> Whisper | None:
    """The whisper that is stored as `entry`; `None` if it was erased."""
    by = entry.reply
    if by is None:
        return None
    return Whisper(
        entry.id, Member(by.text, by.author), entry.author, entry.text, entry.date, stored=True, after=by.seq
    )


def _ignore(_: Report) -> None:
    """The log is open only to add to it."""
