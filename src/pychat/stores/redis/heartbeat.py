"""A server's sign of life in each of its rooms, and its care for those who were on a server that gives none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from pychat.domain.errors import Refused
from pychat.stores.redis.feed import RoomFeed

__all__ = ["Heartbeat"]

_log = logging.getLogger(__name__)

_SLOWEST = 1.0  # seconds between attempts while Redis does not answer


class Heartbeat:
    """Beats three times in `lasts` seconds: a server that was not heard for so long is taken for dead."""

    def __init__(
        self,
        feeds: dict[str, RoomFeed],
        beat: Callable[[RoomFeed, str], Awaitable[tuple[str, bool] | None]],
        idle: Callable[[], Awaitable[object]],
        lasts: float,
        beaten: Callable[[], None],
    ) -> None:
        """`beat` beats in one room; `idle` is done each time, even without rooms; `beaten` is called after.

        A beat is given since when this server has watched (the time in Redis, or "" if that is unknown), and says
        what the time is, and whether there is more to do at once; or `None` if the room has to be opened anew first.
        """
        self._feeds = feeds
        self._beat = beat
        self._idle = idle
        self._lasts = lasts
        self._beaten = beaten
        self._since = ""
        self._last = 0.0
        self._hurried = asyncio.Event()
        #: Whether Redis takes what this server writes.
        self.well = True

    def hurry(self) -> None:
        """Something went wrong: nothing is well until the next beat, which is to come at once."""
        if self.well:
            self.well = False
            self._hurried.set()

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        while True:
            if loop.time() - self._last > self._lasts:
                self._since = ""  # whether the others were alive meanwhile cannot be known
            started = loop.time()
            try:
                more = await self._beat_all()
            except Refused:
                self.well, self._since = False, ""
                pause = min(_SLOWEST, self._lasts / 3, 2 * pause or 0.05)
            except Exception:
                _log.exception("The heartbeat in Redis failed.")
                pause = _SLOWEST
            else:
                if self._hurried.is_set():  # something went wrong meanwhile: the next beat tells, and follows at once
                    pause = 0.0
                else:
                    self.well, self._last = True, started
                    self._beaten()
                    pause = 0.0 if more else self._lasts / 3
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurried.wait()
            self._hurried.clear()
            if self.well:
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
