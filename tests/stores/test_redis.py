"""The Redis store keeps the contract of stores, on a real Redis: with many servers, and when Redis fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Away, Edited, Event, Joined, Left, Member, Message, Reacted, Renamed, Signal, Typing
from pychat.domain.moderation import Moderated, Record
from pychat.stores import Conflict, PushSubscription, Report, Retention, Store, Subscription, open_store, redact
from pychat.stores.redis import RedisStore
from pychat.testing import StoreContract
from tests.stores.redis_server import RedisServer, redis_server

TIMEOUT = 20.0  # seconds, before a test gives up
ADA, BOB, EVE = Member("a", "Ada"), Member("b", "Bob"), Member("e", "Eve")


def message(number: int | str, author: Member = ADA) -> Message:
    """A message that is not stored yet."""
    return Message(f"m{number}", author, f"text {number}", 1_700_000_000.0)


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    """A Redis for all tests that do it no harm."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(shared: RedisServer) -> RedisServer:
    """The same, empty."""
    assert shared.do("FLUSHALL") == "+OK"
    return shared


@pytest.fixture
def durable() -> Iterator[RedisServer]:
    """A Redis of the test's own, that keeps what it has acknowledged even if it is killed."""
    with redis_server(durable=True) as server:
        yield server


class TestRedis(StoreContract):
    """A log in Redis."""

    @pytest.fixture(autouse=True)
    def _empty(self, redis: RedisServer) -> None:
        self.url = redis.url

    @asynccontextmanager
    async def opened(self, retention: Retention | None = None) -> AsyncIterator[Store]:
        """Open what this test has in Redis."""
        store = RedisStore(self.url) if retention is None else RedisStore(self.url, retention)
        yield store
        await store.aclose()

    @asynccontextmanager
    async def beside(self, store: Store) -> AsyncIterator[Store]:
        """Another server's, on the same Redis."""
        assert isinstance(store, RedisStore)
        other = RedisStore(self.url)
        yield other
        await other.aclose()


class Server:
    """A server of the room: its store, and what it was told."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.told: list[Report] = []
        self._more = asyncio.Event()

    async def open(self) -> Subscription:
        """Open the room."""
        return await self.store.subscribe("lobby", self._receive)

    def _receive(self, event: Report) -> None:
        self.told.append(event)
        self._more.set()

    async def until(self, true: Callable[[list[Report]], bool]) -> None:
        """Wait until it holds of what was told."""
        async with asyncio.timeout(TIMEOUT):
            while not true(self.told):
                self._more.clear()
                await self._more.wait()

    async def hears(self, *events: Event) -> None:
        """Wait until these were told."""
        await self.until(lambda told: all(event in told for event in events))

    async def says(self, *numbers: int | str, author: Member = ADA) -> None:
        """Say something; again and again, until it is stored."""
        for number in numbers:
            async with asyncio.timeout(TIMEOUT):
                while True:
                    try:
                        await self.store.append("lobby", message(number, author))
                        break
                    except Refused as refused:
                        assert refused.code == "unavailable"
                        await self.available()

    async def signals(self, signal: Signal) -> None:
        """Signal it."""
        await self.store.signal("lobby", signal)

    async def available(self, *, yes: bool = True) -> None:
        """Wait until Redis is found to be there, or not."""
        async with asyncio.timeout(TIMEOUT):
            while self.store.available is not yes:
                await asyncio.sleep(0.005)

    def die(self) -> None:
        """End as a process ends that is killed: nothing is said to anybody."""
        for task in self.store._tasks:
            task.cancel()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that were told, in their order."""
        return [event.seq for event in self.told if isinstance(event, Message | Edited | Reacted)]


@pytest.fixture
async def servers() -> AsyncIterator[Any]:
    """How to start a server of the room: with a Redis, and options of its store."""
    async with AsyncExitStack() as stack:

        async def start(redis: RedisServer, **options: Any) -> Server:
            store = RedisStore(redis.url, **{"heartbeat": 1.5} | options)
            stack.push_async_callback(store.aclose)
            server = Server(store)
            await server.open()
            return server

        yield start


# Two servers are one room.


async def test_all_servers_are_told_the_same_in_the_same_order(redis, servers) -> None:
    """However many servers append and signal at once, there is one order, and each is told all of it."""
    one, two = await servers(redis), await servers(redis)
    await asyncio.gather(
        *(server.says(f"{name}{number}") for name, server in (("x", one), ("y", two)) for number in range(200)),
        *(one.signals(Typing(ADA, bool(number % 2))) for number in range(50)),
        *(two.signals(Typing(BOB, bool(number % 2))) for number in range(50)),
    )
    await one.until(lambda told: len(told) == 500)
    await two.until(lambda told: len(told) == 500)
    assert one.told == two.told
    assert list(range(1, 401)) == one.numbers
    assert await one.store.events("lobby", after=0, limit=1000) == [e for e in two.told if isinstance(e, Message)]


async def test_an_id_stands_once_whichever_server_it_is_sent_to(redis, servers) -> None:
    """Who sends again, over another server, is answered as the first time, after that server's people were told."""
    one, two = await servers(redis), await servers(redis)
    first, *others = await asyncio.gather(*(each.store.append("lobby", message(1)) for each in (one, two) * 10))
    assert {first.seq} == {other.seq for other in others}
    assert one.told == two.told == [first]


async def test_one_of_two_gets_the_name(redis, servers) -> None:
    """A name taken on one server is taken on all, also by what looks like it, and even at the same moment."""
    one, two = await servers(redis), await servers(redis)
    for round_ in range(20):
        ian, lan = Member(f"i{round_}", f"Ian{round_}"), Member(f"l{round_}", f"lan{round_}")
        results = await asyncio.gather(one.signals(Joined(ian)), two.signals(Joined(lan)), return_exceptions=True)
        refused = [each for each in results if each is not None]
        assert [each.code for each in refused if isinstance(each, Refused)] == ["name_taken"]
        assert len(refused) == 1
    await two.until(lambda told: len(told) == 20)
    assert one.told == two.told


async def test_a_name_is_free_when_it_was_left_or_changed_and_not_when_its_holder_is_away(redis, servers) -> None:
    """As `Joined`, `Renamed`, `Away` and `Left` say, whichever server says it."""
    one, two = await servers(redis), await servers(redis)

    async def taken(name: str) -> bool:
        try:
            await two.signals(Joined(Member("x", name)))
        except Refused as refused:
            assert refused.code == "name_taken"
            return True
        await two.signals(Left(Member("x", name)))
        return False

    await one.signals(Joined(ADA))
    assert await taken("ada")
    await one.signals(Renamed(Member("a", "Countess"), "Ada"))
    assert not await taken("Ada")
    assert await taken("Countess")
    await one.signals(Away(Member("a", "Countess")))
    assert await taken("Countess")
    await one.signals(Left(Member("a", "Countess")))
    assert not await taken("Countess")


async def test_who_comes_later_is_told_who_is_here(redis, servers) -> None:
    """A server that opens finds who is here on others, who is away, and who was here, and the same secret."""
    one = await servers(redis)
    secret = one.store._feeds["lobby"].secret
    for signal in (Joined(BOB), Joined(ADA), Joined(EVE), Away(ADA), Left(EVE)):
        await one.signals(signal)
    await one.says(1, 2)
    store = RedisStore(redis.url)
    opening = await Server(store).open()
    await store.aclose()
    assert ((BOB,), (ADA,), (EVE,)) == (opening.members, opening.away, opening.known)
    assert (2, secret) == (opening.position.seq, opening.secret)


async def test_who_is_on_two_servers_is_away_only_when_gone_from_both(redis, servers) -> None:
    """Two tabs of one member, on two servers, are one member; it leaves for good wherever it says so."""
    one, two = await servers(redis), await servers(redis)
    await one.signals(Joined(ADA))
    await two.signals(Joined(ADA))
    await one.signals(Away(ADA))
    await one.signals(Left(ADA))  # a grace that ends here does not concern who is there
    await one.says(1)
    await two.signals(Away(ADA))
    await two.signals(Joined(ADA))
    await two.signals(Left(ADA))
    await one.hears(Left(ADA))
    assert [Joined(ADA), replace(message(1), seq=1), Away(ADA), Joined(ADA), Left(ADA)] == one.told


# Servers come and go.


async def test_who_vanishes_with_a_server_is_away_and_then_gone(redis, servers) -> None:
    """When a server dies, exactly one of the others says of each of its members that they are away, and then gone."""
    one, two, three = [await servers(redis, grace=0.5) for _ in range(3)]
    await one.signals(Joined(ADA))
    await one.signals(Joined(EVE))
    await one.signals(Away(EVE))  # nobody is left on her server to end this
    await two.signals(Joined(BOB))
    one.die()
    for server in (two, three):
        await server.hears(Away(ADA), Left(ADA), Left(EVE))
    await two.says(1)
    await three.hears(replace(message(1), seq=1))
    for server in (two, three):
        assert sorted(map(repr, server.told)) == sorted(
            map(
                repr,
                [
                    Joined(ADA),
                    Joined(EVE),
                    Away(EVE),
                    Joined(BOB),
                    Away(ADA),
                    Left(ADA),
                    Left(EVE),
                    replace(message(1), seq=1),
                ],
            )
        )
    await two.signals(Joined(Member("x", "Ada")))


async def test_who_comes_back_in_time_stays(redis, servers) -> None:
    """A member of a server that died may come back on another, and is not sent away there."""
    one, two = await servers(redis, grace=2.5), await servers(redis, grace=2.5)
    await one.signals(Joined(ADA))
    await one.signals(Joined(BOB))
    one.die()
    await two.hears(Away(ADA), Away(BOB))
    await two.signals(Joined(ADA))
    await two.hears(Left(BOB))
    assert [event for event in two.told if event.member == ADA] == [Joined(ADA), Away(ADA), Joined(ADA)]


async def test_the_members_of_a_server_that_is_closed_are_away(redis, servers) -> None:
    """At once, without waiting for anything; and another server ends it."""
    one, two = await servers(redis, grace=0.5), await servers(redis, grace=0.5)
    await one.signals(Joined(ADA))
    await one.store.aclose()
    await two.hears(Away(ADA), Left(ADA))


async def test_a_server_that_was_only_slow_has_its_members_back(redis, servers) -> None:
    """Who was taken for dead, and is not, says so; nobody is lost over it."""
    one, two = await servers(redis), await servers(redis)
    await one.signals(Joined(ADA))
    assert redis.do("ZADD", "pychat:{lobby}:servers", "1", one.store._id) == ":0"
    one.store._heartbeat._ttl = 600.0  # as if it hung: its next beat is far
    await two.hears(Away(ADA))
    await two.until(lambda told: told[-1] == Joined(ADA))
    assert two.told == [Joined(ADA), Away(ADA), Joined(ADA)]


# Redis goes away.


@pytest.mark.timeout(120)
async def test_a_redis_that_is_killed_loses_nothing_that_was_acknowledged(durable, servers) -> None:
    """Killed in the midst of traffic, and back: what was acknowledged is stored once, and everyone was told all."""
    one, two = await servers(durable), await servers(durable)
    await one.signals(Joined(ADA))
    stop = asyncio.Event()

    async def talk(server: Server, name: str) -> int:
        number = 0
        while not stop.is_set():
            number += 1
            await server.says(f"{name}{number}")
        return number

    talking = [
        asyncio.create_task(talk(server, f"{name}{task}-"))
        for name, server in (("x", one), ("y", two))
        for task in "12"
    ]
    for _ in range(3):
        before = len(two.told)
        await two.until(lambda told, before=before: len(told) > before + 100)
        durable.kill()
        await one.available(yes=False)
        await two.available(yes=False)
        durable.start()
    for server in (one, two):
        await server.available()
        before = len(server.told)
        await server.until(lambda told, before=before: len(told) > before + 20)
    stop.set()
    acknowledged = await asyncio.gather(*talking)
    await one.says("end")
    await two.hears(one.told[-1])
    log, after = [], 0
    while page := await one.store.events("lobby", after=after, limit=1000):
        log += page
        after = page[-1].seq
    assert list(range(1, len(log) + 1)) == [event.seq for event in log] == one.numbers == two.numbers
    assert sum(acknowledged) + 1 == len({event.id for event in log}) == len(log)
    assert [event for event in one.told if isinstance(event, Subscription)] == []
    assert [event for event in two.told if not isinstance(event, Message)] == [Joined(ADA)]


async def test_a_blocked_event_loop_is_not_taken_for_an_outage(redis, servers, caplog) -> None:
    """Somebody's code blocks the loop for longer than Redis may take: what Redis has answered meanwhile counts."""
    server = await servers(redis, timeout=1.0)
    unavailable: list[object] = []
    server.store._connection_failed = unavailable.append
    for connection in (server.store._write_connection, server.store._read_connection, server.store._feed_connection):
        connection._connection_failed = unavailable.append
    for number in range(2):
        calls = [server.store.append("lobby", message(number)), server.store.history("lobby")]
        tasks = [asyncio.ensure_future(each) for each in calls]
        for _ in range(10 * number):  # the second time the commands have been sent before
            await asyncio.sleep(0)
        time.sleep(2.5)  # noqa: ASYNC251 -- the fault; the reader of the feed may wait for two seconds
        await asyncio.gather(*tasks)
        assert server.store.available
    assert server.numbers == [1, 2]
    assert (unavailable, caplog.messages) == ([], [])


async def test_a_redis_that_hangs_is_unavailable_and_then_back(durable, servers) -> None:
    """Everything is refused in bounded time, with a time to retry; then all goes on from where it was."""
    server = await servers(durable, timeout=0.5)
    await server.says(1)
    durable.hang()
    asked = [
        server.store.append("lobby", message(2)),
        server.store.signal("lobby", Joined(ADA)),
        server.store.events("lobby", after=0, limit=1),
        server.store.history("lobby"),
    ]
    async with asyncio.timeout(TIMEOUT):
        answers = await asyncio.gather(*asked, return_exceptions=True)
    for refused in answers:
        assert isinstance(refused, Refused)
        assert refused.code == "unavailable"
        assert refused.retry_after
    assert not server.store.available
    with pytest.raises(Refused, match="cannot be reached"):
        await server.store.append("lobby", message(3))
    durable.resume()
    await server.says(2, 3)
    assert server.numbers == [1, 2, 3]
    await server.until(lambda told: all(event in told for event in (Joined(ADA), Away(ADA))) or Joined(ADA) not in told)


async def test_moderation_records_survive_an_outage_and_stay_in_order(durable, servers) -> None:
    """Two servers change the records of a room while Redis is killed: both are told the same, each version once."""
    one, two = await servers(durable), await servers(durable)

    async def change(server: Server, key: str) -> None:
        while True:
            try:
                _, version = await server.store.moderation.load("lobby")
                await server.store.moderation.change("lobby", [Record("role", key)], None, version)
            except Conflict:
                continue
            except Refused as refused:
                assert refused.code == "unavailable"
                await server.available()
            else:
                await server.says(key)
                return

    for round_ in range(2):
        changing = [
            asyncio.create_task(change(server, f"{name}{round_}-{number}"))
            for number in range(20)
            for name, server in (("x", one), ("y", two))
        ]
        if not round_:
            await one.until(lambda told: len(told) > 10)
            durable.kill()
            await asyncio.gather(one.available(yes=False), two.available(yes=False))
            durable.start()
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*changing)
    await one.says("end")
    await two.hears(one.told[-1])
    assert one.told == two.told
    versions = [each.version for each in one.told if isinstance(each, Moderated)]
    assert versions == list(range(1, len(versions) + 1))
    records, version = await two.store.moderation.load("lobby")
    assert (len(records), version) == (80, versions[-1])


async def test_what_could_not_be_said_is_made_up_for(durable, servers) -> None:
    """Who went while Redis was away is away for the others when it is back, though nobody repeats it."""
    one, two = await servers(durable, grace=0.5), await servers(durable, grace=0.5)
    await one.signals(Joined(ADA))
    await one.signals(Joined(BOB))
    durable.kill()
    for signal in (Away(ADA), Left(BOB)):
        with pytest.raises(Refused, match="cannot be reached"):
            await one.signals(signal)
    durable.start()
    await two.hears(Away(ADA), Left(BOB), Left(ADA))


async def test_nobody_is_taken_for_dead_because_redis_was_away(durable, servers) -> None:
    """When Redis was away for longer than servers last, each has the time to say that it is there."""
    one, two = await servers(durable), await servers(durable)
    await one.signals(Joined(ADA))
    await two.signals(Joined(BOB))
    assert durable.do("ZADD", "pychat:{lobby}:servers", "1", one.store._id, "1", two.store._id) == ":0"
    durable.kill()
    await asyncio.gather(one.available(yes=False), two.available(yes=False))
    durable.start()
    await one.says(1)
    await two.says(2)
    assert {Joined(ADA), Joined(BOB)} == {event for event in one.told if not isinstance(event, Message)}


@pytest.mark.parametrize("loss", ["flush", "rollback"])
async def test_a_redis_that_lost_the_log_begins_a_new_epoch(loss, servers) -> None:
    """The rooms are told where they stand now: the epoch is another, the secret the same, and who is here stays."""
    with redis_server() as redis:
        one, two = await servers(redis), await servers(redis)
        before = one.store._feeds["lobby"].epoch
        secret = one.store._feeds["lobby"].secret
        await one.signals(Joined(ADA))
        await one.says(1, 2)
        if loss == "rollback":
            assert redis.do("SAVE") == "+OK"
        await one.signals(Joined(BOB))
        await two.signals(Joined(EVE))
        await one.says(3, 4)
        if loss == "flush":
            assert redis.do("FLUSHALL") == "+OK"
        else:
            redis.kill()
            redis.start()
        for server in (one, two):
            await server.until(lambda told: any(isinstance(event, Subscription) for event in told))
        await asyncio.gather(one.says(5), two.says(6))
        for server in (one, two):
            await server.until(lambda told: {"m5", "m6"} <= {getattr(event, "id", None) for event in told})
            (opening,) = (event for event in server.told if isinstance(event, Subscription))
            assert opening.position.epoch not in {"", before}
            assert opening.position.seq == (0 if loss == "flush" else 2)
            assert opening.secret == secret
            after = server.told[server.told.index(opening) :]
            here = {*opening.members, *(event.member for event in after if isinstance(event, Joined))}
            assert here == {ADA, BOB, EVE}
            new = sorted(event.seq for event in after if isinstance(event, Message))
            assert new == ([1, 2] if loss == "flush" else [3, 4])
        assert one.store._feeds["lobby"].epoch == two.store._feeds["lobby"].epoch


async def test_a_server_that_fell_far_behind_is_told_from_the_log(redis, servers) -> None:
    """What Redis does not tell any more is in the log; then the room is told where it stands, in the same epoch."""
    one, two = await servers(redis), await servers(redis)
    await one.says(1)
    await two.hears(replace(message(1), seq=1))
    await two.signals(Joined(BOB))
    two.store._feed_connection._connection._writer.transport.pause_reading()  # its connection is stuck
    two.store._feed_connection._timeout = 600
    two.store._heartbeat._ttl = 600
    await asyncio.gather(*(one.says(number) for number in range(2, 1502)))
    await one.signals(Joined(ADA))
    assert redis.do("XTRIM", "pychat:{lobby}:told", "MAXLEN", "1").startswith(":")
    two.store._feed_connection._connection._writer.transport.abort()
    await two.until(lambda told: any(isinstance(event, Subscription) for event in told))
    opening = two.told[-1]
    assert isinstance(opening, Subscription)
    assert {ADA, BOB} == set(opening.members)
    assert (1501, two.store._feeds["lobby"].epoch) == (opening.position.seq, opening.position.epoch)
    assert list(range(1, 1502)) == two.numbers
    await one.says("last")
    await two.until(lambda told: two.numbers[-1] == 1502)


# The rest.


async def test_many_revisions_of_a_message_become_one(redis, servers) -> None:
    """A message that is reacted to all day takes no more room than what came of it."""
    server = await servers(redis)
    await server.says(1)
    for number in range(300):
        await server.store.append("lobby", Reacted(f"r{number}", BOB, 1, "👍", number % 2 == 0, 0.0))
    await server.store.append("lobby", Edited("e", ADA, 1, "new", 5.0))
    (found,) = (await server.store.history("lobby")).messages
    assert replace(message(1), seq=1, text="new", edited=5.0) == found
    assert int(redis.do("HSTRLEN", "pychat:{lobby}:fates", "1")[1:]) < 20_000


async def test_old_messages_are_forgotten_even_where_nobody_speaks(redis, servers) -> None:
    """Retention by age holds in a quiet room too."""
    now = 1_700_000_000.0
    server = await servers(redis, retention=Retention(age=100), date=lambda: now)
    await server.says(1, 2)
    assert len((await server.store.history("lobby")).messages) == 2
    now += 101
    async with asyncio.timeout(TIMEOUT):
        while (await server.store.history("lobby")).messages:
            await asyncio.sleep(0.01)
    await server.says(3)
    assert [each.seq for each in await server.store.events("lobby", after=0, limit=9)] == []
    assert (await server.store.history("lobby")).seq == 3


async def test_search_reads_as_far_as_it_must(redis, servers) -> None:
    """A word that stands far back is found, behind more messages than are read at once."""
    server = await servers(redis)
    await server.store.append("lobby", replace(message("far"), text="a needle"))
    await asyncio.gather(*(server.says(number) for number in range(1200)))
    assert [each.seq for each in (await server.store.history("lobby", matching="NEEDLE")).messages] == [1]


async def test_a_redis_that_is_full_is_unavailable(servers) -> None:
    """What is refused for want of memory is refused as `unavailable`; with memory it goes on."""
    with redis_server() as redis:
        server = await servers(redis)
        await server.says(1)
        assert redis.do("CONFIG", "SET", "maxmemory", "1") == "+OK"
        with pytest.raises(Refused, match="cannot be reached"):
            await server.store.append("lobby", message(2))
        await server.available(yes=False)
        assert redis.do("CONFIG", "SET", "maxmemory", "0") == "+OK"
        await server.says(2)
        assert server.numbers == [1, 2]


async def test_a_redis_that_is_not_there_yet_is_unavailable(servers) -> None:
    """A server may start before its Redis does."""
    with redis_server() as redis:
        redis.kill()
        store = RedisStore(redis.url, timeout=0.5)
        server = Server(store)
        with pytest.raises(Refused, match="cannot be reached"):
            await server.open()
        redis.start()
        await server.available()
        await server.open()
        await server.says(1)
        await store.aclose()


async def test_prefixes_part_what_shares_a_redis(redis, servers) -> None:
    """`?prefix=` keeps two chats in one Redis apart, and a Unix socket leads to the same place."""
    one = open_store(f"{redis.url}?prefix=one")
    two = open_store(f"unix://{redis.socket}?db=0&prefix=two")
    same = open_store(f"unix://{redis.socket}?prefix=one")
    try:
        for store in (one, two, same):
            await store.subscribe("lobby", lambda _: None)
        await one.append("lobby", message(1))
        assert [(await store.history("lobby")).seq for store in (one, two, same)] == [1, 0, 1]
    finally:
        for store in (one, two, same):
            await store.aclose()


def test_a_url_that_redis_does_not_know_is_a_mistake() -> None:
    """Said before anything is tried."""
    with pytest.raises(UsageError, match="is not valid"):
        open_store("redis://localhost/0?nonsense=1")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without redis-py the URL is refused with the command that helps."""
    import sys

    for name in [name for name in sys.modules if name.startswith("pychat.stores.redis")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UsageError, match=r"pip install \"\.\[redis\]\""):
        open_store("redis://localhost/0")


SECRET = "p4ss-w0rd"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h/0", "redis://h/0"),
        (f"redis://:{SECRET}@h:6379/0", "redis://…@h:6379/0"),
        (f"rediss://ada:{SECRET}@h", "rediss://…@h"),
        (f"redis://h/0?password={SECRET}", "redis://h/0?…"),
        (f"redis://h/0?username=ada&password={SECRET}&prefix=chat&db=1", "redis://h/0?prefix=chat&db=1&…"),
        (f"redis://h/0?password={SECRET}@x", "redis://…"),
        (f"redis://h?password=a&{SECRET}", "redis://h?…"),
        (f"redis://ada:{SECRET}/x@h/0", "redis://…"),
        (f"redis://:{SECRET}?x@h/0", "redis://…"),
        (f"redis://:{SECRET}#x@h/0", "redis://…"),
        (f"redis://ada:{SECRET}@x@h/0", "redis://…"),
        (f"redis://ada%3A{SECRET}@[::1]:6379", "redis://…@[::1]:6379"),
        (f"unix://ada:{SECRET}@/run/redis.sock?db=1", "unix://…@/run/redis.sock?db=1"),
        (f"reddis://:{SECRET}@h/0", "reddis://…"),
        ("memory:", "memory:"),
        ("sqlite:/srv/chat@home.db", "sqlite:/srv/chat@home.db"),
        ("nonsense://x", "nonsense://x"),
    ],
)
def test_no_secret_of_a_url_is_shown(url: str, shown: str) -> None:
    """Wherever the password stands, and however wrong the URL is, what is printed does not have it."""
    assert redact(url) == shown
    assert SECRET not in redact(url)


@pytest.mark.parametrize(
    "url",
    [
        f"reddis://:{SECRET}@h/0",
        f"redis://h/0?nonsense=1&password={SECRET}",
        f"redis://ada:{SECRET}/x@h/0",
        f"redis://[{SECRET}@h/0",
        f"redis://h/0?socket_timeout={SECRET}",
    ],
)
def test_a_wrong_url_is_refused_without_its_secrets(url: str) -> None:
    """Nor does what redis-py says of it get through."""
    with pytest.raises(UsageError) as caught:
        open_store(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(url, "")


@pytest.mark.parametrize("url", ["redis://:{}@127.0.0.1:{}/0", "redis://127.0.0.1:{1}/0?password={0}"])
def test_a_server_says_no_password(url: str) -> None:
    """`pychat serve` names its Redis when it starts, and when it is not let in; the password is in neither."""
    with redis_server() as redis:
        command = [
            sys.executable,
            "-m",
            "pychat",
            "serve",
            "--port",
            "0",
            "--store",
            url.format("no" + SECRET, redis.port),
        ]
        assert redis.do("CONFIG", "SET", "requirepass", SECRET) == "+OK"
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2
        assert ended.stderr.splitlines()[-1].startswith("pychat: Redis cannot be used: it rejects the user and")
        assert SECRET not in ended.stderr + ended.stdout
        assert "Traceback" not in ended.stderr
        command[-1] = url.format(SECRET, redis.port)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as served:
            assert served.stdout is not None
            started = served.stdout.readline()
            served.terminate()
            assert "Messages are kept in redis://" in started
            assert SECRET not in started + served.stdout.read()


def _protected(server: RedisServer) -> None:
    assert server.do("CONFIG", "SET", "requirepass", SECRET) == "+OK"


def _reader_only(server: RedisServer) -> None:
    assert server.do("ACL", "SETUSER", "default", "-@all", "+@read", "+@connection", "+info", "+acl") == "+OK"


def _other_keys(server: RedisServer) -> None:
    assert server.do("ACL", "SETUSER", "default", "resetkeys", "~other:*") == "+OK"


def _of_another_type(server: RedisServer) -> None:
    assert server.do("SET", "pychat:{lobby}:meta", "x") == "+OK"


def _nothing(_: RedisServer) -> None: ...


@pytest.mark.parametrize(
    ("spoil", "insert", "told"),
    [
        (_protected, "", "requires a password"),
        (_protected, ":wrong@", "rejects the user and password"),
        (_nothing, ":needless@", "it has no password, but the URL gives one"),
        (_reader_only, "", "lacks permissions that pychat needs"),
        (_other_keys, "", "lacks permissions that pychat needs"),
        (_of_another_type, "", "uses the names of pychat's keys for other data"),
    ],
)
async def test_a_redis_that_does_not_let_pychat_in_says_what_to_do(caplog, spoil, insert: str, told: str) -> None:
    """One line at the start, in plain words: whoever starts a server need not know Redis's codes."""
    with redis_server() as server:
        spoil(server)
        store = RedisStore(server.url.replace("//", f"//{insert}"))
        with pytest.raises(Refused) as caught:
            await store.subscribe("lobby", lambda _: None)
        await store.aclose()
    assert caught.value.code == "unavailable"
    assert isinstance(caught.value.__cause__, UsageError)
    assert told in str(caught.value.__cause__)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert told in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("spoil", "mend", "told"),
    [
        (_reader_only, ("ACL", "SETUSER", "default", "+@all"), "lacks permissions that pychat needs"),
        (_other_keys, ("ACL", "SETUSER", "default", "~*"), "lacks permissions that pychat needs"),
        (
            lambda server: server.do("REPLICAOF", "127.0.0.1", "1"),
            ("REPLICAOF", "NO", "ONE"),
            "replica",
        ),
        (
            lambda server: server.do("CONFIG", "SET", "min-replicas-to-write", "1"),
            ("CONFIG", "SET", "min-replicas-to-write", "0"),
            "too few replicas",
        ),
        (
            lambda server: server.do("CONFIG", "SET", "maxmemory", "1"),
            ("CONFIG", "SET", "maxmemory", "0"),
            "memory is full",
        ),
    ],
)
async def test_why_redis_cannot_be_used_is_said_once_and_so_is_its_return(
    servers, caplog, spoil, mend: tuple[str, ...], told: str
) -> None:
    """While it lasts messages are refused as `unavailable`, whatever Redis calls it; nobody's log is flooded."""
    with redis_server() as redis:
        server = await servers(redis)
        await server.says(1)
        spoil(redis)
        for _ in range(3):
            with pytest.raises(Refused, match="cannot be reached"):
                await server.store.append("lobby", message(2))
        await server.available(yes=False)
        assert redis.do(*mend) == "+OK"
        await server.available()
        await server.says(2)
        await _said(caplog, "can be used again")
        assert server.numbers == [1, 2]
    lines = [record.getMessage() for record in caplog.records if "cannot be used" in record.getMessage()]
    assert len([line for line in lines if told in line]) == len(lines) == 1
    assert len([record for record in caplog.records if "can be used again" in record.getMessage()]) == 1
    assert "Traceback" not in caplog.text


async def _said(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(TIMEOUT):
        while text not in caplog.text:
            await asyncio.sleep(0.005)


async def test_a_redis_that_goes_and_comes_is_said_in_plain_words(servers, caplog) -> None:
    """What happened stands there as people say it, and not as the name of a class."""
    with redis_server(durable=True) as redis:
        server = await servers(redis)
        await server.says(1)
        redis.kill()
        await server.available(yes=False)
        redis.start()
        await _said(caplog, f"Redis at {redis.url} can be used again.")
        await server.says(2)
    assert f"Redis at {redis.url} cannot be used, and messages are refused until it can: it cannot be" in caplog.text
    assert "Error(" not in caplog.text


@pytest.mark.parametrize("allowed", ["all", "info", "config"])
async def test_a_redis_that_evicts_is_warned_of(caplog, allowed: str) -> None:
    """It would remove rooms without a word; a user who may not ask is left alone."""
    with redis_server() as redis:
        redis.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        if allowed != "all":
            redis.do("ACL", "SETUSER", "default", "-config" if allowed == "info" else "-info")
        store = RedisStore(redis.url)
        await store.subscribe("lobby", lambda _: None)
        await _said(caplog, "maxmemory-policy noeviction")
        await store.aclose()
    assert caplog.text.count("allkeys-lru") == 1


async def test_a_redis_that_evicts_nothing_of_rooms_is_not_warned_of(redis, servers, caplog) -> None:
    """Neither its defaults nor a policy that touches none of our keys."""
    for policy in ("noeviction", "volatile-lru"):
        redis.do("CONFIG", "SET", "maxmemory-policy", policy)
        server = await servers(redis)
        await asyncio.gather(*server.store._tasks - {task for task in server.store._tasks if not _asks(task)})
    redis.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert "maxmemory-policy" not in caplog.text


def _asks(task: asyncio.Task[Any]) -> bool:
    return "eviction" in getattr(task.get_coro(), "__qualname__", "")


@pytest.mark.parametrize("step", [1, 2, 3, 4])
async def test_a_browser_that_two_members_subscribe_at_once_is_one_member_s(redis, servers, step: int) -> None:
    """Whatever of one happens between two steps of the other, the browser gets the messages of one member only."""
    records = (await servers(redis)).store.push
    assert records is not None
    execute, count, held, go_on = records._execute, 0, asyncio.Event(), asyncio.Event()

    async def slowly(*command: str | int) -> object:
        nonlocal count
        count += 1
        if count == step:
            held.set()
            await go_on.wait()
        return await execute(*command)

    slow = type(records)(records._prefix, slowly, records._date)
    subscription = PushSubscription("https://push.example/1", "key", "secret", time.time() + 1_000)
    async with asyncio.timeout(TIMEOUT):
        first = asyncio.create_task(slow.save("ada", subscription))
        await held.wait()
        await records.save("bob", subscription)
        go_on.set()
        await first
    assert len([*await records.of("ada"), *await records.of("bob")]) == 1
