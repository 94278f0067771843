"""`pychat post`: says it once, and says clearly when it could not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from pychat import ChatRoom, Request, User, aiohttp_app
from pychat.testing import Person
from tests.servers import aiohttp_server
from tests.terminal.running import ended, running


@pytest.fixture
async def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby")


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room)) as address:
        yield address


async def said(room: ChatRoom) -> list[tuple[str, str]]:
    """Names and texts of the room."""
    return [(message.author.name, message.text) for message in await room.history(limit=1000)]


async def test_one_message(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """Under one's login name, or another; nothing is printed, and nobody remains in the room."""
    for arguments, more in (((), {}), (("--name", "Ada"), {}), ((), {"PYCHAT_NAME": "Bob"})):
        done = await ended(tmp_path, "post", url, "hi", *arguments, **more)
        assert (done.status, done.out, done.error) == (0, "", "")
    assert [("grace", "hi"), ("Ada", "hi"), ("Bob", "hi")] == await said(room)
    assert room.members == ()


async def test_standard_input(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """The whole is one message; with `--lines` each line is, and empty ones are none."""
    assert (await ended(tmp_path, "post", url, "-", given="one\n\ntwo é\n")).status == 0
    assert (await ended(tmp_path, "post", url, "-", "--lines", given="one\n\n  \ntwo é")).status == 0
    assert [("grace", "one\n\ntwo é"), ("grace", "one"), ("grace", "two é")] == await said(room)


async def test_lines_as_they_come(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """A line is in the room before the next is written."""
    listener = await Person.enter(room)
    async with running(tmp_path, "post", url, "-", "--lines", stdin=asyncio.subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(3):
            process.stdin.write(f"line {number}\n".encode())
            assert (await listener.event("message"))["text"] == f"line {number}"
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    await listener.close()


async def test_the_stored_message(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """`--json` prints it as the wire has it."""
    done = await ended(tmp_path, "post", url, "hi", "--json")
    told = json.loads(done.out)
    (stored,) = await room.history()
    assert (told["type"], told["seq"], told["text"], told["author"]["name"]) == ("message", 1, "hi", "grace")
    assert (told["id"], told["author"]["id"]) == (stored.id, stored.author.id)


async def test_the_same_id_again(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """A script that is run again posts nothing twice: `post` is the same member as the last time."""
    for _ in range(2):
        done = await ended(tmp_path, "post", url, "deployed", "--id", "deploy-7", "--json")
        assert json.loads(done.out)["seq"] == 1
    assert [("grace", "deployed")] == await said(room)
    (keys,) = tmp_path.rglob("members.json")
    assert keys.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "given", "status", "told"),
    [
        (["x" * 2001], None, 1, "A message can have 2000 characters at most; this one has 1 too many."),
        (["-"], "x" * 200_000, 1, "A message can have 2000 characters at most; this one has 198000 too many."),
        ([" "], None, 1, "This message is empty."),
        (["-"], "", 0, ""),
        (["hi", "--name", "Bob"], None, 1, "Bob"),
        (["hi", "--name", "admin"], None, 1, "admin"),
        (["hi", "--lines"], None, 2, "give - as TEXT"),
        (["-", "--lines", "--id", "x"], "hi", 2, "Leave one of them out"),
        (["hi", "--id", "no spaces"], None, 1, "An id has"),
        (["hi", "--room", "nowhere"], None, 1, "There are: lobby."),
    ],
)
async def test_what_cannot_be_said(
    room: ChatRoom, url: str, tmp_path: Path, arguments: list[str], given: str | None, status: int, told: str
) -> None:
    """The status tells whose fault it is, and one line what to do."""
    bob = await Person.enter(room)
    await bob.join("Bob")
    done = await ended(tmp_path, "post", url, *arguments, given=given)
    assert (done.status, done.out) == (status, "")
    assert told in done.error
    assert "Traceback" not in done.error
    assert [] == await said(room)
    await bob.close()


async def test_nobody_there(tmp_path: Path) -> None:
    """Status 1, at once."""
    for more in ([], ["--token", "t"]):
        done = await ended(tmp_path, "post", "http://127.0.0.1:1", "hi", *more)
        assert done.status == 1
        assert "cannot be reached" in done.error


async def test_with_a_token(tmp_path: Path) -> None:
    """As a program: over HTTP, to the first room where none is named; what is refused is told in the server's words."""
    asked: list[tuple[str, str | None, object]] = []

    async def rooms(request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "rooms": [{"name": "first"}]})

    async def say(request: web.Request) -> web.Response:
        told = await request.json()
        asked.append((request.match_info["room"], request.headers.get("Authorization"), told))
        if told["text"] == "no":
            error = {"code": "unauthorized", "text": "This token is not known here."}
            return web.json_response({"ok": False, "error": error}, status=401)
        author = {"id": "post:ci", "name": told["author"]}
        date = "2026-01-31T12:00:00.000Z"
        return web.json_response(
            {"ok": True, "id": "m", "seq": 7, "date": date, "author": author, "text": told["text"]}, status=201
        )

    app = web.Application()
    app.router.add_get("/chat/api/rooms", rooms)
    app.router.add_post("/chat/api/rooms/{room}/messages", say)
    async with aiohttp_server(app) as url:
        common = ("--name", "ci")
        first = await ended(tmp_path, "post", f"{url}/chat", "hi", *common, "--json", PYCHAT_TOKEN="secret")
        assert (first.status, json.loads(first.out)["seq"]) == (0, 7)
        done = await ended(tmp_path, "post", f"{url}/chat/rooms/tea", "hi", *common, "--id", "x", "--token", "secret")
        assert (done.status, done.out, done.error) == (0, "", "")
        done = await ended(tmp_path, "post", f"{url}/chat/", "no", *common, "--token", "wrong")
        assert (done.status, done.error) == (1, "pychat: This token is not known here.\n")
        done = await ended(tmp_path, "post", f"{url}/elsewhere/", "hi", *common, "--token", "secret")
        assert (done.status, "There is no pychat" in done.error) == (1, True)
    assert asked == [
        ("first", "Bearer secret", {"text": "hi", "author": "ci"}),
        ("tea", "Bearer secret", {"text": "hi", "author": "ci", "id": "x"}),
        ("first", "Bearer wrong", {"text": "no", "author": "ci"}),
    ]


def who(request: Request) -> User | None:
    """The users of an app, by their tokens: with a name, with one to change, and without any."""
    users = {"pong": User("1", "pong"), "free": User("2", "free", name_fixed=False), "none": User("3")}
    return users.get(request.headers.get("authorization", "").removeprefix("Bearer "))


@pytest.mark.parametrize("way", ["--token", "--header"])
async def test_the_name_of_a_login(room: ChatRoom, tmp_path: Path, way: str) -> None:
    """Over HTTP and over the WebSocket: without `--name` it is that of the login; another is refused where it is fixed."""
    async with aiohttp_server(aiohttp_app(room, authenticate=who)) as url:
        for token, *more in (("pong",), ("free",), ("none",), ("free", "--name", "Fred"), ("pong", "--name", "pong")):
            sent = token if way == "--token" else f"Authorization: Bearer {token}"
            done = await ended(tmp_path, "post", url, "hi", way, sent, *more)
            assert (done.status, done.out, done.error) == (0, "", "")
        sent = "pong" if way == "--token" else "Authorization: Bearer pong"
        done = await ended(tmp_path, "post", url, "hi", way, sent, "--name", "Bob")
        assert (done.status, done.error) == (1, "pychat: Your name here is “pong”: it comes with your login.\n")
        done = await ended(tmp_path, "post", url, "hi", way, sent, "--id", "no spaces")
        assert (done.status, done.error) == (1, "pychat: An id has 1-64 characters of A-Z a-z 0-9 _ and -.\n")
        assert [name for name, _ in await said(room)] == ["pong", "free", "grace", "Fred", "pong"]


async def test_a_token_of_the_server(room: ChatRoom, tmp_path: Path) -> None:
    """A program has no name of its own: without `--name` it is one's login name."""
    async with aiohttp_server(aiohttp_app(room, api_tokens=["a-token-of-this-server"])) as url:
        for more in ([], ["--name", "ci"]):
            done = await ended(tmp_path, "post", url, "hi", "--token", "a-token-of-this-server", *more)
            assert (done.status, done.error) == (0, "")
        assert [("grace", "hi"), ("ci", "hi")] == await said(room)
