"""Whatever two or three people ask for at once, in whatever order the store gets to it: each name has one owner."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pychat import ChatRoom, Limits
from pychat.domain.model import Deleted, Edited, Joined, Member, Message, Reacted, Renamed
from pychat.domain.names import Names
from pychat.domain.rules import RoomState
from pychat.stores import MemoryStore, Store, Subscription
from pychat.stores.redis import RedisStore
from pychat.stores.sqlite import SqliteStore
from pychat.testing import FakeClock, Person
from tests.proof.scheduler import Gates, ScheduledStore, schedules
from tests.proof.test_any_sequence import fold
from tests.stores.redis_server import redis_server

KINDS = 20  # of reactions on one message
GRACE = 30.0
EMOJI = [
    "😀",
    "😁",
    "😂",
    "😃",
    "😄",
    "😅",
    "😆",
    "😇",
    "😈",
    "😉",
    "😊",
    "😋",
    "😌",
    "😍",
    "😎",
    "😏",
    "😐",
    "😑",
    "😒",
]

Work = Coroutine[Any, Any, Any]


class World:
    """A room with Ada, Bob, Cyd, and Dan who is away; Ada has said something that has 19 kinds of reactions."""

    def __init__(self, store: ScheduledStore, name: str) -> None:
        self.store = store
        self.clock = FakeClock()
        self.room = ChatRoom(name, store=store, limits=Limits(rate=0), grace=GRACE, clock=self.clock)
        self.replica = RoomState(Names(), Limits())
        self.people: list[Person] = []
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.hooked = False
        self.unasked = False  # whether somebody came in whom no hook was asked about
        self._numbers = itertools.count()

    async def begin(self, *, reactions: bool) -> None:
        """Let everybody in; and react, if it matters."""
        self.store.replica = self._replay
        await self.room.start()
        self.ada, self.bob, self.cyd, self.dan = [await self._named(name) for name in ("Ada", "Bob", "Cyd", "Dan")]
        await self.ada.say("hello")
        ada = self.room.backend.member(self.ids["Ada"])
        assert ada is not None
        chosen = [Reacted(f"k{each}", ada, 1, each, True, 0.0) for each in EMOJI if reactions]
        await asyncio.gather(*(self.store.append(self.room.name, each) for each in chosen))
        await self.dan.drop()

    def hook(self) -> None:
        """Hang in hooks that wait to be let through, as the store does; one gives roles, one changes texts."""
        self.hooked = True

        @self.room.on("join")
        async def join(member: Member) -> Member:
            await self.store.gates.wait()
            return replace(member, roles=("guest",))

        @self.room.on("message")
        async def message(message: Message) -> Message:
            await self.store.gates.wait()
            return replace(message, text=f"{message.text}!")

    def _replay(self, event: Any) -> None:
        if self.hooked and isinstance(event, Joined | Renamed):
            self.unasked |= event.member.roles != ("guest",)
        if not isinstance(event, Subscription):
            self.replica.apply(event)

    async def guest(self) -> Person:
        """Somebody new."""
        person = await Person.enter(self.room)
        self.people.append(person)
        return person

    async def _named(self, name: str) -> Person:
        person = await self.guest()
        answer = await person.join(name)
        self.tokens[name], self.ids[name] = answer["token"], answer["member"]["id"]
        return person

    # What can be asked for: each is made ready while the store answers at once, and returns what is then begun.

    async def join(self) -> Work:
        """A newcomer asks for a name."""
        return (await self.guest()).join("Eve")

    async def join_alike(self) -> Work:
        """A newcomer asks for one that looks like it."""
        return (await self.guest()).join("ЕVE")

    async def rename(self) -> Work:
        """A member asks for it."""
        return (await self._named(f"Nr {next(self._numbers)}")).join("Eve")

    async def rename_away(self) -> Work:
        """Ada takes another name, and hers is free then."""
        return self.ada.join("Eve")

    async def take(self) -> Work:
        """A newcomer asks for Ada's name."""
        return (await self.guest()).join("Ada")

    async def thief(self) -> Work:
        """A newcomer asks for the name that is held for Dan."""
        return (await self.guest()).join("Dan")

    async def resume(self) -> Work:
        """Dan comes back."""
        return (await self.guest()).command("join", {"token": self.tokens["Dan"]})

    async def expire(self) -> Work:
        """Dan's grace is over."""

        async def move() -> dict[str, Any]:
            self.clock.move(GRACE + 1)
            return {"ok": True}

        return move()

    async def tab(self) -> Work:
        """Ada comes in another tab."""
        return (await self.guest()).command("join", {"token": self.tokens["Ada"]})

    async def leave(self) -> Work:
        """Ada gives her name back."""
        return self.ada.command("leave")

    async def drop(self) -> Work:
        """Ada's connection breaks."""
        return self.ada.drop()

    async def bye(self) -> Work:
        """Ada goes for good."""
        return self.ada.close()

    async def kick(self) -> Work:
        """Ada is sent out."""
        return self.room.kick(self.ids["Ada"])

    async def kick_newcomer(self) -> Work:
        """Dan comes back and is sent out."""
        return self._both(await self.resume(), self.room.kick(self.ids["Dan"]))

    async def cut(self) -> Work:
        """A newcomer asks for a name, and is gone."""
        person = await self.guest()
        return self._both(person.join("Eve"), person.drop())

    async def cut_return(self) -> Work:
        """Dan comes back, and is gone."""
        person = await self.guest()
        return self._both(person.command("join", {"token": self.tokens["Dan"]}), person.close())

    async def cancel(self) -> Work:
        """The transport gives up while a newcomer's name is stored."""
        person = await self.guest()

        async def begin_and_cancel() -> dict[str, Any]:
            task = asyncio.ensure_future(person.join("Eve"))
            await self.store.gates.wait()
            task.cancel()
            await asyncio.wait([task])
            await person.drop()
            return {"ok": True}

        return begin_and_cancel()

    async def react(self) -> Work:
        """Bob reacts with a new kind."""
        return self.bob.command("react", {"target": 1, "emoji": "🎉"})

    async def react_too(self) -> Work:
        """Cyd reacts with another."""
        return self.cyd.command("react", {"target": 1, "emoji": "🎊"})

    async def react_no_more(self) -> Work:
        """Ada takes one away, and that kind is free."""
        return self.ada.command("react", {"target": 1, "emoji": EMOJI[0], "on": False})

    async def edit(self) -> Work:
        """Ada changes what she said."""
        return self.ada.command("edit", {"target": 1, "text": "changed"})

    async def delete(self) -> Work:
        """Ada takes it back."""
        return self.ada.command("delete", {"target": 1})

    async def say(self) -> Work:
        """Bob speaks."""
        return self.bob.say("hi")

    async def _both(self, first: Work, second: Work) -> dict[str, Any]:
        await asyncio.gather(first, self.store.gates.later(second))
        return {"ok": True}

    # What holds afterwards.

    async def check(self) -> None:
        """The promises."""
        for person in self.people:
            if person.connection.closed is not None:
                await person.drop()  # as a transport does
        assert not self.unasked, "a hook was not asked"
        core = self.room.backend.core
        state, connections = core.state, core.membership.connections
        owned = [Names.keys(each.name) for each in (*state.members.values(), *state.away.values())]
        assert len(frozenset[str]().union(*owned)) == sum(map(len, owned)), "a name has two owners"
        for name in ("members", "away", "known", "typing", "seq", "_holders"):
            assert getattr(state, name) == getattr(self.replica, name), f"apply(replay) differs from live in {name}"
        assert not state.reserved, "a name stays reserved"
        assert not len(core.membership._locks)
        for member_id in state.members:
            assert member_id in connections, "a ghost is listed"
        for member_id in state.away:
            assert member_id not in connections, "who is here is away"
            assert member_id in connections._graces, "a name is held for ever"
        open_ = [each for each in self.people if each.connection.closed is None and not each._session._closed]
        guests = [each for each in open_ if each._session.member_id is None]
        ids = {each._session.member_id for each in open_} - {None}
        assert self.room.here == len(guests) + len(ids), "the count is wrong"
        for person in open_:
            assert person._session.member_id is None or person._session.member is not None, "a seat without a member"
        await self._check_log()

    async def _check_log(self) -> None:
        log = await self.store.events(self.room.name, after=0, limit=1000)
        standing = tuple(fold(log).values())
        assert (await self.store.history(self.room.name)).messages == standing
        assert self.room.backend.core.delivery.recent.page()[0] == standing
        assert max(len(each.reactions) for each in standing) <= KINDS, "too many kinds of reactions"
        gone = False
        for event in log:
            assert not gone or not isinstance(event, Edited | Reacted), "something happened to a deleted message"
            gone = gone or isinstance(event, Deleted)


Operation = Callable[[World], Coroutine[Any, Any, Work]]
NAMES: list[Operation] = [
    World.join,
    World.join_alike,
    World.rename,
    World.rename_away,
    World.take,
    World.thief,
    World.resume,
    World.expire,
    World.tab,
    World.leave,
    World.drop,
    World.bye,
    World.kick,
    World.kick_newcomer,
    World.cut,
    World.cut_return,
    World.cancel,
]
LIVES: list[Operation] = [World.react, World.react_too, World.react_no_more, World.edit, World.delete, World.say]
#: Done by somebody new each time, so that several can do it at once.
BY_ANYBODY = {World.join, World.join_alike, World.rename, World.take, World.thief, World.tab, World.cut, World.resume}


def together(count: int) -> list[tuple[Operation, ...]]:
    """What `count` people may do at once."""
    return [
        chosen
        for operations in (NAMES, LIVES)
        for chosen in itertools.combinations_with_replacement(operations, count)
        if all(chosen.count(each) == 1 or each in BY_ANYBODY for each in chosen)
    ]


async def tried(
    store: Store, cases: list[tuple[Operation, ...]], most: int, *, failing: bool = False, hooked: bool = False
) -> int:
    """Run each of `cases` in at most `most` orders; return how many runs that were.

    With `failing`, the store fails now and then; with `hooked`, hooks take their time too.
    """
    runs, names = 0, itertools.count()
    for case in cases:
        label = " ".join(each.__name__ for each in case)
        for choose in schedules(most, label):
            gates = Gates()
            world = World(ScheduledStore(store, gates), f"r{next(names)}")
            await world.begin(reactions=not set(LIVES).isdisjoint(case))
            work = [await each(world) for each in case]
            if hooked:
                world.hook()
            if failing:
                world.store.fail(1 + runs % 3, 2 + runs % 5)
            answers = await gates.run(work, choose)
            await gates.quiet()
            runs += 1
            try:
                for answer in answers:
                    assert not isinstance(answer, BaseException), f"{answer!r}"
                    assert answer is None or answer["ok"] or answer["error"]["code"] in CODES, answer
                if not failing:
                    check_answers(world, case, answers)
                await world.check()
            except AssertionError as error:
                raise AssertionError(f"{label}: {error}; answers: {answers}") from error
            await world.room.aclose()
    return runs


def check_answers(world: World, case: tuple[Operation, ...], answers: list[Any]) -> None:
    """Whoever was let in is here, if nobody sent them out, and they stayed; and nobody is refused without a reason."""
    if not {World.leave, World.kick, World.kick_newcomer}.isdisjoint(case):
        return
    for operation, answer in zip(case, answers, strict=True):
        if operation not in BY_ANYBODY or operation is World.cut:
            continue
        assert answer["ok"] or answer["error"]["code"] == "name_taken", f"{operation.__name__} was refused"
        if answer["ok"]:
            assert world.room.backend.member(answer["member"]["id"]), (
                f"{operation.__name__} was let in, and is not here"
            )


CODES = {"name_taken", "not_joined", "too_many", "not_found", "not_yours", "unavailable"}


async def test_two_at_once_in_every_order_in_memory() -> None:
    """All pairs of what people can do, in all orders in which the store can get to it, up to 12 for each pair."""
    assert await tried(MemoryStore(), together(2), 12) > 500


@pytest.mark.slow
async def test_three_at_once_in_memory() -> None:
    """Three of them: some orders of some of all the ways to choose three."""
    cases = random.Random(3).sample(together(3), 300)  # noqa: S311 -- the same each time
    await tried(MemoryStore(), cases, 6)


async def test_a_store_that_fails_now_and_then() -> None:
    """What could not be stored has not happened, and nothing of it stays: no name is held, nobody is listed."""
    await tried(MemoryStore(), together(2), 4, failing=True)


@pytest.mark.slow
async def test_hooks_that_take_their_time() -> None:
    """A name is decided on again after the hooks, and whoever was sent out meanwhile does not come in."""
    await tried(MemoryStore(), together(2), 8, hooked=True)


#: What once gave one name to two people, or one kind of reaction too many, or left a ghost.
WORST: list[tuple[Operation, ...]] = [
    (World.join, World.join),
    (World.join, World.join_alike),
    (World.join, World.rename),
    (World.rename, World.rename),
    (World.rename_away, World.take),
    (World.rename_away, World.join),
    (World.leave, World.take, World.take),
    (World.thief, World.resume),
    (World.thief, World.expire, World.resume),
    (World.kick_newcomer, World.thief),
    (World.cut, World.join),
    (World.cancel, World.join),
    (World.tab, World.leave),
    (World.tab, World.bye),
    (World.react, World.react_too),
    (World.react, World.react_too, World.react_no_more),
    (World.edit, World.delete),
    (World.react, World.delete),
    (World.join, World.join, World.join),
]


async def test_the_worst_on_sqlite(tmp_path: Path) -> None:
    """The same promises on a file, where each signal passes through the thread that writes."""
    store = SqliteStore(tmp_path / "chat.db")
    try:
        await tried(store, WORST, 4)
    finally:
        await store.aclose()


@pytest.fixture
async def redis_store() -> AsyncIterator[Store]:
    """A store on a Redis of the test's own."""
    with redis_server() as server:
        store = RedisStore(server.url)
        yield store
        await store.aclose()


async def test_the_worst_on_redis(redis_store: Store) -> None:
    """The same promises where the names are claimed in Redis."""
    await tried(redis_store, WORST, 4)
