"""A second start on the same objects: a closed room or mount opens again, on any event loop."""

from __future__ import annotations

import asyncio
import json
import warnings
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI

import pychat
from pychat import ChatRoom, Message, Refused, UsageError
from pychat.domain.errors import Close
from pychat.stores import MemoryStore, open_store
from pychat.testing import Person
from tests.clients import SocketIOPerson
from tests.servers import aiohttp_server, uvicorn_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of which library Starlette would like its client to stand on
    from starlette.testclient import TestClient

_POST = {"author": "Ada", "text": "hi"}


def _app(room: ChatRoom) -> FastAPI:
    chat = pychat.asgi_app(room)
    app = FastAPI(lifespan=chat.lifespan)
    app.mount("/chat", chat)
    return app


def _says(client: TestClient) -> int:
    """Say something over HTTP, and hear of it over the plain WebSocket; how many messages there are then."""
    assert client.post("/chat/api/rooms/lobby/messages", json=_POST).status_code == 201
    with client.websocket_connect("/chat/ws", subprotocols=["pychat.v1"]) as socket:
        welcome = json.loads(socket.receive_text())
        assert welcome["type"] == "welcome"
        socket.send_text('{"type": "join", "name": "Bob", "ref": 1}')
        while (told := json.loads(socket.receive_text()))["type"] != "ack":
            pass
        assert told["ok"], told
        socket.close(1000)
    opened = client.get("/chat/socket.io/?EIO=4&transport=polling")
    assert opened.status_code == 200
    return len(client.get("/chat/api/rooms/lobby/messages").json()["messages"])


@pytest.mark.parametrize("kind", [pytest.param("memory", marks=pytest.mark.slow), "sqlite"])
@pytest.mark.slow
def test_a_test_client_starts_a_module_level_app_again_and_again(kind: str, tmp_path: Path) -> None:
    """With its lifespan twice, then without: each time everything works, and a file keeps what was said."""
    room = ChatRoom("lobby", store="memory:" if kind == "memory" else f"sqlite:{tmp_path / 'chat.db'}")
    app = _app(room)
    kept = 0
    for _ in range(2):
        with TestClient(app) as client:
            assert _says(client) == kept + 1
        kept += kind == "sqlite"
    client = TestClient(app)
    assert _says(client) == kept + 1
    assert _says(client) == kept + 2
    with TestClient(app) as client:
        assert _says(client) == kept + 3
        assert room.threadsafe.post("from a thread", author="bot").seq == kept + 4


def test_a_loop_that_ended_without_closing_is_no_hindrance(tmp_path: Path) -> None:
    """`asyncio.run` after `asyncio.run`: nobody closed the room, and its store, handed in or not, goes on."""
    for store in ("memory:", MemoryStore(), f"sqlite:{tmp_path / 'a.db'}", open_store(f"sqlite:{tmp_path / 'b.db'}")):
        room = ChatRoom(store=store)
        heard: list[int] = []

        async def hear(event: object, heard: list[int] = heard) -> None:
            heard.append(event.seq if isinstance(event, Message) else 0)

        room.on("event", hear)

        async def one(room: ChatRoom = room, heard: list[int] = heard) -> int:
            ada = await Person.enter(room)
            assert (await ada.join(f"Ada {len(heard)}"))["ok"]  # a store may hold the name of before
            said = await room.post("hi", author="bot")
            assert (await ada.event("message"))["seq"] == said.seq
            assert (await ada.event("presence"))["here"] == 1
            return said.seq

        assert [asyncio.run(one()) for _ in range(2)] == [1, 2]

        async def last(room: ChatRoom = room) -> None:
            await one(room)
            await room.aclose()

        asyncio.run(last())
        assert [number for number in heard if number] == [1, 2, 3]


@pytest.mark.parametrize("given", ["memory:", MemoryStore(), "sqlite"], ids=["url", "store", "file"])
async def test_a_closed_room_is_started_again(given: str | MemoryStore, tmp_path: Path) -> None:
    """Nobody is in it, hooks are called once, names of before are held or free as after a restart of the process."""
    room = ChatRoom(store=f"sqlite:{tmp_path / 'chat.db'}" if given == "sqlite" else given)
    heard: list[str] = []

    @room.on("message")
    async def note(message: Message) -> None:
        heard.append(message.text)

    ada = await Person.enter(room)
    token = (await ada.join("Ada"))["token"]
    await room.post("one", author="bot")
    await room.aclose()
    await room.aclose()
    assert ada.connection.closed is Close.SHUTDOWN
    with pytest.raises(UsageError, match="start"):
        await room.post("closed", author="bot")
    with pytest.raises(UsageError, match="start"):
        await Person.enter(room)
    await room.start()
    assert room.members == ()
    assert (await ada.say("still?"))["error"]["code"] == "unavailable"
    ada = await Person.enter(room)
    assert (await ada.join("Ada", token if given == "sqlite" else None))["ok"]
    await room.post("two", author="bot")
    assert heard == ["one", "two"]
    assert (await ada.event("message"))["text"] == "two"
    await asyncio.sleep(0)
    assert len([name for name, _ in ada.connection.events if name == "message"]) == 1
    async with room:
        pass
    await room.aclose()


async def test_a_room_in_a_second_application() -> None:
    """An aiohttp application starts once; the same room serves in the next one. So does a mount on ASGI."""
    room = ChatRoom()
    for _ in range(2):
        async with aiohttp_server(pychat.aiohttp_app(room)) as url:
            person = await SocketIOPerson.enter(url)
            assert (await person.command("join", {"name": "Ada"}))["ok"]
            await person.close()
    app = pychat.asgi_app(ChatRoom())
    for _ in range(2):
        async with uvicorn_server(app) as url, aiohttp.ClientSession() as http:
            person = await SocketIOPerson.enter(url)
            assert (await person.command("join", {"name": "Ada"}))["ok"]
            async with http.get(f"{url}/api/rooms/lobby/events") as stream:
                assert stream.status == 200
                await stream.content.readuntil(b"event: welcome")
            await person.close()


async def test_a_room_that_was_closed_stays_closed_for_visitors() -> None:
    """Whoever asks for a room that the app has closed is told to come back: only the app opens it."""
    room = ChatRoom()
    async with aiohttp_server(pychat.aiohttp_app(room)) as url, aiohttp.ClientSession() as http:
        await room.aclose()
        async with http.get(f"{url}/api/rooms/lobby/messages") as response:
            assert response.status == 503
        async with http.ws_connect(f"{url}/ws") as socket:
            assert (await socket.receive_json())["type"] == "bye"
        assert room.closed
        await room.start()
        async with http.get(f"{url}/api/rooms/lobby/messages") as response:
            assert response.status == 200


async def test_a_room_runs_on_one_event_loop() -> None:
    """From a second loop, while the first runs, the caller is told what to use instead."""
    room = ChatRoom()
    await room.start()
    with pytest.raises(UsageError, match="threadsafe"):
        await asyncio.to_thread(asyncio.run, room.start())
    with pytest.raises(Refused):
        await room.message(1)
    await room.aclose()
