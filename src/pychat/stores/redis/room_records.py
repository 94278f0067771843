"""The records of rooms in Redis."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from pychat.domain.strictjson import dumps, loads
from pychat.stores.redis.scripts import SCRIPTS, Script
from pychat.stores.room_records import RoomRecord

__all__ = ["RedisRooms"]


class RedisRooms:
    """See `pychat.stores.RoomRecords`."""

    def __init__(
        self,
        prefix: str,
        run: Callable[[Script, str, *tuple[str | int, ...]], Awaitable[list[Any]]],
        execute: Callable[[*tuple[str | int, ...]], Awaitable[Any]],
        deleted: Callable[[str, int], Awaitable[None]],
    ) -> None:
        """`run` and `execute` call Redis; `deleted` waits until this server has received the deletion of a room."""
        self._prefix = prefix
        self._run = run
        self._execute = execute
        self._deleted = deleted

    async def secret(self) -> bytes:
        key = f"{self._prefix}secret"
        await self._execute("SET", key, secrets.token_hex(32), "NX")
        return bytes.fromhex((await self._execute("GET", key)).decode())

    async def save(self, record: RoomRecord) -> None:
        text = dumps([record.name, record.title, record.settings, record.people])
        await self._run(SCRIPTS["save"], record.name, self._prefix, record.name, text, "1" if record.listed else "")

    async def find(self, name: str) -> RoomRecord | None:
        text = await self._execute("HGET", f"{self._prefix}rooms", name)
        return None if text is None else _record(text)

    async def page(self, after: str = "", limit: int = 100, *, listed_only: bool = False) -> list[RoomRecord]:
        names = "rooms:listed" if listed_only else "rooms:names"
        _, found = await self._run(SCRIPTS["page"], "", names, after, limit)
        return [_record(text) for text in found]

    async def delete(self, name: str) -> None:
        _, tick = await self._run(SCRIPTS["delete"], name, self._prefix, name)
        await self._deleted(name, tick)


def _record(text: bytes) -> RoomRecord:
    name, title, settings, people = loads(text.decode(), surrogates=True)
    return RoomRecord(name, title, settings, tuple(people))
