"""What members have read, in Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from itertools import islice
from typing import Any

from pychat.domain.errors import Refused
from pychat.stores.reader_records import MAX_GUESTS, Unread
from pychat.stores.redis.scripts import SCRIPTS, Script

__all__ = ["RedisReaders"]

_MARKS = 500  # read positions that one script moves
_MEMBERS = 20  # whose rooms one script looks up


class RedisReaders:
    """See `pychat.stores.ReaderRecords`."""

    def __init__(
        self,
        prefix: str,
        run: Callable[[Script, str, *tuple[str | int, ...]], Awaitable[list[Any]]],
        execute: Callable[[*tuple[str | int, ...]], Awaitable[Any]],
    ) -> None:
        """`run` and `execute` call Redis."""
        self._prefix = prefix
        self._run = run
        self._execute = execute

    async def follow(self, member_id: str, room: str, seq: int | None = None) -> None:
        where = "" if seq is None else seq
        status, *_ = await self._run(SCRIPTS["follow"], room, self._prefix, room, member_id, where, MAX_GUESTS)
        if status == b"room_deleted":
            raise Refused.standard("unknown_room")

    async def unfollow(self, member_id: str, room: str) -> None:
        await self._run(SCRIPTS["forget"], "", member_id, room)

    async def mark(self, reads: Iterable[tuple[str, str, int]]) -> None:
        waiting = iter(reads)
        while batch := list(islice(waiting, _MARKS)):
            await self._run(SCRIPTS["mark"], "", *(each for read in batch for each in read))

    async def unread(self, member_ids: Collection[str]) -> dict[str, tuple[Unread, ...]]:
        found: dict[str, tuple[Unread, ...]] = {}
        waiting = iter(member_ids)
        while members := list(islice(waiting, _MEMBERS)):
            _, answers = await self._run(SCRIPTS["unread"], "", *members)
            for member_id, rooms in zip(members, answers, strict=True):
                counts = (Unread(room.decode(), seq, messages, mentions) for room, seq, messages, mentions in rooms)
                found[member_id] = tuple(sorted(counts, key=lambda each: each.room))
        return found

    async def block(self, member_id: str, other: str, on: bool) -> None:
        await self._execute("SADD" if on else "SREM", f"{self._prefix}blocked:{member_id}", other)

    async def blocked(self, member_id: str) -> frozenset[str]:
        found = await self._execute("SMEMBERS", f"{self._prefix}blocked:{member_id}")
        return frozenset(other.decode() for other in found)

    async def forget(self, member_id: str) -> None:
        await self._run(SCRIPTS["forget"], "", member_id)
