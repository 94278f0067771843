"""Push subscriptions in Redis: a hash for each member, and the owner of each endpoint. Both expire."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from pychat.stores.push_records import MAX_SUBSCRIPTIONS, PushSubscription

__all__ = ["RedisPush"]


class RedisPush:
    """See `pychat.stores.PushRecords`."""

    def __init__(
        self, prefix: str, execute: Callable[[*tuple[str | int, ...]], Awaitable[Any]], date: Callable[[], float]
    ) -> None:
        """`execute` calls Redis."""
        self._prefix = prefix
        self._execute = execute
        self._date = date

    async def save(self, member_id: str, subscription: PushSubscription) -> None:
        key, seconds = self._key(member_id), max(1, ceil(subscription.until - self._date()))
        await self._execute("HSET", key, subscription.endpoint, subscription.encode())
        await self._execute("EXPIRE", key, seconds)
        # The owner last: of two members who save it at once, the one who is replaced as the owner has stored it.
        owner = await self._execute("SET", self._owner_key(subscription.endpoint), member_id, "EX", seconds, "GET")
        if owner is not None and owner.decode() != member_id:
            await self.remove(owner.decode(), subscription.endpoint)
        for each in (await self.of(member_id))[:-MAX_SUBSCRIPTIONS]:
            await self.remove(member_id, each.endpoint)

    async def of(self, member_id: str) -> tuple[PushSubscription, ...]:
        found = [PushSubscription.decode(text) for text in await self._execute("HVALS", self._key(member_id))]
        return tuple(sorted((each for each in found if each.until > self._date()), key=lambda each: each.until))

    async def remove(self, member_id: str, endpoint: str) -> None:
        await self._execute("HDEL", self._key(member_id), endpoint)

    async def forget(self, member_id: str) -> None:
        endpoints = await self._execute("HKEYS", self._key(member_id))
        await self._execute("DEL", self._key(member_id), *(self._owner_key(each.decode()) for each in endpoints))

    def _owner_key(self, endpoint: str) -> str:
        return f"{self._prefix}push-owner:{hashlib.blake2b(endpoint.encode(), digest_size=16).hexdigest()}"

    def _key(self, member_id: str) -> str:
        return f"{self._prefix}push:{member_id}"
