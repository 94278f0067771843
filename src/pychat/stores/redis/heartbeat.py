"""The heartbeat of this server in each of its rooms. It also takes over the members of servers that have died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from pychat.domain.errors import Refused
from pychat.stores.redis.feed import RoomFeed

__all__ = ["Heartbeat"]

_log = logging.getLogger(__name__)

_MAX_PAUSE = 1.0  # seconds between attempts while Redis does not answer


class Heartbeat:
    """Beats three times in `ttl` seconds. A server without a beat for that long counts as dead."""

    def __init__(
        self,
        feeds: dict[str, RoomFeed],
        beat: Callable[[RoomFeed, str], Awaitable[tuple[str, bool] | None]],
        idle: Callable[[], Awaitable[object]],
        ttl: float,
        after_beat: Callable[[], None],
    ) -> None:
        """`beat` beats in one room; `idle` runs each time, even without rooms; `after_beat` is called afterwards.

        `beat` gets the time in Redis since which this server has watched without a gap, or "" if unknown. It returns
        the time in Redis and whether there is more to do at once; or `None` if the room must be reopened first.
        """
        self._feeds = feeds
        self._beat = beat
        self._idle = idle
        self._ttl = ttl
        self._after_beat = after_beat
        self._since = ""
        self._last = 0.0
        self._requested = asyncio.Event()
        #: Whether Redis accepts writes.
        self.healthy = True

    def beat_now(self) -> None:
        """Report a failure: `healthy` is false until the next beat, which follows at once."""
        if self.healthy:
            self.healthy = False
            self._requested.set()

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        while True:
            if loop.time() - self._last > self._ttl:
                self._since = ""  # unknown whether other servers were alive meanwhile
            started = loop.time()
            try:
                more = await self._beat_all()
            except Refused:
                self.healthy, self._since = False, ""
                pause = min(_MAX_PAUSE, self._ttl / 3, 2 * pause or 0.05)
            except Exception:
                _log.exception("The heartbeat in Redis failed.")
                pause = _MAX_PAUSE
            else:
                if self._requested.is_set():  # a failure meanwhile: beat again at once
                    pause = 0.0
                else:
                    self.healthy, self._last = True, started
                    self._after_beat()
                    pause = 0.0 if more else self._ttl / 3
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._requested.wait()
            self._requested.clear()
            if self.healthy:
                pause = 0.0

    async def _beat_all(self) -> bool:
        await self._idle()
        beats = await asyncio.gather(
            *(self._beat(feed, self._since) for feed in self._feeds.values()), return_exceptions=True
        )
        done: list[tuple[str, bool]] = []
        for beat in beats:
            if isinstance(beat, BaseException):
                raise beat
            if beat is not None:
                done.append(beat)
        if done:
            self._since = self._since or max((now for now, _ in done), key=float)
        return any(more for _, more in done)
