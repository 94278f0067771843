"""Push subscriptions, in memory."""

from __future__ import annotations

from collections.abc import Callable

from pychat.stores.push_records import MAX_SUBSCRIPTIONS, PushSubscription

__all__ = ["MemoryPush"]

_MAX_MEMBERS = 10_000


class MemoryPush:
    """See `pychat.stores.PushRecords`. The members who subscribed first give way beyond 10,000."""

    def __init__(self, date: Callable[[], float]) -> None:
        self._date = date
        self._members: dict[str, dict[str, PushSubscription]] = {}
        self._owners: dict[str, str] = {}  # member ids by endpoint

    async def save(self, member_id: str, subscription: PushSubscription) -> None:
        owner = self._owners.get(subscription.endpoint)
        if owner is not None:
            await self.remove(owner, subscription.endpoint)
        self._members.setdefault(member_id, {})[subscription.endpoint] = subscription
        self._owners[subscription.endpoint] = member_id
        for each in sorted(self._members[member_id].values(), key=_end)[:-MAX_SUBSCRIPTIONS]:
            await self.remove(member_id, each.endpoint)
        if len(self._members) > _MAX_MEMBERS:
            await self.forget(next(iter(self._members)))

    async def of(self, member_id: str) -> tuple[PushSubscription, ...]:
        for each in [each for each in self._members.get(member_id, {}).values() if each.until <= self._date()]:
            await self.remove(member_id, each.endpoint)
        return tuple(sorted(self._members.get(member_id, {}).values(), key=_end))

    async def remove(self, member_id: str, endpoint: str) -> None:
        subscriptions = self._members.get(member_id, {})
        if subscriptions.pop(endpoint, None) is not None:
            del self._owners[endpoint]
            if not subscriptions:
                del self._members[member_id]

    async def forget(self, member_id: str) -> None:
        for endpoint in self._members.pop(member_id, {}):
            del self._owners[endpoint]


def _end(subscription: PushSubscription) -> float:
    return subscription.until
