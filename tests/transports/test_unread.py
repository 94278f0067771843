"""What is unread, direct rooms, blocked people and the list of rooms, on version 2."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pychat import Request, User, aiohttp_app
from pychat.room.chat import Chat
from pychat.stores import Unread
from tests.clients import ManyRooms, WebSocketManyRooms
from tests.servers import aiohttp_server

Connect = Callable[..., Awaitable[ManyRooms]]


def by_query(request: Request) -> User | None:
    """Whoever says `?user=ada` is Ada."""
    name = request.query.get("user")
    return User(name, name.title()) if name else None


@asynccontextmanager
async def served(chat: Chat) -> AsyncIterator[tuple[Connect, str]]:
    """Serve a chat; yield a function that connects a person, and the URL."""
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(chat))
    async with aiohttp_server(app) as url, AsyncExitStack() as stack:

        async def connect(*arguments: Any, **query: str) -> ManyRooms:
            person: ManyRooms = await WebSocketManyRooms.connect(f"{url}/chat", *arguments, **query)
            stack.push_async_callback(person.close)
            return person

        yield connect, f"{url}/chat"


@pytest.fixture
async def chat() -> Chat:
    """A chat in memory with logins."""
    return Chat(authenticate=by_query)


async def counts(person: ManyRooms) -> dict[str, tuple[int, int]]:
    """Messages and mentions by room, as the command `unread` tells them."""
    told = await person.command("unread", {"on": True})
    assert told["ok"], told
    return {room["name"]: (room["messages"], room["mentions"]) for room in told["rooms"]}


async def until(person: ManyRooms, name: str, messages: int) -> dict[str, Any]:
    """The entry of a room in the first `unread` event that has that many messages."""
    while True:
        for room in (await person.event("unread"))["rooms"]:
            if room["name"] == name and room.get("messages") == messages:
                return dict(room)


async def test_unread_counts_come_live_without_entering_the_rooms(chat: Chat) -> None:
    """On all devices, for logins and for guests with a token; what one device has read, the others hear of."""
    async with served(chat) as (connect, _):
        for name in ("lobby", "attic"):
            await chat.open(name, title=name.title())
        ada, phone, bob = await connect(user="ada"), await connect(user="ada"), await connect()
        await ada.enter("lobby", "attic")
        await bob.enter("lobby")
        await bob.command("join", {"room": "lobby", "name": "Bob"})
        await ada.command("exit", {"room": "attic"})
        assert await counts(phone) == {"attic": (0, 0), "lobby": (0, 0)} == await counts(ada)
        await bob.command("say", {"room": "lobby", "text": "one"})
        attic = chat.get("attic")
        assert attic is not None
        await attic.post("two", author="bot")
        assert await until(phone, "lobby", 1) == {
            "name": "lobby", "title": "Lobby", "seq": 0, "messages": 1, "mentions": 0,
        }  # fmt: skip
        assert await ada.command("read", {"room": "lobby", "seq": 1}) == {"ok": True}
        assert (await until(phone, "lobby", 0))["seq"] == 1
        assert await ada.command("read", {"room": "attic", "seq": 1}) == {"ok": True}
        assert (await until(phone, "attic", 0))["seq"] == 1
        assert await chat.unread("ada") == {"attic": Unread("attic", 1, 0, 0), "lobby": Unread("lobby", 1, 0, 0)}
        assert await counts(bob) == {"lobby": (0, 0)}
        assert await phone.command("unread", {"on": False}) == {"ok": True, "rooms": []}
        again = await connect(bob.welcome["token"])
        assert await counts(again) == {"lobby": (0, 0)}


async def test_a_direct_room_is_for_its_people(chat: Chat) -> None:
    """It is found again from both sides, is in both lists, and nobody else can enter it or learn of it."""
    async with served(chat) as (connect, _):
        await chat.open("lobby")
        ada, bob, eve = await connect(user="ada"), await connect(), await connect(user="eve")
        for person in (ada, bob, eve):
            await person.enter("lobby")
        await bob.command("join", {"room": "lobby", "name": "Bob"})
        assert await counts(bob) == {"lobby": (0, 0)}
        told = await ada.command("direct", {"with": [bob.welcome["id"]]})
        room = told["room"]
        assert await bob.command("direct", {"with": ["user:ada"]}) == {"ok": True, "room": room}
        assert (await ada.enter(room))[room] == {"ok": True}
        assert (await ada.command("say", {"room": room, "text": "psst"}))["ok"]
        entry = await until(bob, room, 1)
        assert {each["name"] for each in entry["direct"]} == {"Ada", "Bob"}
        assert entry["title"] == "Ada"
        assert (await bob.enter(room))[room] == {"ok": True}
        refused = await eve.enter(room, "nowhere")
        assert refused[room] == refused["nowhere"]
        assert refused[room]["error"]["code"] == "unknown_room"
        listed = await eve.command("rooms", {})
        assert [each["name"] for each in listed["rooms"]] == ["lobby"]
        assert await chat.direct("ada", "eve") is not await chat.open(room)
        for wrong in (["user:ada"], [], [1], ["user:nobody"], ["user:eve", "user:nobody"]):
            assert not (await ada.command("direct", {"with": wrong}))["ok"], wrong


async def test_who_is_blocked_cannot_write_directly(chat: Chat) -> None:
    """Neither open a direct room, nor write, edit or type in one; until they are no longer blocked."""
    async with served(chat) as (connect, _):
        await chat.open("lobby")
        ada, bob = await connect(user="ada"), await connect(user="bob")
        for person in (ada, bob):
            await person.enter("lobby")
        room = (await bob.command("direct", {"with": ["user:ada"]}))["room"]
        await bob.enter(room)
        said = await bob.command("say", {"room": room, "text": "hi"})
        assert await ada.command("block", {"member": "user:bob", "on": True}) == {"ok": True}
        for name, fields in {
            "direct": {"with": ["user:ada"]},
            "say": {"room": room, "text": "hello?"},
            "edit": {"room": room, "target": said["seq"], "text": "hello?"},
            "react": {"room": room, "target": said["seq"], "emoji": "👍"},
            "typing": {"room": room},
        }.items():
            assert (await bob.command(name, fields))["error"]["code"] == "blocked", name
        assert (await bob.command("say", {"room": "lobby", "text": "in public"}))["ok"]
        again = await connect(user="ada")
        assert again.welcome["blocked"] == ["user:bob"]
        assert "blocked" not in bob.welcome
        assert await ada.command("block", {"member": "user:bob", "on": False}) == {"ok": True}
        assert (await bob.command("say", {"room": room, "text": "thanks"}))["ok"]
        assert (await ada.command("block", {"member": "user:ada"}))["error"]["code"] == "bad_request"
        assert (await ada.command("block", {"member": "x" * 201}))["error"]["code"] == "bad_request"


async def test_the_list_of_rooms_has_pages(chat: Chat) -> None:
    """Only listed rooms, in order; `after` continues."""
    async with served(chat) as (connect, _):
        names = [f"room-{number:02}" for number in range(7)]
        for name in names:
            await chat.open(name)
        await chat.open("hidden", listed=False)
        ada = await connect(user="ada")
        found: list[str] = []
        more = True
        while more:
            told = await ada.command("rooms", {"limit": 3, **({"after": found[-1]} if found else {})})
            found += [each["name"] for each in told["rooms"]]
            more = told["more"]
        assert found == names


async def test_reading_over_http(chat: Chat) -> None:
    """`POST …/read` moves the position of a login, or of the visitor of a token."""
    async with served(chat) as (connect, url), aiohttp.ClientSession() as http:
        lobby = await chat.open("lobby")
        ada = await connect(user="ada")
        await ada.enter("lobby")
        await lobby.post("one", author="bot")
        read = f"{url}/api/rooms/lobby/read"
        async with http.post(read, params={"user": "ada"}, json={"seq": 1}) as response:
            assert (response.status, await response.json()) == (200, {"ok": True})
        assert await chat.unread("ada") == {"lobby": Unread("lobby", 1, 0, 0)}
        for query, body, status in (
            ({}, {"seq": 1}, 401),
            ({"user": "ada"}, {}, 400),
            ({"user": "ada"}, {"seq": "x"}, 400),
        ):
            async with http.post(read, params=query, json=body) as response:
                assert response.status == status
        async with http.post(f"{url}/api/rooms/nowhere/read", params={"user": "ada"}, json={"seq": 1}) as response:
            assert response.status == 404
