"""What must work through any host, server and proxy: the page and its files, and every wire hears every other."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from typing import Any

import aiohttp

import pychat
from tests.clients import TIMEOUT, SocketIOPerson, SSEPerson, Told

__all__ = ["everybody_talks", "goes_to_slash", "page_loads", "you_are"]


async def page_loads(url: str, tls: ssl.SSLContext | bool = True) -> None:
    """Below `url` there is the page, and each file that it names, at addresses relative to it."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as http:
        async with http.get(f"{url}/") as response:
            text = await response.text()
            assert (response.status, "data-pychat" in text) == (200, True), text
        files = re.findall(r'(?:href|src)="((?:\./|\.\./)?(?:assets|socket\.io)/[^"]+)"', text)
        assert files
        assert not re.findall(r'(?:href|src)="/[^"]*"', text), "an address that knows nothing of the prefix"
        for file in files:
            async with http.get(f"{url}/{file.removeprefix('./')}") as response:
                assert (file, response.status) == (file, 200)


async def goes_to_slash(url: str) -> None:
    """Who leaves out the slash comes to the page, with the question that was asked."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}?x=1") as response:
        assert (response.status, response.url.path_qs) == (200, f"{response.url.path.rstrip('/')}/?x=1")
        assert "data-pychat" in await response.text()


async def everybody_talks(url: str, room: str | None = None, tls: Any = True) -> None:
    """Pychat's client, Socket.IO by polling and by WebSocket, and an event stream are in one room."""
    host, _, path = url.partition("://")[2].partition("/")
    host = f"{url.partition('://')[0]}://{host}"
    path = f"{path}/socket.io".lstrip("/")
    named: dict[str, Any] = {"room": room} if room else {}
    async with contextlib.AsyncExitStack() as stack:
        ada = await stack.enter_async_context(pychat.Client(url, room, name="Ada"))
        heard = Told()
        reading = asyncio.create_task(_read(ada, heard))
        stack.callback(reading.cancel)
        bob = await SocketIOPerson.enter(host, path=path, transports=("polling",), **named)
        stack.push_async_callback(bob.close)
        cyd = await SocketIOPerson.enter(host, path=path, **named)
        stack.push_async_callback(cyd.close)
        dan = await SSEPerson.enter(url, room=room or "lobby")
        stack.push_async_callback(dan.close)
        for person, name in ((bob, "Bob"), (cyd, "Cyd"), (dan, "Dan")):
            assert (await person.command("join", {"name": name}))["ok"]
        await ada.say("from Ada")
        for person, name in ((bob, "Bob"), (cyd, "Cyd"), (dan, "Dan")):
            assert (await person.command("say", {"text": f"from {name}"}))["ok"]
        said = [f"from {name}" for name in ("Ada", "Bob", "Cyd", "Dan")]
        assert said == [await heard.next("message") for _ in said]
        for person, name in ((bob, "Bob"), (cyd, "Cyd"), (dan, "Dan")):
            others = [text for text in said if text != f"from {name}"]
            assert others == [(await person.event("message"))["text"] for _ in others]


async def _read(client: pychat.Client, heard: Told) -> None:
    async for event in client:
        if isinstance(event, pychat.Message):
            heard.put("message", event.text)


async def you_are(url: str, http: aiohttp.ClientSession) -> str | int | None:
    """The name that the room knows this visitor by, None for a guest; the HTTP status or close code of a refusal."""
    # Granian, when it is busy, does not always answer a close.
    timeout = aiohttp.ClientWSTimeout(ws_receive=TIMEOUT, ws_close=1.0)
    try:
        async with http.ws_connect(f"{url}/ws", timeout=timeout) as socket:
            told = await socket.receive_json()
            if told["type"] == "bye":
                return int(told["code"])
            you = told.get("you")
            return None if you is None else str(you["name"])
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status
