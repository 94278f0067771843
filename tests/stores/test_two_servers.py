"""Two servers with one Redis are one room, for the people in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import aiohttp
import pytest

from pychat import ChatRoom, Close, Limits, Position, User
from pychat.stores.redis import RedisStore
from pychat.testing import Person, RecordingConnection
from tests.client.cable import cable
from tests.clients import WebSocketPerson
from tests.servers import pychat_process
from tests.stores.redis_server import RedisServer, redis_server

TIMEOUT = 20.0  # seconds, before a test gives up


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, that keeps what it has acknowledged."""
    with redis_server(durable=True) as server:
        yield server


@pytest.fixture
async def room_on(redis: RedisServer) -> AsyncIterator[Any]:
    """How to start a server of the room."""
    async with AsyncExitStack() as stack:

        async def start(*, grace: float = 30.0, url: str = redis.url) -> ChatRoom:
            store = RedisStore(url, heartbeat=1.5, grace=grace)
            stack.push_async_callback(store.aclose)
            room = ChatRoom(store=store, limits=Limits(rate=0), grace=grace)
            stack.push_async_callback(room.aclose)
            await room.start()
            return room

        yield start


def store_of(room: ChatRoom) -> RedisStore:
    """The store of a room."""
    assert isinstance(room.backend._store, RedisStore)
    return room.backend._store


def names(room: ChatRoom) -> list[str]:
    """Who is here, as a server sees it."""
    return sorted(member.name for member in room.members)


async def until(true: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(TIMEOUT):
        while not true():
            await asyncio.sleep(0.005)


async def test_same_order_and_same_history(room_on: Any) -> None:
    """What is said on two servers at once is heard in one order on both, and that is the order of the history."""
    one, two = await room_on(), await room_on()
    ada, bob, eve = await Person.enter(one), await Person.enter(two), await Person.enter(two)
    assert (await ada.join("Ada"))["ok"]
    assert (await bob.join("Bob"))["ok"]
    await asyncio.gather(
        *(ada.say(f"a{number}") for number in range(50)), *(bob.say(f"b{number}") for number in range(50))
    )
    heard = [(await eve.event("message"))["text"] for _ in range(100)]
    assert heard == [message.text for message in await one.history(limit=100)]
    assert heard == [message.text for message in await two.history(limit=100)]


async def test_members_are_seen_and_their_names_taken_everywhere(room_on: Any) -> None:
    """Who joins, changes names and leaves on one server does so on both; and a server that comes later knows."""
    one, two = await room_on(), await room_on()
    ada, bob = await Person.enter(one), await Person.enter(two)
    await ada.join("Ada")
    await until(lambda: names(two) == ["Ada"])
    assert (await bob.join("ada"))["error"]["code"] == "name_taken"
    await bob.join("Bob")
    await ada.join("Countess")
    await until(lambda: names(one) == names(two) == ["Bob", "Countess"])
    assert names(await room_on()) == ["Bob", "Countess"]
    await ada.command("leave")
    await until(lambda: names(one) == names(two) == ["Bob"])
    assert (await bob.join("Countess"))["ok"]


async def test_only_one_of_two_who_ask_at_once_gets_the_name(room_on: Any) -> None:
    """Though neither server knows of the other's visitor yet."""
    one, two = await room_on(), await room_on()
    for number in range(10):
        answers = await asyncio.gather(
            (await Person.enter(one)).join(f"Ada{number}"), (await Person.enter(two)).join(f"Ada{number}")
        )
        assert sorted(answer["ok"] for answer in answers) == [False, True]


async def test_a_client_that_drops_from_one_server_recovers_on_the_other(room_on: Any) -> None:
    """With nothing missed and nothing twice, as the same member, under the same name."""
    one, two = await room_on(), await room_on()
    ada, bob = await Person.enter(one), await Person.enter(two)
    joined = await ada.join("Ada")
    await bob.join("Bob")
    await bob.say("before")
    before = await ada.event("message")
    await ada.drop()
    await until(lambda: names(two) == ["Bob"])
    await bob.say("missed")
    back = await Person.enter(two, since=Position(one.position.epoch, before["seq"]))
    welcome = await back.event("welcome")
    assert welcome["recovered"]
    assert (await back.event("message"))["text"] == "missed"
    assert (await back.join("Ada", joined["token"]))["member"] == joined["member"]
    await until(lambda: names(one) == names(two) == ["Ada", "Bob"])


async def test_who_is_on_both_servers_stays_when_one_connection_breaks(room_on: Any) -> None:
    """Two tabs on two servers are one member, who is here as long as one of them is."""
    one, two = await room_on(grace=0.3), await room_on(grace=0.3)
    ada, tab, bob = await Person.enter(one), await Person.enter(two), await Person.enter(two)
    await bob.join("Bob")
    token = (await ada.join("Ada"))["token"]
    await until(lambda: "Ada" in names(two))
    assert (await tab.join("Ada", token))["ok"]
    happened: list[Any] = []
    two.on("event", happened.append)
    await ada.drop()
    assert (await tab.say("still here"))["ok"]
    await until(lambda: happened)
    assert [type(event).__name__ for event in happened] == ["Message"]
    assert names(one) == names(two) == ["Ada", "Bob"]
    other = await Person.enter(one)
    assert (await other.join("Ada"))["error"]["code"] == "name_taken"


async def test_who_vanishes_with_a_server_leaves_the_list_of_the_other(room_on: Any) -> None:
    """A server that dies says nothing; its members are gone from the list, and then their names are free."""
    one, two = await room_on(grace=0.5), await room_on(grace=0.5)
    ada, bob = await Person.enter(one), await Person.enter(two)
    await ada.join("Ada")
    await bob.join("Bob")
    await until(lambda: names(two) == ["Ada", "Bob"])
    for task in store_of(one)._tasks:
        task.cancel()
    await until(lambda: names(two) == ["Bob"])
    other = await Person.enter(two)
    async with asyncio.timeout(TIMEOUT):
        while not (await other.join("Ada"))["ok"]:
            await asyncio.sleep(0.05)


async def test_without_redis_nothing_is_sent_and_with_it_all_is_back(redis: RedisServer, room_on: Any) -> None:
    """Sending is refused with a time to retry, what is in memory can be read; then all goes on, without gap or double."""
    one, two = await room_on(), await room_on()
    ada, bob = await Person.enter(one), await Person.enter(two)
    await ada.join("Ada")
    await bob.join("Bob")
    await ada.say("before")
    assert (await bob.event("message"))["seq"] == 1
    redis.kill()
    error = (await ada.command("say", {"text": "lost?", "id": "once"}))["error"]
    assert error["code"] == "unavailable"
    assert error["retry_after"] > 0
    assert not store_of(one).available
    late = await Person.enter(two)
    assert [message["text"] for message in (await late.event("welcome"))["messages"]] == ["before"]
    redis.start()
    await until(lambda: store_of(one).available and store_of(two).available)
    assert (await ada.command("say", {"text": "lost?", "id": "once"}))["seq"] == 2
    assert (await bob.say("after"))["seq"] == 3
    assert [(await late.event("message"))["seq"] for _ in range(2)] == [2, 3]
    assert (await bob.event("message"))["seq"] == 2
    assert (await ada.event("message"))["seq"] == 3
    assert names(one) == names(two) == ["Ada", "Bob"]


async def test_where_redis_lost_the_log_everybody_comes_back_to_a_new_one(redis: RedisServer, room_on: Any) -> None:
    """They are sent away with a word that tells to come back, and find the same room, under the same names."""
    one, two = await room_on(), await room_on()
    ada, bob = await Person.enter(one), await Person.enter(two)
    token = (await ada.join("Ada"))["token"]
    await bob.join("Bob")
    await ada.say("gone")
    since = one.position
    redis.do("FLUSHALL")
    await until(lambda: ada.connection.closed and bob.connection.closed)
    assert (ada.connection.closed, Close.LOST.reconnect) == (Close.LOST, True)
    await ada.drop()
    await bob.drop()
    back = await Person.enter(one, since=since)
    welcome = await back.event("welcome")
    assert (welcome["recovered"], welcome["messages"]) == (False, [])
    assert (await back.join("Ada", token))["ok"]
    new = await Person.enter(two)
    await new.join("Eve")
    assert (await new.say("hello"))["seq"] == 1
    assert (await back.event("message"))["text"] == "hello"
    await until(lambda: names(one) == names(two) == ["Ada", "Eve"])
    assert one.position == two.position


def counted(*rooms: ChatRoom) -> set[int]:
    """How many people are in the room, as its servers see it."""
    return {room.here for room in rooms}


async def test_everybody_counts_on_all_servers_named_or_not(redis: RedisServer, room_on: Any) -> None:
    """60 with a name and 30 without on three servers are 90 on each; and right again after whoever comes and goes."""
    rooms = [await room_on() for _ in range(3)]
    people = [await Person.enter(rooms[number % 3]) for number in range(90)]
    watch = people[0]
    await until(lambda: counted(*rooms) == {90})
    tokens = [(await person.join(f"Person {number}"))["token"] for number, person in enumerate(people[:60])]
    await until(lambda: counted(*rooms) == {90})
    while (await watch.event("presence"))["here"] != 90:
        pass
    late = await Person.enter(rooms[1])
    assert (await late.event("welcome"))["here"] == 91
    await until(lambda: counted(*rooms) == {91})
    four = await room_on()
    assert four.here == 91  # a server that opens later knows at once
    tab = await Person.enter(four)  # a member who is on two servers is one
    await until(lambda: counted(*rooms, four) == {92})
    assert (await tab.join("Person 1", tokens[1]))["ok"]
    await until(lambda: counted(*rooms, four) == {91})
    for person in people[60:80]:
        await person.close()
    await until(lambda: counted(*rooms, four) == {71})
    assert (await people[1].command("leave"))["ok"]  # from a name to none, for both connections
    await until(lambda: counted(*rooms, four) == {72})
    await four.aclose()
    await store_of(four).aclose()
    await until(lambda: counted(*rooms) == {71})
    assert redis.do("HLEN", "pychat:{lobby}:guests") == ":3"


async def test_whoever_takes_or_gives_back_a_name_is_one_all_the_time(room_on: Any) -> None:
    """On the other server too: no number between that counts somebody twice, or not at all."""
    one, two = await room_on(), await room_on()
    ada, watch = await Person.enter(one), await Person.enter(two)
    await until(lambda: counted(one, two) == {2})
    for _ in range(5):
        assert (await ada.join("Ada"))["ok"]
        assert (await watch.join("Ada"))["error"]["code"] == "name_taken"
        await until(lambda: names(two) == ["Ada"])
        assert (await ada.command("leave"))["ok"]
        await until(lambda: names(two) == [])
    assert (await ada.join("Ada"))["ok"]
    await until(lambda: names(two) == ["Ada"])
    heard = {fields["here"] for name, fields in watch.connection.events if name == "presence"}
    assert heard <= {1, 2}
    assert counted(one, two) == {2}


async def test_who_has_a_login_and_no_name_counts_everywhere(room_on: Any) -> None:
    """Whom the app knows, and who has not picked a name: on the other servers too, until they have one and after."""
    one, two = await room_on(grace=0.0), await room_on(grace=0.0)
    session = await one.connect(RecordingConnection(), user=User("7"))
    await until(lambda: counted(one, two) == {1})
    await session.join("Ada")
    await until(lambda: names(two) == ["Ada"] and counted(one, two) == {1})
    await session.leave()
    await until(lambda: names(two) == [] and counted(one, two) == {1})
    await session.close()
    await until(lambda: counted(one, two) == {0})


async def test_guests_of_a_server_that_dies_are_gone_and_back_with_it(redis: RedisServer, room_on: Any) -> None:
    """Nobody counts for whom no server speaks; a server that was taken for dead counts again when it is back."""
    one, two = await room_on(), await room_on()
    await Person.enter(one)
    for _ in range(3):
        await Person.enter(two)
    await until(lambda: counted(one, two) == {4})
    beat = store_of(two)._heartbeat._beat
    store_of(two)._heartbeat._beat = _no_beat
    await until(lambda: one.here == 1)
    store_of(two)._heartbeat._beat = beat
    await until(lambda: counted(one, two) == {4})
    for task in store_of(two)._tasks:
        task.cancel()
    await until(lambda: one.here == 1)
    assert redis.do("HLEN", "pychat:{lobby}:guests") == ":1"


async def _no_beat(*_: object) -> None:
    """A server that hangs."""


async def test_guests_are_counted_again_where_redis_forgot_them(redis: RedisServer, room_on: Any) -> None:
    """Redis comes back empty: whoever comes back is counted on both servers, and nobody twice."""
    one, two = await room_on(), await room_on()
    people = [await Person.enter(room) for room in (one, two, two)]
    await until(lambda: counted(one, two) == {3})
    redis.do("FLUSHALL")
    await until(lambda: all(person.connection.closed for person in people))
    for person, room in zip(people, (one, two, two), strict=True):
        await person.drop()
        await Person.enter(room)
    await until(lambda: counted(one, two) == {3})


async def test_guests_who_come_while_redis_is_away_are_counted_when_it_is_back(
    redis: RedisServer, room_on: Any
) -> None:
    """Nothing that could not be told is forgotten."""
    one, two = await room_on(), await room_on()
    await Person.enter(one)
    await until(lambda: counted(one, two) == {1})
    redis.kill()
    await until(lambda: not store_of(two).available)
    for _ in range(2):
        await Person.enter(two)
    redis.start()
    await until(lambda: counted(one, two) == {3})


async def test_what_was_acknowledged_in_a_lost_log_is_stored_again(redis: RedisServer, room_on: Any) -> None:
    """Whoever sends the same again after that is answered with a number under which it stands."""
    one, two = await room_on(), await room_on()
    ada = await Person.enter(one)
    token = (await ada.join("Ada"))["token"]
    await ada.say("first")
    assert (await ada.command("say", {"text": "kept?", "id": "once"}))["seq"] == 2
    redis.do("FLUSHALL")
    await until(lambda: ada.connection.closed)
    await ada.drop()
    back = await Person.enter(one)
    assert (await back.join("Ada", token))["ok"]
    assert (await back.command("say", {"text": "kept?", "id": "once"}))["seq"] == 1
    assert [message.text for message in await two.history()] == ["kept?"]


async def test_numbers_of_a_lost_log_mean_nothing_in_the_new_one(redis: RedisServer, room_on: Any) -> None:
    """What somebody sent about message 1 before they heard of the loss does not happen to the new message 1."""
    one = await room_on()
    ada = await Person.enter(one)
    token = (await ada.join("Ada"))["token"]
    await ada.say("old")
    redis.do("FLUSHALL")
    await until(lambda: ada.connection.closed)
    back = await Person.enter(one)
    assert (await back.join("Ada", token))["ok"]
    assert (await back.say("new"))["seq"] == 1
    commands: list[tuple[str, dict[str, Any]]] = [
        ("edit", {"target": 1, "text": "changed"}),
        ("delete", {"target": 1}),
        ("react", {"target": 1, "emoji": "👍"}),
        ("say", {"text": "answer", "reply_to": 1}),
    ]
    for name, fields in commands:
        assert (await ada.command(name, fields))["error"]["code"] == "not_found"
    (message,) = await one.history()
    assert (message.text, message.reactions) == ("new", ())
    assert (await back.command("edit", {"target": 1, "text": "changed"}))["ok"]


async def test_who_moves_to_a_server_that_lags_hears_nothing_twice(redis: RedisServer, room_on: Any) -> None:
    """All that Redis says to it comes 0.15 seconds late: whoever comes from the other server goes on all the same."""
    async with cable(redis.url) as laid:
        one, two = await room_on(), await room_on(url=f"redis://{laid.url.removeprefix('http://')}/0")
        laid.delay = 0.15
        bob = await Person.enter(one)
        await bob.join("Bob")
        heard: list[list[str]] = []

        async def move() -> None:
            ada = await Person.enter(one)
            last = [await ada.event("message") for _ in range(2)][-1]
            texts = [last["text"]]
            await ada.close()
            back = await Person.enter(two, since=Position(one.position.epoch, last["seq"], last["id"]))
            welcome = await back.event("welcome")
            assert welcome["recovered"], "sent back in time"
            while texts[-1] != "last":
                texts.append((await back.event("message"))["text"])
            heard.append(texts)

        moving = []
        for number in range(40):
            if number < 20:
                moving.append(asyncio.create_task(move()))
            await bob.say(f"{number}")
        await bob.say("last")
        await asyncio.gather(*moving)
        assert len(heard) == 20
        for texts in heard:
            start = int(texts[0])
            assert texts == [*(f"{number}" for number in range(start, 40)), "last"]


async def test_who_was_told_that_joining_failed_is_not_listed_later(room_on: Any) -> None:
    """Redis has joined them, but this server heard of it too late, and refused them; they go, and nobody stays."""
    one, two = await room_on(), await room_on()
    store, heard = store_of(one), asyncio.Event()
    store._timeout = 0.2
    ask, lagging = store._feed_connection.execute, asyncio.Event()

    async def late(*command: Any) -> Any:
        lagging.set()
        await heard.wait()
        return await ask(*command)

    store._feed_connection.execute = late  # type: ignore[method-assign, assignment]  # a fault: it is told nothing for a while
    store._wake()
    await lagging.wait()
    ada = await Person.enter(one)
    assert (await ada.join("Ada"))["error"]["code"] == "unavailable"
    await ada.drop()
    await until(lambda: names(two) == ["Ada"])
    heard.set()
    await until(lambda: names(one) == names(two) == [])
    assert one.here == 0


async def test_two_processes_are_one_room_and_say_when_they_are_not_ready(redis: RedisServer) -> None:
    """`pychat serve --store redis://…`, twice: people hear each other, and `/readyz` tells when Redis is away."""
    with ExitStack() as stack:
        served = [stack.enter_context(pychat_process("--store", redis.url)) for _ in range(2)]
        ada, bob = [await WebSocketPerson.enter(each.url) for each in served]
        assert (await ada.command("join", {"name": "Ada"}))["ok"]
        assert (await bob.command("join", {"name": "Ada"}))["error"]["code"] == "name_taken"
        assert (await bob.command("join", {"name": "Bob"}))["ok"]
        assert (await ada.command("say", {"text": "hello"}))["ok"]
        assert (await bob.event("message"))["text"] == "hello"

        async def ready(status: int) -> None:
            async with aiohttp.ClientSession() as http, asyncio.timeout(TIMEOUT):
                for each in served:
                    while (await http.get(f"{each.url}/readyz")).status != status:
                        await asyncio.sleep(0.02)

        await ready(200)
        redis.kill()
        await ready(503)
        assert (await ada.command("say", {"text": "lost?", "id": "once"}))["error"]["code"] == "unavailable"
        redis.start()
        await ready(200)
        assert (await ada.command("say", {"text": "lost?", "id": "once"}))["seq"] == 2
        assert (await bob.event("message"))["text"] == "lost?"
        await ada.close()
        await bob.close()


async def test_roles_and_kicks_reach_the_other_server(room_on: Any) -> None:
    """A member's roles are known on every server, those that open later too; who is kicked goes, wherever they are."""
    one, two = await room_on(), await room_on()
    connection = RecordingConnection()
    session = await one.connect(connection, user=User("7", "Ada", roles=("moderator", "vip")))
    await until(lambda: _with_roles(two) == [("user:7", "Ada", ("moderator", "vip"))])
    three = await room_on()
    assert _with_roles(three) == [("user:7", "Ada", ("moderator", "vip"))]
    again = await three.connect(
        RecordingConnection(), user=User("7", "Ada", roles=("vip",))
    )  # in another tab, with less
    await until(lambda: _with_roles(one) == _with_roles(two) == [("user:7", "Ada", ("vip",))])
    await again.close()
    await two.kick("user:7", "That was enough.")
    await until(lambda: connection.closed is Close.KICKED and not one.members and not two.members)
    assert [fields for name, fields in connection.events if name == "error"] == [
        {"code": "kicked", "text": "That was enough."}
    ]
    await session.close()
    assert (one.here, two.here) == (0, 0)


def _with_roles(room: ChatRoom) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.id, each.name, each.roles) for each in room.members]
