"""A connection in many rooms that ends at any moment leaves nothing behind, and one that is slow is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pychat import ChatRoom, Limits
from pychat.domain.errors import Close, Refused
from pychat.domain.model import LogEvent, Signal
from pychat.domain.notices import Notice
from pychat.net.http.request import Request
from pychat.net.websocket.frames import Frame
from pychat.protocol import v2
from pychat.room.backend import RoomBackend
from pychat.room.connection import Encoder
from pychat.room.directory import RoomDirectory
from pychat.stores import MemoryStore, Page, Receiver, Subscription
from pychat.transports.authenticator import Authenticator
from pychat.transports.person import Encoders, People, PersonConnection, begin
from pychat.transports.socketio.engineio.outbox import Outbox


class _Pairs(Encoder):
    """Encodes events as a name and a dict."""

    def __init__(self, room: str) -> None:
        self._room = room

    def encode(self, notice: Notice) -> tuple[str, dict[str, Any]]:
        return v2.encode(notice, self._room)


_ENCODERS = Encoders(_Pairs)


class Wire:
    """The wire of a person in the same process: keeps what is sent. `reading` is cleared while nobody reads."""

    echo = False

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.send: Callable[[Any], None] = self.events.append

    @staticmethod
    def encoder_of(room: RoomBackend) -> Encoder:
        """One for each room."""
        return _ENCODERS[room.name]

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Keep an event."""
        self.events.append((name, dict(fields)))

    def flush(self) -> None:
        """Nothing waits."""

    def close(self, why: Close) -> None:
        """Keep the reason as the last event."""
        self.tell("bye", {"reason": why.reason})

    async def wait_for_reader(self) -> None:
        """Wait until somebody reads."""
        await self.reading.wait()

    def names(self, name: str) -> list[str]:
        """The rooms of the events of that name, in order."""
        return [fields["room"] for each, fields in self.events if each == name]


class SlowStore(MemoryStore):
    """A memory store that takes some turns of the event loop for all that it does."""

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Open a room slowly."""
        await _turns(2)
        opening = await super().subscribe(room, receive)
        await _turns(2)
        return opening

    async def signal(self, room: str, event: Signal) -> None:
        """Deliver slowly."""
        await _turns(2)
        await super().signal(room, event)
        await _turns(1)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """Read slowly."""
        await _turns(1)
        return await super().events(room, after=after, limit=limit)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Read slowly."""
        await _turns(1)
        return await super().history(room, before=before, limit=limit, matching=matching)


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def connect(rooms: list[ChatRoom], wire: Wire, token: str | None = None) -> PersonConnection:
    """A person's connection to the rooms."""
    people = People(RoomDirectory(*rooms), Authenticator())
    return await begin(people, wire, Request("GET", "/", {}, {}, "", "", None), None, token)


def token_of(wire: Wire) -> str:
    """The token of the welcome."""
    token: str = wire.events[0][1]["token"]
    return token


@pytest.mark.parametrize("turn", range(0, 60, 3))
async def test_a_connection_that_ends_while_it_enters_leaves_nothing(turn: int) -> None:
    """Whenever a connection ends, nobody is in a room afterwards, nothing is sent to it, and no task runs."""
    store = SlowStore()
    rooms = [ChatRoom(f"r{number}", store=store) for number in range(8)]
    entries = {"rooms": [{"name": room.name} for room in rooms]}
    wire = Wire()
    person = await connect(rooms, wire)
    assert (await person.execute("enter", entries))["ok"]
    for room in rooms:
        assert (await person.execute("join", {"room": room.name, "name": "Ada"}))["ok"]
    await person.close()

    again = Wire()
    person = await connect(rooms, again, token_of(wire))
    before = asyncio.all_tasks()
    person.submit("enter", entries, None)
    person.submit("say", {"room": "r1", "text": "hi"}, None)
    person.submit("exit", {"room": "r2"}, None)
    await _turns(turn)
    await person.close()
    ended = len(again.events)
    for room in rooms:
        assert room.backend.core.membership.connections.nameless == 0
        assert list(room.backend.core.membership.connections) == []
        assert len(room.backend.core.delivery.fanout) == 0
        assert room.here == 0
        await room.post("anybody?", author="bot")
    await _turns(30)
    assert len(again.events) == ended
    assert asyncio.all_tasks() - before == set()
    for room in rooms:
        await room.aclose()


async def test_a_room_that_hangs_holds_up_no_other() -> None:
    """While the store does not answer for one room, the others are entered, and commands there are executed."""
    hanging = asyncio.Event()

    class Hanging(MemoryStore):
        async def subscribe(self, room: str, receive: Receiver) -> Subscription:
            if room == "r0":
                await hanging.wait()
            return await super().subscribe(room, receive)

    store = Hanging()
    rooms = [ChatRoom(name, store=store) for name in ("first", "r0", "r1", "r2")]
    wire = Wire()
    person = await connect(rooms, wire)
    entering = asyncio.create_task(person.execute("enter", {"rooms": [{"name": name} for name in ("r0", "r1", "r2")]}))
    waiting = asyncio.create_task(person.execute("join", {"room": "r0", "name": "Ada"}))
    assert (await person.execute("enter", {"rooms": [{"name": "first"}]}))["rooms"]["first"]["ok"]
    assert (await person.execute("join", {"room": "r2", "name": "Ada"}))["ok"]
    assert sorted(wire.names("entered")) == ["first", "r1", "r2"]
    assert not entering.done()
    assert not waiting.done()
    hanging.set()
    assert (await entering)["rooms"]["r0"]["ok"]
    assert (await waiting)["ok"]
    await person.close()


async def test_rooms_wait_for_a_slow_reader_one_by_one() -> None:
    """A person who does not read is not sent the next room: what is missed in all rooms together stays bounded."""
    rooms = [ChatRoom(f"r{number}") for number in range(5)]
    wire = Wire()
    person = await connect(rooms, wire)
    wire.reading.clear()
    entering = asyncio.create_task(person.execute("enter", {"rooms": [{"name": room.name} for room in rooms]}))
    await _turns(50)
    assert wire.names("entered") == []
    wire.reading.set()
    assert (await entering)["ok"]
    assert wire.names("entered") == [room.name for room in rooms]
    await person.close()


async def test_entering_many_rooms_lets_others_go_on() -> None:
    """A thousand rooms in one command are entered over as many turns of the event loop, and one more is refused."""
    rooms = [ChatRoom(f"r{number}", limits=Limits(rate=0)) for number in range(1001)]
    wire = Wire()
    person = await connect(rooms, wire)
    entering = asyncio.create_task(person.execute("enter", {"rooms": [{"name": room.name} for room in rooms]}))
    most = 0
    while not entering.done():
        before = len(wire.events)
        await asyncio.sleep(0)
        most = max(most, len(wire.events) - before)
    assert most <= 4
    told = (await entering)["rooms"]
    assert [name for name, each in told.items() if not each["ok"]] == ["r1000"]
    assert told["r1000"]["error"]["code"] == "too_many_rooms"
    await person.close()
    assert sum(room.here for room in rooms) == 0


async def test_commands_that_are_not_answered_are_bounded() -> None:
    """With 256 commands under way, a transport is told to read no more until one is done."""
    asked = asyncio.Event()
    room = ChatRoom("a", limits=Limits(rate=0))

    @room.on("message")
    async def hold(_: object) -> None:
        await asked.wait()

    person = await connect([room], Wire())
    await person.execute("enter", {"rooms": [{"name": "a"}]})
    await person.execute("join", {"room": "a", "name": "Ada"})
    answers: list[dict[str, Any]] = []
    while not person.busy:
        person.submit("say", {"room": "a", "text": "hi"}, answers.append)
    assert answers == []
    waiting = asyncio.create_task(person.ready())
    await _turns(3)
    assert not waiting.done()
    asked.set()
    await waiting
    while len(answers) < 256:
        await asyncio.sleep(0)
    assert all(answer["ok"] for answer in answers)
    await person.close()


async def test_what_fails_in_one_room_is_logged_and_refused(caplog: pytest.LogCaptureFixture) -> None:
    """A room whose store fails is refused as `internal`, with the traceback in the log; the others are entered."""

    class Failing(MemoryStore):
        async def subscribe(self, room: str, receive: Receiver) -> Subscription:
            if room == "bad":
                raise OSError("no disk")
            if room == "away":
                raise Refused("unavailable", "Not now.", 1.0)
            return await super().subscribe(room, receive)

    store = Failing()
    person = await connect([ChatRoom(name, store=store) for name in ("first", "bad", "away")], Wire())
    told = (await person.execute("enter", {"rooms": [{"name": name} for name in ("bad", "away", "first")]}))["rooms"]
    assert [told[name].get("error", {}).get("code") for name in ("bad", "away", "first")] == [
        "internal",
        "unavailable",
        None,
    ]
    assert "no disk" in caplog.text
    assert list(person.links) == ["first"]
    await person.close()


async def test_all_who_wait_for_a_client_that_polls_go_on() -> None:
    """Rooms that are entered and commands may wait at the same time until a client has fetched what it was sent."""
    outbox = Outbox("1.2.3.4", 1_000_000, lambda: None)
    for _ in range(3):
        outbox.send(Frame("x" * 1000))
    waiting = [asyncio.create_task(outbox.wait_for_reader(100)) for _ in range(3)]
    await _turns(3)
    waiting[0].cancel()
    await _turns(3)
    assert [task.done() for task in waiting] == [True, False, False]
    outbox.drain()
    await asyncio.wait(waiting, timeout=10)
    assert [task.cancelled() for task in waiting] == [True, False, False]
    assert all(task.done() for task in waiting)
