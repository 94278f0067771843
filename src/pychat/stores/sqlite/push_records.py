"""Push subscriptions, in a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable

from pychat.stores.push_records import MAX_SUBSCRIPTIONS, PushSubscription
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.writer import Writer

__all__ = ["SqlitePush"]

_OF = "SELECT subscription FROM push WHERE member = ? AND until > ? ORDER BY until, endpoint"
_TOO_MANY = """
    DELETE FROM push WHERE member = :member AND endpoint NOT IN (
        SELECT endpoint FROM push WHERE member = :member ORDER BY until DESC, endpoint LIMIT :most
    )
"""


class SqlitePush:
    """See `pychat.stores.PushRecords`."""

    def __init__(
        self,
        writer: Callable[[], Awaitable[Writer]],
        read_pool: Callable[[], Awaitable[ReadPool]],
        date: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._read_pool = read_pool
        self._date = date

    async def save(self, member_id: str, subscription: PushSubscription) -> None:
        row = (subscription.endpoint, member_id, subscription.until, subscription.encode())

        def work(connection: sqlite3.Connection, _: Logs) -> None:
            connection.execute("DELETE FROM push WHERE until <= ?", (self._date(),))
            connection.execute("INSERT OR REPLACE INTO push VALUES (?, ?, ?, ?)", row)
            connection.execute(_TOO_MANY, {"member": member_id, "most": MAX_SUBSCRIPTIONS})

        await (await self._writer()).change("", work, author=member_id)

    async def of(self, member_id: str) -> tuple[PushSubscription, ...]:
        read_pool = await self._read_pool()
        found = await read_pool.read(lambda connection: connection.execute(_OF, (member_id, self._date())).fetchall())
        return tuple(PushSubscription.decode(text) for (text,) in found)

    async def remove(self, member_id: str, endpoint: str) -> None:
        await self._delete("DELETE FROM push WHERE member = ? AND endpoint = ?", member_id, endpoint)

    async def forget(self, member_id: str) -> None:
        await self._delete("DELETE FROM push WHERE member = ?", member_id)

    async def _delete(self, query: str, *values: str) -> None:
        def work(connection: sqlite3.Connection, _: Logs) -> None:
            connection.execute(query, values)

        await (await self._writer()).change("", work, author=values[0])
