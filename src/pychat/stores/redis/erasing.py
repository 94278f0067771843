"""Erases messages of a room in Redis.

Redis keeps the bytes of a stream's entry that is only removed, so both streams of the room are copied without the
texts, some entries at a time, and the copies take their places.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pychat.domain.erasure import Choice, deletion, erased, withdrawal
from pychat.domain.errors import Refused
from pychat.domain.model import Erased, LogEvent, Member, Message, Reacted, Whisper
from pychat.domain.moderation import Moderated
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.stores.redis import queries
from pychat.stores.redis.codec import decode, encode
from pychat.stores.redis.connection import RedisConnection, unavailable
from pychat.stores.redis.scripts import SCRIPTS

__all__ = ["Eraser"]

_CHUNK = 500  # entries that are copied by one script: about 5 ms
_STRIDE = 100  # messages that are changed at a time
_LOCK_MILLISECONDS = 60_000  # after which another server may erase, if this one has died
_WAIT_SECONDS = 0.1
_NOT_NUMBERED = (b'{"kind":"whisper"', b'{"kind":"moderated"')  # entries of the feed that may have texts
_STREAMS = ("log", "told")
#: What an erasing may change in a stream.
_Rewritten = LogEvent | Whisper | Moderated


class _Gone(Exception):
    """The room was deleted, or its log was lost."""


@dataclass(slots=True)
class _Found:
    """The chosen events of a room."""

    messages: set[int] = field(default_factory=set)
    #: Messages whose stored form may quote another one: number -> the number that it answers.
    replies: dict[int, int] = field(default_factory=dict)
    #: Messages to which the chosen member reacted.
    targets: set[int] = field(default_factory=set)
    others: bool = False


class Eraser:
    """Erases what `choice` has in the room whose keys begin with `key`."""

    def __init__(
        self,
        connection: RedisConnection,
        key: str,
        choice: Choice,
        date: Callable[[], float],
        append: Callable[[str, str, LogEvent], Awaitable[list[Any]]],
    ) -> None:
        """`append` stores an event in the room with that key, if it has that epoch."""
        self._connection = connection
        self._key = key
        self._choice = choice
        self._date = date
        self._append = append
        self._token = secrets.token_urlsafe(9)
        self._epoch = ""

    async def run(self) -> tuple[list[int], int]:
        """Return the numbers of the messages that had something to erase, and the tick of the last report."""
        epoch = await self._connection.execute("HGET", f"{self._key}meta", "epoch")
        if epoch is None:
            return [], 0
        self._epoch = epoch.decode()
        while (await self._lock())[0] != b"ok":  # noqa: ASYNC110 -- another server has it
            await asyncio.sleep(_WAIT_SECONDS)
        try:
            return await self._run()
        except _Gone:
            return [], 0
        finally:
            with contextlib.suppress(Refused):  # the lock ends by itself
                await self._connection.run(SCRIPTS["lock"], self._key, self._token, 0)

    async def _lock(self) -> list[Any]:
        answer: list[Any] = await self._connection.run(SCRIPTS["lock"], self._key, self._token, _LOCK_MILLISECONDS)
        return answer

    async def _run(self) -> tuple[list[int], int]:
        found = await self._find()
        if not (found.messages or found.targets or found.others):
            everything = self._choice.everything_of is not None
            return [], await self._report(self._choice.report([])) if everything else 0
        seqs = frozenset(found.messages)
        what = self._choice.report(sorted(seqs))
        await self._each(sorted(seqs), lambda seq: self._delete(seq, what, seqs))
        await self._each(sorted(found.targets - seqs), lambda seq: self._withdraw(seq, what, seqs))
        quoting = [seq for seq, answered in found.replies.items() if answered in seqs and seq not in seqs]
        await self._each(quoting, lambda seq: self._settle(seq, what, seqs))
        for stream in _STREAMS:
            await self._rewrite(stream, what, seqs)
        return sorted(seqs), await self._report(what)

    async def _find(self) -> _Found:
        found, choice = _Found(), self._choice
        for stream in _STREAMS:
            async for _, event in self._entries(stream):
                if isinstance(event, Message):
                    if choice.has(event) and not event.deleted:
                        found.messages.add(event.seq)
                    if event.reply is not None and event.reply.text:
                        found.replies[event.seq] = event.reply.seq
                elif event is not None and self._is_other(event):
                    found.others = True
                    if isinstance(event, Reacted):
                        found.targets.add(event.target)
        return found

    def _is_other(self, event: _Rewritten) -> bool:
        """Return whether something other than a message is to be erased."""
        has_name = isinstance(event, Moderated) or event.author.name
        return bool(has_name) and _without(event, self._choice.report(()), frozenset()) != event

    async def _each(self, seqs: list[int], work: Callable[[int], Awaitable[None]]) -> None:
        for start in range(0, len(seqs), _STRIDE):
            await self._lock()
            await asyncio.gather(*map(work, seqs[start : start + _STRIDE]))

    async def _delete(self, seq: int, what: Erased, seqs: frozenset[int]) -> None:
        standing = await queries.revised(self._connection, self._key, seq)
        if standing is not None and not standing[0].deleted:
            await self._store(deletion(standing[0], self._date()))
        await self._settle(seq, what, seqs)

    async def _withdraw(self, seq: int, what: Erased, seqs: frozenset[int]) -> None:
        standing = await queries.revised(self._connection, self._key, seq)
        author = what.author
        if standing is None or author is None:
            return
        for emoji, ids in standing[0].reactions:
            if author in ids:
                await self._store(withdrawal(seq, emoji, author, self._date(), secrets.token_urlsafe(6)))
        await self._settle(seq, what, seqs)

    async def _store(self, event: LogEvent) -> None:
        status, *_ = await self._append(self._key, self._epoch, event)
        if status in (b"lost", b"room_deleted"):
            raise _Gone

    async def _settle(self, seq: int, what: Erased, seqs: frozenset[int]) -> None:
        """Replace the revisions of a message, which have texts and names, by the message as it stands after them."""
        while True:
            found = await queries.revised(self._connection, self._key, seq)
            if found is None or (not found[1] and seq not in seqs):
                return
            after = encode(erased(found[0], what, seqs))
            answer = await self._connection.run(SCRIPTS["compact"], self._key, seq, found[1], after)
            if answer[0] == b"ok":
                return

    async def _rewrite(self, stream: str, what: Erased, seqs: frozenset[int]) -> None:
        target = f"{stream}:{self._token}"
        last, chunk, texts = "0-0", list[str](), dict[str, str]()

        async def copy() -> None:
            if chunk:
                await self._swap("copy", stream, target, chunk[0], chunk[-1], json.dumps(texts, ensure_ascii=False))

        async for id_, event in self._entries(stream):
            if len(chunk) == _CHUNK:
                await copy()
                chunk.clear()
                texts.clear()
            chunk.append(id_)
            last = id_
            after = None if event is None else _without(event, what, seqs)
            if after is not None and after != event:
                texts[id_] = encode(after)
        await copy()
        await self._swap("swap", stream, target, last)

    async def _swap(self, script: str, *arguments: str) -> None:
        answer = await self._connection.run(SCRIPTS[script], self._key, self._epoch, self._token, *arguments)
        if answer[0] == b"lost":
            raise _Gone if await self._is_gone() else unavailable()

    async def _is_gone(self) -> bool:
        epoch = await self._connection.execute("HGET", f"{self._key}meta", "epoch")
        return epoch is None or epoch.decode() != self._epoch

    async def _report(self, what: Erased) -> int:
        answer = await self._connection.run(
            SCRIPTS["publish"],
            self._key,
            self._epoch,
            encode(what),
            "" if what.before is not None else what.author or "",
        )
        if len(answer) == 1:
            raise _Gone
        tick: int = answer[1]
        return tick

    async def _entries(self, stream: str) -> AsyncIterator[tuple[str, _Rewritten | None]]:
        """Yield the id and the event of each entry; `None` instead of an entry without a text."""
        start = "-"
        while True:
            entries = await self._connection.execute("XRANGE", f"{self._key}{stream}", start, "+", "COUNT", _CHUNK)
            for id_, fields in entries:
                named = dict(zip(fields[::2], fields[1::2], strict=True))
                seq = int(id_[:-2]) if stream == "log" else int(named[b"seq"] or 0)
                event = decode(named[b"event"], seq) if seq or named[b"event"].startswith(_NOT_NUMBERED) else None
                yield id_.decode(), event if isinstance(event, _Rewritten) else None
            if len(entries) < _CHUNK:
                return
            start = f"({entries[-1][0].decode()}"


def _without(event: _Rewritten, what: Erased, seqs: frozenset[int]) -> _Rewritten:
    if isinstance(event, Moderated):
        return ModerationErasure(None if what.before is not None else what.author, seqs).moderated(event)
    if not isinstance(event, Whisper):
        return erased(event, what, seqs)
    if what.author not in (event.author.id, event.member.id) or (what.before is not None and event.date >= what.before):
        return event
    return replace(event, author=Member(event.author.id, ""), member=Member(event.member.id, ""), text="")
