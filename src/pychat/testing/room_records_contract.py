"""The contract of stores that keep records of rooms."""

from __future__ import annotations

import asyncio

from pychat.domain.errors import Refused
from pychat.domain.model import Event, Message, RoomDeleted
from pychat.stores import Report, RoomRecord
from pychat.testing.store_fixture import ADA, BOB, StoreFixture, message, readers, rooms

__all__ = ["RoomRecordsContract"]


class RoomRecordsContract(StoreFixture):
    """Tests of `Store.rooms`."""

    async def test_what_a_room_is_can_be_saved_and_found(self) -> None:
        """A record comes back as it was saved; a later one takes its place; an unknown name has none."""
        async with self.opened() as store:
            records = rooms(store)
            first = RoomRecord("project-42", "Project 42 ☕", {"limits": {"text": 9}, "grace": 1.5, "x": [None, True]})
            await records.save(first)
            assert await records.find("project-42") == first
            assert await records.find("project-4") is None
            second = RoomRecord("project-42", "Renamed", {}, ("user:1", "user:2"))
            await records.save(second)
            assert await records.find("project-42") == second
            assert await records.page() == [second]

    async def test_records_come_in_pages_in_the_order_of_names(self) -> None:
        """Each page begins after the last name of the one before. Direct and unlisted rooms are not listed."""
        async with self.opened() as store:
            records = rooms(store)
            listed = [RoomRecord(f"room-{number:02}", str(number)) for number in range(5)]
            others = [RoomRecord("Room", "T", {"listed": False}), RoomRecord("room-02.d", "", {}, ("a", "b"))]
            for record in [*reversed(listed), *others]:
                await records.save(record)
            names = [record.name for record in await records.page()]
            assert names == ["Room", "room-00", "room-01", "room-02", "room-02.d", "room-03", "room-04"]
            assert [each.name for each in await records.page("room-01", 2)] == ["room-02", "room-02.d"]
            assert await records.page(listed_only=True) == listed
            assert await records.page("room-01", 2, listed_only=True) == listed[2:4]
            assert await records.page("room-04") == []
            await records.save(RoomRecord("room-03", "3", {"listed": False}))
            assert [each.name for each in await records.page("room-02", 2, listed_only=True)] == ["room-04"]

    async def test_there_is_one_secret_for_all_rooms(self) -> None:
        """The same on each server, and after a restart of a durable store."""
        async with self.opened() as store, self.beside(store) as beside:
            secret = await rooms(store).secret()
            assert len(secret) >= 16
            assert {await rooms(each).secret() for each in (store, beside) if each is not None} == {secret}
        async with self.opened() as store:
            assert self.durable == (await rooms(store).secret() == secret)

    async def test_records_are_there_after_a_restart(self) -> None:
        """Those that were saved, and not those that were deleted."""
        async with self.opened() as store:
            await rooms(store).save(RoomRecord("kept", "Kept"))
            await rooms(store).save(RoomRecord("gone", "Gone"))
            await rooms(store).delete("gone")
        async with self.opened() as store:
            assert await rooms(store).page() == ([RoomRecord("kept", "Kept")] if self.durable else [])

    async def test_a_deleted_room_leaves_nothing(self) -> None:
        """Its log, index, mentions and read positions are gone on each server; other rooms keep theirs."""
        async with self.opened() as store, self.beside(store) as beside:
            records, told = rooms(store), list[Report]()
            for room in ("lobby", "kitchen"):
                await store.subscribe(room, told.append if room == "lobby" else lambda _: None)
                await records.save(RoomRecord(room, room))
                await store.append(room, message(1, mentions=("b",)))
                if store.readers is not None:
                    await store.readers.follow("b", room, 0)
            await records.delete("lobby")
            assert told[-1] == RoomDeleted()
            for each in (store, beside):
                if each is None:
                    continue
                assert await rooms(each).page() == [RoomRecord("kitchen", "kitchen")]
                assert await each.events("lobby", after=0, limit=9) == []
                assert (await each.history("lobby")).messages == ()
                assert (await each.history("lobby", matching="text")).messages == ()
                assert len((await each.history("kitchen", matching="text")).messages) == 1
                if each.readers is not None:
                    (unread,) = (await each.readers.unread(["b"]))["b"]
                    assert (unread.room, unread.messages, unread.mentions) == ("kitchen", 1, 1)

    async def test_after_a_deletion_nothing_is_stored_until_the_room_is_opened_again(self) -> None:
        """What is on its way is refused. A new room of that name has another epoch, and numbers from 1."""
        async with self.opened() as store:
            told: list[Report] = []
            before = await store.subscribe("lobby", told.append)
            await store.append("lobby", message(1))
            answers = await asyncio.gather(
                *(store.append("lobby", message(f"early{number}")) for number in range(20)),
                rooms(store).delete("lobby"),
                *(store.append("lobby", message(f"late{number}")) for number in range(20)),
                return_exceptions=True,
            )
            stored = [each for each in answers if isinstance(each, Message)]
            refused = [each.code for each in answers if isinstance(each, Refused)]
            assert len(stored) + len(refused) == 40
            assert set(refused) <= {"unknown_room"}
            assert told.count(RoomDeleted()) == 1
            assert told[-1] == RoomDeleted()
            assert await self._code(store.append("lobby", message(2))) == "unknown_room"
            if store.readers is not None:
                assert await self._code(store.readers.follow("a", "lobby")) == "unknown_room"
            again: list[Event | Report] = []
            opening = await store.subscribe("lobby", again.append)
            assert opening.position.seq == 0
            assert opening.position.epoch != before.position.epoch
            assert (opening.away, opening.known) == ((), ())
            assert (await store.append("lobby", message(1))).seq == 1
            assert len(again) == 1
            assert told[-1] == RoomDeleted()

    async def test_a_room_can_be_deleted_at_any_moment(self) -> None:
        """Before it has a log, while nobody is in it, twice, and again after it was made again."""
        async with self.opened() as store:
            records = rooms(store)
            await records.delete("lobby")
            await records.save(RoomRecord("lobby", "Lobby"))
            await records.delete("lobby")
            await records.delete("lobby")
            for _ in range(2):
                await records.save(RoomRecord("lobby", "Lobby"))
                if store.readers is not None:
                    await store.readers.follow("b", "lobby")
                    assert [(each.seq, each.messages) for each in (await store.readers.unread(["b"]))["b"]] == [(0, 0)]
                await store.subscribe("lobby", lambda _: None)
                assert (await store.append("lobby", message(1, BOB))).seq == 1
                await records.delete("lobby")
            assert await records.page() == []

    async def test_a_read_position_does_not_outlive_its_room(self) -> None:
        """Whoever marks or follows while the room is deleted leaves nothing in it."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            await store.append("lobby", message(1, ADA))
            await readers(store).follow("b", "lobby", 0)
            await asyncio.gather(
                readers(store).mark([("b", "lobby", 1)]),
                readers(store).follow("c", "lobby", 0),
                rooms(store).delete("lobby"),
                readers(store).mark([("b", "lobby", 1)]),
                readers(store).follow("d", "lobby", 0),
                return_exceptions=True,
            )
            assert await readers(store).unread(["b", "c", "d"]) == {"b": (), "c": (), "d": ()}

    async def test_every_server_learns_of_the_deletion(self) -> None:
        """Its subscribers get the report, and it stores nothing more in that room."""
        async with self.opened() as store, self.beside(store) as beside:
            if beside is None:
                return
            deleted, here, there = asyncio.Event(), list[Report](), list[Report]()

            def hear(report: Report) -> None:
                there.append(report)
                if isinstance(report, RoomDeleted):
                    deleted.set()

            await store.subscribe("lobby", here.append)
            await beside.subscribe("lobby", hear)
            await beside.append("lobby", message(1))
            await rooms(store).delete("lobby")
            async with asyncio.timeout(10):
                await deleted.wait()
            assert await self._code(beside.append("lobby", message(2))) == "unknown_room"
            await store.subscribe("lobby", here.append)
            assert (await store.append("lobby", message(3))).seq == 1
            assert there[-1] == RoomDeleted()

    @staticmethod
    async def _code(refused: object) -> str | None:
        try:
            await refused  # type: ignore[misc]
        except Refused as error:
            return error.code
        return None
