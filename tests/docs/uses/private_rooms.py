"""How the tutorial about an application with private rooms is tested."""

from __future__ import annotations

import asyncio
import sys
import warnings
from typing import Any

import aiohttp

from tests.docs.stage import Stage


async def has_a_chat_for_each_project(stage: Stage, argument: str) -> None:
    """Ada and Bob share a project, Bob reads announcements only, and Carol finds the same as where nothing is."""
    host = await _serve(stage)
    async with _login(host, "nobody") as visitor:
        for path in ("/chat/", "/chat/rooms/apollo"):
            async with visitor.get(path) as response:
                assert (response.status, "Log in at" in await response.text()) == (401, True)
    async with _login(host, "1") as ada, _login(host, "2") as bob, _login(host, "3") as carol:
        assert "Apollo" in await _text(ada, "/")
        assert "Apollo" not in await _text(carol, "/")
        await _text(bob, "/chat/api/rooms/apollo")
        async with bob.ws_connect("/chat/ws?room=apollo") as socket:
            assert (await socket.receive_json())["room"]["title"] == "Apollo"
            assert await _say(ada, "apollo") == 201
            while (event := await socket.receive_json())["type"] != "message":
                pass
            assert event["author"]["name"] == "Ada"
        assert await _say(ada, "announcements") == 201
        assert await _say(bob, "announcements") == 403
        assert await _answer(carol, "apollo") == await _answer(carol, "missing")
        chat = (await stage.run())["chat"]
        assert await _say(ada, "apollo") == 201
        assert (await chat.unread("2"))["apollo"].messages == 2  # Bob's client never said that he read the first one
        assert (await chat.direct("1", "2")).name == (await chat.direct("2", "1")).name


async def removes_a_member(stage: Stage, argument: str) -> None:
    """Who is removed from a project loses the open connection at once."""
    host = await _serve(stage)
    async with _login(host, "2") as bob, bob.ws_connect("/chat/ws?room=apollo") as socket:
        assert (await socket.receive_json())["type"] == "welcome"
        assert (await bob.post("/projects/apollo/remove/2")).status == 403
        async with _login(host, "1") as ada:
            assert (await ada.post("/projects/apollo/remove/2")).status == 200
        while (event := await socket.receive_json())["type"] != "bye":
            pass
        assert (event["reason"], event["reconnect"]) == ("no_access", False)


async def passes_with_the_application(stage: Stage, argument: str) -> None:
    """Pytest finds as many tests as said, and all pass: each starts and ends the application."""
    folder = stage.folder / "tests"  # the program itself runs above, with its own database
    folder.mkdir()
    (folder / "test_app.py").write_text(stage.program.code, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    told = (await process.communicate())[0].decode()
    assert (process.returncode, f"{argument} passed" in told) == (0, True), told


async def _serve(stage: Stage) -> str:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using `httpx`")  # Starlette's test client, on the same page
        return await stage.serve()


def _login(host: str, account: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(host, cookies={"account": account}, cookie_jar=aiohttp.CookieJar(unsafe=True))


async def _text(person: aiohttp.ClientSession, path: str) -> str:
    return await (await person.get(path)).text()


async def _say(person: aiohttp.ClientSession, room: str) -> int:
    async with person.post(f"/chat/api/rooms/{room}/messages", json={"text": "Hello"}) as response:
        return response.status


async def _answer(person: aiohttp.ClientSession, room: str) -> tuple[int, Any]:
    async with person.get(f"/chat/api/rooms/{room}") as response:
        return response.status, await response.json()
