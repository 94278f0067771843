"""Floods: many connections have the rate of one, on every wire; whoever goes on is disconnected; nobody else notices."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pychat import Access, Chat, ChatRoom, Close, IrcServer, Limits, Refused, User, aiohttp_app
from pychat.protocol import v1, v2
from pychat.room import rate_limiter
from pychat.room.rate_limiter import RateLimiter
from pychat.testing import FakeClock, Person
from tests.clients import TIMEOUT
from tests.irc.person import IrcPerson
from tests.room.visiting import enter as enter_chat
from tests.servers import aiohttp_server
from tests.transports.test_address import WIRES

ADA = User("ada", "Ada")
CONNECTIONS = 12
#: Fields of each command of version 1, as many clients would send them by the thousand.
FIELDS: dict[str, dict[str, Any]] = {
    "join": {"name": "Ada"},
    "say": {"text": "x"},
    "edit": {"target": 1, "text": "y"},
    "delete": {"target": 1},
    "react": {"target": 1, "emoji": "👍"},
    "history": {},
    "typing": {"on": True},
    "who": {},
    "read": {"seq": 1},
    "leave": {},
    "nonsense": {},
}

Enter = Callable[[], Awaitable[Any]]


class OnIrc:
    """Somebody on IRC, with the commands of the others."""

    def __init__(self, person: IrcPerson) -> None:
        self.person = person

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Say something."""
        assert name == "say"
        lines = await self.person.since(f"PRIVMSG #lobby :{fields['text']}")
        return {"ok": not any(line.command == "FAIL" for line in lines)}

    async def close(self) -> None:
        """Cut the line."""
        await self.person.close()


@asynccontextmanager
async def served(wire: str, *rooms: ChatRoom | Chat, **options: Any) -> AsyncIterator[Enter]:
    """Serve rooms; yield a function that lets somebody into the lobby on that wire."""
    app = web.Application()
    app.add_subapp("/some/chat/", aiohttp_app(*rooms, **options))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(aiohttp_server(app))
        irc = IrcServer(*rooms, authenticate=options.get("authenticate"))
        port = await irc.start(port=0)
        stack.push_async_callback(irc.aclose)
        nicks = iter(range(10_000))

        async def enter() -> Any:
            if wire == "irc":
                caps = "standard-replies"
                person: Any = OnIrc(await IrcPerson.enter(port, f"ada{next(nicks)}", caps=caps))
            else:
                person = await WIRES[wire](f"{url}/some/chat")
            stack.push_async_callback(person.close)
            return person

        yield enter


@pytest.mark.parametrize("wire", [*WIRES, "irc"])
async def test_the_connections_of_one_person_have_one_rate(wire: str) -> None:
    """A person with any number of connections sends as many messages as with one."""
    room = ChatRoom("lobby", limits=Limits(rates={"messages": (0.0001, 7)}))
    async with served(wire, room, authenticate=lambda _: ADA) as enter:
        connections = [await enter() for _ in range(CONNECTIONS)]
        told = [(await each.command("say", {"text": "x"}))["ok"] for each in connections]
        assert told == [True] * 7 + [False] * (CONNECTIONS - 7)
        assert not (await (await enter()).command("say", {"text": "x"}))["ok"]
    assert room.position.seq == 7


@pytest.mark.parametrize("wire", [*WIRES, "irc"])
async def test_the_connections_of_one_address_have_one_rate(wire: str) -> None:
    """Guests who are somebody new on each connection share the rate of their address."""
    names = 0 if wire == "irc" else CONNECTIONS  # that are taken
    limits = Limits(rates={"address-events": (0.0001, CONNECTIONS + 5)})
    room = ChatRoom("lobby", limits=limits)
    async with served(wire, room) as enter:
        connections = [await enter() for _ in range(CONNECTIONS)]
        for number, each in enumerate(connections[:names]):
            assert (await each.command("join", {"name": f"Ada {number}"}))["ok"]
        told = [(await each.command("say", {"text": "x"}))["ok"] for each in connections]
        assert told == [True] * 5 + [False] * (CONNECTIONS - 5)
    assert room.position.seq == 5


async def test_a_person_on_every_wire_at_once_has_one_rate() -> None:
    """WebSocket, Socket.IO, polling, event streams, HTTP and IRC together count as one connection."""
    room = ChatRoom("lobby", limits=Limits(rates={"messages": (0.0001, 5)}))
    async with AsyncExitStack() as stack:
        told = []
        for wire in [*WIRES, "irc"]:
            enter = await stack.enter_async_context(served(wire, room, authenticate=lambda _: ADA))
            told.append((await (await enter()).command("say", {"text": "x"}))["ok"])
        assert told == [True] * 5 + [False] * (len(WIRES) - 4)


@pytest.mark.slow
async def test_a_thousand_connections_of_one_person_or_address() -> None:
    """Of a thousand sessions that each say one thing, as many are heard as the rates allow, and the wait is told."""
    clock = FakeClock()
    limits = Limits(rates={"messages": (1, 20), "address-events": (1, 150), "address-joins": (1, 5_000)})
    async with Chat(ChatRoom("lobby", limits=limits, clock=clock), clock=clock) as chat:
        mine = [await enter_chat(chat, "lobby", ADA, remote=f"192.0.2.{n % 250}") for n in range(1_000)]
        told = [await each.command("say", {"text": "x"}) for each in mine]
        assert sum(answer["ok"] for answer in told) == 20
        assert {answer["error"]["retry_after"] for answer in told if not answer["ok"]} <= {1.0, 30.0}
        theirs = [await enter_chat(chat, "lobby", User(f"u{n}", f"U{n}"), remote="198.51.100.1") for n in range(1_000)]
        told = [await each.command("say", {"text": "x"}) for each in theirs]
        assert sum(answer["ok"] for answer in told) == 150
        clock.move(1)
        other = await enter_chat(chat, "lobby", User("bob", "Bob"), remote="203.0.113.1")
        assert (await other.command("say", {"text": "I did not notice"}))["ok"]


@pytest.mark.parametrize("wire", WIRES)
async def test_a_flood_of_any_command_ends_and_a_bystander_does_not_notice(
    wire: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each command is refused after a while, then the connection is closed (4017); others talk meanwhile."""
    rates = {"commands": (0.01, 20), "refusals": (0.01, 20)}
    for name, fields in FIELDS.items():
        room = ChatRoom("lobby", limits=Limits(rates=rates))
        async with served(wire, room) as enter, asyncio.timeout(6 * TIMEOUT):
            flooder, bystander = await enter(), await enter()
            assert (await bystander.command("join", {"name": "Bob"}))["ok"]
            await _flood(room, flooder, name, fields)
            assert (await bystander.command("say", {"text": "still here"}))["ok"], name
    logged = [each for each in caplog.records if each.name == "pychat.limits"]
    assert len(logged) <= 4


async def _flood(room: ChatRoom, flooder: Any, name: str, fields: dict[str, Any]) -> None:
    """Send a command again and again, until the flooder is disconnected."""
    here = len([*room.backend.core.membership.connections])
    sending = [asyncio.ensure_future(flooder.command(name, dict(fields))) for _ in range(60)]
    while len([*room.backend.core.membership.connections]) == here:
        await asyncio.sleep(0.01)
    answers = [each.result() for each in sending if each.done() and not each.cancelled() and not each.exception()]
    for each in sending:
        each.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    assert len([each for each in answers if each["ok"]]) <= 20


@pytest.mark.parametrize("wire", ["websocket-2", "socketio-2", "polling-2", "sse-2"])
@pytest.mark.parametrize("name", ["rooms", "unread", "direct", "block", "enter", "exit", "say"])
async def test_commands_of_persons_and_for_rooms_not_entered_count(wire: str, name: str) -> None:
    """Version 2: what is for no room, or for one that the person is not in, is counted too, and ends the connection."""
    given: dict[str, dict[str, Any]] = {
        "rooms": {},
        "unread": {"on": True},
        "direct": {"with": ["x"]},
        "block": {"member": "x", "on": True},
        "enter": {"rooms": [{"name": "no"}]},
    }
    fields = given.get(name, {"room": "no"})
    limits = Limits(rates={"commands": (0.01, 20), "refusals": (0.01, 10)})
    room = ChatRoom("lobby", limits=limits)
    async with served(wire, room) as enter:
        async with asyncio.timeout(TIMEOUT):
            await _flood(room, (await enter()).person, name, fields)


async def test_whoever_was_disconnected_for_flooding_comes_back_later() -> None:
    """Coming back at once is refused, with the seconds to wait; after them, the same person is let in."""
    clock = FakeClock()
    limits = Limits(rates={"commands": (1, 5), "refusals": (1, 10)})
    async with Chat(ChatRoom("lobby", limits=limits, clock=clock), clock=clock) as chat:
        ada = await enter_chat(chat, "lobby", ADA)
        told = [(await ada.command("who"))["ok"] for _ in range(20)]
        assert ada.connection.closed is Close.FLOODING
        assert ada.connection.events[-1][1]["retry_after"] == 30
        assert told == [True] * 5 + [False] * 15
        with pytest.raises(Refused) as refused:
            await enter_chat(chat, "lobby", ADA)
        assert (refused.value.code, refused.value.kind.close) == ("flooding", Close.FLOODING)
        wait = refused.value.retry_after or 0
        clock.move(wait)
        assert (await (await enter_chat(chat, "lobby", ADA)).command("who"))["ok"]


async def test_a_crowd_is_not_punished_for_one_of_them() -> None:
    """Where all at one address are refused because of one flooder, the flooder is disconnected, and nobody else."""
    clock = FakeClock()
    limits = Limits(rates={"address-commands": (0.01, 5), "address-refusals": (0.01, 30), "refusals": (0.01, 100)})
    async with Chat(ChatRoom("lobby", limits=limits, clock=clock), clock=clock) as chat:
        eve, ada = await enter_chat(chat, "lobby", User("eve", "Eve")), await enter_chat(chat, "lobby", ADA)
        for _ in range(60):
            await eve.command("who")
        assert eve.connection.closed is Close.FLOODING
        for _ in range(5):
            assert (await ada.command("who"))["error"]["code"] == "rate_limited"
        assert ada.connection.closed is None


async def test_moderators_are_exempt() -> None:
    """While others flood, a moderator of the room keeps order as fast as needed."""
    limits = Limits(rates={"commands": (0.01, 5), "messages": (0.01, 2), "address-events": (0.01, 2)})

    def access(user: User | None, room: str) -> Access:
        return Access.MODERATE if user is not None and user.id == "mod" else Access.WRITE

    async with Chat(ChatRoom("lobby", limits=limits), access=access) as chat:
        ada, moderator = await enter_chat(chat, "lobby", ADA), await enter_chat(chat, "lobby", User("mod", "Mo"))
        told = [(await ada.command("say", {"text": "x"}))["ok"] for _ in range(4)]
        assert told == [True, True, False, False]
        assert all([(await moderator.command("delete", {"target": 1}))["ok"] for _ in range(20)])
        assert all([(await moderator.command("say", {"text": "x"}))["ok"] for _ in range(20)])


async def test_leaving_and_coming_back_gives_nothing_back() -> None:
    """Whoever disconnects and returns, as the same guest or login, goes on where they were."""
    clock = FakeClock()
    limits = Limits(rates={"messages": (0.01, 3)})
    async with Chat(ChatRoom("lobby", limits=limits, clock=clock), clock=clock) as chat:
        token, told = None, []
        for _ in range(5):
            guest, user = await enter_chat(chat, "lobby"), await enter_chat(chat, "lobby", ADA)
            token = (await guest.join("Eve", token)).get("token", token)
            told += [(await each.say("x"))["ok"] for each in (guest, user)]
            for each in (guest, user):
                await each.close()
                del each
            del guest, user
            for number in range(10):
                await (await enter_chat(chat, "lobby", remote=f"192.0.2.{number + 9}")).close()
            gc.collect()
        assert told == [True] * 6 + [False] * 4


async def test_joining_and_leaving_a_thousand_times_is_refused_and_leaves_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A guest who is somebody new each time has one rate for names on one connection, and memory stays bounded."""
    monkeypatch.setattr(rate_limiter, "_REMEMBERED", 5)
    clock = FakeClock()
    limits = Limits(rates={"renames": (1, 20), "refusals": (0, 1)})
    async with Chat(ChatRoom("lobby", limits=limits, clock=clock), clock=clock) as chat:
        eve, joined = await enter_chat(chat, "lobby"), 0
        for number in range(1_000):
            joined += (await eve.join(f"Eve {number}"))["ok"]
            clock.move(0.1)
            await eve.command("leave")
            if number % 10 == 0:
                await (await enter_chat(chat, "lobby", remote=f"192.0.2.{number % 250}")).close()
        assert 100 <= joined <= 121
        assert len(chat.directory.rates) < 60


def test_a_million_addresses_take_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those who come by, the last ones are remembered; of those who used nothing lately, nobody."""
    assert rate_limiter._REMEMBERED == 20_000
    monkeypatch.setattr(rate_limiter, "_REMEMBERED", 1_000)
    clock = FakeClock()
    limiter, table = RateLimiter(clock), Limits().table
    connected = limiter.address("203.0.113.7")
    assert connected is not None
    connected.take(table["address-commands"], 0.0, 100)
    for number in range(20_000):
        address = f"2001:db8:{number >> 8:x}:{number & 255:x}::1"
        limiter.take(table["address-commands"], limiter.address(address), 8_000)
        assert len(limiter) <= 1_001
    assert limiter.address("203.0.113.7") is connected
    assert limiter.address("2001:db8:4e:1f::2") is limiter.address("2001:db8:4e:1f:ffff::3")
    clock.move(3_600)
    for number in range(2_000):
        limiter.address(f"198.51.{number >> 8}.{number & 255}")
    assert len(limiter) <= 3


async def test_an_evicted_person_who_is_connected_keeps_one_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others come by: the second connection of a person counts with the first."""
    monkeypatch.setattr(rate_limiter, "_REMEMBERED", 10)
    async with Chat(ChatRoom("lobby", limits=Limits(rates={"messages": (0.001, 3)}))) as chat:
        first = await enter_chat(chat, "lobby", ADA)
        assert [(await first.say("x"))["ok"] for _ in range(2)] == [True, True]
        for number in range(100):
            await enter_chat(chat, "lobby", User(f"u{number}", f"U{number}"))
        second = await enter_chat(chat, "lobby", ADA)
        assert [(await second.say("x"))["ok"] for _ in range(2)] == [True, False]


async def test_a_person_in_this_process_is_counted_too() -> None:
    """`ChatRoom.connect` without a mount: one connection has the rates of one person."""
    room = ChatRoom(limits=Limits(rates={"typing": (0.01, 2)}))
    ada = await Person.enter(room)
    await ada.join("Ada")
    told = [(await ada.command("typing", {"on": True}))["ok"] for _ in range(3)]
    assert told == [True, True, False]


def test_every_command_has_a_flood() -> None:
    """A new command of the protocol gets a row in the tests of this file."""
    moderation = {"moderate", "moderation", "audit", "report"}
    assert v1.COMMANDS.keys() - moderation == FIELDS.keys() - {"nonsense"}
    assert v2.PERSON_COMMANDS.keys() >= {"enter", "exit", "rooms", "read", "unread", "direct", "block"}


async def test_requests_and_handshakes_of_an_address_are_counted() -> None:
    """Pages, files, the HTTP API and each kind of connection: 429 with the time to come back, and others are served."""
    limits = Limits(rates={"requests": (0.001, 3), "handshakes": (0.001, 2)})
    app = aiohttp_app(ChatRoom("lobby", limits=limits), trusted_proxies="127.0.0.1")

    async def status(path: str, remote: str, **headers: str) -> tuple[int, bool]:
        async with http.get(url + path, headers={"X-Forwarded-For": remote, **headers}) as answer:
            return answer.status, "Retry-After" in answer.headers

    async with aiohttp_server(app) as url, aiohttp.ClientSession() as http:
        told = [await status(path, "192.0.2.1") for path in ("/", "/api/rooms", "/assets/none", "/", "/api/rooms")]
        assert [each for each, _ in told] == [200, 200, 404, 429, 429]
        assert told[3] == told[4] == (429, True)
        assert await status("/", "192.0.2.2") == (200, False)
        poll = "/socket.io/?EIO=4&transport=polling"
        assert [await status(poll, "192.0.2.3") for _ in range(3)] == [(200, False)] * 2 + [(429, True)]
        assert await status(poll, "192.0.2.4") == (200, False)
