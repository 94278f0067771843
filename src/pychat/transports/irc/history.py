"""Reads messages of a room before, after or between positions, as `CHATHISTORY` asks for them."""

from __future__ import annotations

from datetime import datetime

from pychat.domain.errors import Refused
from pychat.domain.model import Message
from pychat.room.backend import RoomBackend
from pychat.transports.irc.channel import Channel

__all__ = ["MAX_MESSAGES", "History"]

#: The maximum number of messages in one answer.
MAX_MESSAGES = 100
_MAX_PAGES = 50  # reads for one command; most of the log may be other events


class History:
    """The messages of one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._room: RoomBackend = channel.room

    async def _read(self, limit: int, before: int | None = None) -> list[Message]:
        return await (await self._room.ready()).commands.history(before=before, limit=limit)

    async def seq(self, reference: str) -> int:
        """The number of the message in `msgid=…`, or of the last one before `timestamp=…`. Raise `Refused`."""
        kind, _, value = reference.partition("=")
        if kind == "msgid":
            seq = self._channel.seq(value)
            if seq is None:
                raise Refused("not_found", "There is no message of that id (any more).")
            return seq
        if kind == "timestamp":
            try:
                return await self._before(datetime.fromisoformat(value).timestamp())
            except ValueError:
                pass
        raise Refused("bad_request", "Give a position: msgid=ID, or timestamp=2026-01-31T12:00:00.000Z.")

    async def latest(self, after: int, limit: int) -> list[Message]:
        """The newest messages after number `after`."""
        return [said for said in await self._read(limit) if said.seq > after]

    async def before(self, seq: int, limit: int) -> list[Message]:
        """The last messages before number `seq`."""
        return await self._read(limit, seq)

    async def after(self, seq: int, limit: int, before: int | None = None) -> list[Message]:
        """The first messages after number `seq`, up to number `before` if given."""
        end = self._room.position.seq + 1 if before is None else before
        found: list[Message] = []
        start, stride = seq, limit
        for _ in range(_MAX_PAGES):
            if start + 1 >= end or len(found) >= limit:
                break
            stride = min(2 * stride, self._room.limits.page)
            stop = min(start + 1 + stride, end)
            # The limit is the count of numbers in the range, so no message in it is left out.
            page = await self._read(stop - start - 1, stop)
            found += [said for said in page if said.seq > start]
            start = stop - 1
        return found[:limit]

    async def _before(self, date: float) -> int:
        """The number of the last event before `date`, by binary search."""
        low, high = 0, self._room.position.seq
        while low < high:
            middle = (low + high + 1) // 2
            found = await self._read(1, middle + 1)
            if found and found[0].date >= date:
                high = min(middle - 1, found[0].seq - 1)
            else:
                low = middle
        return low
