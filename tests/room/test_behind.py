"""Several servers of one room: a client that comes from a server that is ahead is told nothing twice, and misses nothing."""

from __future__ import annotations

import asyncio

import pytest

from pychat import ChatRoom, Position, Refused, User
from pychat.domain.model import LogEvent
from pychat.stores import MemoryStore, Page, Receiver, Report, Subscription
from pychat.testing import FakeClock, Person, RecordingConnection


class Lagging(MemoryStore):
    """A store whose second subscriber hears of things when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[Report] = []
        self.asked = asyncio.Event()
        self._receivers: list[Receiver] = []

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Subscribe at once, and hear later."""
        self._receivers.append(receive)
        return await super().subscribe(room, receive if len(self._receivers) == 1 else self.late.append)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """Take note that somebody asks."""
        self.asked.set()
        return await super().events(room, after=after, limit=limit)

    def tell(self, count: int | None = None) -> None:
        """Let the second subscriber hear of some of it."""
        told = self.late[:count]
        del self.late[:count]
        for event in told:
            self._receivers[1](event)


class Servers:
    """Two servers, the second of which is behind by what it was not told."""

    def __init__(self) -> None:
        self.store, self.clock = Lagging(), FakeClock()
        self.one, self.two = (ChatRoom(store=self.store, clock=self.clock) for _ in range(2))

    async def say(self, count: int) -> Position:
        """Say something on the first; where somebody there is then."""
        await self.one.start()
        await self.two.start()
        for number in range(count):
            await self.one.post(f"{number}", author="bot")
        self.store.asked.clear()
        return self.one.position

    def come(self, since: Position) -> asyncio.Task[Person]:
        """Come to the second from the first."""
        return asyncio.create_task(Person.enter(self.two, since=since))


async def test_who_is_ahead_of_a_server_waits_for_it() -> None:
    """What the client has heard is not told again; it goes on where it was; and nobody else waits meanwhile."""
    servers = Servers()
    since = await servers.say(5)
    coming = servers.come(since)
    await servers.store.asked.wait()
    other = await Person.enter(servers.two)
    assert (await other.event("welcome"))["seq"] == 0
    servers.store.tell(4)
    await asyncio.sleep(0)
    assert not coming.done()
    assert servers.two.here == 1
    servers.store.tell()
    person = await coming
    welcome = await person.event("welcome")
    assert (welcome["recovered"], welcome["seq"], welcome["messages"]) == (True, 5, [])
    await servers.one.post("new", author="bot")
    servers.store.tell()
    assert (await person.event("message"))["seq"] == 6


async def test_what_came_while_it_was_waited_for_is_told_too() -> None:
    """The feed brings more than what was waited for: that is what was missed."""
    servers = Servers()
    since = await servers.say(5)
    coming = servers.come(since)
    await servers.store.asked.wait()
    await servers.one.post("new", author="bot")
    servers.store.tell()
    person = await coming
    assert (await person.event("welcome"))["recovered"] is True
    assert [(await person.event("message"))["text"]] == ["new"]


@pytest.mark.parametrize("other", [{"seq": 6, "id": ""}, {"seq": 2**53 - 1, "id": ""}, {"seq": 5, "id": "other"}])
async def test_what_the_store_does_not_have_is_not_waited_for(other: dict[str, object]) -> None:
    """A place beyond the end of the log, or with another event, is of another log: there is the page at once."""
    servers = Servers()
    since = await servers.say(5)
    seq, event_id = other["seq"], other["id"]
    assert isinstance(seq, int)
    person = await servers.come(Position(since.epoch, seq, str(event_id)))
    assert (await person.event("welcome"))["recovered"] is False


async def test_who_waited_for_too_long_is_told_to_come_back() -> None:
    """A server that is told nothing says so; it has seated nobody, and tells nothing twice."""
    servers = Servers()
    coming = servers.come(await servers.say(5))
    await servers.store.asked.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    servers.clock.move(8)
    with pytest.raises(Refused) as caught:
        await coming
    assert (caught.value.code, caught.value.retry_after) == ("unavailable", 1.0)
    assert servers.two.here == 0
    servers.store.tell()
    assert servers.two.position.seq == 5


async def test_who_gives_up_while_waiting_leaves_nothing_behind() -> None:
    """No seat, no name, no member: with a login too."""
    servers = Servers()
    since = await servers.say(5)
    coming = asyncio.create_task(servers.two.connect(RecordingConnection(), since=since, user=User("7", "Ada")))
    await servers.store.asked.wait()
    coming.cancel()
    await asyncio.wait([coming])
    servers.store.tell()
    assert (servers.two.here, servers.one.here, servers.two.members) == (0, 0, ())


async def test_where_the_log_is_lost_while_waiting_there_is_the_new_one() -> None:
    """It opens anew, and shows what a newcomer is shown."""
    servers = Servers()
    coming = servers.come(await servers.say(5))
    await servers.store.asked.wait()
    servers.store.late.clear()
    old, new = servers.two.position, Position("another", 0)
    servers.store._logs.clear()
    servers.store._logs.epoch = new.epoch
    servers.store._receivers[1](Subscription(new, b"x" * 32))
    person = await coming
    welcome = await person.event("welcome")
    assert (welcome["recovered"], welcome["epoch"], welcome["seq"]) == (False, new.epoch, 0)
    assert old.epoch != new.epoch


class Reopening(MemoryStore):
    """A store that loses its log while a server reads where it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.losses = 2

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Remember who is to be told of the loss."""
        self.receive = receive
        return await super().subscribe(room, receive)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Read, and lose it."""
        page = await super().history(room, before=before, limit=limit, matching=matching)
        if self.losses:
            self.losses -= 1
            self._logs.clear()
            self._logs.epoch = f"epoch-{self.losses}"
            self.receive(Subscription(Position(self._logs.epoch, 0), b"x" * 32))
        return page


async def test_where_the_log_is_lost_while_a_room_opens_it_opens_again() -> None:
    """Nobody is let into a room that stands nowhere: the welcome is that of the log that there is, and events follow."""
    store = Reopening()
    room = ChatRoom(store=store)
    person = await Person.enter(room, since=Position(store._logs.epoch, 0))
    welcome = await person.event("welcome")
    assert (welcome["epoch"], welcome["recovered"]) == ("epoch-0", False)
    await room.post("hi", author="bot")
    assert (await person.event("message"))["seq"] == 1


async def test_a_room_that_closes_lets_nobody_wait() -> None:
    """Whoever waits is told that it is closed."""
    servers = Servers()
    coming = servers.come(await servers.say(5))
    await servers.store.asked.wait()
    await asyncio.sleep(0)
    await servers.two.aclose()
    done, _ = await asyncio.wait([coming], timeout=5)
    assert done
    assert coming.exception() is not None
