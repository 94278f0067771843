"""A stranger cannot tell a private room from a room that does not exist, on any wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

import pychat
from pychat import Chat, ChatRoom, Refused, Request, RoomSettings, User
from pychat.testing import FakeClock
from tests.room.visiting import ADA, BOB, enter, request
from tests.servers import aiohttp_server, uvicorn_server

TITLE = "Project X: the takeover"
SECRET, GIVEN, MISSING = "secret", "given", "absent"


async def access(user: User | None, room: str) -> str:
    """Ada may do everything in every room; nobody else may read one, but the lobby."""
    return "write" if room == "lobby" or (user is not None and user.id == "ada") else "none"


def who(asking: Request) -> User | None:
    """The user whose id is the token."""
    return User(asking.bearer, asking.bearer.title()) if asking.bearer else None


@asynccontextmanager
async def hidden(*, mount: str = "aiohttp") -> AsyncIterator[tuple[Chat, str]]:
    """A chat with rooms that a stranger must not learn of: one was given, one was opened; Ada is in both."""

    async def find_room(name: str, asking: Request) -> RoomSettings | None:
        return RoomSettings(TITLE) if name in (SECRET, "shuttered") else None

    rooms = ChatRoom("lobby"), ChatRoom(GIVEN, title=TITLE)
    chat = Chat(*rooms, access=access, find_room=find_room, authenticate=who)
    served = aiohttp_server(pychat.aiohttp_app(chat)) if mount == "aiohttp" else uvicorn_server(pychat.asgi_app(chat))
    async with served as url:
        for name in (SECRET, GIVEN):
            ada = await enter(chat, name, ADA)
            await ada.say(f"{TITLE} begins")
        yield chat, url


Probe = Callable[[aiohttp.ClientSession, str, str], Awaitable[object]]


async def _http(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> object:
    async with http.request(method, url, **options) as response:
        headers = {name: value for name, value in response.headers.items() if name != "Date"}
        return response.status, headers, await response.text()


def _api(method: str, path: str, **options: Any) -> Probe:
    async def probe(http: aiohttp.ClientSession, url: str, room: str) -> object:
        return await _http(http, method, f"{url}/api/rooms/{room}{path}", **options)

    return probe


def _page(path: str) -> Probe:
    async def probe(http: aiohttp.ClientSession, url: str, room: str) -> object:
        return await _http(http, "GET", f"{url}{path.format(room=room)}")

    return probe


async def _socket(http: aiohttp.ClientSession, url: str, first: str, **options: Any) -> object:
    async with http.ws_connect(url, **options) as socket:
        if first:
            await socket.send_str(first)
        told = [message.data async for message in socket]
        return told, socket.close_code


async def plain(http: aiohttp.ClientSession, url: str, room: str) -> object:
    """Enter over the plain WebSocket."""
    return await _socket(http, f"{url}/ws?room={room}", "")


def socketio(said: dict[str, object]) -> Probe:
    """Enter over Socket.IO."""

    async def probe(http: aiohttp.ClientSession, url: str, room: str) -> object:
        async with http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket:
            await socket.receive()  # the handshake, which has an id
            await socket.send_str("40" + json.dumps({**said, "room": room}))
            return (await socket.receive()).data

    return probe


async def version_2(http: aiohttp.ClientSession, url: str, room: str) -> object:
    """Enter on version 2."""
    async with http.ws_connect(f"{url}/ws", protocols=["pychat.v2"]) as socket:
        await socket.send_json({"type": "hello"})
        await socket.receive()  # the welcome, which has an id and a token
        await socket.send_json({"type": "enter", "ref": 1, "rooms": [{"name": room}]})
        return (await socket.receive()).data


WIRES: dict[str, Probe] = {
    "WebSocket": plain,
    "WebSocket, version 2": version_2,
    "Socket.IO": socketio({"v": 1}),
    "Socket.IO of 2013": socketio({}),
    "SSE": _api("GET", "/events"),
    "EventSource": _api("GET", "/events", headers={"Accept": "text/event-stream"}),
    "a room": _api("GET", ""),
    "members": _api("GET", "/members"),
    "history": _api("GET", "/messages"),
    "search": _api("GET", "/messages?matching=takeover"),
    "a message": _api("GET", "/messages/1"),
    "say": _api("POST", "/messages", json={"text": "hi", "author": "Eve"}),
    "edit": _api("PATCH", "/messages/1", json={"text": "hi"}),
    "delete": _api("DELETE", "/messages/1"),
    "token": _api("POST", "/token"),
    "command": _api("POST", "/commands/say", json={"text": "hi"}),
    "leave": _api("DELETE", "/events"),
    "page": _page("/rooms/{room}"),
    "part of a page": _page("/part?room={room}"),
}


@pytest.mark.parametrize("mount", ["aiohttp", "asgi"])
@pytest.mark.parametrize("token", [None, "eve"])
@pytest.mark.parametrize("wire", WIRES)
async def test_a_private_room_is_answered_like_a_missing_one(wire: str, token: str | None, mount: str) -> None:
    """The same status, headers, text, events and close code, for a room that is open, given or closed."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with hidden(mount=mount) as (_, url), aiohttp.ClientSession(headers=headers) as http:
        answers = [
            repr(await WIRES[wire](http, url, room)).replace(room, "ROOM")
            for room in (MISSING, SECRET, GIVEN, "shuttered")
        ]
        assert answers == [answers[0]] * 4
        assert TITLE not in answers[0]


@pytest.mark.parametrize("mount", ["aiohttp", "asgi"])
async def test_no_list_names_a_private_room(mount: str) -> None:
    """Neither the lists of rooms, nor the document of the API, nor the page of a public room."""
    async with hidden(mount=mount) as (chat, url), aiohttp.ClientSession() as http:
        for path in ("/api/rooms", "/api/openapi.json", "/", "/rooms/lobby", "/part", "/nothing"):
            told = repr(await _http(http, "GET", f"{url}{path}"))
            assert TITLE not in told, path
            assert f"{SECRET}" not in told.replace("client_secret", ""), path
            assert f'"{GIVEN}"' not in told, path
        assert [room.name for room in await chat.directory.visible(BOB)] == ["lobby"]
        assert GIVEN in [room.name for room in await chat.directory.visible(ADA)]


async def test_irc_names_no_private_room() -> None:
    """JOIN, NAMES, WHO, WHOIS, TOPIC, MODE, LIST, MOTD, LUSERS and a message are answered as without the room."""
    async with hidden() as (chat, _):
        chat.authenticate = None
        server = pychat.IrcServer(chat)
        port = await server.start(port=0)
        try:
            answers = []
            for room in (MISSING, SECRET, GIVEN):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                lines = [
                    f"NICK eve{len(room)}",
                    "USER eve 0 * :Eve",
                    *(f"{word} #{room}" for word in ("JOIN", "NAMES", "WHO", "TOPIC", "MODE")),
                    *("WHOIS Ada", "ISON Ada", "LIST", "MOTD", "LUSERS", f"PRIVMSG #{room} :hi", "QUIT"),
                ]
                writer.write("".join(f"{line}\r\n" for line in lines).encode())
                told = (await reader.read(-1)).decode()
                writer.close()
                assert TITLE not in told
                assert "Ada" not in told.replace("WHOIS Ada", "").replace(" Ada :", "")
                answers.append(told.replace(room, "ROOM").replace(f"eve{len(room)}", "eve"))
            assert answers == [answers[0]] * 3
        finally:
            await server.aclose()


@pytest.mark.parametrize(("takes", "at"), [(0.0, 0.1), (0.03, 0.1), (0.09, 0.1), (0.13, 0.2), (0.31, 0.4)])
async def test_refusals_come_on_a_grid(takes: float, at: float) -> None:
    """However long the app takes to say no: at the next multiple of 0.1 s after the visitor asked, never before 0.1 s."""
    clock = FakeClock()

    async def slow(user: User | None, room: str) -> str:
        answered = asyncio.Event()
        clock.call_later(takes, answered.set)
        await answered.wait()
        return "none"

    async with Chat(ChatRoom("lobby", clock=clock), access=slow, clock=clock) as chat:
        finding = asyncio.create_task(chat.directory.find("lobby", None, request()))
        while not finding.done():
            for _ in range(5):
                await asyncio.sleep(0)
            if not finding.done():
                clock.move(0.01)
        assert isinstance(finding.exception(), Refused)
        assert at == pytest.approx(clock.steady())
