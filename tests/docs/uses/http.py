"""How blocks about curl and other HTTP clients are tested: they run, against real servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from pychat import ChatRoom, aiohttp_app
from tests.clients import SSEPerson
from tests.docs.stage import ADDRESS, Stage
from tests.servers import aiohttp_server


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[ChatRoom, str]]:
    """A room, and the host and port of its server."""
    room = ChatRoom("lobby")
    async with aiohttp_server(aiohttp_app(room, **options)) as url:
        yield room, url.removeprefix("http://")


async def run(*command: str, address: str, code: str) -> str:
    """Give `code`, with the address in it replaced, to a program; what that prints."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )
    told, _ = await process.communicate(code.replace(ADDRESS, address).encode())
    return told.decode()


def without_chance(text: str) -> str:
    """`text` without the epoch, ids, tokens and dates."""
    for name in ("id", "token", "epoch", "date"):
        text = re.sub(rf'"{name}":"[^"]+"', f'"{name}":"…"', text)
    return re.sub(r"(?m)^id: [\w-]+:", "id: …:", text)


async def is_how_a_stream_begins(stage: Stage, argument: str) -> None:
    """These are the first events of a stream, byte by byte but for what chance makes."""
    text = ""
    async with (
        serving() as (_, address),
        aiohttp.ClientSession() as http,
        http.get(f"http://{address}/api/rooms/lobby/events?name=Ada") as response,
    ):
        while text.count("\n\n") < 4:
            text += (await response.content.readline()).decode()
    assert without_chance(text.partition("\n\n")[2]).rstrip() == without_chance(stage.code).rstrip()


async def each_is_said(stage: Stage, argument: str) -> None:
    """Every line says its text, in order."""
    async with serving() as (room, address):
        told = await run("bash", "-e", address=address, code=stage.code)
        said = [(message.author.name, message.text) for message in await room.history()]
    assert [name for name, _ in said] == ["Bob"] * 4, told
    assert [text for _, text in said][:3] == ["Hello there!", "1 + 1 = 2, & so on", "Hello!"]
    assert "load average" in said[3][1]


async def is_the_answer_to_bob(stage: Stage, argument: str) -> None:
    """The first of those lines is answered like this."""
    async with serving() as (_, address), aiohttp.ClientSession() as http:
        url = f"http://{address}/api/rooms/lobby/messages?author=Bob"
        async with http.post(url, data={"Hello there!": ""}) as response:
            assert response.status == 400
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with http.post(url, data=b"Hello there!", headers=headers) as response:
            told = await response.text()
    assert without_chance(told) == without_chance(stage.code.rstrip())


async def the_token_is_one_person(stage: Stage, argument: str) -> None:
    """The stream and the requests are one member; the message is edited, then deleted; the end is a goodbye."""
    here = f"until curl -s http://{ADDRESS}/api/rooms/lobby/members | grep -q Ada; do :; done"
    script = stage.code.replace('" &\n', f'" &\n{here}\n') + "wait\n"
    async with serving() as (room, address):
        told = await run("bash", address=address, code=script)
        (message,) = await room.history()
        assert (message.author.name, message.deleted) == ("Ada", True), told
        assert room.here == 0
        assert room.members == ()
    assert '"text":"It is me."' in told
    assert '"text":"It is I."' in told
    assert '"ref":"join","ok":true' in told


async def goes_on_from_there(stage: Stage, argument: str) -> None:
    """From the position of the first message, the second is told."""
    async with serving() as (room, address):
        seen, _ = [await room.post(text, author="bot") for text in ("seen", "missed")]
        last = f"{room.position.epoch}:1.{seen.id}"
        code = re.sub(r"[\w-]+:41\.[\w-]+", last, stage.code).replace("curl", "curl -m 0.5")
        told = await run("bash", address=address, code=code)
    assert '"recovered":true' in told
    assert re.findall(r'"text":"(\w+)"', told) == ["missed"]


async def takes_the_token(stage: Stage, argument: str) -> None:
    """The application's room takes messages of who has the token, and of nobody else."""
    url = f"{await stage.serve()}/chat/api/rooms/lobby/messages"
    async with aiohttp.ClientSession() as http:
        for token, status in ((argument, 201), ("another-token-of-mine", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            async with http.post(url, json={"text": "hi", "author": "build"}, headers=headers) as response:
                assert response.status == status


async def posts_with_the_token(stage: Stage, argument: str) -> None:
    """It is said, once."""
    await _posts("bash", stage=stage, token=argument)


async def posts_as_a_program(stage: Stage, argument: str) -> None:
    """It is said, once; the program prints its number."""
    told = await _posts(sys.executable, "-", stage=stage, token=argument)
    assert told == ["said as number 1\n"] * 2
    stage._names = {}  # it has run, and would wait for a server on this very loop


async def posts_from_node(stage: Stage, argument: str) -> None:
    """The same."""
    told = await _posts("node", "--input-type=module", "-", stage=stage, token=argument)
    assert told == ["said as number 1\n"] * 2


async def _posts(*command: str, stage: Stage, token: str) -> list[str]:
    """Run it twice, as who had no answer would."""
    async with serving(api_tokens=token) as (room, address):
        listener = await SSEPerson.enter(f"http://{address}")
        told = [await run(*command, address=address, code=stage.code) for _ in range(2)]
        heard = await listener.event("message")
        assert (heard["author"]["name"], heard["text"], heard["id"]) == ("build", "All tests passed.", "build-4711")
        assert len(await room.history()) == 1, told
        await listener.close()
    return told
