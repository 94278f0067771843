"""What waits for the moderators of one room: takes reports and held messages, and tells moderators how much waits."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from pychat.domain.decision import Decision
from pychat.domain.errors import Refused
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.model import Member, Message
from pychat.domain.moderation import AuditEntry, Record, Removed
from pychat.domain.moderation_state import ModerationState
from pychat.domain.notices import HeldDecided, Notice
from pychat.domain.queue import (
    Report,
    held_record,
    is_approved,
    is_rejected,
    queue_of,
    report_key,
    report_record,
)
from pychat.domain.roles import Role
from pychat.domain.texts import accept_text
from pychat.room.clock import Clock, Timer
from pychat.room.connections import ConnectionRegistry, Visitor
from pychat.room.fanout import Fanout
from pychat.room.hooks import Hooks
from pychat.room.tasks import Tasks

__all__ = ["WAITING", "ModerationQueue", "QueueRecords"]

_limited = RateLimitedLogger(logging.getLogger("pychat.room"), time.monotonic)
#: The kinds of records that wait.
WAITING = frozenset({"report", "held", "asking"})
_TELL_SECONDS = 1.0  # between two notices to moderators
_LONGEST_REASON = 300


class QueueRecords(Protocol):
    """The records of the room: `RecordLog`."""

    @property
    def state(self) -> ModerationState:
        """What they say."""

    async def change(self, decide: Callable[[], Decision | None]) -> AuditEntry | None:
        """Store what `decide` returns for the newest records."""


class ModerationQueue:
    """The queue of one room, made when something waits for the first time."""

    __slots__ = (
        "_clock",
        "_connections",
        "_fanout",
        "_records",
        "_tasks",
        "_timer",
        "_told",
        "hooks",
        "publish",
    )

    def __init__(
        self,
        records: QueueRecords,
        *,
        publish: Callable[[Record], Awaitable[object]],
        hooks: Hooks,
        connections: ConnectionRegistry,
        fanout: Fanout,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._records = records
        #: Stores an approved message, for everybody and its author.
        self.publish = publish
        #: Told of reports, and of what moderators do.
        self.hooks = hooks
        self._connections = connections
        self._fanout = fanout
        self._tasks = tasks
        self._clock = clock
        self._told: float | None = None  # when moderators were told last
        self._timer: Timer | None = None

    # What comes in.

    async def report(self, message: Message, by: Member, reason: str) -> None:
        """Put the report of a message into the queue; a second one by the same member is none. Raise `Refused`.

        The caller counts it in the rate of reports.
        """
        if message.deleted:
            raise Refused("not_found", "This message was deleted.")
        reason = " ".join(accept_text(reason, _LONGEST_REASON).split()) if reason.strip() else ""
        report = Report(report_key(by.id, message.seq), message, by, reason, self._clock.date())
        if self._records.state.get("report", report.id) is not None:
            return
        stored: list[Record] = []

        def decide() -> Decision | None:
            record = report_record(self._records.state.of("report"), report)
            stored[:] = [] if record is None else [record]
            return Decision((record,), None) if record else None

        await self._records.change(decide)
        if stored:
            self.hooks.notify("report", report)

    async def hold(self, message: Message, reason: str) -> None:
        """Keep a message until a moderator decides; no-op if it is kept already. Raise `Refused`."""

        def decide() -> Decision | None:
            record = held_record(self._records.state.of("held"), message, reason)
            return None if record is None else Decision((record,), None)

        await self._records.change(decide)

    # What moderators have decided.

    async def store_approved(self, key: str) -> None:
        """Store the held message of that id, if it is approved, and take it out of the queue. Raise `Refused`.

        If the server or the store fails in between, the message is stored when the records are loaded again. A store
        keeps one message of an author's id, so it does not matter who else does the same at this moment.
        """
        record = self._records.state.get("held", key)
        if record is None or not is_approved(record):
            return
        await self.publish(record)

        def decide() -> Decision | None:
            return None if self._records.state.get("held", key) is None else Decision((Removed("held", key),), None)

        await self._records.change(decide)

    def changed(self, changes: Iterable[Record | Removed], entry: AuditEntry | None) -> None:
        """Records were changed, on any server."""
        if any(change.kind in WAITING for change in changes):
            self._ring()
        if entry is not None and entry.data.get("kind") == "held" and entry.action in _STATES:
            decided = HeldDecided(str(entry.data["id"]), _STATES[entry.action], entry.reason)
            for visitor in self._connections.of(entry.target):
                self._tell(visitor, decided)

    def reloaded(self) -> None:
        """Any record may have changed."""
        self._ring()
        self.store_all_approved()

    def store_all_approved(self) -> None:
        """Store the messages whose approval was interrupted, for example by the end of a server."""
        for record in self._records.state.of("held").values():
            if is_approved(record):
                self._tasks.spawn(self._store_later(record.key))

    def tell_rejected(self, visitor: Visitor) -> None:
        """Tell somebody who has come in which of their messages were rejected while they were away."""
        for record in self._records.state.of("held").values():
            if record.data["member"] == visitor.member_id and is_rejected(record):
                self._tell(visitor, HeldDecided(record.data["id"], "rejected", record.data["reason"]))

    async def _store_later(self, key: str) -> None:
        try:
            await self.store_approved(key)
        except Refused as refused:
            _limited.warning("An approved message could not be stored yet: %s", refused)

    # Moderators are told.

    def _ring(self) -> None:
        """Tell moderators how much waits, now or when a second has passed since they were told."""
        if self._timer is not None:
            return
        wait = 0.0 if self._told is None else self._told + _TELL_SECONDS - self._clock.steady()
        if wait <= 0:
            self._tell_moderators()
        else:
            self._timer = self._clock.call_later(wait, self._tell_moderators)

    def _tell_moderators(self) -> None:
        self._timer, self._told = None, self._clock.steady()
        counts = queue_of(self._records.state)
        for visitor in self._connections:
            if visitor.standing.role >= Role.MODERATOR:
                self._tell(visitor, counts)

    def _tell(self, visitor: Visitor, notice: Notice) -> None:
        frame = visitor.connection.encoder.encode(notice)
        if frame is not None:
            self._fanout.send_to(visitor.connection, frame)

    def stop(self) -> None:
        """The room closes."""
        if self._timer is not None:
            self._timer.cancel()


#: What the author of a held message is told of an action.
_STATES = {"approve": "approved", "reject": "rejected"}
