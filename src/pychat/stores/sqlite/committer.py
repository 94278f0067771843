"""Commits a batch: writes all of its items in one transaction, or none, and sets their results."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import groupby

from pychat.domain.errors import Refused
from pychat.domain.model import Kicked, LogEvent, Message, Position, Typing, Whisper
from pychat.stores.sqlite.appends import CALLER_ERRORS, Logs
from pychat.stores.sqlite.bulk_insert import chunks
from pychat.stores.sqlite.deletions import Deletions
from pychat.stores.sqlite.item import Item
from pychat.stores.sqlite.retention import RetentionTask
from pychat.stores.sqlite.tally import Tally
from pychat.stores.sqlite.transactions import Transactions
from pychat.stores.store import Subscription

__all__ = ["Committer"]

#: Longer messages are inserted one by one: indexing takes up to 1 ms each, so fewer statements would save nothing, and
#: one statement of many would keep a processor busy for long without a pause.
_LONG_CHARACTERS = 500


class Committer:
    """Only for the writing thread."""

    def __init__(self, transactions: Transactions, retention: RetentionTask, tally: Tally, secret: bytes) -> None:
        self._transactions = transactions
        self._retention = retention
        self._tally = tally
        self._secret = secret
        self._deletions = Deletions()
        #: Whether the last transaction succeeded.
        self.available = True

    def probe(self) -> None:
        """Write something, to see whether that succeeds."""
        statement = "INSERT OR REPLACE INTO meta VALUES ('opened', 1)"
        self.available = self._transactions.run(lambda connection, _: connection.execute(statement), durable=True)

    def commit(self, batch: list[Item]) -> None:
        """Write `batch`. After a failure the changes of members wait for the next transaction."""
        members = self._transactions.members
        for item in batch:
            if item.signal is None:
                continue
            if self._deletions and self._deletions.refuses(item):
                item.refuse()
            elif not isinstance(item.signal, Kicked | Typing | Whisper):
                members.record(item.room, item.signal)
        items = [item for item in batch if item.signal is None]
        if not items and not members.waiting:
            return
        durable = any(item.durable for item in items)
        self.available = self._transactions.run(
            lambda connection, logs: self._write(connection, logs, items), durable=durable
        )
        if not self.available:
            self._deletions.failed()
            stored = self._transactions.find_stored()
            for item in items:
                event = item.event
                item.fail(None if event is None else stored.get((item.room, event.author.id, event.id)))
            return
        self._deletions.committed()
        added = 0
        for item in items:
            for report in item.reports:
                if isinstance(report, LogEvent):
                    self._transactions.heads[item.room] = report.seq
                    added += 1
            if item.receive is not None:
                self._transactions.heads[item.room] = item.result.position.seq
            elif item.deliver:
                self._transactions.heads[item.room] = item.result.seq
                added += 1
        if added:
            self._tally.add(added)

    def _write(self, connection: sqlite3.Connection, logs: Logs, items: list[Item]) -> None:
        for together, run in groupby(items, _is_short_message):
            accepted = list(run)
            if together and self._deletions:
                accepted = [item for item in accepted if not self._is_refused(item)]
            for chunk in chunks(accepted):
                if together and len(chunk) > 1 and self._append_messages(logs, chunk):
                    continue
                for item in chunk:
                    if self._is_refused(item):
                        continue
                    if item.event is not None:
                        self._append(logs, item)
                    elif item.work is not None:
                        item.result = item.work(connection, logs)
                    else:
                        room = logs.room(item.room)
                        away, known = self._transactions.members.opening(connection, room.number)
                        item.result = Subscription(Position(room.epoch, room.head), self._secret, (), away, known)

    def _is_refused(self, item: Item) -> bool:
        if self._deletions.refuses(item):
            item.refuse()
            return True
        return False

    def _append_messages(self, logs: Logs, items: Sequence[Item]) -> bool:
        """Append one chunk of messages together. Return false, and append nothing, if they do not all go in."""
        stored = logs.append_messages(
            [(item.room, item.event, item.columns) for item in items if isinstance(item.event, Message)]
        )
        if stored is None:
            return False
        for item, message in zip(items, stored, strict=True):
            item.result, item.deliver = message, True
        for room in {item.room for item in items}:
            self._retention.added(room, logs.room(room).messages)
        return True

    def _append(self, logs: Logs, item: Item) -> None:
        assert item.event is not None  # noqa: S101 -- the caller has asked
        try:
            item.result, item.deliver = logs.append(item.room, item.event, item.columns)
        except (Refused, *CALLER_ERRORS) as error:
            if isinstance(error, UnicodeDecodeError):  # the data in the file is not the caller's error
                raise sqlite3.DatabaseError("a text in it is not UTF-8") from error
            item.error = error
            return
        if item.deliver and isinstance(item.event, Message):
            self._retention.added(item.room, logs.room(item.room).messages)


def _is_short_message(item: Item) -> bool:
    return isinstance(item.event, Message) and len(item.event.text) <= _LONG_CHARACTERS
