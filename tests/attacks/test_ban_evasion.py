"""Whoever is banned or muted stays so: after a reconnect, in a second tab, by another name, wire or server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pychat import ChatRoom, IrcServer, Request, User, aiohttp_app
from pychat.stores import Store
from pychat.stores.redis import RedisStore
from pychat.stores.sqlite import SqliteStore
from tests.attacks.evaders import TOKENS, WIRES, Evader, Place, Turned, irc_addresses
from tests.clients import TIMEOUT, SocketIOManyRooms, WebSocketManyRooms, extra_headers
from tests.servers import aiohttp_server
from tests.stores.redis_server import RedisServer, redis_server

BAD, GOOD = "203.0.113.7", "198.51.100.9"


@asynccontextmanager
async def served(room: ChatRoom, **options: Any) -> AsyncIterator[Place]:
    """Serve the room on all wires, behind a proxy on this computer."""
    irc = IrcServer(room, **{name: value for name, value in options.items() if name == "authenticate"})
    port = await irc.start(port=0)
    try:
        async with aiohttp_server(aiohttp_app(room, trusted_proxies="127.0.0.1", **options)) as url:
            yield Place(url, port)
    finally:
        await irc.aclose()
        await room.aclose()


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with irc_addresses(monkeypatch):
        yield


async def code_of(attempt: Awaitable[Evader | dict[str, Any]]) -> str:
    """The code with which an attempt is refused; empty if it succeeds."""
    try:
        person = await attempt
    except Turned as turned:
        return turned.code
    if isinstance(person, Evader):
        await person.close()
    return ""


async def codes(place: Place, address: str, name: str, token: str | None = None, wires: Any = WIRES) -> dict[str, str]:
    """The codes with which somebody is refused on each wire, by wire."""
    return {
        wire: await code_of(WIRES[wire].come(place, address, f"{name}{number}", token))
        for number, wire in enumerate(wires)
    }


def everywhere(code: str, wires: Any = WIRES) -> dict[str, str]:
    """The same code on every wire."""
    return dict.fromkeys(wires, code)


async def id_of(room: ChatRoom, name: str = "Eve") -> str:
    """The id of the member of that name, who is here or has written."""
    people = [*room.members, *(message.author for message in await room.history())]
    return next(each.id for each in people if each.name.startswith(name))


@pytest.mark.parametrize("wire", WIRES)
async def test_a_banned_guest_comes_back_on_no_wire(wire: str) -> None:
    """Neither as somebody new from the same address, nor with the token from another one. Others there get in."""
    room = ChatRoom("lobby")
    async with served(room) as place:
        eve = await WIRES[wire].come(place, BAD, "Eve")
        await room.moderation.ban(await id_of(room), reason="spam", address=True)
        assert await eve.ended() in {"banned", "disconnected"}
        assert await codes(place, BAD, "Mallory") == everywhere("banned")
        if eve.token is not None:
            assert await codes(place, GOOD, "Mallory", eve.token, TOKENS) == everywhere("banned", TOKENS)
        assert await codes(place, GOOD, "Nice") == everywhere("")
        assert await codes(place, f"{GOOD}, {BAD}", "Forger") == everywhere("banned"), "what a client says counts not"
        await room.moderation.unban(eve_id(room))
        assert await codes(place, BAD, "Sorry") == everywhere("")
        await eve.close()


def eve_id(room: ChatRoom) -> str:
    """The id of the banned member."""
    (key,) = (key for key in room.backend.core.moderation.state.of("ban") if key.startswith("member:"))
    return key.removeprefix("member:")


@pytest.mark.parametrize(("first", "second"), list(zip(TOKENS, [*TOKENS[1:], TOKENS[0]], strict=True)))
async def test_a_ban_ends_every_tab(first: str, second: str) -> None:
    """On whichever wires they are, by the member alone: the address may be that of a school."""
    room = ChatRoom("lobby")
    async with served(room) as place:
        eve = await WIRES[first].come(place, BAD, "Eve")
        if eve.token is None:
            pytest.skip("a person of version 1 gets the token with the name")
        tab = await WIRES[second].come(place, GOOD, "Eve", eve.token)
        pupil = await WIRES["websocket"].come(place, BAD, "Pupil")
        await room.moderation.ban(await id_of(room), address=False)
        assert [await eve.ended(), await tab.ended()] == ["banned", "banned"]
        assert await codes(place, BAD, "Eve", eve.token, TOKENS) == everywhere("banned", TOKENS)
        await pupil.does("say", text="I am still here")
        for each in (eve, tab, pupil):
            await each.close()


async def silenced(person: Evader, *, said: int) -> None:
    """Whatever this muted person tries is refused."""
    tries: list[tuple[str, dict[str, Any]]] = [
        ("say", {"text": "spam"}),
        ("edit", {"target": said, "text": "spam"}),
        ("react", {"target": said, "emoji": "👍"}),
        ("typing", {"on": True}),
        ("join", {"name": "Innocent"}),
    ]
    for name, fields in tries:
        if name in person.lacks:
            continue
        assert (name, await code_of(person.does(name, **fields))) == (name, "muted")


@pytest.mark.parametrize("wire", WIRES)
async def test_a_muted_guest_is_muted_on_every_wire(wire: str) -> None:
    """On the open connection, after a reconnect, in a second tab, and as somebody new from the same address."""
    room = ChatRoom("lobby")
    async with served(room) as place:
        said = await room.post("hello", author="bot")
        nice = await WIRES["websocket"].come(place, GOOD, "Nice")
        eve = await WIRES[wire].come(place, BAD, "Eve")
        before = room.position.seq
        await room.moderation.mute(await id_of(room), reason="spam", address=True)
        await silenced(eve, said=said.seq)
        await eve.close()
        for number, other in enumerate(WIRES):
            for address, name, token in ((GOOD, "Eve", eve.token), (BAD, f"Mallory{number}", None)):
                if address == GOOD and (token is None or other not in TOKENS):
                    continue
                try:
                    tab = await WIRES[other].come(place, address, name, token)
                except Turned as turned:
                    assert (other, turned.code) == ("posts", "muted")
                    continue
                await silenced(tab, said=said.seq)
                await tab.close()
        assert room.position.seq == before, "nothing was said, changed or reacted"
        assert await code_of(nice.does("say", text="I may speak")) == ""
        await nice.close()


def by_header(request: Request) -> User | None:
    """A login, as an app would know it: by a header, or on IRC by the server password."""
    name = request.headers.get("x-user") or (request.bearer if request.path == "/irc" else None)
    return User(name, name.title()) if name else None


@pytest.mark.parametrize("wire", WIRES)
async def test_a_banned_login_is_banned_from_anywhere(wire: str) -> None:
    """And nobody else is: neither guests of that address, nor other logins."""
    room = ChatRoom("lobby")
    async with served(room, authenticate=by_header) as place:
        eve = await WIRES[wire].come(place, BAD, "Eve", user="eve")
        await room.moderation.ban("user:eve", reason="spam", address=True)
        assert await eve.ended() in {"banned", "disconnected"}
        for other, each in WIRES.items():
            assert (other, await code_of(each.come(place, GOOD, "Eve", user="eve"))) == (other, "banned")
            assert (other, await code_of(each.come(place, BAD, "Ada", user="ada"))) == (other, "")
        assert await codes(place, BAD, "Guest") == everywhere("")
        await eve.close()


async def test_the_address_of_a_banned_guest_does_not_lock_logins_out() -> None:
    """A school behind one address: its guests are banned, and whoever has a login gets in."""
    room = ChatRoom("lobby")
    async with served(room, authenticate=by_header) as place:
        eve = await WIRES["websocket"].come(place, BAD, "Eve")
        await room.moderation.ban(await id_of(room), address=True)
        await eve.ended()
        for other, each in WIRES.items():
            assert (other, await code_of(each.come(place, BAD, "Ada", user="ada"))) == (other, "")
            assert (other, await code_of(each.come(place, BAD, "Eve"))) == (other, "banned")
        await eve.close()


async def test_a_subscriber_has_a_whole_network_of_ipv6() -> None:
    """Another address of the same /64 is the same subscriber; a neighbour has another /64."""
    room = ChatRoom("lobby")
    async with served(room) as place:
        eve = await WIRES["socketio"].come(place, "2001:db8:0:7::1", "Eve")
        await room.moderation.ban(await id_of(room), address=True)
        await eve.ended()
        assert await codes(place, "2001:db8:0:7:ffff::9", "Mallory") == everywhere("banned")
        assert await codes(place, "2001:db8:0:8::1", "Nice") == everywhere("")
        await eve.close()


async def test_who_connected_before_the_ban_does_not_enter_after_it() -> None:
    """A handshake that waits, and a connection of version 2 that is in no room yet, are no way in."""
    room = ChatRoom("lobby")
    async with served(room) as place, AsyncExitStack() as stack:
        setting = extra_headers.set({"X-Forwarded-For": BAD})
        people = [await each.connect(place.url) for each in (WebSocketManyRooms, SocketIOManyRooms)]
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=extra_headers.get()))
        extra_headers.reset(setting)
        socket = await stack.enter_async_context(http.ws_connect(f"{place.url}/socket.io/?EIO=4&transport=websocket"))
        await socket.receive_str()
        await room.start()
        await room.moderation.ban(network=BAD)
        for person in people:
            answer = await person.command("enter", {"rooms": [{"name": "lobby"}]})
            assert answer["rooms"]["lobby"]["error"]["code"] == "banned"
            await person.close()
        await socket.send_str('40{"v":1}')
        assert (await socket.receive_str(timeout=TIMEOUT)).startswith('44{"message":"You are banned')


def inside(room: ChatRoom) -> list[str]:
    """The connections from the bad address that can still do something."""
    connections = room.backend.core.membership.connections
    return [f"{each}" for each in connections if each.grant.address == BAD and not each.gone]


@pytest.mark.parametrize("wire", WIRES)
async def test_a_ban_that_comes_while_people_enter_puts_all_of_them_out(wire: str) -> None:
    """Whichever of the two is first: when the ban has returned, nobody of that address is in, nor comes in."""
    room = ChatRoom("lobby")
    async with served(room) as place:
        await room.start()
        entering = [asyncio.ensure_future(WIRES[wire].come(place, BAD, f"Eve{number}")) for number in range(12)]
        await asyncio.wait(entering, return_when=asyncio.FIRST_COMPLETED)
        await room.moderation.ban(network=BAD)
        assert not inside(room)
        before = room.position.seq
        people = await asyncio.gather(*entering, return_exceptions=True)
        assert {each.code for each in people if isinstance(each, Turned)} <= {"banned", "not_entered", "not_joined"}
        assert not inside(room)
        assert room.position.seq == before
        for each in people:
            if isinstance(each, Evader):
                await each.close()


async def test_a_banned_guest_reads_nothing_over_http() -> None:
    """Neither from the address, nor with the token from anywhere: not the history, a message, nor who is here."""
    room = ChatRoom("lobby")
    async with served(room) as place, aiohttp.ClientSession() as http:
        said = await room.post("hello", author="bot")
        eve = await WIRES["sse"].come(place, BAD, "Eve")
        reads = ("/messages", "/messages?matching=hello", f"/messages/{said.seq}", "/members", "/events")

        async def read(address: str, token: str | None) -> list[tuple[str, str]]:
            headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
            found = []
            for path in reads:
                async with http.get(f"{place.url}/api/rooms/lobby{path}", headers=headers) as response:
                    text = (await response.content.readany()).decode()
                    found.append((path, "banned" if '"banned"' in text else "read"))
            return found

        assert {how for _, how in await read(BAD, eve.token)} == {"read"}
        await room.moderation.ban(await id_of(room), address=True)
        assert await eve.ended() == "banned"
        assert await read(BAD, None) == [(path, "banned") for path in reads]
        assert await read(GOOD, eve.token) == [(path, "banned") for path in reads]
        assert {how for _, how in await read(GOOD, None)} == {"read"}
        await eve.close()


# Other servers, and restarts.


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A real Redis."""
    with redis_server() as server:
        yield server


@asynccontextmanager
async def servers(redis: RedisServer, number: int) -> AsyncIterator[list[tuple[ChatRoom, Place]]]:
    """Servers of one room."""
    redis.do("FLUSHALL")
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(number):
            store = RedisStore(redis.url)
            stack.push_async_callback(store.aclose)
            room = ChatRoom("lobby", store=store)
            found.append((room, await stack.enter_async_context(served(room))))
            await room.start()
        yield found


@pytest.mark.parametrize("wire", WIRES)
async def test_a_ban_holds_on_the_other_server(wire: str, redis: RedisServer) -> None:
    """Somebody on one server is banned on the other: the connection ends, and both servers refuse the address."""
    async with servers(redis, 2) as ((here, here_place), (there, there_place)):
        eve = await WIRES[wire].come(there_place, BAD, "Eve")
        await there.post("a mark", author="bot")
        async with asyncio.timeout(TIMEOUT):
            while here.position.seq < there.position.seq:
                await asyncio.sleep(0.002)
        found = await id_of(here)
        if wire == "posts":  # it has no connection, so no server knows its address
            await here.moderation.ban(network=BAD)
        await here.moderation.ban(found, reason="spam", address=True)
        assert await eve.ended() in {"banned", "disconnected"}
        async with asyncio.timeout(TIMEOUT):  # the server that knows the address adds it, and both learn it
            for room in (here, there):
                while f"address:{BAD}" not in room.backend.core.moderation.state.of("ban"):
                    await asyncio.sleep(0.002)
        for place in (here_place, there_place):
            assert await codes(place, BAD, "Mallory") == everywhere("banned")
            if eve.token is not None:
                assert await codes(place, GOOD, "Mallory", eve.token, TOKENS) == everywhere("banned", TOKENS)
        await eve.close()


async def test_a_mute_holds_on_the_other_server(redis: RedisServer) -> None:
    """By the member and by the address, on connections that are open there, and on those that come."""
    async with servers(redis, 2) as ((here, here_place), (_, there_place)):
        eve = await WIRES["websocket"].come(here_place, BAD, "Eve")
        tab = await WIRES["websocket-2"].come(there_place, GOOD, "Eve", eve.token)
        said = await here.post("hello", author="bot")
        await here.moderation.mute(await id_of(here), address=True)
        await silenced(eve, said=said.seq)
        async with asyncio.timeout(TIMEOUT):  # the other server learns it a moment later
            while await code_of(tab.does("typing", on=True)) != "muted":
                await asyncio.sleep(0.002)
        await silenced(tab, said=said.seq)
        new = await WIRES["socketio"].come(there_place, BAD, "Mallory")
        await silenced(new, said=said.seq)
        for each in (eve, tab, new):
            await each.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_ban_survives_a_restart(kind: str, tmp_path: Path, redis: RedisServer) -> None:
    """The server stops and starts again: the token, the address and the login are still banned, for as long as said."""
    redis.do("FLUSHALL")

    def store() -> Store:
        return SqliteStore(tmp_path / "chat.db") if kind == "sqlite" else RedisStore(redis.url)

    first = store()
    room = ChatRoom("lobby", store=first)
    async with served(room, authenticate=by_header) as place:
        eve = await WIRES["websocket-2"].come(place, BAD, "Eve")
        await room.moderation.ban(await id_of(room), address=True)
        await room.moderation.ban("user:mallory", seconds=3600)
        await room.moderation.ban("user:ada", seconds=1)
        await eve.close()
    await first.aclose()
    second = store()
    room = ChatRoom("lobby", store=second)
    async with served(room, authenticate=by_header) as place:
        assert await codes(place, BAD, "Mallory") == everywhere("banned")
        assert await codes(place, GOOD, "Eve", eve.token, TOKENS) == everywhere("banned", TOKENS)
        for wire, each in WIRES.items():
            assert (wire, await code_of(each.come(place, GOOD, "Mallory", user="mallory"))) == (wire, "banned")
        async with asyncio.timeout(TIMEOUT):
            while await code_of(WIRES["socketio"].come(place, GOOD, "Ada", user="ada")):
                await asyncio.sleep(0.05)
    await second.aclose()
