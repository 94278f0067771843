"""Version 2: one connection of a person in many rooms, on each transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pychat import Chat, ChatRoom, Limits, Position, Refused, RoomSettings, User, aiohttp_app
from pychat.domain.errors import Close
from pychat.hosts.aiohttp import MOUNT
from pychat.net.http.request import Request
from tests.clients import (
    ManyRooms,
    PollingManyRooms,
    SocketIOManyRooms,
    SSEManyRooms,
    WebSocketManyRooms,
)
from tests.servers import aiohttp_server, pychat_process

Connect = Callable[..., Awaitable[ManyRooms]]

WIRES = pytest.mark.parametrize("wire", [WebSocketManyRooms, SocketIOManyRooms, PollingManyRooms, SSEManyRooms])


@asynccontextmanager
async def served(wire: type[Any], *rooms: ChatRoom | Chat, **options: Any) -> AsyncIterator[Connect]:
    """Serve the rooms; yield a function that connects a person."""
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(*rooms, **options))
    async with aiohttp_server(app) as url, AsyncExitStack() as stack:

        async def connect(*arguments: Any, **query: str) -> ManyRooms:
            person: ManyRooms = await wire.connect(f"{url}/chat", *arguments, **query)
            stack.push_async_callback(person.close)
            return person

        yield connect


def some(number: int = 3, **settings: Any) -> list[ChatRoom]:
    """Rooms with the names `a`, `b`, `c` and so on."""
    return [ChatRoom(chr(ord("a") + each), title=f"Room {each}", **settings) for each in range(number)]


@WIRES
async def test_a_person_is_welcomed_once_and_enters_rooms(wire: type[Any]) -> None:
    """The connection is welcomed with an identity; each room is entered by name, and has its own events."""
    async with served(wire, *some()) as connect:
        ada, bob = await connect(), await connect()
        assert ada.welcome["v"] == 2
        assert ada.welcome["limits"] == {"rooms": 1_000}
        assert ada.welcome["id"] != bob.welcome["id"]
        assert await ada.enter("a", "b") == {"a": {"ok": True}, "b": {"ok": True}}
        assert await bob.enter("b", "c") == {"b": {"ok": True}, "c": {"ok": True}}
        entered = await ada.event("entered", "b")
        assert (entered["title"], entered["seq"], entered["recovered"]) == ("Room 1", 0, False)
        assert entered["you"] == {"id": ada.welcome["id"], "name": None, "roles": [], "name_fixed": False}
        for room in ("a", "b"):
            joined = await ada.command("join", {"room": room, "name": "Ada"})
            assert joined["member"] == {"id": ada.welcome["id"], "name": "Ada"}
            assert "token" not in joined
        await ada.command("say", {"room": "a", "text": "nobody hears this"})
        answer = await ada.command("say", {"room": "b", "text": "hi"})
        heard = await bob.event("message", "b")
        assert (heard["text"], heard["id"], heard["author"]["name"]) == ("hi", answer["id"], "Ada")
        assert all(room != "a" for room, _ in bob.log)


@WIRES
async def test_rooms_that_cannot_be_entered_do_not_hold_up_the_others(wire: type[Any]) -> None:
    """Each room of one `enter` has its own answer: a refusal says why, and nobody is in that room."""
    async with served(wire, *some()) as connect:
        ada = await connect()
        told = await ada.enter("a", "nowhere", "b")
        assert told["nowhere"]["error"]["code"] == "unknown_room"
        assert [told[name]["ok"] for name in ("a", "b")] == [True, True]
        assert (await ada.enter("a"))["a"]["error"]["code"] == "already_entered"
        refused = await ada.command("say", {"room": "nowhere", "text": "hi"})
        assert refused["error"]["code"] == "not_entered"
        assert refused == await ada.command("say", {"room": "c", "text": "hi"})  # it tells nothing of whether it exists
        assert refused == await ada.command("exit", {"room": "c"})
        assert (await ada.command("say", {"text": "hi"}))["error"]["code"] == "bad_request"
        assert (await ada.command("dance", {}))["error"]["code"] == "unknown_command"
        for rooms in (None, "a", ["a"], [{"name": 7}], [{"name": "c"}, {"name": "c"}]):
            assert (await ada.command("enter", {"rooms": rooms}))["error"]["code"] == "bad_request"


@WIRES
async def test_refusals_that_nobody_asked_for_say_which_room_they_are_of(wire: type[Any]) -> None:
    """A client that asks for no answers gets refusals as `error`, each with its room, also for rooms of one `enter`."""
    async with served(wire, *some()) as connect:
        ada = await connect()
        await ada.send("enter", {"rooms": [{"name": "a"}, {"name": "nowhere"}]})
        assert (await ada.event("error", "nowhere"))["code"] == "unknown_room"
        await ada.send("say", {"room": "a", "text": "hi"})
        assert (await ada.event("error", "a"))["code"] == "not_joined"
        await ada.send("dance", {})
        assert (await ada.event("error"))["code"] == "unknown_command"
        assert ada.log.count(("a", "entered")) == 1


@WIRES
async def test_a_room_is_exited_and_the_others_stay(wire: type[Any]) -> None:
    """After `exit` nothing comes from that room, and the name there is free; the others go on."""
    rooms = some()
    async with served(wire, *rooms) as connect:
        ada, bob = await connect(), await connect()
        for person, name in ((ada, "Ada"), (bob, "Bob")):
            await person.enter("a", "b")
            for room in ("a", "b"):
                assert (await person.command("join", {"room": room, "name": name}))["ok"]
        assert await ada.command("exit", {"room": "a"}) == {"ok": True}
        assert [member.name for member in rooms[0].members] == ["Bob"]
        before = len(ada.log)
        await bob.command("say", {"room": "a", "text": "is she gone?"})
        await bob.command("say", {"room": "b", "text": "here she is"})
        assert (await ada.event("message", "b"))["text"] == "here she is"
        assert {room for room, _ in ada.log[before:]} == {"b"}
        assert (await ada.command("say", {"room": "a", "text": "hi"}))["error"]["code"] == "not_entered"
        assert (await ada.enter("a"))["a"]["ok"]


@WIRES
async def test_a_guest_comes_back_by_a_token_into_all_rooms_where_they_left(wire: type[Any]) -> None:
    """With the token of the welcome a guest has the same id and the same names, and gets what was missed in each room."""
    rooms = some()
    async with served(wire, *rooms) as connect:
        bob = await connect()
        await bob.enter("a", "b", "c")
        since = {}
        for name in ("a", "b", "c"):
            entered = await bob.event("entered", name)
            since[name] = Position(entered["epoch"], entered["seq"])
            await bob.command("join", {"room": name, "name": f"Bob of {name}"})
        await bob.close()
        for number, room in enumerate(rooms):
            for missed in range(number):
                await room.post(f"{room.name} {missed}", author="bot")
        back = await connect(bob.welcome["token"])
        assert back.welcome["id"] == bob.welcome["id"]
        await back.enter(*since.items())
        for number, room in enumerate(rooms):
            entered = await back.event("entered", room.name)
            assert entered["recovered"] is True
            assert entered["you"]["name"] == f"Bob of {room.name}"
            heard = [(await back.event("message", room.name))["text"] for _ in range(number)]
            assert heard == [f"{room.name} {missed}" for missed in range(number)]
        assert [room.member_count for room in rooms] == [1, 1, 1]
        stranger = await connect("made.up")
        assert stranger.welcome["id"] != bob.welcome["id"]


@WIRES
async def test_who_missed_a_lot_in_many_rooms_gets_all_of_it(wire: type[Any]) -> None:
    """More than may wait for one client, in all rooms together, is sent as it is read, while others talk."""
    rooms = some(4, limits=Limits(text=20_000))
    async with served(wire, *rooms) as connect:
        bob = await connect()
        await bob.enter(*(room.name for room in rooms))
        since = {}
        for room in rooms:
            entered = await bob.event("entered", room.name)
            since[room.name] = Position(entered["epoch"], entered["seq"])
        await bob.close()
        for room in rooms:
            for number in range(120):  # 2.3 MB in each
                await room.post(f"{number} {'x' * 19_000}", author="bot")
        back = await connect(bob.welcome["token"])
        entering = asyncio.create_task(back.enter(*since.items()))
        for room in rooms:
            await room.post("120 meanwhile", author="bot")
        assert all(each["ok"] for each in (await entering).values())
        for room in rooms:
            heard = [(await back.event("message", room.name))["text"] for _ in range(121)]
            assert [int(text.split()[0]) for text in heard] == list(range(121))


@WIRES
async def test_a_room_that_ends_for_somebody_says_so_and_the_others_stay(wire: type[Any]) -> None:
    """Who is removed from one room gets `exited` with the reason, and stays in the others."""
    rooms = some()
    async with served(wire, *rooms) as connect:
        ada = await connect()
        await ada.enter("a", "b")
        await ada.command("join", {"room": "a", "name": "Ada"})
        await rooms[0].kick(ada.welcome["id"], "Be nice.")
        assert (await ada.event("error", "a"))["text"] == "Be nice."
        exited = await ada.event("exited", "a")
        assert (exited["code"], exited["reason"], exited["reconnect"]) == (Close.KICKED.code, "kicked", False)
        assert (await ada.command("say", {"room": "a", "text": "hi"}))["error"]["code"] == "not_entered"
        assert (await ada.command("join", {"room": "b", "name": "Ada"}))["ok"]
        assert [room.here for room in rooms] == [0, 1, 0]


@WIRES
async def test_commands_wait_for_the_room_that_is_being_entered(wire: type[Any]) -> None:
    """A client need not wait for answers: commands for a room run in the order in which they were sent."""
    async with served(wire, *some()) as connect:
        ada = await connect()
        answers = await asyncio.gather(
            ada.command("enter", {"rooms": [{"name": "a"}, {"name": "nowhere"}]}),
            ada.command("join", {"room": "a", "name": "Ada"}),
            ada.command("say", {"room": "a", "text": "one"}),
            ada.command("say", {"room": "nowhere", "text": "one"}),
            ada.command("exit", {"room": "a"}),
            ada.command("enter", {"rooms": [{"name": "a"}]}),
            ada.command("join", {"room": "a", "name": "Ada"}),
            ada.command("say", {"room": "a", "text": "two"}),
            ada.command("exit", {"room": "a"}),
            ada.command("say", {"room": "a", "text": "three"}),
        )
        assert [answer["ok"] for answer in answers] == [True, True, True, False, True, True, True, True, True, False]
        assert [name for room, name in ada.log if room == "a" and name == "entered"] == ["entered"] * 2
        first, second = await ada.event("entered", "a"), await ada.event("entered", "a")
        assert (first["messages"], [each["text"] for each in second["messages"]]) == ([], ["one"])


@WIRES
async def test_an_app_is_asked_about_each_room(wire: type[Any]) -> None:
    """An app that lets users into some rooms only, by `request.room`, keeps them out on version 2 as well."""

    def who(request: Request) -> User | Refused:
        if request.room == "b":
            return Refused("login_required", "Not here.")
        return User("42", "Ada", roles=("moderator",) if request.room == "c" else ())

    async with served(wire, *some(), authenticate=who) as connect:
        ada = await connect()
        assert "token" not in ada.welcome
        assert ada.welcome["you"] == {"id": "user:42", "name": "Ada", "roles": [], "name_fixed": True}
        told = await ada.enter("a", "b", "c")
        assert told["b"]["error"] == {"code": "login_required", "text": "Not here."}
        assert (await ada.event("entered", "a"))["you"] == ada.welcome["you"]
        assert (await ada.event("entered", "c"))["you"]["roles"] == ["moderator"]
        assert (await ada.command("say", {"room": "a", "text": "hi"}))["ok"]


@WIRES
async def test_entering_counts_by_the_number_of_rooms(wire: type[Any]) -> None:
    """A person who enters many rooms again and again is refused with the seconds to wait."""
    async with served(wire, *some(limits=Limits(rate=0.001, burst=10))) as connect:
        ada = await connect()
        names = [f"n{number}" for number in range(50)]
        assert (await ada.enter(*names))["n0"]["error"]["code"] == "unknown_room"
        assert (await ada.enter(*names))["n49"]["error"]["code"] == "unknown_room"
        refused = await ada.command("enter", {"rooms": [{"name": "a"}]})
        assert refused["error"]["code"] == "rate_limited"
        assert refused["error"]["retry_after"] > 0


async def test_a_stream_enters_the_rooms_of_its_address() -> None:
    """The address of a stream names its rooms, and the last event seen in each; one that is unknown is an `error`."""
    rooms = some()
    async with served(SSEManyRooms, *rooms) as connect:
        ada = await connect(None, ("room", "a"), ("room", "b"), ("room", "nowhere"))
        assert isinstance(ada, SSEManyRooms)
        assert (await ada.event("error", "nowhere"))["code"] == "unknown_room"
        offsets = []
        for room in rooms[:2]:
            await ada.event("entered", room.name)
            await room.post("seen", author="bot")
            await ada.event("message", room.name)
            assert ada.offset is not None
            offsets.append(ada.offset)
        await ada.command("join", {"room": "a", "name": "Ada"})
        token = ada.welcome["token"]
        ada.response.close()
        await ada.event("closed")
        for room in rooms[:2]:
            await room.post("missed", author="bot")
        back = await connect(
            token, ("room", "a"), ("room", "b"), ("since", offsets[0]), **{"Last-Event-ID": offsets[1]}
        )
        for name in ("a", "b"):
            assert (await back.event("entered", name))["recovered"] is True
            assert (await back.event("message", name))["text"] == "missed"
        assert (await back.command("say", {"room": "a", "text": "hi"}))["ok"]


async def test_commands_by_http_need_a_stream() -> None:
    """A command without a token, with an unknown one, or without an open stream is refused with its status."""
    async with served(SSEManyRooms, *some()) as connect:
        ada = await connect()
        assert isinstance(ada, SSEManyRooms)

        async def status(headers: dict[str, str]) -> int:
            async with ada.http.post(f"{ada.url}/commands/enter", json={"rooms": []}, headers=headers) as response:
                return response.status

        assert await status({}) == 401
        assert await status({"Authorization": "Bearer made.up"}) == 401
        assert await status(ada.headers) == 200
        async with ada.http.delete(f"{ada.url}/events", headers=ada.headers) as response:
            assert response.status == 200
        await ada.event("closed")
        assert await status(ada.headers) == 409


async def test_the_token_of_a_person_speaks_over_http_in_every_room() -> None:
    """A message that is posted with the token of version 2 is by that person: in the stream, or with no stream open."""
    rooms = some()
    async with served(SSEManyRooms, *rooms) as connect:
        ada = await connect(None, ("room", "a"))
        assert isinstance(ada, SSEManyRooms)
        await ada.event("entered", "a")

        async def post(room: str, **fields: str) -> dict[str, Any]:
            address = f"{ada.url}/rooms/{room}/messages"
            async with ada.http.post(address, json={"text": "hi", **fields}, headers=ada.headers) as response:
                posted: dict[str, Any] = await response.json()
                return posted

        for room in ("a", "b"):
            posted = await post(room, author="Ada")
            assert posted["author"] == {"id": ada.welcome["id"], "name": "Ada"}
        assert [room.here for room in rooms] == [1, 0, 0]
        assert (await ada.command("say", {"room": "a", "text": "hi"}))["ok"]  # she has the name in her stream too


@WIRES
async def test_rooms_of_a_chat_open_and_end_while_somebody_is_connected(wire: type[Any]) -> None:
    """A chat may have no room at first. Access that is lost, and a room that is deleted, end that room alone."""
    access = {"1": "write", "2": "write", "3": "write"}
    chat = Chat(
        find_room=lambda name, _: RoomSettings(f"Room {name}") if name.isdigit() else None,
        authenticate=lambda _: User("42", "Ada"),
        access=lambda _, room: access.get(room, "none"),
    )
    async with served(wire, chat) as connect:
        ada = await connect()
        assert ada.welcome["id"] == "user:42"
        told = await ada.enter("1", "2", "3", "4", "x")
        assert [name for name, each in told.items() if each["ok"]] == ["1", "2", "3"]
        assert told["4"] == told["x"]
        assert (await ada.event("entered", "2"))["title"] == "Room 2"
        access |= {"1": "none", "2": "read"}
        await chat.refresh("42")
        exited = await ada.event("exited", "1")
        assert (exited["code"], exited["reconnect"]) == (Close.NO_ACCESS.code, False)
        assert await ada.event("access", "2") == {"access": ["read"], "role": "member"}
        assert (await ada.command("say", {"room": "2", "text": "hi"}))["error"]["code"] == "forbidden"
        assert (await ada.enter("1"))["1"]["error"]["code"] == "unknown_room"
        await chat.delete_room("3")
        exited = await ada.event("exited", "3")
        assert (exited["code"], exited["reconnect"]) == (Close.DELETED.code, False)
        assert (await ada.command("who", {"room": "2"}))["here"] == 1


@WIRES
async def test_the_rate_limit_is_the_persons(wire: type[Any]) -> None:
    """The commands of a person in all rooms, on all connections, count together; those of others do not."""
    async with served(wire, *some(limits=Limits(rate=0.001, burst=10))) as connect:
        bob = await connect()
        ada = [await connect()]
        ada.append(await connect(ada[0].welcome["token"]))
        for person in (*ada, bob):
            await person.enter("a", "b")
            assert (await person.command("join", {"room": "a", "name": "Bob" if person is bob else "Ada"}))["ok"]
        told = [await person.command("who", {"room": room}) for person in ada for room in ("a", "b", "a", "b")]
        assert [each["ok"] for each in told] == [True] * 6 + [False] * 2
        assert told[-1]["error"]["code"] == "rate_limited"
        assert (await bob.command("who", {"room": "a"}))["ok"]


async def test_an_app_with_access_is_asked_once_who_somebody_is() -> None:
    """With `access`, `authenticate` is called once for a connection, and `access` for each room that is entered."""
    asked: list[str] = []

    def who(request: Request) -> User:
        asked.append("who")
        return User("42", "Ada")

    def access(user: User | None, room: str) -> str:
        asked.append(room)
        return "none" if room == "b" else "read"

    chat = Chat(*some(), authenticate=who, access=access)
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(chat))
    async with aiohttp_server(app) as url:
        ada = await WebSocketManyRooms.connect(f"{url}/chat")
        told = await ada.enter("a", "b", "nowhere")
        assert told["b"] == told["nowhere"]
        assert told["b"]["error"]["code"] == "unknown_room"
        assert (await ada.event("entered", "a"))["access"] == ["read"]
        assert (await ada.command("say", {"room": "a", "text": "hi"}))["error"]["code"] == "forbidden"
        assert asked[0] == "who"
        assert sorted(asked[1:]) == ["a", "b", "nowhere"]
        await ada.close()


@WIRES
async def test_a_connection_in_no_room_ends(wire: type[Any]) -> None:
    """Whoever enters no room, or has left all, is closed after a while; in a room, or hearing what is unread, they stay."""
    app, chat = web.Application(), aiohttp_app(*some())
    app.add_subapp("/chat/", chat)
    roomless = chat[MOUNT].people.roomless
    assert roomless.seconds == 300
    async with aiohttp_server(app) as url:
        idle, inside, hearing = [await wire.connect(f"{url}/chat") for _ in range(3)]
        assert len(roomless) == 3
        await inside.enter("a")
        assert (await hearing.command("unread", {"on": True}))["ok"]
        assert len(roomless) == 1
        roomless.expire_first()
        assert (await idle.event("bye"))["reason"] == "timeout"
        assert (await inside.command("exit", {"room": "a"}))["ok"]
        assert len(roomless) == 1
        roomless.expire_first()
        assert (await inside.event("bye"))["reason"] == "timeout"
        assert (await hearing.command("unread", {"on": False}))["ok"]
        roomless.expire_first()
        assert (await hearing.event("bye"))["reason"] == "timeout"
        for person in (idle, inside, hearing):
            await person.close()
        assert len(roomless) == 0


async def test_a_client_that_does_not_say_hello_is_closed() -> None:
    """The first message on a plain WebSocket is `hello`, and must come in time."""
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(*some(), handshake_seconds=0.05))
    async with aiohttp_server(app) as url, aiohttp.ClientSession() as http:
        for said, why in ((None, Close.TIMEOUT), ('{"type": "say"}', Close.BAD_FRAME), ("x", Close.BAD_FRAME)):
            async with http.ws_connect(f"{url}/chat/ws", protocols=("pychat.v2",)) as socket:
                if said is not None:
                    await socket.send_str(said)
                told = [message.json() async for message in socket]
                assert told[-1]["type"] == "bye"
                assert socket.close_code == told[-1]["code"] == why.code


@WIRES
async def test_the_command_serves_version_2(wire: type[Any]) -> None:
    """`pychat serve`, which reads the handshakes of Socket.IO itself, has version 2 on each transport."""
    with pychat_process("--room", "a", "--room", "b") as served:
        ada = await wire.connect(served.url)
        assert await ada.enter("a", "b") == {"a": {"ok": True}, "b": {"ok": True}}
        assert (await ada.command("join", {"room": "b", "name": "Ada"}))["ok"]
        await ada.close()
