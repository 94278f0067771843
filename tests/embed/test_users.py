"""People whom the app knows: `authenticate` on every wire and host, with real servers and clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import socketio
import socketio.exceptions
from aiohttp import web
from fastapi import FastAPI
from yarl import URL

import pychat
from pychat import ChatRoom, Refused, Request, User
from pychat.domain.errors import Close
from pychat.hosts.mount import MountOptions
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.servers import aiohttp_server, uvicorn_server

USERS = {
    "1": User("1", "Ada", roles=("moderator",), data={"plan": "gold"}),
    "2": User("2", "Bob", name_fixed=False),
    "3": User("3", "Ada"),
    "4": User("4"),
}


def by_token(request: Request) -> User | None:
    """Who says who they are is believed; `!` may not come in."""
    if request.bearer == "!":
        raise Refused("banned", "You may not come in.")
    if request.bearer == "?":
        raise Refused("login_required", "Log in first.", retry_after=3)
    return None if request.bearer is None else USERS[request.bearer]


@contextlib.asynccontextmanager
async def serving(kind: str, room: ChatRoom, authenticate: Any = by_token) -> AsyncIterator[str]:
    """A mount in a real server."""
    options: MountOptions = {"authenticate": authenticate}
    if kind == "aiohttp":
        async with aiohttp_server(pychat.aiohttp_app(room, **options)) as url:
            yield url
    else:
        async with uvicorn_server(pychat.asgi_app(room, **options)) as url:
            yield url


hosts = pytest.mark.parametrize("kind", ["aiohttp", "asgi"])


@hosts
async def test_a_user_is_in_the_room_at_once_on_every_wire(kind: str) -> None:
    """Name, id and roles come with the login; the welcome says so; nobody asks for a name, and there is no token."""
    room = ChatRoom()
    async with serving(kind, room) as url:
        ada = await WebSocketPerson.enter(url, access_token="1")
        welcome = await ada.event("welcome")
        assert welcome["you"] == {"id": "user:1", "name": "Ada", "roles": ["moderator"], "name_fixed": True}
        assert welcome["members"] == [{"id": "user:1", "name": "Ada", "roles": ["moderator"]}]
        bob = await SocketIOPerson.enter(url, token="2")
        assert (await bob.event("welcome"))["you"] == {"id": "user:2", "name": "Bob", "roles": [], "name_fixed": False}
        assert (await bob.command("say", {"text": "hi"}))["ok"]
        assert (await ada.event("message"))["author"] == {"id": "user:2", "name": "Bob"}
        guest = await WebSocketPerson.enter(url)
        assert "you" not in await guest.event("welcome")
        assert await ada.command("join", {"name": "Ada"}) == {
            "ok": True,
            "member": {"id": "user:1", "name": "Ada", "roles": ["moderator"]},
        }
        user = room.user("user:1")
        assert (user, None if user is None else user.data) == (USERS["1"], {"plan": "gold"})
        assert room.user("user:9") is None
        for person in (ada, bob, guest):
            await person.close()


@hosts
async def test_a_fixed_name_cannot_be_changed_and_another_can(kind: str) -> None:
    """`name_fixed`, with the name that they have; after leaving they come back as the same one, under that name only."""
    async with serving(kind, ChatRoom()) as url:
        ada = await WebSocketPerson.enter(url, access_token="1")
        assert (await ada.command("join", {"name": "Eve"}))["error"]["code"] == "name_fixed"
        assert (await ada.command("leave", {}))["ok"]
        assert (await ada.command("join", {"name": "Eve"}))["error"]["code"] == "name_fixed"
        assert (await ada.command("join", {}))["member"]["id"] == "user:1"
        bob = await WebSocketPerson.enter(url, access_token="2")
        assert (await bob.command("join", {"name": "Rob"}))["member"] == {"id": "user:2", "name": "Rob"}
        await bob.socket.close(code=1001)  # who comes back has the name that was chosen
        await bob.told.next("closed")
        again = await WebSocketPerson.enter(url, access_token="2")
        assert (await again.event("welcome"))["you"]["name"] == "Rob"
        four = await WebSocketPerson.enter(url, access_token="4")
        assert (await four.event("welcome"))["you"] == {"id": "user:4", "name": None, "roles": [], "name_fixed": False}
        assert (await four.command("join", {"name": "Dora"}))["member"] == {"id": "user:4", "name": "Dora"}
        for person in (ada, bob, again, four):
            await person.close()


@hosts
async def test_two_tabs_are_one_member_and_namesakes_are_told_apart(kind: str) -> None:
    """The same login twice is one person; another of the same name gets a number behind it."""
    room = ChatRoom()
    async with serving(kind, room) as url:
        one = await WebSocketPerson.enter(url, access_token="1")
        two = await SocketIOPerson.enter(url, token="1")
        other = await WebSocketPerson.enter(url, access_token="3")
        assert (await other.event("welcome"))["you"]["name"] == "Ada (2)"
        assert [(member.id, member.name) for member in room.members] == [("user:1", "Ada"), ("user:3", "Ada (2)")]
        assert (await other.command("join", {"name": "Ada"}))["member"]["name"] == "Ada (2)"
        assert room.here == 2
        for person in (one, two, other):
            await person.close()


@hosts
async def test_a_refusal_at_the_handshake_says_why(kind: str, node_clients: Any) -> None:
    """HTTP 401 or 403 with the error in JSON, and for npm's client a `connect_error` with the code and the text."""
    async with serving(kind, ChatRoom()) as url, aiohttp.ClientSession() as http:
        for token, status, code in (("!", 403, "banned"), ("?", 401, "login_required")):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(f"{url}/ws", headers={"Authorization": f"Bearer {token}"})
            assert refused.value.status == status
            async with http.get(f"{url}/api/rooms/lobby/messages?access_token={token}") as response:
                assert (response.status, (await response.json())["error"]["code"]) == (status, code)
                assert response.headers.get("Retry-After") == ("3" if token == "?" else None)
            with pytest.raises(socketio.exceptions.ConnectionError):
                await SocketIOPerson.enter(url, token=token)
        node = await node_clients(url, auth={"v": 1, "token": "?"})
        assert await node.told("(connect_error)") == [
            "Log in first.",
            {"code": "login_required", "text": "Log in first.", "retry_after": 3, "reconnect": True},
        ]
        async with http.get(f"{url}/api/rooms/lobby/messages?access_token=1") as response:
            assert response.status == 200


async def test_npm_s_client_of_2013_is_seated_and_recovers(node_clients: Any) -> None:
    """A client that never heard of logins: `setPseudo` is answered as ever, and a dropped connection loses nothing."""
    room = ChatRoom()
    async with serving("aiohttp", room) as url:
        node = await node_clients(url, auth={"token": "1"}, transports=["websocket"])
        await node.told("(connect)")
        assert room.members == (pychat.Member("user:1", "Ada", ("moderator",)),)
        await node.do("emit", "setPseudo", "Somebody")
        assert (await node.told("pseudoStatus"))[0] == "error"
        await node.do("emit", "setPseudo", "Ada")
        assert (await node.told("pseudoStatus"))[0] == "ok"
        await room.post("one", author="bot")
        assert (await node.told("message"))[0]["message"] == "one"
        await node.do("drop")
        await node.told("(disconnect)")
        assert (await node.told("(connect)"))[1] is True  # socket.recovered
        assert room.here == 1


@hosts
async def test_an_authenticate_that_fails_lets_nobody_in(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception, or nonsense, is logged and refused with `internal`: never a guest by accident."""

    async def broken(request: Request) -> User:
        raise KeyError(request.room)

    def nonsense(request: Request) -> str:
        return "Ada"

    for authenticate in (broken, nonsense):
        caplog.clear()
        with caplog.at_level(logging.ERROR, "pychat.transports.authenticator"):
            async with serving(kind, ChatRoom(), authenticate) as url, aiohttp.ClientSession() as http:
                for path, first in (("ws", ""), ("socket.io/?EIO=4&transport=websocket", '40{"v":1}')):
                    async with http.ws_connect(f"{url}/{path}") as socket:
                        if first:
                            await socket.send_str(first)
                        told = [frame.data async for frame in socket]
                    assert socket.close_code == Close.UNAVAILABLE.code
                    assert '"internal"' in told[-1]
                    assert '"retry_after":5' in told[-1]
                    assert not any("welcome" in each for each in told)
        assert [record.message.split(" for ")[0] for record in caplog.records] == ["authenticate failed"] * 2


@hosts
async def test_authenticate_sees_the_request(kind: str) -> None:
    """Cookies, headers, query, address, room, and the host's own request; on each wire the same."""
    seen: list[Request] = []

    async def look(request: Request) -> User | Refused | None:
        seen.append(request)
        return Refused("no", "Not you.") if request.cookies.get("session") == "bad" else None

    async with serving(kind, ChatRoom("hall"), look) as url:
        headers = {"Cookie": 'a=1; session="s1"', "X-Mine": "yes"}
        async with aiohttp.ClientSession(headers=headers) as http:
            async with http.ws_connect(f"{url}/ws?x=1") as socket:
                await socket.receive_json()
            async with http.get(f"{url}/socket.io/?EIO=4&transport=polling&x=1") as response:
                sid = json.loads((await response.text())[1:])["sid"]
            async with http.post(f"{url}/socket.io/?EIO=4&transport=polling&sid={sid}", data='40{"x":2}') as response:
                assert response.status == 200
            async with http.get(f"{url}/socket.io/?EIO=4&transport=polling&sid={sid}") as response:
                assert (await response.text()).startswith("40")
            async with http.get(f"{url}/api/rooms/hall/messages?x=1") as response:
                assert response.status == 200
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with aiohttp.ClientSession(headers={"Cookie": "session=bad"}) as http:
                await http.ws_connect(f"{url}/ws")
    assert [request.room for request in seen] == ["hall"] * 4
    for request in seen[:3]:
        assert request.cookies == {"a": "1", "session": "s1"}
        assert (request.method, request.remote, request.headers["x-mine"]) == ("GET", "127.0.0.1", "yes")
        assert request.query["x"] == "1"
        if kind == "asgi":
            assert request.scope["type"] in {"http", "websocket"}
        else:
            assert request.raw.cookies["session"] == "s1"
            with pytest.raises(pychat.UsageError):
                request.scope  # noqa: B018 -- it is a property
    assert [request.path for request in seen[:3]] == ["/ws", "/socket.io/", "/api/rooms/hall/messages"]
    assert seen[1].auth == {"x": 2}


async def test_a_moderator_may_delete_what_others_said() -> None:
    """The role `moderator` deletes anybody's message, and edits nobody's; hooks see roles, the log does not."""
    room = ChatRoom()
    hooked: list[pychat.Member] = []
    room.on("message", lambda message: hooked.append(message.author))
    async with serving("asgi", room) as url:
        ada = await WebSocketPerson.enter(url, access_token="1")
        bob = await WebSocketPerson.enter(url, access_token="2")
        seq = (await bob.command("say", {"text": "rude"}))["seq"]
        await ada.command("say", {"text": "Please."})
        assert (await bob.command("delete", {"target": seq + 1}))["error"]["code"] == "not_yours"
        assert (await ada.command("edit", {"target": seq, "text": "kind"}))["error"]["code"] == "not_yours"
        assert (await ada.command("delete", {"target": seq}))["ok"]
        assert (await bob.event("deleted"))["author"] == {"id": "user:1", "name": "Ada"}
        assert [member.roles for member in hooked] == [(), ("moderator",)]
        assert [message.author.roles for message in await room.history()] == [(), ()]
        await ada.close()
        await bob.close()


@hosts
async def test_the_room_that_is_asked_about_is_the_one_that_is_entered(kind: str) -> None:
    """Neither a prefix that looks like a room's address nor a name that is said twice gets anybody past the check."""

    def guests_stay_out_of(request: Request) -> None:
        if request.room == "staff":
            raise Refused("staff_only", "No.")

    rooms = ChatRoom("lobby"), ChatRoom("staff")
    prefix = "/api/rooms/lobby"
    if kind == "aiohttp":
        app = web.Application()
        app.add_subapp(prefix, pychat.aiohttp_app(*rooms, authenticate=guests_stay_out_of))
        host = aiohttp_server(app)
    else:
        api = FastAPI()
        api.mount(prefix, pychat.asgi_app(*rooms, authenticate=guests_stay_out_of))
        host = uvicorn_server(api)
    async with host as origin, aiohttp.ClientSession() as http:
        url = f"{origin}{prefix}"
        for query, expected in (
            ("room=staff", 403),
            ("room=lobby&room=staff", 403),
            ("room=lobby", "lobby"),
            ("room=staff&room=lobby", "lobby"),
        ):
            try:
                async with http.ws_connect(f"{url}/ws?{query}") as socket:
                    entered = (await socket.receive_json())["room"]["name"]
            except aiohttp.WSServerHandshakeError as refused:
                entered = refused.status
            assert expected == entered
        for path, status in (
            ("rooms/staff/messages", 403),
            ("rooms/staff/messages?room=lobby", 403),
            ("rooms/%73taff/messages", 403),
            ("rooms/lobby/messages", 200),
        ):
            async with http.get(URL(f"{url}/api/{path}", encoded=True)) as response:
                assert (path, status) == (path, response.status)
        path = f"{prefix}/socket.io"
        assert await entered_over_socketio(origin, path, {"v": 1, "room": "staff"}) == "staff_only"
        assert await entered_over_socketio(origin, path, {"v": 1}, "room=lobby&room=staff") == "lobby"
        assert await entered_over_socketio(origin, path, {"v": 1}, "room=staff&room=lobby") == "staff_only"


async def entered_over_socketio(origin: str, path: str, auth: dict[str, Any], query: str = "") -> str:
    """The name of the room that one comes into, or the code of the refusal."""
    client = socketio.AsyncClient(reconnection=False)
    entered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    client.on("welcome", lambda told: entered.set_result(told["room"]["name"]))
    client.on("connect_error", lambda told: entered.set_result(told["data"]["code"]))
    with contextlib.suppress(socketio.exceptions.ConnectionError):
        await client.connect(
            f"{origin}?{query}", auth=auth, transports=["websocket"], socketio_path=path.strip("/"), wait_timeout=10
        )
    try:
        return await asyncio.wait_for(entered, 10)
    finally:
        await client.disconnect()
