"""`pychat tail`: every message once, in lines that pipes can take, until nobody wants more."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pychat import ChatRoom, Close, Refused, Request, aiohttp_app, asgi_app
from pychat.room.clock import Clock
from pychat.testing import Person
from tests.clients import WebSocketPerson
from tests.servers import aiohttp_server, pychat_process, uvicorn_server
from tests.terminal.running import ended, running


class SameMinute(Clock):
    """Time goes on, and yet it is always the same minute."""

    def date(self) -> float:
        """That minute."""
        return 1_790_000_000.0


@pytest.fixture
async def room() -> ChatRoom:
    """A room in which it is always the same minute."""
    return ChatRoom("lobby", clock=SameMinute())


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room, ChatRoom("tea"))) as address:
        yield address


async def line(process: Process) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return (await process.stdout.readline()).decode().rstrip("\n")


async def test_lines_for_people(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """What was said before, what is said now, and what becomes of it; who comes and goes where that is asked for."""
    bob = await Person.enter(room)
    await bob.join("Bob")
    for number in range(5):
        await room.post(f"{number}", author="bot")
    async with running(tmp_path, "tail", "--history", "2", "--presence", url) as process:
        first = await line(process)
        when = first[:5]
        assert first == f"{when} bot: 3"
        assert await line(process) == f"{when} bot: 4"
        ada = await Person.enter(room)
        await ada.join("Ada")
        assert (await line(process))[5:] == " * Ada joined"
        await ada.command("say", {"text": "hi\n\x1b[31mred", "reply_to": 5})
        assert [await line(process), await line(process)] == [f"{when} Ada (to bot): hi", "      \\x1b[31mred"]
        await ada.command("edit", {"target": 6, "text": "ho"})
        await ada.command("react", {"target": 6, "emoji": "👍"})
        await ada.command("delete", {"target": 6})
        assert [await line(process), await line(process)] == [f"{when} Ada edited: ho", f"{when} Ada deleted a message"]
        await ada.say("/me waves")
        assert await line(process) == f"{when} * Ada waves"
        await ada.join("Countess")
        assert (await line(process))[5:] == " * Ada is now Countess"
        await ada.close()
        assert (await line(process))[5:] == " * Countess left"
    await bob.close()


async def test_lines_for_programs(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """With `--json` each line is the event that the wire has, with its type."""
    bob = await WebSocketPerson.enter(url)
    assert (await bob.event("welcome"))["seq"] == 0
    async with running(tmp_path, "tail", "--json", "--history", "0", "--presence", url) as process:
        while (await bob.event("presence"))["here"] != 2:
            pass
        ada = await Person.enter(room)
        await ada.join("Ada")
        told = json.loads(await line(process))
        assert (told["type"], [each["name"] for each in told["joined"]]) == ("presence", ["Ada"])
        await ada.say("hi")
        await ada.command("react", {"target": 1, "emoji": "👍"})
        await ada.command("edit", {"target": 1, "text": "ho"})
        for name in ("message", "reacted", "edited"):
            assert json.loads(await line(process)) == {"type": name, **await bob.event(name)}
        await ada.close()
    await bob.close()


async def test_long_histories(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """More than the server tells a newcomer is asked for; in order, each once."""
    for number in range(300):
        await room.post(f"{number}", author="bot")
    async with running(tmp_path, "tail", "--json", "--history", "260", url) as process:
        assert [f"{number}" for number in range(40, 300)] == [
            json.loads(await line(process))["text"] for _ in range(260)
        ]


async def test_a_restarted_server_is_followed(tmp_path: Path) -> None:
    """`kill -9` and a new server: nothing is missing, nothing stands twice, and standard error tells of it."""
    store = f"sqlite:{tmp_path / 'chat.db'}"
    with pychat_process("--store", store) as served:
        port = int(served.url.rpartition(":")[2])
        ada = await WebSocketPerson.enter(served.url)
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "one"})
        async with running(tmp_path, "tail", served.url) as process:
            assert (await line(process))[5:] == " Ada: one"
            served.process.kill()
            served.process.wait()
            await ada.close()
            assert process.stderr is not None
            assert b"Trying again" in await process.stderr.readline()
            with pychat_process("--store", store, port=port) as again:
                ada = await WebSocketPerson.enter(again.url)
                await ada.command("join", {"name": "Bob"})
                await ada.command("say", {"text": "two"})
                assert (await line(process))[5:] == " Bob: two"
                assert b"Connected again" in await process.stderr.readline()
                await ada.command("say", {"text": "three"})
                assert (await line(process))[5:] == " Bob: three"
                await ada.close()


async def test_ctrl_c_ends_it(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """With status 0, and without a word."""
    await room.post("hi", author="bot")
    async with running(tmp_path, "tail", url) as process:
        await line(process)
        process.send_signal(signal.SIGINT)
        out, error = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, out, error) == (0, b"", b"")


async def test_it_ends_when_nobody_reads(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """`| head -1` ends it, at once, though nothing more is said: with status 0, and without a word."""
    await room.post("hi", author="bot")
    async with running(tmp_path, "tail", url) as process:
        await line(process)
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        assert process.stderr is not None
        async with asyncio.timeout(20):
            assert (await process.stderr.read(), await process.wait()) == (b"", 0)


async def test_what_ends_it_otherwise(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """Not there, no such room, sent out: status 1; an address that is none: 2. One line says why."""
    for arguments, status, told in (
        (("http://127.0.0.1:1",), 1, "cannot be reached"),
        ((url, "--room", "nowhere"), 1, "There are: lobby, tea."),
        ((f"{url}/nothing/here",), 1, "There is no pychat at"),
        (("ftp://x",), 2, "is not an address"),
        ((f"{url}/rooms/tea", "--room", "lobby"), 2, "names the room “tea”"),
        ((url, "--header", "nonsense"), 2, "is not a header"),
    ):
        done = await ended(tmp_path, "tail", *arguments)
        assert (done.status, done.out) == (status, "")
        assert told in done.error
        assert "Traceback" not in done.error
    await room.post("hi", author="bot")
    async with running(tmp_path, "tail", url) as process:
        await line(process)
        room.dismiss(Close.KICKED)
        _, error = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, error.decode()) == (1, f"pychat: {Close.KICKED.text}\n")


async def test_a_chat_that_is_elsewhere(tmp_path: Path) -> None:
    """ASGI applications refuse a WebSocket for which they have no place with 403: one is told to look for the path."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    async with uvicorn_server(Starlette(routes=[Mount("/chat", asgi_app(ChatRoom("lobby")))])) as address:
        done = await ended(tmp_path, "tail", address)
    assert (done.status, done.out) == (1, "")
    assert done.error == (
        f"pychat: The server does not let you in (HTTP 403). There may be no pychat at {address}/."
        f" If the chat has a path, such as {address}/chat/, give the whole address.\n"
    )


async def test_why_one_is_not_let_in(tmp_path: Path) -> None:
    """In the words of the server, which command no terminal."""

    def nobody(_: Request) -> None:
        raise Refused("login_required", "Log in\x1b[31m first.")

    async with aiohttp_server(aiohttp_app(ChatRoom("lobby"), authenticate=nobody)) as address:
        done = await ended(tmp_path, "tail", address)
    told = "pychat: The server does not let you in (HTTP 401): Log in\\x1b[31m first.\n"
    assert (done.status, done.out, done.error) == (1, "", told)
