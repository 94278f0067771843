"""The contract of stores that keep push subscriptions."""

from __future__ import annotations

import time

from pychat.stores import PushSubscription
from pychat.stores.push_records import MAX_SUBSCRIPTIONS
from pychat.testing.store_fixture import StoreFixture, push

__all__ = ["PushRecordsContract"]

_LATER = time.time() + 86400


def _subscription(name: str, until: float = _LATER, muted: tuple[str, ...] = ()) -> PushSubscription:
    return PushSubscription(f"https://push.example/{name}", "key", "secret", until, muted)


class PushRecordsContract(StoreFixture):
    """Tests of `Store.push`."""

    async def test_a_push_subscription_is_kept(self) -> None:
        """Each browser of a member has one. A second one of a browser replaces the first."""
        async with self.opened() as store:
            records = push(store)
            assert await records.of("a") == ()
            await records.save("a", _subscription("laptop"))
            await records.save("a", _subscription("phone", _LATER + 1))
            again = _subscription("laptop", _LATER + 2, ("lobby", "“den”"))
            await records.save("a", again)
            assert await records.of("a") == (_subscription("phone", _LATER + 1), again)
            assert await records.of("b") == ()

    async def test_a_browser_is_one_member_s(self) -> None:
        """If somebody else subscribes there, the first member gets nothing in it any more."""
        async with self.opened() as store:
            records = push(store)
            await records.save("a", _subscription("shared"))
            await records.save("b", _subscription("shared"))
            assert await records.of("a") == ()
            assert await records.of("b") == (_subscription("shared"),)

    async def test_push_subscriptions_are_bounded_and_end(self) -> None:
        """Beyond the limit those that end first go; one that has ended is not returned."""
        async with self.opened() as store:
            records = push(store)
            for number in range(MAX_SUBSCRIPTIONS + 3):
                await records.save("a", _subscription(str(number), _LATER + number))
            assert [each.endpoint.rpartition("/")[2] for each in await records.of("a")] == [
                str(number) for number in range(3, MAX_SUBSCRIPTIONS + 3)
            ]
            await records.save("b", _subscription("old", 1.0))
            assert await records.of("b") == ()

    async def test_push_subscriptions_are_removed(self) -> None:
        """One of them, or all of a member; others keep theirs."""
        async with self.opened() as store:
            records = push(store)
            for member in ("a", "b"):
                for name in ("one", "two"):
                    await records.save(member, _subscription(f"{member}-{name}"))
            await records.remove("a", "https://push.example/a-one")
            await records.remove("a", "https://push.example/b-one")
            assert await records.of("a") == (_subscription("a-two"),)
            await records.forget("a")
            assert await records.of("a") == ()
            assert len(await records.of("b")) == 2

    async def test_push_subscriptions_are_there_after_a_restart(self) -> None:
        """With all that belongs to them."""
        if not self.durable:
            return
        async with self.opened() as store:
            await push(store).save("a", _subscription("laptop", muted=("lobby",)))
        async with self.opened() as store:
            assert await push(store).of("a") == (_subscription("laptop", muted=("lobby",)),)
