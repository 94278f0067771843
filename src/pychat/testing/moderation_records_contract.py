"""The contract of stores that keep moderation records."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Member, Message
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.stores import Conflict, ModerationRecords, Report
from pychat.testing.store_fixture import ADA, BOB, DATE, StoreFixture, message, moderation, rooms

__all__ = ["ModerationRecordsContract"]

_FAR = 4_000_000_000.0  # no clock is there yet
_BAN = Record("ban", "member:b", {"reason": "spam ☕", "rank": 3, "name": "Bob", "by": "a", "x": [None, {}, []]}, _FAR)
_SLOW = Record("setting", "slow", {"value": 5})


def _entry(**fields: Any) -> AuditEntry:  # noqa: ANN401 -- the fields of an entry
    return AuditEntry(DATE, ADA, "ban", **fields)


def _sorted(records: tuple[Record, ...]) -> list[Record]:
    return sorted(records, key=lambda each: (each.kind, each.key))


class ModerationRecordsContract(StoreFixture):
    """Tests of `Store.moderation`."""

    async def test_what_was_changed_is_stored_and_delivered(self) -> None:
        """In order with the log, to subscribers of that room only, before the caller gets it; and once."""
        async with self.opened() as store:
            records, told = moderation(store), list[Report]()
            assert await records.load("lobby") == ((), 0)
            await store.subscribe("lobby", told.append)
            await store.subscribe("kitchen", told.append)
            await store.append("lobby", message(1))
            told.clear()
            first = await records.change("lobby", [_BAN, _SLOW], _entry(target="b", until=_FAR, data={"x": 1}), 0)
            assert told == [first]
            assert first == Moderated((_BAN, _SLOW), 1, _entry(target="b", until=_FAR, data={"x": 1}, number=1))
            second = await records.change("lobby", [Removed("ban", "member:b")], None, 1)
            assert second == Moderated((Removed("ban", "member:b"),), 2)
            await store.append("lobby", message(2))
            assert [type(each) for each in told] == [Moderated, Moderated, Message]
            assert await records.load("lobby") == ((_SLOW,), 2)
            assert await records.load("kitchen") == ((), 0)

    async def test_a_record_takes_the_place_of_an_earlier_one(self) -> None:
        """Of its kind and key. Kinds, keys and rooms do not mix, whatever characters a key has."""
        async with self.opened() as store:
            records = moderation(store)
            for room in ("lobby", "lobby:2"):
                await store.subscribe(room, lambda _: None)
            keys = ["a", "a:b", "member:a", "2001:db8::/48", "ключ", "a\0b", ""]
            await records.change("lobby", [Record(kind, key) for kind in ("ban", "mute") for key in keys], None, 0)
            await records.change("lobby:2", [Record("ban", "a")], None, 0)
            await records.change("lobby", [Record("ban", "a", {"n": 1}, _FAR), Removed("mute", "a:b")], None, 1)
            found, version = await records.load("lobby")
            assert version == 2
            others = [Record(kind, key) for kind in ("ban", "mute") for key in keys]
            others = [each for each in others if (each.kind, each.key) not in (("ban", "a"), ("mute", "a:b"))]
            assert _sorted(found) == _sorted((*others, Record("ban", "a", {"n": 1}, _FAR)))
            await records.change("lobby", [Record("ban", "a")], None, 2)
            assert Record("ban", "a") in (await records.load("lobby"))[0]
            assert await records.load("lobby:2") == ((Record("ban", "a"),), 1)

    async def test_of_two_changes_after_the_same_version_one_is_stored(self) -> None:
        """The other raises `Conflict`, on every server; by then its subscribers have got the change of the first."""
        async with self.opened() as store, self.beside(store) as beside:
            both = [store, beside or store]
            told: list[list[Report]] = [[], []]
            for each, hear in zip([store, beside], told, strict=True):
                if each is not None:
                    await each.subscribe("lobby", hear.append)
            for version in range(20):
                change = Record("role", f"{version}")
                answers = await asyncio.gather(
                    *(moderation(each).change("lobby", [change], _entry(), version) for each in both),
                    return_exceptions=True,
                )
                assert sorted(type(each).__name__ for each in answers) == ["Conflict", "Moderated"]
                for each, hear in zip([store, beside], told, strict=True):
                    last = hear[-1] if hear else None
                    assert each is None or (isinstance(last, Moderated) and last.version == version + 1)
            assert await self._conflicts(moderation(store), 19)
            assert await self._conflicts(moderation(store), 21)
            assert len((await moderation(store).load("lobby"))[0]) == 20
            assert [each.number for each in await moderation(store).audit("lobby")] == list(range(20, 0, -1))
            if beside is not None:
                assert told[0] == told[1]
                assert await moderation(beside).load("lobby") == await moderation(store).load("lobby")

    async def test_what_cannot_be_stored_changes_nothing(self) -> None:
        """A lone surrogate and a value that is not JSON are errors of the caller. The store goes on."""
        async with self.opened() as store:
            records, told = moderation(store), list[Report]()
            await store.subscribe("lobby", told.append)
            for bad in (
                Record("ban", "\ud800"),
                Record("ban", "a", {"x": float("nan")}),
                Record("ban", "a", {"x": ADA}),
            ):
                for changes, entry in (([bad], None), ([], _entry(reason=bad.key, data=bad.data))):
                    answers = await asyncio.gather(
                        records.change("lobby", [_SLOW, *changes], entry, 0),
                        store.append("lobby", message(f"{len(told)}")),
                        return_exceptions=True,
                    )
                    assert isinstance(answers[0], ValueError | TypeError)
                    assert isinstance(answers[1], Message)
            assert await records.load("lobby") == ((), 0)
            assert all(isinstance(each, Message) for each in told)

    async def test_a_record_that_has_ended_is_gone(self) -> None:
        """It is not loaded; a new one of its kind and key has its own end."""
        async with self.opened() as store:
            records = moderation(store)
            await store.subscribe("lobby", lambda _: None)
            await records.change("lobby", [replace(_BAN, until=DATE), replace(_SLOW, until=_FAR)], None, 0)
            assert await records.load("lobby") == ((replace(_SLOW, until=_FAR),), 1)
            await records.change("lobby", [replace(_SLOW, until=DATE), _BAN], None, 1)
            assert await records.load("lobby") == ((_BAN,), 2)
            await records.change("lobby", [replace(_BAN, until=None)], None, 2)
            assert await records.load("lobby") == ((replace(_BAN, until=None),), 3)

    async def test_the_audit_log_comes_in_pages(self) -> None:
        """The newest entries first, each with its number."""
        async with self.opened() as store:
            records = moderation(store)
            await store.subscribe("lobby", lambda _: None)
            assert await records.audit("lobby") == []
            for version in range(7):
                entry = None if version == 3 else _entry(reason=f"№ {version}", name="Bob", target="b")
                await records.change("lobby", [], entry, version)
            found = await records.audit("lobby")
            assert [each.number for each in found] == [6, 5, 4, 3, 2, 1]
            assert found[0] == _entry(reason="№ 6", name="Bob", target="b", number=6)
            assert [each.number for each in await records.audit("lobby", 4, 2)] == [3, 2]
            assert [each.number for each in await records.audit("lobby", 99, 2)] == [6, 5]
            assert [await records.audit("lobby", before, limit) for before, limit in ((1, 9), (-1, 9), (4, 0))] == [
                []
            ] * 3
            assert await records.audit("kitchen") == []

    async def test_records_are_there_after_a_restart(self) -> None:
        """With their version and the audit log."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            await moderation(store).change("lobby", [_BAN], _entry(), 0)
        async with self.opened() as store:
            found = await moderation(store).load("lobby"), await moderation(store).audit("lobby")
            assert found == ((((_BAN,), 1), [_entry(number=1)]) if self.durable else (((), 0), []))

    async def test_records_are_deleted_with_their_room(self) -> None:
        """What is on its way is refused; a new room of that name has none, and other rooms keep theirs."""
        async with self.opened() as store:
            records = moderation(store)
            for room in ("lobby", "kitchen"):
                await store.subscribe(room, lambda _: None)
                await records.change(room, [_BAN, _SLOW], _entry(), 0)
            answers = await asyncio.gather(
                rooms(store).delete("lobby"),
                records.change("lobby", [_BAN], _entry(), 1),
                records.change("lobby", [_BAN], _entry(), 1),
                return_exceptions=True,
            )
            assert all(isinstance(each, Refused | Conflict | Moderated) for each in answers[1:])
            for _ in range(2):
                assert await records.load("lobby") == ((), 0)
                assert await records.audit("lobby") == []
                await store.subscribe("lobby", lambda _: None)
            assert (await records.change("lobby", [_SLOW], _entry(), 0)).entry == _entry(number=1)
            assert await records.audit("kitchen") == [_entry(number=1)]
            assert len((await records.load("kitchen"))[0]) == 2

    async def test_an_erased_member_is_in_no_record(self) -> None:
        """Names, reasons and texts are gone, also from the audit log; what the records mean stays, and others' stay."""
        async with self.opened() as store:
            records, told = moderation(store), list[Report]()
            await store.subscribe("lobby", told.append)
            await store.append("lobby", message(1))
            ban = Record("ban", "member:b", {"reason": "he spams", "rank": 3, "name": "Bob", "by": "a"}, _FAR)
            role = Record("role", "b", {"role": "moderator", "name": "Bob"})
            other = Record("ban", "member:c", {"reason": "rude", "rank": 3, "name": "Cleo", "by": "a"})
            by_bob = Record("mute", "member:d", {"reason": "says Bob", "rank": 3, "name": "Dan", "by": "b"})
            held = Record("held", "x1", {"author": "b", "name": "Bob", "text": "buy this"})
            ended = Record("mute", "member:b", {"reason": "he spams", "name": "Bob"}, DATE)
            await records.change("lobby", [ban, role, other, by_bob, held, ended], _entry(target="b", name="Bob"), 0)
            await records.change("lobby", [], _entry(target="member:b", name="Bob", reason="he spams"), 1)
            await records.change("lobby", [], _entry(target="c", name="Cleo", reason="rude"), 2)
            by = AuditEntry(DATE, Member("b", "Bob"), "mute", "d", "Dan", "says Bob", None, {"text": "Bob"})
            await records.change("lobby", [_SLOW], by, 3)
            for room in ("lobby", "kitchen"):
                assert await store.erase(room, author="z") == []
            assert (await records.load("lobby"))[1] == 4
            assert sorted(await store.rooms_of("b")) == ["lobby"]
            told.clear()
            await store.erase("lobby", author="b")
            found, version = await records.load("lobby")
            assert _sorted(found) == _sorted(
                (
                    replace(ban, data={"reason": "", "rank": 3, "name": "", "by": "a"}),
                    replace(role, data={"role": "moderator", "name": ""}),
                    other,
                    replace(by_bob, data={"reason": "", "rank": 3, "name": "Dan", "by": "b"}),
                    _SLOW,
                )
            )
            (moderated,) = [each for each in told if isinstance(each, Moderated)]
            assert (version, moderated.version, moderated.entry) == (5, 5, None)
            assert {(each.kind, each.key): each for each in moderated.changes} == {
                **{(each.kind, each.key): each for each in found if each not in (other, _SLOW)},
                ("held", "x1"): Removed("held", "x1"),
            }
            assert await records.audit("lobby") == [
                AuditEntry(DATE, Member("b", ""), "mute", "d", "Dan", "", None, {"text": ""}, 4),
                _entry(target="c", name="Cleo", reason="rude", number=3),
                _entry(target="member:b", number=2),
                _entry(target="b", number=1),
            ]
            await store.erase("lobby", author="b")
            assert (await records.load("lobby"))[1] == 5

    async def test_what_reports_quote_of_an_erased_message_is_erased(self) -> None:
        """By whatever it was chosen; reports of other messages, and who reported, stay."""
        async with self.opened() as store:
            records, told = moderation(store), list[Report]()
            await store.subscribe("lobby", told.append)
            for number in range(1, 4):
                await store.append("lobby", message(number, BOB))

            def report(target: int, text: str, name: str, reason: str = "rude") -> Record:
                by = {"by": "a", "reporter": {"id": "a", "name": "Ada"}, "reason": reason}
                data = {"target": target, "member": "b", "name": name, "text": text, **by}
                return Record("report", f"r{target}", data)

            reports = [report(number, f"text {number}", "Bob") for number in (1, 2, 3)]
            await records.change("lobby", [*reports, Record("pin", "1", {"by": "a"})], None, 0)
            assert await store.erase("lobby", seqs=[1]) == [1]
            found, version = await records.load("lobby")
            assert version == 2
            assert _sorted(found) == [Record("pin", "1", {"by": "a"}), report(1, "", ""), *reports[1:]]
            assert Moderated((report(1, "", ""),), 2) in told
            assert await store.erase("lobby", before=DATE + 1, seqs=[1, 2]) == [2]
            found, version = await records.load("lobby")
            assert _sorted(found)[2:] == [report(2, "", ""), reports[2]]
            await store.erase("lobby", author="a")
            found, _ = await records.load("lobby")
            by = {"by": "a", "reporter": {"id": "a", "name": ""}, "reason": ""}
            assert _sorted(found)[3] == Record("report", "r3", {**reports[2].data, **by, "text": ""})

    async def test_only_a_member_who_is_erased_wholly_is_erased_from_the_records(self) -> None:
        """A purge of some messages leaves them."""
        async with self.opened() as store:
            await store.subscribe("lobby", lambda _: None)
            await moderation(store).change("lobby", [_BAN], _entry(target="b", name="Bob"), 0)
            await store.append("lobby", message(1, BOB))
            assert await store.erase("lobby", author="b", seqs=[1]) == [1]
            assert await store.erase("lobby", author="b", before=DATE) == []
            assert await moderation(store).load("lobby") == ((_BAN,), 1)
            assert await moderation(store).audit("lobby") == [_entry(target="b", name="Bob", number=1)]

    @staticmethod
    async def _conflicts(records: ModerationRecords, after: int) -> bool:
        try:
            await records.change("lobby", [_SLOW], _entry(), after)
        except Conflict:
            return True
        return False
