"""The number of guests on each server of a room."""

from __future__ import annotations

from collections.abc import Callable

from pychat.stores.redis.feed import RoomFeed

__all__ = ["RedisGuests"]


class RedisGuests:
    """Guest counts of all rooms: see `pychat.stores.Guests`."""

    def __init__(self, feeds: dict[str, RoomFeed], publish: Callable[[RoomFeed], None]) -> None:
        """`publish` sends a feed's `guests_here` to Redis; each heartbeat repeats it, in case it was lost."""
        self._feeds = feeds
        self._publish = publish

    def follow(self, room: str, changed: Callable[[], None]) -> None:
        self._feeds[room].on_guests = changed

    def elsewhere(self, room: str) -> int:
        feed = self._feeds.get(room)
        return 0 if feed is None else sum(feed.guests.values())

    def publish(self, room: str, count: int) -> None:
        feed = self._feeds.get(room)
        if feed is not None and feed.guests_here != count:
            feed.guests_here = count
            self._publish(feed)
