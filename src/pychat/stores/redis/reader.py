"""Reads the feeds of all rooms on one connection: in order, without a gap. After a gap the room is reopened."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from pychat.domain.errors import Refused
from pychat.stores.redis.connection import RedisConnection
from pychat.stores.redis.feed import RoomFeed, SyncState
from pychat.stores.redis.scripts import SCRIPTS

__all__ = ["Reader"]

_log = logging.getLogger(__name__)

_BLOCK_MILLISECONDS = 1000  # how long one read waits for new entries
_MAX_ENTRIES = 500  # of one room in one read, so that a busy room does not block the event loop
_MAX_PAUSE = 1.0  # seconds between attempts to reach Redis


class Reader:
    """Reads the rooms in `feeds`, each from its own position."""

    def __init__(
        self,
        connection: RedisConnection,
        wake_key: str,
        feeds: dict[str, RoomFeed],
        reopen: Callable[[RoomFeed], Awaitable[None]],
        on_read: Callable[[RoomFeed], None],
    ) -> None:
        """`wake_key` is a stream of this server: an entry there makes the reader look at `feeds` again.

        `reopen` gives a new position to a feed that has lost its own; `on_read` is called after a feed got entries.
        """
        self._connection = connection
        self._wake_key = wake_key
        self._wake_id = "0-0"
        self._feeds = feeds
        self._reopen = reopen
        self._on_read = on_read
        #: Whether reading works.
        self.following = True

    async def run(self) -> None:
        """Read until cancelled."""
        pause = 0.0
        while True:
            try:
                for feed in [feed for feed in self._feeds.values() if feed.sync_state is not None]:
                    await self._resync(feed)
                await self._read()
            except Refused:
                pause = min(_MAX_PAUSE, 2 * pause or 0.05)
            except Exception:
                _log.exception("Reading from Redis failed.")
                pause = _MAX_PAUSE
            else:
                self.following, pause = True, 0.0
                continue
            self.following = False
            for feed in self._feeds.values():
                feed.sync_state = feed.sync_state or SyncState.UNSURE
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- so that not all servers come at once

    async def _resync(self, feed: RoomFeed) -> None:
        """Check that Redis still has the last delivered entry and the next ones; else reopen the room."""
        if feed.sync_state is SyncState.UNSURE:
            answer = await self._connection.run(SCRIPTS["check"], feed.key, feed.epoch, feed.tick, feed.last)
            feed.sync_state = {b"ok": None, b"behind": SyncState.BEHIND, b"lost": SyncState.LOST}.get(
                answer[0], SyncState.LOST
            )
        if feed.sync_state is not None:
            _log.warning("Room %s: %s.", feed.room, feed.sync_state.value)
            await self._reopen(feed)

    async def _read(self) -> None:
        feeds = {feed.key + "told": feed for feed in self._feeds.values() if feed.sync_state is None}
        # After a failure do not block: missed entries are there at once, and `following` must not wait for a new one.
        block = ("BLOCK", _BLOCK_MILLISECONDS) if self.following else ()
        positions = [self._wake_id, *(f"{feed.tick}-0" for feed in feeds.values())]
        answer = await self._connection.execute(
            "XREAD", "COUNT", _MAX_ENTRIES, *block, "STREAMS", self._wake_key, *feeds, *positions
        )
        for key, entries in answer or ():
            feed = feeds.get(key.decode())
            if feed is None:
                self._wake_id = entries[-1][0].decode()
                continue
            for tick, (_, seq, _, text) in entries:
                feed.advance(int(tick[:-2]), int(seq or 0), text)
            self._on_read(feed)
