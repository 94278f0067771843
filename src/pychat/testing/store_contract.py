"""The contract of stores: tests that every store must pass."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pychat.domain.errors import Refused
from pychat.domain.limits import Limits
from pychat.domain.model import (
    Away,
    Deleted,
    Edited,
    Joined,
    Left,
    LogEvent,
    Member,
    Message,
    Quote,
    Reacted,
    Renamed,
    Signal,
)
from pychat.domain.names import Names
from pychat.domain.revision import revise
from pychat.room.chatroom import ChatRoom
from pychat.stores import Page, Report, Retention
from pychat.testing.erasure_contract import ErasureContract
from pychat.testing.moderation_records_contract import ModerationRecordsContract
from pychat.testing.people import Person
from pychat.testing.push_records_contract import PushRecordsContract
from pychat.testing.reader_records_contract import ReaderRecordsContract
from pychat.testing.room_records_contract import RoomRecordsContract
from pychat.testing.store_fixture import ADA, BOB, DATE, message

__all__ = ["StoreContract"]


class StoreContract(
    RoomRecordsContract, ReaderRecordsContract, ModerationRecordsContract, PushRecordsContract, ErasureContract
):
    """Tests that every store must pass. Subclass it, and override `opened`.

        class TestMine(StoreContract):
            @asynccontextmanager
            async def opened(self, retention=None):
                store = MyStore(...)
                yield store
                await store.aclose()

    A test may call `opened` again after it was closed. A durable store must then open the same data. Tests of an
    optional ability are skipped if the store does not have it.
    """

    async def test_numbers_are_1_2_3_in_the_order_in_which_everyone_is_told(self) -> None:
        """Concurrent appends get one order without gaps, and subscribers get the events in this order."""
        async with self.opened() as store:
            told: list[Report] = []
            opening = await store.subscribe("lobby", told.append)
            assert opening.position.seq == 0
            assert len(opening.secret) >= 16
            stored = await asyncio.gather(*(store.append("lobby", message(number)) for number in range(100)))
            assert list(range(1, 101)) == sorted(each.seq for each in stored)
            assert list(range(1, 101)) == [each.seq for each in told if isinstance(each, Message)]
            assert sorted(stored, key=lambda each: each.seq) == told
            assert told == await store.events("lobby", after=0, limit=1000)

    async def test_everyone_is_told_before_the_author_is_answered(self) -> None:
        """When an author gets the answer, the subscribers have got the event."""
        async with self.opened() as store:
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            stored = await store.append("lobby", message(1))
            assert [stored] == told
            assert replace(message(1), seq=1) == stored

    async def test_an_id_stands_once_for_each_author(self) -> None:
        """A repeated event gets the first answer, and is neither stored nor sent again. Each author has own ids."""
        async with self.opened() as store:
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            first = await store.append("lobby", message(1))
            again = await store.append("lobby", replace(message(1), text="other", date=DATE + 9))
            at_once = await asyncio.gather(*(store.append("lobby", message(2)) for _ in range(20)))
            other = await store.append("lobby", message(1, BOB))
            assert (first, first) == (again, told[0])
            assert {2} == {each.seq for each in at_once}
            assert other.seq == 3
            assert len(told) == 3

    async def test_rooms_know_nothing_of_each_other(self) -> None:
        """Each room has its own numbers, ids and subscribers."""
        async with self.opened() as store:
            lobby: list[Report] = []
            kitchen: list[Report] = []
            await store.subscribe("lobby", lobby.append)
            await store.subscribe("kitchen", kitchen.append)
            await store.append("lobby", message(1))
            await store.append("kitchen", message(1))
            await store.append("kitchen", message(2))
            assert ([e.seq for e in lobby], [e.seq for e in kitchen]) == ([1], [1, 2])  # type: ignore[union-attr]
            assert (await store.history("lobby")).seq == 1

    async def test_history_is_read_in_pages_from_the_end(self) -> None:
        """A page has the oldest message first, and the number of the newest event."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            assert self._seen(await store.history("lobby")) == ((), 0)
            for number in range(1, 8):
                await store.append("lobby", message(number))
            assert self._seen(await store.history("lobby", limit=3)) == ((5, 6, 7), 7)
            assert self._seen(await store.history("lobby", before=5, limit=3)) == ((2, 3, 4), 7)
            assert self._seen(await store.history("lobby", before=2, limit=3)) == ((1,), 7)
            assert self._seen(await store.history("lobby", before=1)) == ((), 7)
            assert [each.seq for each in await store.events("lobby", after=2, limit=2)] == [3, 4]
            assert await store.events("lobby", after=7, limit=2) == []

    async def test_messages_have_a_life(self) -> None:
        """Edits, reactions and deletions are events of the log. The history has the messages after them."""
        async with self.opened() as store:
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            first = await store.append("lobby", message(1))
            second = await store.append(
                "lobby", replace(message(2, BOB), reply=Quote(1, "Ada", "text 1"), mentions=("a", "c"))
            )
            assert isinstance(first, Message)
            assert isinstance(second, Message)
            happened: list[LogEvent] = [
                Edited("e1", ADA, 1, "new text ☕ @Bob", DATE + 1, mentions=("b",)),
                Reacted("r1", BOB, 1, "👍", True, DATE + 2),
                Reacted("r2", ADA, 1, "👍", True, DATE + 3),
                Reacted("r3", ADA, 1, "🎉", True, DATE + 3),
                Reacted("r4", BOB, 1, "👍", False, DATE + 4),
                Deleted("d1", BOB, 2, DATE + 5),
            ]
            stored = [await store.append("lobby", event) for event in happened]
            assert [each.seq for each in stored] == [3, 4, 5, 6, 7, 8]
            assert stored == [await store.append("lobby", event) for event in happened]
            page = await store.history("lobby")
            expected_first, expected_second = first, second
            for event in stored:
                assert not isinstance(event, Message)
                expected_first, expected_second = revise(expected_first, event), revise(expected_second, event)
            assert (expected_first, expected_second) == page.messages
            assert [each.mentions for each in page.messages] == [("b",), ()]
            assert second.mentions == ("a", "c")
            assert page.messages[0].reactions == (("👍", ("a",)), ("🎉", ("a",)))
            assert page.seq == 8
            assert told == await store.events("lobby", after=0, limit=100)
            assert told[:2] == [first, second]

    async def test_what_came_first_decides_what_can_still_happen(self) -> None:
        """With concurrent events too: deleted messages do not change; messages have 20 kinds of reactions at most."""
        async with self.opened() as store:
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            await store.append("lobby", message(1))
            await store.append("lobby", message(2))
            reactions = [Reacted(f"r{each}", ADA, 1, chr(0x1F600 + each), True, DATE) for each in range(30)]
            answers = await asyncio.gather(*(store.append("lobby", each) for each in reactions), return_exceptions=True)
            refused = [each for each in answers if isinstance(each, BaseException)]
            assert [each.code for each in refused if isinstance(each, Refused)] == ["too_many"] * 10
            stored = [each for each in answers if isinstance(each, Reacted)]
            assert (await store.history("lobby")).messages[0].reactions == tuple(
                (each.emoji, ("a",)) for each in stored
            )
            again = replace(stored[0], seq=0)
            assert stored[0] == await store.append("lobby", again)  # what is stored is answered as the first time
            other = Reacted("other", BOB, 1, stored[0].emoji, True, DATE)
            assert (await store.append("lobby", other)).seq == 23  # a kind that is there
            free = [Reacted("free", ADA, 1, stored[1].emoji, False, DATE), Reacted("new", ADA, 1, "☕", True, DATE)]
            assert [(await store.append("lobby", each)).seq for each in free] == [24, 25]
            await store.append("lobby", Edited("e1", ADA, 2, "edited", DATE))
            await store.append("lobby", Deleted("d", ADA, 2, DATE))
            late: list[LogEvent] = [Edited("e2", ADA, 2, "late", DATE), Reacted("late", BOB, 2, "☕", True, DATE)]
            for each in late:
                with contextlib.suppress(Refused):
                    raise AssertionError(f"{await store.append('lobby', each)} happened to a deleted message")
            assert (await store.append("lobby", Edited("e1", ADA, 2, "edited", DATE))).seq == 26
            assert [event.seq for event in told if isinstance(event, LogEvent)] == list(range(1, 28))

    async def test_of_all_who_ask_for_a_name_at_once_one_gets_it(self) -> None:
        """On one server and on two, for names that look alike, and for members who join, rename or return."""
        async with self._rooms() as rooms:
            newcomers = [await Person.enter(rooms[number % len(rooms)]) for number in range(12)]
            shapes = ["Ada", "ADA", "Аda"]
            answers = await asyncio.gather(*(each.join(shapes[n % 3]) for n, each in enumerate(newcomers)))
            assert sorted(answer["ok"] for answer in answers) == [False] * 11 + [True]
            assert {"name_taken"} == {answer["error"]["code"] for answer in answers if not answer["ok"]}
            for number, person in enumerate(newcomers):
                assert (await person.join(f"Nr {number}"))["ok"]
            await self._agree(rooms, 12)
            answers = await asyncio.gather(*(each.join(shapes[n % 3]) for n, each in enumerate(newcomers)))
            assert sorted(answer["ok"] for answer in answers) == [False] * 11 + [True]
            owner = next(number for number, answer in enumerate(answers) if answer["ok"])
            token = answers[owner]["token"]
            await newcomers[owner].command("leave")
            await self._agree(rooms, 11)
            others = [person for number, person in enumerate(newcomers) if number != owner]
            back = await Person.enter(rooms[-1])
            answers = await asyncio.gather(
                *(each.join("Ada") for each in others[:3]),
                back.command("join", {"token": token}),
                *(each.join("ada") for each in others[3:]),
            )
            assert sorted(answer["ok"] for answer in answers) == [False] * 11 + [True]
            await self._agree(rooms, 11 + answers[3]["ok"])

    async def test_of_all_who_react_at_once_so_many_kinds_are_taken(self) -> None:
        """The other members are refused, on one server and on two."""
        async with self._rooms() as rooms:
            people = [await Person.enter(rooms[number % len(rooms)]) for number in range(4)]
            for number, person in enumerate(people):
                assert (await person.join(f"Nr {number}"))["ok"]
            said = await people[0].say("hello")
            for room in rooms:
                await self._until(lambda room=room: room.position.seq == 1)  # type: ignore[misc]  # bound as it is now
            answers = await asyncio.gather(
                *(
                    people[number % 4].command("react", {"target": said["seq"], "emoji": chr(0x1F600 + number)})
                    for number in range(28)
                )
            )
            assert sorted(answer["ok"] for answer in answers) == [False] * 8 + [True] * 20
            assert {"too_many"} == {answer["error"]["code"] for answer in answers if not answer["ok"]}
            for room in rooms:
                assert len((await room.message(said["seq"])).reactions) == 20

    async def test_an_id_is_used_for_one_thing(self) -> None:
        """A second use of an id for something else is refused on every server, at once and later."""
        async with self._rooms() as rooms:
            people = [await Person.enter(room) for room in rooms]
            token = (await people[0].join("Ada"))["token"]
            for person in people[1:]:
                await self._until(lambda: all(room.members for room in rooms))
                assert (await person.command("join", {"token": token}))["ok"]
            uses: list[tuple[str, dict[str, object]]] = [
                ("say", {"text": "hello", "id": "x"}),
                ("edit", {"target": 1, "text": "changed", "id": "x"}),
                ("delete", {"target": 1, "id": "x"}),
                ("react", {"target": 1, "emoji": "👍", "id": "x"}),
            ]
            assert (await people[0].command(*uses[0]))["ok"]
            for room in rooms:
                await self._until(lambda room=room: room.position.seq == 1)  # type: ignore[misc]  # bound as it is now
            for person in people:
                assert (await person.command(*uses[0]))["seq"] == 1
                for use in uses[1:]:
                    assert (await person.command(*use))["error"]["code"] == "id_used"
            assert (await people[-1].command("react", {"target": 1, "emoji": "👍", "id": "y"}))["ok"]
            for person in people:
                assert (await person.command("say", {"text": "hello", "id": "y"}))["error"]["code"] == "id_used"
                other = {"target": 1, "emoji": "🎉", "id": "y"}
                assert (await person.command("react", other))["error"]["code"] == "id_used"

    @asynccontextmanager
    async def _rooms(self) -> AsyncIterator[list[ChatRoom]]:
        """The same room on one server, or on two if the store allows it."""
        async with self.opened() as store, self.beside(store) as beside:
            rooms = [ChatRoom(store=each, limits=Limits(rate=0)) for each in (store, beside) if each is not None]
            for room in rooms:
                await room.start()
            yield rooms
            for room in rooms:
                await room.aclose()

    async def _agree(self, rooms: list[ChatRoom], count: int) -> None:
        """Wait until each server has `count` members, and check that no name has two owners."""
        for room in rooms:
            await self._until(lambda room=room: len(room.members) == count)  # type: ignore[misc]  # bound as it is now
            keys = [Names.keys(member.name) for member in room.members]
            assert len(frozenset[str]().union(*keys)) == sum(map(len, keys))

    @staticmethod
    async def _until(true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110 -- what other servers do sets no event here
                await asyncio.sleep(0.002)

    async def test_words_are_found(self) -> None:
        """In any case, at any place, in messages as they stand."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            for number, text in enumerate(
                ["Tea at four?", "coffee, rather", "TEA it is: four o'clock", 'quo"te* OR (', "Ünïcode tea"]
            ):
                await store.append("lobby", message(number, text=text))
            assert self._seen(await store.history("lobby", matching="tea"))[0] == (1, 3, 5)
            assert self._seen(await store.history("lobby", matching="four tea"))[0] == (1, 3)
            assert self._seen(await store.history("lobby", before=3, matching="tea"))[0] == (1,)
            assert self._seen(await store.history("lobby", limit=1, matching="tea"))[0] == (5,)
            assert self._seen(await store.history("lobby", matching="ÜNÏCODE"))[0] == (5,)
            assert self._seen(await store.history("lobby", matching="milk"))[0] == ()
            for odd in ('"', "*", "OR", "(", "NEAR(", "text:", "-", "a b" * 500, "'; --"):
                await store.history("lobby", matching=odd)  # no input is an error
            await store.append("lobby", Edited("e", ADA, 2, "tea, rather", DATE))
            await store.append("lobby", Deleted("d", ADA, 1, DATE))
            assert self._seen(await store.history("lobby", matching="tea"))[0] == (2, 3, 5)
            assert self._seen(await store.history("lobby", matching="coffee"))[0] == ()

    async def test_messages_are_found_by_author_and_date(self) -> None:
        """`from:`, `after:` and `before:` narrow a search, with words and without; deleted messages are not found."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            for number, author in enumerate((ADA, BOB, ADA, BOB, ADA)):
                said = replace(message(number, author=author, text=f"tea {number}"), date=DATE + 86_400 * number)
                await store.append("lobby", said)
            days = [f"{datetime.fromtimestamp(DATE + 86_400 * number, UTC):%Y-%m-%dT%H:%M:%SZ}" for number in range(5)]
            for matching, found in {
                "from:ADA": (1, 3, 5),
                'from:"ada"': (1, 3, 5),
                "tea from:bob": (2, 4),
                f"after:{days[2]}": (3, 4, 5),
                f"tea before:{days[2]} from:ada": (1,),
                f"after:{days[1]} before:{days[3]}": (2, 3),
                "4 from:bob": (),
                "from:nobody": (),
                "after:tomorrow": (),
            }.items():
                assert self._seen(await store.history("lobby", matching=matching))[0] == found
            assert self._seen(await store.history("lobby", matching="from:ada", limit=2))[0] == (3, 5)
            assert self._seen(await store.history("lobby", matching="from:ada", before=5))[0] == (1, 3)
            await store.append("lobby", Deleted("d", ADA, 3, DATE))
            assert self._seen(await store.history("lobby", matching="from:ada"))[0] == (1, 5)

    async def test_signals_pass_in_order_with_the_log_and_are_not_in_it(self) -> None:
        """Joins and leaves come in their order between the messages, and have no number."""
        async with self.opened() as store:
            told: list[Report] = []
            await store.subscribe("lobby", told.append)
            countess = Member("a", "Countess")
            first = await store.append("lobby", message(1))
            signals: list[Signal] = [
                Joined(ADA),
                Renamed(countess, "Ada"),
                Away(countess),
                Joined(countess),
                Left(countess),
            ]
            for signal in signals:
                await store.signal("lobby", signal)
            second = await store.append("lobby", message(2))
            assert [first, *signals, second] == told
            assert [each.seq for each in await store.events("lobby", after=0, limit=9)] == [1, 2]

    async def test_any_text_comes_back_as_it_was(self) -> None:
        """Every character that is allowed in a message, in every field that people fill."""
        odd = "".join(map(chr, [1, 9, 10, 34, 39, 92, 0x7F, 0x2028, 0xFEFF, 0x1F600, 0x10FFFF])) + "ß é%_\\"
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            who = Member("id-_1", odd[:8])
            await store.append("lobby", replace(message(1, who, odd), reply=Quote(7, odd[:5], odd)))
            await store.append("lobby", Edited("e", who, 1, odd + odd, DATE + 0.125))
            first, second = await store.events("lobby", after=0, limit=9)
            assert isinstance(first, Message)
            assert isinstance(second, Edited)
            assert (first.text, first.author, first.reply) == (odd, who, Quote(7, odd[:5], odd))
            assert (second.text, second.date) == (odd + odd, DATE + 0.125)
            assert (await store.history("lobby")).messages == (revise(first, second),)

    async def test_retention_keeps_the_newest(self) -> None:
        """About the given number of messages is kept. Numbers continue; the log begins with a higher number."""
        async with self.opened(Retention(count=10)) as store:
            await store.subscribe("lobby", lambda _: None)
            for number in range(1, 101):
                await store.append("lobby", message(number))
            await self.settled(store)
            page = await store.history("lobby", limit=100)
            assert 10 <= len(page.messages) <= 20
            assert (page.messages[-1].seq, page.seq) == (100, 100)
            assert (await store.events("lobby", after=0, limit=100))[0].seq == page.messages[0].seq

    async def test_everything_is_there_after_a_restart(self) -> None:
        """The log, its epoch, the ids, the secret and the names."""
        if not self.durable:
            return
        async with self.opened() as store:
            before = await store.subscribe("lobby", lambda _: None)
            stored = [await store.append("lobby", message(number)) for number in range(1, 4)]
            stored.append(await store.append("lobby", Edited("e", ADA, 2, "edited", DATE)))
            await store.signal("lobby", Joined(ADA))
            await store.signal("lobby", Joined(BOB))
            await store.signal("lobby", Left(BOB))
            history = await store.history("lobby")
        async with self.opened() as store:
            told: list[Report] = []
            opening = await store.subscribe("lobby", told.append)
            assert opening.position == replace(before.position, seq=4)
            assert opening.secret == before.secret
            assert (opening.away, opening.known) == ((ADA,), (BOB,))
            assert stored == await store.events("lobby", after=0, limit=9)
            assert history == await store.history("lobby")
            assert stored[0] == await store.append("lobby", message(1))
            assert told == []
            assert (await store.append("lobby", message(4))).seq == 5

    async def test_what_cannot_be_found_is_no_mistake(self) -> None:
        """A new room is empty. An event for a missing message only takes a number."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            assert (await store.history("lobby", before=99)).messages == ()
            assert (await store.append("lobby", Edited("e", ADA, 77, "x", DATE))).seq == 1
            assert (await store.history("lobby")).messages == ()

    @staticmethod
    def _seen(page: Page) -> tuple[tuple[int, ...], int]:
        return tuple(each.seq for each in page.messages), page.seq
