"""Mounting in real hosts: prefixes, several rooms, several mounts, the server's own namespaces."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fastapi import FastAPI
from starlette.applications import Starlette

import pychat
from pychat import ChatRoom
from pychat.hosts.aiohttp import MOUNT
from pychat.stores import MemoryStore, Receiver, Subscription
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.servers import aiohttp_server, uvicorn_server


async def say_hello(url: str, path: str, room: str | None = None) -> None:
    """Somebody on each wire talks to somebody on the other, through the mount at `path`."""
    named: dict[str, Any] = {"room": room} if room else {}
    ada = await SocketIOPerson.enter(url, path=f"{path}/socket.io".strip("/"), **named)
    bob = await WebSocketPerson.enter(f"{url}{path}", **named)
    assert (await ada.command("join", {"name": "Ada"}))["ok"]
    assert (await bob.command("join", {"name": "Bob"}))["ok"]
    await ada.command("say", {"text": "hello"})
    assert (await bob.event("message"))["text"] == "hello"
    await bob.command("say", {"text": "hi"})
    assert (await ada.event("message"))["text"] == "hi"
    await ada.close()
    await bob.close()


async def fetch(url: str) -> tuple[int, str, str]:
    """GET without following: status, where to, text."""
    async with aiohttp.ClientSession() as http, http.get(url, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def test_fastapi_with_several_rooms_and_mounts() -> None:
    """Two mounts in one FastAPI app, one with two rooms; the app's own routes go on."""
    api = FastAPI()
    api.mount("/chat", pychat.asgi_app(ChatRoom("lobby"), ChatRoom("kitchen", title="The kitchen")))
    api.mount("/deep/er/chat", pychat.asgi_app(ChatRoom("cellar")))

    @api.get("/")
    def home() -> str:
        return "home"

    async with uvicorn_server(api) as url:
        await say_hello(url, "/chat")
        await say_hello(url, "/chat", "kitchen")
        await say_hello(url, "/deep/er/chat")
        assert (await fetch(url))[2] == '"home"'
        assert "<title>The kitchen" in (await fetch(f"{url}/chat/rooms/kitchen"))[2]
        assert (await fetch(f"{url}/chat/assets/js/client.js"))[0] == 200
        assert (await fetch(f"{url}/chat/pychat-room.js"))[0] == 200
        assert (await fetch(f"{url}/chat/socket.io/socket.io.js"))[0] == 200
        status, location, _ = await fetch(f"{url}/chat?x=1")
        assert (status in {307, 308}, location.endswith("/chat/?x=1")) == (True, True)
        assert (await fetch(f"{url}/chat/nothing"))[0] == 404
        assert (await fetch(f"{url}/chat/ws"))[0] == 426


async def test_asgi_by_itself_closes_with_its_host() -> None:
    """At the root of a server, with lifespan: people are told when it goes."""
    room = ChatRoom()
    async with uvicorn_server(pychat.asgi_app(room), lifespan="on") as url:
        await say_hello(url, "")
        ada = await WebSocketPerson.enter(url)
        await ada.event("welcome")
    # uvicorn closes WebSockets before it ends the lifespan; either way nobody is left in the room.
    await ada.told.next("closed")
    await ada.close()
    assert room.here == 0


async def test_aiohttp_with_several_rooms_and_mounts() -> None:
    """The same in aiohttp, at the root and below prefixes."""
    app = web.Application()
    app.add_subapp("/chat/", pychat.aiohttp_app(ChatRoom("lobby"), ChatRoom("kitchen")))
    app.add_subapp("/other/", pychat.aiohttp_app(ChatRoom("cellar")))
    async with aiohttp_server(app) as url, aiohttp_server(pychat.aiohttp_app(ChatRoom())) as root:
        await say_hello(url, "/chat")
        await say_hello(url, "/chat", "kitchen")
        await say_hello(url, "/other")
        await say_hello(root, "")
        status, location, _ = await fetch(f"{url}/chat?x=1")
        assert (status, location) == (308, "./chat/?x=1")
        assert (await fetch(f"{url}/chat/nothing"))[0] == 404


async def test_an_app_has_its_own_events_on_the_same_server() -> None:
    """`server` is python-socketio's, for events and namespaces of the app's own."""
    app = pychat.aiohttp_app(ChatRoom())
    server = app[MOUNT].socketio.server

    @server.on("add")
    async def add(sid: str, one: int, two: int) -> int:
        return one + two

    @server.on("where", namespace="/game")
    async def where(sid: str) -> str:
        await server.emit("there", "right there", to=sid, namespace="/game")
        return "here"

    async with aiohttp_server(app) as url:
        person = SocketIOPerson()
        person.client.on("there", lambda said: person.told.put("there", said), namespace="/game")
        await person.client.connect(url, namespaces=["/", "/game"], transports=["websocket"], wait_timeout=10)
        assert await person.client.call("add", (2, 3)) == 5
        assert await person.client.call("where", namespace="/game") == "here"
        assert await person.event("there") == "right there"
        assert (await person.command("setPseudo", "Ada"))["ok"]
        await person.close()


@pytest.mark.parametrize("kind", ["aiohttp", "asgi"])
async def test_pages_of_other_origins_are_kept_out_until_allowed(kind: str) -> None:
    """A WebSocket or a poll from a page elsewhere is refused, with words; `allowed_origins` lets it in."""
    elsewhere = {"Origin": "https://elsewhere.example"}
    for allowed, opens in (((), False), (("https://elsewhere.example",), True), ("*", True)):
        if kind == "aiohttp":
            host = aiohttp_server(pychat.aiohttp_app(ChatRoom(), allowed_origins=allowed))
        else:
            host = uvicorn_server(pychat.asgi_app(ChatRoom(), allowed_origins=allowed))
        async with host as url, aiohttp.ClientSession(headers=elsewhere) as http:
            async with http.get(f"{url}/socket.io/?EIO=4&transport=polling") as response:
                assert (response.status == 200) == opens
                assert response.headers.get("Access-Control-Allow-Origin") == (elsewhere["Origin"] if opens else None)
            if opens:
                async with http.ws_connect(f"{url}/ws") as socket:
                    assert (await socket.receive_json())["type"] == "welcome"
            else:
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await http.ws_connect(f"{url}/ws")
                assert refused.value.status == 403


async def test_an_unknown_subprotocol_is_refused() -> None:
    """A client of a version to come is told, before it talks past us."""
    async with aiohttp_server(pychat.aiohttp_app(ChatRoom())) as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{url}/ws", protocols=("pychat.v9",))
        assert refused.value.status == 400
        async with http.ws_connect(f"{url}/ws") as socket:  # none at all is fine
            assert (await socket.receive_json())["v"] == 1


async def test_what_is_no_command_is_told_to_its_sender() -> None:
    """Garbage on the plain WebSocket is an error with words, and the connection goes on."""
    async with aiohttp_server(pychat.aiohttp_app(ChatRoom())) as url:
        ada = await WebSocketPerson.enter(url)
        for garbage in (
            "",
            "{",
            "[]",
            "NaN",
            "7",
            '{"type": 7}',
            '{"text": "hi"}',
            '{"type":"who","ref":[]}',
            '"\\ud800"',
        ):
            await ada.socket.send_str(garbage)
            assert (await ada.event("error"))["code"] == "bad_request", garbage
        await ada.socket.send_bytes(b"{}")
        assert (await ada.event("error"))["code"] == "bad_request"
        assert (await ada.command("who", {}))["here"] == 1
        await ada.socket.send_str("x" * 100_000)
        assert await ada.told.next("closed") in {1009, 4005}
        await ada.close()


@pytest.mark.parametrize("kind", ["aiohttp", "asgi"])
async def test_one_room_in_two_mounts_and_a_path_without_its_slash(kind: str) -> None:
    """Mounts of one room are doors to it, each with options of its own; it is closed once, whichever goes first."""
    room = ChatRoom()
    if kind == "aiohttp":
        app = web.Application()
        for prefix in ("/chat/", "/staff/chat/"):
            app.add_subapp(prefix, pychat.aiohttp_app(room))
        host = aiohttp_server(app)
    else:
        mounts = [pychat.asgi_app(room), pychat.asgi_app(room)]

        @contextlib.asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            async with mounts[0].lifespan(), mounts[1].lifespan():
                yield

        api = FastAPI(lifespan=lifespan)
        for prefix, mount in zip(("/chat", "/staff/chat"), mounts, strict=True):
            api.mount(prefix, mount)
        host = uvicorn_server(api)
    async with host as url:
        ada = await WebSocketPerson.enter(f"{url}/chat")
        bob = await SocketIOPerson.enter(url, path="staff/chat/socket.io")
        assert (await ada.command("join", {"name": "Ada"}))["ok"]
        assert (await ada.command("say", {"text": "hello"}))["ok"]
        assert (await bob.event("message"))["text"] == "hello"
        status, _, text = await fetch(f"{url}/chat/socket.io?EIO=4&transport=polling")
        assert (status, text[:1]) == (200, "0")
        await ada.close()
        await bob.close()
    assert room.closed


@pytest.mark.parametrize("framework", [FastAPI, Starlette])
async def test_a_host_takes_the_lifespan_of_the_mount(framework: Any) -> None:
    """`lifespan=chat.lifespan`: the room is open, for threads too, before anybody came, and closed with the host."""
    room = ChatRoom()
    chat = pychat.asgi_app(room)
    host = framework(lifespan=chat.lifespan)
    host.mount("/chat", chat)
    async with uvicorn_server(host, lifespan="on") as url:
        message = await asyncio.to_thread(room.threadsafe.post, "hi", author="bot")
        ada = await WebSocketPerson.enter(f"{url}/chat")
        assert (await ada.event("welcome"))["messages"][0]["seq"] == message.seq
        await ada.close()
    assert room.closed


@pytest.mark.parametrize("kind", ["aiohttp", "asgi"])
async def test_a_store_that_is_away_does_not_keep_a_host_from_starting(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Rooms open with their host; if they cannot yet, that is logged, and the page is served all the same."""

    class Away(MemoryStore):
        async def subscribe(self, room: str, receive: Receiver) -> Subscription:
            raise pychat.Refused("unavailable", "Not now.", 1.0)

    room = ChatRoom(store=Away())
    host = aiohttp_server(pychat.aiohttp_app(room)) if kind == "aiohttp" else uvicorn_server(pychat.asgi_app(room))
    async with host as url:
        assert (await fetch(f"{url}/"))[0] == 200
    assert [record.message for record in caplog.records] == ["The room lobby is not open yet: Not now."]


async def test_an_asgi_host_hears_of_a_room_that_can_never_open() -> None:
    """A mistake of the programmer fails the host's start, with the words."""

    class Never(MemoryStore):
        async def subscribe(self, room: str, receive: Receiver) -> Subscription:
            raise pychat.UsageError("This can never be.")

    room = ChatRoom(store=Never())
    told: list[Any] = []
    waiting = [{"type": "lifespan.startup"}]

    async def receive() -> Any:
        return waiting.pop()

    async def send(message: Any) -> None:
        told.append(message)

    await pychat.asgi_app(room)({"type": "lifespan"}, receive, send)
    assert told == [
        {"type": "lifespan.startup.failed", "message": "This can never be."},
    ]
