"""The contract of stores that can erase texts."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from unittest import SkipTest

from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Deleted, Edited, Erased, LogEvent, Member, Message, Quote, Reacted
from pychat.stores import Report, Store
from pychat.testing.store_fixture import ADA, BOB, DATE, StoreFixture, message

__all__ = ["ErasureContract"]

_NO_NAME = Member("a", "")


class ErasureContract(StoreFixture):
    """Tests of `Store.erase`."""

    async def test_an_erased_message_leaves_its_number_and_a_mark(self) -> None:
        """Text, edits, quotes, mentions and names are gone from the log, and subscribers learn it."""
        async with self.opened() as store:
            await self._can(store)
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            await store.append("lobby", replace(message(1, mentions=("b",)), reply=Quote(9, "Cleo", "before")))
            await store.append("lobby", replace(message(2, BOB, "an answer"), reply=Quote(1, "Ada", "text 1")))
            await store.append("lobby", Edited("e", ADA, 1, "edited to tea", DATE, mentions=("c",)))
            await store.append("lobby", Reacted("r", BOB, 1, "👍", True, DATE))
            await store.append("lobby", message(3))
            told.clear()
            assert await store.erase("lobby", seqs=[1, 5, 77]) == [1, 5]
            first, second, third = (await store.history("lobby")).messages
            assert first == Message("m1", _NO_NAME, "", DATE, 1, deleted=True)
            assert second == replace(message(2, BOB, "an answer"), seq=2, reply=Quote(1, "", ""))
            assert third == Message("m3", _NO_NAME, "", DATE, 5, deleted=True)
            events = await store.events("lobby", after=0, limit=99)
            assert events[:3] == [first, second, Edited("e", _NO_NAME, 1, "", DATE, 3)]
            assert events[4] == third
            assert [(each.target, each.author) for each in events[5:] if isinstance(each, Deleted)] == [
                (1, _NO_NAME),
                (5, _NO_NAME),
            ]
            assert [event for event in told if not isinstance(event, Erased)] == events[5:]
            assert {seq for event in told if isinstance(event, Erased) for seq in event.seqs} >= {1, 5}
            assert isinstance(told[-1], Erased)
            for words in ("text", "tea", "edited"):
                assert (await store.history("lobby", matching=words)).messages == ()
            assert [each.seq for each in (await store.history("lobby", matching="answer")).messages] == [2]

    async def test_a_member_is_erased(self) -> None:
        """All messages of that member in the room, with the reactions and the name; those of others stay."""
        async with self.opened() as store:
            await self._can(store)
            told: list[Report] = []
            for room in ("kitchen", "lobby"):
                await store.subscribe(room, told.append if room == "lobby" else lambda _: None)
                await store.append(room, message(1))
                await store.append(room, message(2, BOB))
                await store.append(room, Reacted("r1", ADA, 2, "👍", True, DATE))
                await store.append(room, Reacted("r2", BOB, 2, "👍", True, DATE))
                await store.append(room, Reacted("r3", ADA, 2, "🎉", True, DATE))
                await store.append(room, message(3, BOB))
                await store.append(room, Deleted("d", ADA, 6, DATE))
            assert sorted(await store.rooms_of("a")) == ["kitchen", "lobby"]
            assert await store.rooms_of("z") == []
            kitchen = await store.events("kitchen", after=0, limit=99)
            assert await store.erase("lobby", author="a") == [1]
            assert isinstance(told[-1], Erased)
            assert told[-1].author == "a"
            assert kitchen == await store.events("kitchen", after=0, limit=99)
            first, second, third = (await store.history("lobby")).messages
            assert first == Message("m1", _NO_NAME, "", DATE, 1, deleted=True)
            assert second == replace(message(2, BOB), seq=2, reactions=(("👍", ("b",)),))
            assert (third.deleted, third.author) == (True, BOB)
            events = await store.events("lobby", after=0, limit=99)
            assert {event.author for event in events if event.author.id == "a"} == {_NO_NAME}
            assert {each.author.name for each in events} == {"Bob", ""}
            assert [each.seq for each in events if isinstance(each, Reacted) and each.on] == [4]
            assert await store.erase("lobby", author="a") == []

    async def test_what_is_erased_can_be_chosen(self) -> None:
        """By author, date and numbers, of which all must be true; something must be given."""
        async with self.opened() as store:
            await self._can(store)
            await store.subscribe("lobby", lambda _: None)
            for number in range(1, 7):
                await store.append("lobby", replace(message(number, ADA if number % 2 else BOB), date=DATE + number))
            assert await store.erase("lobby", author="a", before=DATE + 3) == [1]
            assert await store.erase("lobby", author="a", seqs=[2, 3]) == [3]
            assert await store.erase("lobby", before=DATE + 3) == [2]
            assert await store.erase("lobby", seqs=[]) == []
            assert await store.erase("attic", author="a") == []
            assert [each.text for each in (await store.history("lobby")).messages] == [
                "", "", "", "text 4", "text 5", "text 6"
            ]  # fmt: skip
            try:
                await store.erase("lobby")
            except UsageError:
                pass
            else:
                raise AssertionError("everything was erased")

    async def test_a_deleted_message_is_erased_too(self) -> None:
        """The log still has its text. It needs no second deletion."""
        async with self.opened() as store:
            await self._can(store)
            await store.subscribe("lobby", lambda _: None)
            await store.append("lobby", message(1))
            await store.append("lobby", Deleted("d", ADA, 1, DATE))
            assert await store.erase("lobby", seqs=[1]) == [1]
            assert await store.erase("lobby", seqs=[1]) == []
            events = await store.events("lobby", after=0, limit=9)
            assert events == [Message("m1", _NO_NAME, "", DATE, 1, deleted=True), events[1]]

    async def test_an_erased_message_stays_erased(self) -> None:
        """Edits, reactions and repetitions that come late change nothing; a late reply quotes nothing."""
        async with self.opened() as store:
            await self._can(store)
            await store.subscribe("lobby", lambda _: None)
            await store.append("lobby", message(1, mentions=("b",)))
            late: list[LogEvent] = [
                Edited("e1", ADA, 1, "late", DATE, mentions=("b",)),
                Reacted("r1", BOB, 1, "👍", True, DATE),
                replace(message(2, BOB), reply=Quote(1, "Ada", "text 1")),
            ]
            before = [store.append("lobby", each) for each in late]
            erased = asyncio.ensure_future(store.erase("lobby", seqs=[1]))
            after = [store.append("lobby", replace(each, id=f"{each.id}-late")) for each in late]
            await asyncio.gather(*before, erased, *after, return_exceptions=True)
            for each in late[:2]:
                with contextlib.suppress(Refused):
                    raise AssertionError(await store.append("lobby", replace(each, id=f"{each.id}-again")))
            stored = await store.append("lobby", replace(late[2], id="again"))
            assert isinstance(stored, Message)
            assert stored.reply == Quote(1, "", "")
            mark = Message("m1", _NO_NAME, "", DATE, 1, deleted=True)
            assert await store.append("lobby", message(1)) == mark
            events = await store.events("lobby", after=0, limit=99)
            assert "text 1" not in str(events)
            assert "'late'" not in str(events)
            assert (await store.history("lobby")).messages[0] == mark
            if store.readers is not None:
                await store.readers.follow("b", "lobby", 0)
                (unread,) = (await store.readers.unread(["b"]))["b"]
                messages = [event for event in events if isinstance(event, Message)]
                assert (unread.messages, unread.mentions) == (len(messages), 0)

    async def test_many_messages_are_erased_while_others_write(self) -> None:
        """All of the messages that were there, and no others; every number stays, and there is no gap."""
        async with self.opened() as store:
            await self._can(store)
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            for start in range(0, 1200, 400):
                await asyncio.gather(
                    *(store.append("lobby", message(start + each, (ADA, BOB)[each % 2])) for each in range(400))
                )
            erasing = asyncio.ensure_future(store.erase("lobby", author="a"))
            while not erasing.done():
                await store.append("lobby", message(f"late{len(told)}", BOB))
                await asyncio.sleep(0)  # a store may answer at once
            assert len(await erasing) == 600
            page = await store.history("lobby", limit=5000)
            assert {each.text for each in page.messages if each.author.id == "a"} == {""}
            assert not any(each.deleted for each in page.messages if each.author.id == "b")
            events = await store.events("lobby", after=0, limit=9999)
            assert [each.seq for each in events] == list(range(1, page.seq + 1))
            assert [each.seq for each in told if isinstance(each, LogEvent)] == list(range(1, page.seq + 1))

    async def test_it_is_still_erased_after_a_restart(self) -> None:
        """The log of a durable store has no text of it."""
        if not self.durable:
            return
        async with self.opened() as store:
            await self._can(store)
            await store.subscribe("lobby", lambda _: None)
            await store.append("lobby", message(1))
            await store.append("lobby", message(2, BOB))
            await store.erase("lobby", author="a")
            before = await store.events("lobby", after=0, limit=9), await store.history("lobby")
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            assert before == (await store.events("lobby", after=0, limit=9), await store.history("lobby"))
            assert (await store.append("lobby", message(3))).seq == 4

    @staticmethod
    async def _can(store: Store) -> None:
        try:
            await store.erase("nowhere", seqs=[])
        except UsageError as error:
            raise SkipTest("this store cannot erase") from error
