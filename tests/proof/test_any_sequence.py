"""Whatever people, networks, disks and servers do, in any order: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pychat import ChatRoom, Limits
from pychat.domain.model import Away, LogEvent, Member, Message, iso
from pychat.domain.names import Names
from pychat.domain.revision import revise
from pychat.domain.rules import RoomState
from pychat.protocol.v1 import encode_message as on_the_wire
from pychat.stores import MemoryStore, Store, Subscription
from pychat.stores.sqlite import SqliteStore
from pychat.testing import FakeClock
from tests.proof.faults import FAULTS, KILLS, Faults
from tests.proof.scheduler import Gates, ScheduledStore
from tests.proof.screens import Screen, Server

pytestmark = pytest.mark.timeout(0)  # the bound is the number of examples

PEOPLE = 3
LIMITS = Limits(rate=0, history=4, page=12)  # small, so that some come back too late to be told all
#: How many sequences are tried; `make soak` tries more.
EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "40"))

#: What somebody may do at once with others.
AT_ONCE = ("say", "edit", "delete", "react", "rename", "rename", "drop", "come back", "nothing")

who = st.integers(0, PEOPLE - 1)
which = st.integers(0, 9)
fault = st.sampled_from([None, None, None, *FAULTS, *KILLS])
mild = st.sampled_from([None, None, *FAULTS])


class AnySequence(RuleBasedStateMachine):
    """One room in a file, three people, and everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)  # faults are logged, as they should be
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "chat.db"
        self.clock = FakeClock()
        self.gates = Gates()
        self.lives = 0
        self.people = [Screen(name) for name in ("Ada", "Bob", "Cyd")]

    def run(self, coroutine: Any) -> Any:
        """On the loop of this example, to the end of the turn: then what was sent has left."""

        async def whole() -> Any:
            result = await coroutine
            await asyncio.sleep(0)
            return result

        return self.runner.run(whole())

    @initialize()
    def begin(self) -> None:
        """A room, and everybody in it."""
        self.run(self._begin())

    async def _begin(self) -> None:
        await self._open()
        for person in self.people:
            await person.connect(self.server)
            await person.flush()

    # What people do.

    @rule(author=who, count=st.integers(1, 3), fault=fault)
    def say(self, author: int, count: int, fault: str | None) -> None:
        """Somebody writes."""
        for _ in range(count):
            self._write(author, "say", which=None)
        self.go(fault, author)

    @rule(count=st.integers(1, 4), fault=fault)
    def talk(self, count: int, fault: str | None) -> None:
        """Everybody writes at once."""
        for _ in range(count):
            for author in range(PEOPLE):
                self._write(author, "say", which=None)
        self.go(fault, *range(PEOPLE))

    @rule(author=who, command=st.sampled_from(["reply", "edit", "delete", "react"]), which=which, fault=fault)
    def revise(self, author: int, command: str, which: int, fault: str | None) -> None:
        """Somebody answers, changes, deletes or likes something that is on the screen."""
        self._write(author, command, which)
        self.go(fault, author)

    @rule(author=who, which=st.integers(0, 3), fault=mild)
    def rename(self, author: int, which: int, fault: str | None) -> None:
        """Somebody takes another name, or one that somebody else has."""
        self._arm(fault)
        self.run(self.people[author].rename(["Ada", "Bob", "Countess", f"Nr {which}"][which]))
        self._disarm()

    @rule(
        chosen=st.lists(st.sampled_from([*AT_ONCE]), min_size=PEOPLE, max_size=PEOPLE),
        which=which,
        order=st.lists(st.integers(0, 5), max_size=24),
        fault=mild,
    )
    def at_once(self, chosen: list[str], which: int, order: list[int], fault: str | None) -> None:
        """Everybody does something at once, and the store gets to it, and answers, in any order."""
        work = []
        for author, (person, deed) in enumerate(zip(self.people, chosen, strict=True)):
            if deed in ("say", "edit", "delete", "react"):
                self._write(author, deed, which)
                work.append(person.flush())
            elif deed == "rename":
                work.append(person.rename(["Countess", "COUNTESS", "Bob"][which % 3]))
            elif deed == "drop":
                work.append(person.drop())
            elif deed == "come back":
                work.append(person.connect(self.server, noticed_late=which % 2 > 0))
        rest = iter(order)
        self._arm(fault)
        for failed in self.run(self.gates.run(work, lambda count: next(rest, 0) % count)):
            if isinstance(failed, BaseException):
                raise failed
        self._disarm()

    # What networks do.

    @rule(author=who)
    def drop(self, author: int) -> None:
        """A connection breaks."""
        self.run(self.people[author].drop())

    @rule(author=who, other=who, frames=st.integers(0, 5), count=st.integers(1, 3), fault=fault)
    def break_in_the_middle(self, author: int, other: int, frames: int, count: int, fault: str | None) -> None:
        """A connection breaks while something is on its way: events, or the answer. Neither side has noticed yet."""
        line = self.people[author].line
        if line is not None:
            line.break_after(frames)
        for _ in range(count):
            self._write(author, "say", which=None)
            self._write(other, "say", which=None)
        self.go(fault, author, other)

    @rule(author=who, late=st.booleans(), breaks=st.none() | st.integers(0, 6), fault=mild)
    def reconnect(self, author: int, late: bool, breaks: int | None, fault: str | None) -> None:
        """Somebody comes back and sends again what was not answered; maybe it breaks again on the way."""
        self._arm(fault)
        self.run(self.people[author].connect(self.server, noticed_late=late, breaks_after=breaks))
        self.go(self.faults.next if self.faults else None, author)

    @rule(first=who, second=who)
    def reconnect_at_once(self, first: int, second: int) -> None:
        """Somebody comes back just while somebody else speaks."""

        async def both() -> None:
            self._write(second, "say", which=None)
            await asyncio.gather(
                self.people[second].flush(), self.people[first].connect(self.server, noticed_late=True)
            )
            await self.people[first].flush()

        self.run(both())

    @rule(seconds=st.sampled_from([1, 3600, -3600]))
    def set_the_clock(self, seconds: int) -> None:
        """The wall clock goes on, or is set."""
        self.clock.set_date(self.clock.date() + seconds)

    # What servers do.

    @rule()
    def restart(self) -> None:
        """The server is told to stop, and starts again."""
        self.run(self._restart())

    async def _restart(self) -> None:
        await self._close()
        await self._open()

    # How it is done.

    def go(self, fault: str | None, *people: int) -> None:
        """Let these people send what they have, while `fault` lies in wait."""
        self._arm(fault)
        self.run(self._go(people))
        if fault == "kill when idle" and self.faults and not self.server.dead:
            self.faults.kill()
        self._disarm()
        if self.server.dead:
            self.run(self._after_kill())

    async def _go(self, people: tuple[int, ...]) -> None:
        await asyncio.gather(*(self.people[number].flush() for number in set(people)))

    def _arm(self, fault: str | None) -> None:
        if self.faults:
            self.faults.next = fault

    def _disarm(self) -> None:
        if self.faults:
            self.faults.next = None

    def _write(self, author: int, command: str, which: int | None) -> None:
        screen = self.people[author]
        if command == "say":
            screen.write("say", text=f"text {len(screen.written)} of {screen.name}")
            return
        mine = command in ("edit", "delete")
        shown = [
            message
            for message in screen.messages.values()
            if not mine or (screen.member is not None and message["author"]["id"] == screen.member.id)
        ]
        if not shown or which is None:
            return
        target = shown[which % len(shown)]["seq"]
        match command:
            case "reply":
                screen.write("say", text=f"answer {len(screen.written)}", reply_to=target)
            case "edit":
                screen.write("edit", target=target, text=f"edited {screen._ids}")
            case "delete":
                screen.write("delete", target=target)
            case "react":
                screen.write("react", target=target, emoji="👍🎉"[which % 2], on=which % 3 > 0)

    def _store(self) -> Store:
        self.faults: Faults | None = Faults(self.path, self._killed)
        return ScheduledStore(SqliteStore(self.path, factory=self.faults.factory()), self.gates)

    def _killed(self) -> None:
        self.server.dead = True

    async def _open(self) -> None:
        self.lives += 1
        store = self._store()
        room = ChatRoom(store=store, limits=LIMITS, grace=3600, clock=self.clock)
        self.store, self.server = store, Server(room)
        await room.start()
        # Another reader of the log, from where it stood on: apply(replay) must be what the room is.
        self.replica = RoomState(Names(longest=32, reserved=["admin"]), Limits())
        opening = await store.subscribe(room.name, self._replay)
        for member in opening.known:
            self.replica.remember(member)
        for member in opening.away:
            self.replica.apply(Away(member))
        self.replica.seq = opening.position.seq

    def _replay(self, event: Any) -> None:
        assert not isinstance(event, Subscription)
        self.replica.apply(event)

    async def _close(self) -> None:
        for person in self.people:
            person.lost()
        await self.server.room.aclose()
        await self.store.aclose()

    async def _after_kill(self) -> None:
        """What the killed server had in its hands is gone; what it left on the disk is where the next one begins."""
        assert self.faults is not None
        left = self.faults.left
        await self._close()  # of the old file, which nobody will look at again
        self.path = left
        await self._open()

    # What is true all the time.

    @invariant()
    def holds(self) -> None:
        """The promises."""
        self.run(self._check())

    async def _check(self) -> None:
        room = self.server.room
        log = await self.store.events(room.name, after=0, limit=1_000_000)
        assert list(range(1, len(log) + 1)) == [event.seq for event in log]
        self._nothing_acknowledged_is_missing_or_double(log)
        standing = fold(log)
        page = await self.store.history(room.name, limit=1_000_000)
        assert tuple(standing.values()) == page.messages
        assert tuple(list(standing.values())[-LIMITS.history :]) == room.backend.core.delivery.recent.page()[0]
        assert len(log) == room.position.seq == page.seq == self.replica.seq
        state = room.backend.core.state
        assert (state.members, state.away, state.known) == (
            self.replica.members,
            self.replica.away,
            self.replica.known,
        )
        owned = [Names.keys(member.name) for member in (*state.members.values(), *state.away.values())]
        assert len(frozenset[str]().union(*owned)) == sum(map(len, owned)), "a name has two owners"
        assert not state.reserved, "a name stays reserved"
        for person in self.people:
            self._the_screen_is_the_log(person, log, standing)

    def _nothing_acknowledged_is_missing_or_double(self, log: list[LogEvent]) -> None:
        by_id: dict[str, LogEvent] = {}
        for event in log:
            assert event.id not in by_id, f"{event.id} is stored twice"
            by_id[event.id] = event
        for person in self.people:
            for given, (command, fields, answer) in person.acknowledged.items():
                if "seq" not in answer:
                    continue  # it was so already
                event = by_id[given]
                assert (answer["seq"], answer["id"], answer["date"]) == (event.seq, given, iso(event.date))
                if command == "say":
                    assert isinstance(event, Message)
                    assert fields["text"] == event.text
            assert not set(person.refused) & set(by_id), "what was stored is refused"
            order = [by_id[given].seq for given in person.written if given in by_id]
            assert order == sorted(order), "somebody's messages are not in the order of writing"

    def _the_screen_is_the_log(self, person: Screen, log: list[LogEvent], standing: dict[int, Message]) -> None:
        if person.epoch is None:
            return
        assert person.seq <= len(log)
        expected = {
            seq: on_the_wire(message) for seq, message in fold(log[: person.seq]).items() if seq >= person.floor
        }
        waiting = {fields["id"] for _, fields in person.outbox}
        for seq, message in expected.items():
            shown = person.messages.get(seq)
            if shown is None:
                assert message["id"] in waiting, f"{person.name} misses {seq}"
                continue
            assert message["id"] == shown["id"]
            assert message["author"]["id"] == shown["author"]["id"]
            if standing[seq].deleted:
                # Who comes back is not told what was said; it may be shown as deleted a moment too early.
                assert shown.get("deleted") or message == shown or not message.get("deleted")
                continue
            if shown["id"] in person.acknowledged:
                # An answer does not tell what the author knows.
                known = {"author": shown["author"], "reply": message.get("reply")}
                assert {**message, **known} == {**shown, **known}
            else:
                assert message == shown
        assert set(person.messages) <= set(expected), f"{person.name} sees what is not there"

    def teardown(self) -> None:
        """At the end all connections are good: everybody sees the same, and all that was written is there."""
        try:
            if hasattr(self, "server"):
                self.run(self._heal())
        finally:
            self.runner.close()
            self.folder.cleanup()
            logging.disable(logging.NOTSET)

    async def _heal(self) -> None:
        for person in self.people:
            await person.connect(self.server)
            await person.flush()
            assert not person.outbox
        await self._check()
        log = await self.store.events(self.server.room.name, after=0, limit=1_000_000)
        for person in self.people:
            assert set(person.written) - set(person.refused) <= {event.id for event in log}
            assert person.seq == len(log)
        members = self.server.room.members
        assert {Member(person.member.id, person.member.name) for person in self.people if person.member} == set(members)
        await self._close()


class AnySequenceInMemory(AnySequence):
    """The same where nothing outlives the process: no disk that fails, no restart."""

    def _store(self) -> Store:
        self.faults = None
        return MemoryStore()

    @rule()
    def restart(self) -> None:
        """It would be another room."""


class AnySequenceInterleaved(AnySequenceInMemory):
    """The same where each call is held up, before and after: a store that answers late."""

    def _store(self) -> Store:
        self.faults = None
        return ScheduledStore(MemoryStore(), self.gates)


def fold(log: list[LogEvent]) -> dict[int, Message]:
    """Messages as they stand after `log`, by number."""
    standing: dict[int, Message] = {}
    for event in log:
        if isinstance(event, Message):
            standing[event.seq] = event
        elif event.target in standing:
            standing[event.target] = revise(standing[event.target], event)
    return standing


HOW = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = HOW
TestAnySequenceInMemory = AnySequenceInMemory.TestCase
TestAnySequenceInMemory.settings = HOW
TestAnySequenceInterleaved = AnySequenceInterleaved.TestCase
TestAnySequenceInterleaved.settings = HOW
