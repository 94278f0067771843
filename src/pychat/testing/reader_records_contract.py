"""The contract of stores that keep what members have read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pychat.domain.model import Deleted, Edited
from pychat.stores import Retention, Store
from pychat.testing.store_fixture import ADA, BOB, DATE, StoreFixture, message, readers, rooms

__all__ = ["ReaderRecordsContract"]


class ReaderRecordsContract(StoreFixture):
    """Tests of `Store.readers`."""

    async def test_what_comes_after_a_read_position_is_unread(self) -> None:
        """Messages and mentions count, edits do not. A position only moves forward, and at most to the end."""
        async with self.opened() as store:
            reads = readers(store)
            await store.subscribe("lobby", lambda _: None)
            await store.append("lobby", message(1))
            await reads.follow("b", "lobby")
            assert await self._counts(store, "b") == [("lobby", 1, 0, 0)]
            await store.append("lobby", message(2, mentions=("b", "c")))
            await store.append("lobby", Edited("e", ADA, 1, "edited", DATE))
            await store.append("lobby", message(3, mentions=("c",)))
            await store.append("lobby", message(4, mentions=("b",)))
            assert await self._counts(store, "b") == [("lobby", 1, 3, 2)]
            await reads.mark([("b", "lobby", 3)])
            assert await self._counts(store, "b") == [("lobby", 3, 2, 1)]
            await reads.mark([("b", "lobby", 2), ("b", "lobby", 4), ("b", "lobby", 1)])
            assert await self._counts(store, "b") == [("lobby", 4, 1, 1)]
            await reads.mark([("b", "lobby", 99)])
            assert await self._counts(store, "b") == [("lobby", 5, 0, 0)]
            await store.append("lobby", message(5))
            assert await self._counts(store, "b") == [("lobby", 5, 1, 0)]

    async def test_members_are_counted_in_the_rooms_that_they_follow(self) -> None:
        """In the order of names, from where they began to follow; once followed, a second time changes nothing."""
        async with self.opened() as store:
            reads = readers(store)
            for room in ("lobby", "kitchen", "attic"):
                await store.subscribe(room, lambda _: None)
                for number in range(4):
                    await store.append(room, message(number, mentions=("c",)))
            await reads.follow("b", "lobby", 0)
            await reads.follow("b", "kitchen", 3)
            await reads.follow("b", "kitchen", 0)
            await reads.follow("c", "attic", 99)
            await reads.mark([("c", "lobby", 4), ("d", "lobby", 4)])
            assert await self._counts(store, "b") == [("kitchen", 3, 1, 0), ("lobby", 0, 4, 0)]
            assert await self._counts(store, "c") == [("attic", 4, 0, 0)]
            assert await reads.unread([]) == {}
            assert set(await reads.unread(["b", "c", "d"])) == {"b", "c", "d"}
            await reads.unfollow("b", "kitchen")
            await reads.unfollow("b", "attic")
            await reads.mark([("b", "kitchen", 4)])
            assert await self._counts(store, "b") == [("lobby", 0, 4, 0)]
            await reads.follow("b", "kitchen", 1)
            await reads.follow("c", "kitchen", 1)
            assert await self._counts(store, "b") == [("kitchen", 1, 3, 0), ("lobby", 0, 4, 0)]
            assert await self._counts(store, "c") == [("attic", 4, 0, 0), ("kitchen", 1, 3, 3)]

    async def test_mentions_count_as_the_message_stands(self) -> None:
        """An edit can add and remove them. A deleted message mentions nobody, but its mark is still counted."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            await readers(store).follow("b", "lobby", 0)
            await readers(store).follow("c", "lobby", 0)
            await store.append("lobby", message(1, mentions=("b", "b")))
            await store.append("lobby", message(2, mentions=("b",)))
            await store.append("lobby", Edited("e", ADA, 1, "to Cleo", DATE, mentions=("c",)))
            assert await self._counts(store, "b") == [("lobby", 0, 2, 1)]
            assert await self._counts(store, "c") == [("lobby", 0, 2, 1)]
            await store.append("lobby", Deleted("d", ADA, 2, DATE))
            assert await self._counts(store, "b") == [("lobby", 0, 2, 0)]

    async def test_removed_messages_are_not_unread(self) -> None:
        """After retention the counts are those of the messages that are left."""
        async with self.opened(Retention(count=10)) as store:
            await store.subscribe("lobby", lambda _: None)
            for member in ("b", "c"):
                await readers(store).follow(member, "lobby", 0)
            for number in range(1, 101):
                await store.append("lobby", message(number, mentions=("b",)))
            await self.settled(store)
            left = len((await store.history("lobby", limit=100)).messages)
            assert left < 100
            assert await self._counts(store, "b") == [("lobby", 0, left, left)]
            await readers(store).mark([("c", "lobby", 50)])
            assert await self._counts(store, "c") == [("lobby", 50, left, 0)]
            await readers(store).mark([("b", "lobby", 97)])
            assert await self._counts(store, "b") == [("lobby", 97, 3, 3)]
            await readers(store).follow("d", "lobby", 1)
            assert await self._counts(store, "d") == [("lobby", 1, left, 0)]

    async def test_messages_that_are_stored_meanwhile_are_counted_once(self) -> None:
        """Whatever is marked while messages come, the counts are those of the messages after the position."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            await readers(store).follow("b", "lobby")
            for turn in range(5):
                await asyncio.gather(
                    *(store.append("lobby", message(f"{turn}-{number}", mentions=("b",))) for number in range(20)),
                    readers(store).mark([("b", "lobby", 20 * turn + 7), ("b", "lobby", 20 * turn + 11)]),
                )
            (unread,) = (await readers(store).unread(["b"]))["b"]
            assert (unread.messages, unread.mentions) == (100 - unread.seq, 100 - unread.seq)
            assert unread.seq <= 91

    async def test_members_can_be_blocked(self) -> None:
        """Each member has an own list."""
        async with self.opened() as store:
            reads = readers(store)
            assert await reads.blocked("a") == frozenset()
            await reads.block("a", "b", True)
            await reads.block("a", "b", True)
            await reads.block("a", "c", True)
            await reads.block("b", "a", True)
            assert await reads.blocked("a") == {"b", "c"}
            await reads.block("a", "b", False)
            await reads.block("c", "b", False)
            assert [await reads.blocked(each) for each in "abc"] == [{"c"}, {"a"}, frozenset()]

    async def test_a_member_can_be_forgotten(self) -> None:
        """With all positions and the list of blocked members; others keep theirs."""
        async with self.opened() as store:
            reads = readers(store)
            for room in ("lobby", "kitchen"):
                await store.subscribe(room, lambda _: None)
                for member in ("a", "b"):
                    await reads.follow(member, room)
            await reads.block("a", "b", True)
            await reads.block("b", "a", True)
            await reads.forget("a")
            assert await self._counts(store, "a") == []
            assert await reads.blocked("a") == frozenset()
            assert await self._counts(store, "b") == [("kitchen", 0, 0, 0), ("lobby", 0, 0, 0)]
            assert await reads.blocked("b") == {"a"}

    async def test_what_was_read_is_there_after_a_restart(self) -> None:
        """Positions, counts and blocked members."""
        if not self.durable:
            return
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            for number in range(3):
                await store.append("lobby", message(number, BOB, mentions=("a",)))
            await readers(store).follow("a", "lobby", 0)
            await readers(store).mark([("a", "lobby", 1)])
            await readers(store).block("a", "b", True)
            if store.rooms is not None:
                await rooms(store).secret()
        async with self.opened() as store:
            assert await self._counts(store, "a") == [("lobby", 1, 2, 2)]
            assert await readers(store).blocked("a") == {"b"}
            await store.subscribe("lobby", lambda _: None)
            await store.append("lobby", replace(message(9), mentions=("a",)))
            assert await self._counts(store, "a") == [("lobby", 1, 3, 3)]

    @staticmethod
    async def _counts(store: Store, member_id: str) -> list[tuple[str, int, int, int]]:
        found = (await readers(store).unread([member_id]))[member_id]
        return [(each.room, each.seq, each.messages, each.mentions) for each in found]
