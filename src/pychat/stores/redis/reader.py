"""What Redis tells this server, for all rooms on one connection: in order, without a gap, or with the room knowing."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from pychat.domain.errors import Refused
from pychat.stores.redis.connection import RedisConnection
from pychat.stores.redis.feed import RoomFeed, SyncState
from pychat.stores.redis.scripts import STEPS

__all__ = ["Reader"]

_log = logging.getLogger(__name__)

_BLOCK = 1000  # milliseconds: how long Redis may have nothing to say
_MOST = 500  # entries of a room at once, so that one busy room does not hold up the loop
_SLOWEST = 1.0  # seconds between attempts to reach Redis


class Reader:
    """Follows the rooms in `feeds`, from where each stands."""

    def __init__(
        self,
        link: RedisConnection,
        wake: str,
        feeds: dict[str, RoomFeed],
        reopen: Callable[[RoomFeed], Awaitable[None]],
        told: Callable[[RoomFeed], None],
    ) -> None:
        """`wake` is a stream of this server's own: what is added to it makes the reader look at `feeds` again.

        `reopen` brings a feed that has lost its place to a new one; `told` is called after a feed was told things.
        """
        self._link = link
        self._wake = wake
        self._wake_id = "0-0"
        self._feeds = feeds
        self._reopen = reopen
        self._told = told
        #: Whether the rooms are being told what happens.
        self.following = True

    async def run(self) -> None:
        """Read until cancelled."""
        pause = 0.0
        while True:
            try:
                for feed in [feed for feed in self._feeds.values() if feed.doubt is not None]:
                    await self._settle(feed)
                await self._read()
            except Refused:
                pause = min(_SLOWEST, 2 * pause or 0.05)
            except Exception:
                _log.exception("Reading from Redis failed.")
                pause = _SLOWEST
            else:
                self.following, pause = True, 0.0
                continue
            self.following = False
            for feed in self._feeds.values():
                feed.doubt = feed.doubt or SyncState.UNSURE
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- so that not all servers come at once

    async def _settle(self, feed: RoomFeed) -> None:
        """Find out whether what was told last is still there, and what came next; else begin anew."""
        if feed.doubt is SyncState.UNSURE:
            answer = await self._link.step(STEPS["check"], feed.key, feed.epoch, feed.tick, feed.last)
            feed.doubt = {b"ok": None, b"behind": SyncState.BEHIND, b"lost": SyncState.LOST}[answer[0]]
        if feed.doubt is not None:
            _log.warning("Room %s: %s.", feed.room, feed.doubt.value)
            await self._reopen(feed)

    async def _read(self) -> None:
        feeds = {feed.key + "told": feed for feed in self._feeds.values() if feed.doubt is None}
        # After a break, what has been missed is there at once; whether Redis is back must not wait for something new.
        block = ("BLOCK", _BLOCK) if self.following else ()
        positions = [self._wake_id, *(f"{feed.tick}-0" for feed in feeds.values())]
        answer = await self._link.ask("XREAD", "COUNT", _MOST, *block, "STREAMS", self._wake, *feeds, *positions)
        for key, entries in answer or ():
            feed = feeds.get(key.decode())
            if feed is None:
                self._wake_id = entries[-1][0].decode()
                continue
            for tick, (_, seq, _, text) in entries:
                feed.tell(int(tick[:-2]), int(seq or 0), text)
            self._told(feed)
