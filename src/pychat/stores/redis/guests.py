"""How many people without a nickname are on each server of a room in Redis."""

from __future__ import annotations

from collections.abc import Callable

from pychat.stores.redis.feed import RoomFeed

__all__ = ["RedisGuests"]


class RedisGuests:
    """The counts of all rooms: see `pychat.stores.Guests`."""

    def __init__(self, feeds: dict[str, RoomFeed], publish: Callable[[RoomFeed], None]) -> None:
        """`publish` tells Redis of a feed's `guests_here`; what gets lost is told with the next heartbeat."""
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
