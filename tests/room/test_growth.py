"""What a join, a leave, a rename, a message or a line of the log costs does not grow with the members, nor with the rooms."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.room.growth import Steps, counted_pychat

_FEW, _CONNECTED, _MANY = 100, 1_500, 10_000
_MORE = 1.25  # times the steps at few, at many
_FAN_OUT = "pychat.room.fanout"  # one event costs there as much as there are people to hear it
_QUIET = 5.0  # seconds, in which presence is told

_Step = Callable[["_Crowd"], Awaitable[object]]


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    """Import a `pychat` that counts."""
    with counted_pychat() as steps:
        yield steps


class _Words:
    """Version 1, as objects."""

    def encode(self, notice: object) -> object:
        """Encode a notice."""
        return import_module("pychat.protocol.v1").encode(notice)

    def join(self, frames: list[object]) -> None:
        """Each is sent by itself."""


class _Silent:
    """A connection that leads nowhere."""

    encoder = _Words()

    def send(self, frame: object) -> None:
        """Drop it."""

    def close(self, why: object) -> None:
        """Stay as it is."""


class _Crowd:
    """A room with people in it, and three of them to do something."""

    ada: Any
    bob: Any
    eve: Any

    def __init__(self, steps: Steps, store: str | Any) -> None:
        pychat = import_module("pychat")
        self.steps = steps
        self.clock = import_module("pychat.testing.clock").FakeClock()
        limits = pychat.Limits(rate=0, listed=20, page=50, history=20)
        self.room = pychat.ChatRoom("lobby", store=store, limits=limits, clock=self.clock)
        import_module("pychat.cli.console").Console("text", quiet=False).watch(self.room)
        self.numbers = itertools.count()
        self.token: str | None = None

    async def enter(self, name: str | None = None) -> Any:
        """Somebody comes in, and takes a name."""
        session = await self.room.connect(_Silent())
        if name is not None:
            _, self.token = await session.join(name)
        return session

    async def settle(self) -> None:
        """Let everything happen that is under way, presence too."""
        for _ in range(4):
            self.clock.move(_QUIET)
            for _ in range(20):
                await asyncio.sleep(0)


async def _join(crowd: _Crowd) -> None:
    await crowd.enter(f"Newcomer {next(crowd.numbers)}")


async def _rename(crowd: _Crowd) -> None:
    await crowd.ada.join(f"Ada {next(crowd.numbers)}")


async def _message(crowd: _Crowd) -> None:
    await crowd.ada.say("hello")


async def _typing(crowd: _Crowd) -> None:
    await crowd.ada.set_typing(on=True)


async def _who(crowd: _Crowd) -> None:
    crowd.ada.who()


async def _leave(crowd: _Crowd) -> None:
    await crowd.bob.leave()


async def _reconnect(crowd: _Crowd) -> None:
    session = await crowd.enter(f"Returner {next(crowd.numbers)}")
    position = crowd.room.position
    await session.close()
    session = await crowd.room.connect(_Silent(), since=position)
    await session.join(None, crowd.token)


async def _go(crowd: _Crowd) -> None:
    await crowd.eve.close(left=True)


_STEPS: dict[str, _Step] = {
    "join": _join, "rename": _rename, "message": _message, "typing": _typing, "who": _who, "leave": _leave,
    "reconnect": _reconnect, "go": _go,
}  # fmt: skip


async def _measure(crowd: _Crowd) -> dict[str, Steps]:
    """The steps of each thing that can be done, done a second time, by module."""
    for name in ("ada", "bob", "eve"):
        setattr(crowd, name, await crowd.enter(name.title()))
    await crowd.settle()
    await _message(crowd)
    await _rename(crowd)
    await _join(crowd)
    await _reconnect(crowd)
    await crowd.settle()
    found = {}
    names = import_module("pychat.domain.names").Names
    for name, step in _STEPS.items():
        names.keys.cache_clear()  # what it holds is another name's, or not, as the crowd was large
        crowd.steps.clear()
        await step(crowd)
        await crowd.settle()
        found[name] = Steps(crowd.steps)
    return found


async def _connected(steps: Steps, count: int) -> dict[str, Steps]:
    """Everyone is connected here."""
    crowd = _Crowd(steps, "memory:")
    for number in range(count):  # to be closed one after the other would take too long
        await crowd.enter(f"m{number}")
    return await _measure(crowd)


async def _elsewhere(steps: Steps, count: int) -> dict[str, Steps]:
    """Few are connected here; the others are on another server of the room."""
    model, store = import_module("pychat.domain.model"), import_module("pychat.stores").MemoryStore()
    crowd = _Crowd(steps, store)
    async with crowd.room:
        for number in range(count):
            await store.signal("lobby", model.Joined(model.Member(f"id{number}", f"m{number}")))
        return await _measure(crowd)


def _assert_flat(few: dict[str, Steps], many: dict[str, Steps], *, but: str = "") -> None:
    grown = [
        f"{what}, {module}: {few[what][module]} steps with few, {steps} with many"
        for what, modules in many.items()
        for module, steps in modules.items()
        if module != but and steps > few[what][module] * _MORE + 5
    ]
    assert not grown, "\n".join(grown)


async def test_nothing_but_fan_out_grows_with_those_who_are_connected(steps: Steps) -> None:
    """With 1,500 people connected all takes the steps that it takes with 100, in every module but the fan-out's."""
    few, many = await _connected(steps, _FEW), await _connected(steps, _CONNECTED)
    _assert_flat(few, many, but=_FAN_OUT)
    for what, modules in many.items():
        assert modules[_FAN_OUT] <= few[what][_FAN_OUT] * _CONNECTED / _FEW * _MORE + 5, what


async def test_nothing_grows_with_the_members_elsewhere(steps: Steps) -> None:
    """With 10,000 members of whom few are connected here, all takes the steps that it takes with 100."""
    _assert_flat(await _elsewhere(steps, _FEW), await _elsewhere(steps, _MANY))


class _Watching:
    """Somebody who watches what is unread."""

    def __init__(self) -> None:
        self.frames = 0

    def unread(self, changed: object, gone: object) -> None:
        """Count a frame."""
        self.frames += 1


async def _watched(steps: Steps, watchers: int, rooms: int) -> Steps:
    """The steps of a message in one of so many rooms, that each of so many people follow and watch."""
    pychat = import_module("pychat")
    clock = import_module("pychat.testing.clock").FakeClock()
    store = import_module("pychat.stores").MemoryStore()
    listeners = []
    async with pychat.Chat(store=store, clock=clock) as chat:
        lobby = await chat.open("lobby")
        readers = chat.directory.readers
        for number in range(watchers):
            for room in range(rooms):
                await store.readers.follow(f"m{number}", f"room-{room}" if room else "lobby")
            listeners.append(_Watching())
            await readers.watch(f"m{number}", None, listeners[-1])
        for _ in range(5):
            clock.move(1)
            for _ in range(200):
                await asyncio.sleep(0)
        await lobby.post("first", author="bot")
        for _ in range(5):
            clock.move(1)
            for _ in range(200):
                await asyncio.sleep(0)
        before = sum(each.frames for each in listeners)
        steps.clear()
        await lobby.post("second", author="bot")
        found = Steps(steps)
        clock.move(1)
        for _ in range(200):
            await asyncio.sleep(0)
        assert sum(each.frames for each in listeners) == before + watchers
        found["the tick"] = steps.total() - found.total()
        return found


async def test_a_message_costs_the_same_however_many_watch_what_is_unread(steps: Steps) -> None:
    """The lists are counted once a second: that costs as much as there are people to tell, in any number of rooms."""
    few, many = await _watched(steps, 100, 1), await _watched(steps, 10_000, 1)
    tick, ticks = few.pop("the tick"), many.pop("the tick")
    _assert_flat({"message": few}, {"message": many})
    assert ticks <= 100 * tick * _MORE
    one, hundreds = await _watched(steps, 20, 1), await _watched(steps, 20, 500)
    _assert_flat({"message": one}, {"message": hundreds})


class _Database:
    """What the SQLite store's one thread writes with, and how many steps that takes there and in SQLite itself."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        import_module("pychat.stores.sqlite.schema").create(self._connection)
        self._log = import_module("pychat.stores.sqlite.appends").Logs(self._connection)
        self._members = import_module("pychat.stores.sqlite.members").Members()

    def commit(self, room: str, member_id: str = "ada") -> None:
        """Write three messages of a member of `room` who leaves: one alone, two together."""
        model, row = import_module("pychat.domain.model"), import_module("pychat.stores.sqlite.rows").row
        ada = model.Member(member_id, "Ada")
        message, *more = (model.Message(f"{room}{member_id}{each}", ada, "hello", 0.0) for each in range(3))
        self._members.record(room, model.Left(ada))
        self._connection.execute("BEGIN")
        self._members.write(self._connection, self._log)
        self._log.append(room, message, row(message))
        self._log.append_messages([(room, each, row(each)) for each in more])
        self._log.finish()
        self._connection.execute("COMMIT")
        self._members.written()

    def measure(self) -> dict[str, Steps]:
        """The steps of a commit."""
        self._steps.clear()
        self._connection.set_progress_handler(self._tick, 1)
        self.commit("r0", "bob")
        self._connection.set_progress_handler(None, 1)
        return {"commit": Steps(self._steps)}

    def _tick(self) -> None:
        self._steps["SQLite"] += 1


@pytest.mark.parametrize("what", ["rooms", "members"])
def test_a_commit_does_not_grow_with_rooms_nor_with_members_who_left(steps: Steps, what: str) -> None:
    """With 3,000 rooms, or members who left a room, a commit takes the steps that it takes with 100, in SQLite too."""
    few, many = _Database(steps), _Database(steps)
    for database, count in ((few, _FEW), (many, 3_000)):
        for number in range(count):
            database.commit(*((f"r{number}",) if what == "rooms" else ("r0", f"m{number}")))
    _assert_flat(few.measure(), many.measure())
