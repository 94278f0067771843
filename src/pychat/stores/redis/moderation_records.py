"""Moderation records in Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.domain.strictjson import dumps
from pychat.stores.moderation_codec import as_stored, decode_entry, decode_record, encode_entry, encode_record
from pychat.stores.moderation_records import MAX_ENTRIES, Conflict
from pychat.stores.redis.codec import encode
from pychat.stores.redis.scripts import SCRIPTS, Script

__all__ = ["RedisModeration"]

_CHUNK = 500  # entries that are read at a time, when a member is erased


class RedisModeration:
    """See `pychat.stores.ModerationRecords`."""

    def __init__(
        self,
        run: Callable[[Script, str, *tuple[str | int, ...]], Awaitable[list[Any]]],
        run_subscribed: Callable[[str, str, *tuple[str | float, ...]], Awaitable[list[Any]]],
        delivered: Callable[[str, int], Awaitable[None]],
        date: Callable[[], float],
    ) -> None:
        """`run` and `run_subscribed` run a script, the latter for a room that this server is subscribed to.

        `delivered` waits until the subscribers here have got the entry of the feed at that tick.
        """
        self._run = run
        self._run_subscribed = run_subscribed
        self._delivered = delivered
        self._date = date

    async def load(self, room: str) -> tuple[tuple[Record, ...], int]:
        _, version, found = await self._run(SCRIPTS["records"], room, repr(self._date()))
        records = zip(found[::2], found[1::2], strict=True)
        return tuple(decode_record(*_names(field), record.decode()) for field, record in records), version

    async def change(
        self, room: str, changes: Sequence[Record | Removed], entry: AuditEntry | None, after: int
    ) -> Moderated:
        stored = as_stored(Moderated(tuple(changes), after + 1, entry))
        status, tick, *number = await self._run_subscribed(room, "moderate", *self._arguments(stored))
        await self._delivered(room, tick)
        if status == b"conflict":
            raise Conflict
        return stored if stored.entry is None else replace(stored, entry=replace(stored.entry, number=number[0]))

    async def audit(self, room: str, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        last, found = await self._entries(room, before, limit)
        return [decode_entry(text, last - index) for index, text in enumerate(reversed(found))]

    async def erase(self, room: str, erasure: ModerationErasure) -> int:
        """Erase from the records and the audit log of a room. Return the tick of the change; 0 if there is none."""
        tick = 0
        while True:
            records, version = await self.load(room)
            changes = erasure.changes(records)
            if not changes:
                break
            arguments = self._arguments(Moderated(changes, version + 1))
            status, *answer = await self._run(SCRIPTS["moderate"], room, "", 0, *arguments)
            if status != b"conflict":
                tick = answer[0] if status == b"ok" else 0
                break
        if erasure.ids:
            await self._erase_entries(room, erasure)
        return tick

    async def _erase_entries(self, room: str, erasure: ModerationErasure) -> None:
        before: int | None = None
        while (found := await self._entries(room, before, _CHUNK))[1]:
            last, texts = found
            blanked = list[str | int]()
            for index, text in enumerate(reversed(texts)):
                after = encode_entry(erasure.entry(decode_entry(text, last - index)))
                if after != text:
                    blanked += last - index, text, after
            if blanked:
                await self._run(SCRIPTS["blank"], room, *blanked)
            before = last - len(texts) + 1

    async def names(self, room: str, author: str) -> bool:
        """Return whether records or entries of a room name a member."""
        records, _ = await self.load(room)
        ids = [dumps(each) for each in ModerationErasure(author).ids]
        if any(each in dumps([record.key, record.data]) for record in records for each in ids):
            return True
        before: int | None = None
        while (found := await self._entries(room, before, _CHUNK))[1]:
            last, texts = found
            if any(each in text for text in texts for each in ids):
                return True
            before = last - len(texts) + 1
        return False

    async def _entries(self, room: str, before: int | None, limit: int) -> tuple[int, list[str]]:
        """Return the number of the last entry before number `before`, and entries up to it, the newest last."""
        _, last, found = await self._run(SCRIPTS["audit"], room, "" if before is None else before, limit)
        return last, [text.decode() for text in found]

    def _arguments(self, what: Moderated) -> list[str | int]:
        entry = "" if what.entry is None else encode_entry(what.entry)
        arguments: list[str | int] = [what.version - 1, encode(what), entry, repr(self._date()), MAX_ENTRIES]
        for change in what.changes:
            field = f"{change.kind}:{change.key}"
            if isinstance(change, Record):
                arguments += field, encode_record(change), "" if change.until is None else repr(change.until)
            else:
                arguments += field, "", ""
        return arguments


def _names(field: bytes) -> tuple[str, str]:
    kind, _, key = field.decode().partition(":")
    return kind, key
