"""Any prefix in any host: what the page names, where the wires are, and one room at two places."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import Mount

import pychat
from pychat import ChatRoom
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.hosts.talk import everybody_talks, goes_to_slash, page_loads
from tests.servers import aiohttp_server, uvicorn_server

PREFIXES = ["/chat", "/a/b/c", "/чат", "/tea room", "/socket.io", "/api/v1"]


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers 418, and knows of nothing else."""
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def hosted(host: str, prefix: str, room: ChatRoom) -> AsyncIterator[str]:
    """The room in that kind of host, below that prefix; the address of the server."""
    if host == "aiohttp":
        app = web.Application()
        app.add_subapp(f"{prefix}/", pychat.aiohttp_app(room))
        async with aiohttp_server(app) as url:
            yield url
        return
    chat = pychat.asgi_app(room)
    mounted: Any = {
        "starlette": lambda: Starlette(routes=[Mount(prefix, chat)], lifespan=chat.lifespan),
        "litestar": lambda: Litestar([asgi(prefix, is_mount=True, copy_scope=True)(chat)], lifespan=[chat.lifespan]),
        "wrap": lambda: chat.wrap(nobody, at=prefix),
    }[host]()
    async with uvicorn_server(mounted) as url:
        yield url


@pytest.mark.parametrize(
    ("host", "prefix"),
    [
        (host, prefix)
        for host in ("aiohttp", "starlette", "litestar", "wrap")
        for prefix in PREFIXES
        # aiohttp finds no sub-application, whosever it is, below a prefix that must be percent-encoded.
        if host != "aiohttp" or prefix == quote(prefix)
    ],
)
async def test_any_prefix(host: str, prefix: str) -> None:
    """The page loads with its files, with and without the slash, and every wire works."""
    async with hosted(host, prefix, ChatRoom("lobby")) as server:
        url = server + quote(prefix)
        await page_loads(url)
        await goes_to_slash(url)
        await everybody_talks(url)


async def test_what_is_wrapped_has_all_the_rest() -> None:
    """Only what is below the prefix is the chat's; a path that merely begins with the same letters is not."""
    app = pychat.asgi_app(ChatRoom("lobby")).wrap(nobody, at="/chat/")
    async with uvicorn_server(app) as url, aiohttp.ClientSession() as http:
        for path, status in (("/", 418), ("/chat/", 200), ("/chat/nothing", 404), ("/chatter", 418)):
            async with http.get(url + path) as response:
                assert (path, response.status) == (path, status)


@pytest.mark.parametrize("at", ["", "/", "chat"])
def test_wrap_wants_a_prefix(at: str) -> None:
    """What would take everything, or nothing, is refused with words."""
    with pytest.raises(pychat.UsageError, match="such as"):
        pychat.asgi_app(ChatRoom("lobby")).wrap(nobody, at=at)


async def test_the_lifespan_of_what_is_wrapped() -> None:
    """The room is open when the inner lifespan begins, and everybody has been told when it ends."""
    room = ChatRoom("lobby")
    seen: list[tuple[str, str]] = []
    after = asyncio.Event()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        seen.append(("start", room.position.epoch and "open"))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with pytest.raises(Exception) as closed:  # noqa: PT011 -- whatever a closed room raises
            await room.post("too late", author="bot")
        seen.append(("end", type(closed.value).__name__))
        await send({"type": "lifespan.shutdown.complete"})
        after.set()

    async with uvicorn_server(pychat.asgi_app(room).wrap(inner, at="/chat"), lifespan="on"):
        assert seen == [("start", "open")]
    assert after.is_set()
    assert seen[1][0] == "end"


async def test_a_store_that_cannot_be_used_stops_the_host(tmp_path: Any) -> None:
    """A wrong path for the database is seen when the server starts, not when the first person comes."""
    (tmp_path / "a file").write_text("not a folder")
    room = ChatRoom("lobby", store=f"sqlite:{tmp_path}/a file/chat.db")
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await pychat.asgi_app(room).wrap(nobody, at="/chat")({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in told] == ["lifespan.startup.failed"]
    assert "a file" in told[0]["message"]


async def test_one_room_at_two_places() -> None:
    """Mounted twice in one application, it is one room: people at one address hear those at the other."""
    room = ChatRoom("lobby")
    one, two = pychat.asgi_app(room), pychat.asgi_app(room)
    app = Starlette(routes=[Mount("/one", one), Mount("/two", two)], lifespan=one.lifespan)
    async with uvicorn_server(app) as url:
        ada = await WebSocketPerson.enter(f"{url}/one")
        bob = await SocketIOPerson.enter(url, path="two/socket.io")
        assert (await ada.command("join", {"name": "Ada"}))["ok"]
        assert (await bob.command("join", {"name": "Bob"}))["ok"]
        assert (await ada.command("say", {"text": "one"}))["ok"]
        assert (await bob.event("message"))["text"] == "one"
        assert (await bob.command("say", {"text": "two"}))["ok"]
        assert (await ada.event("message"))["text"] == "two"
        await ada.close()
        await bob.close()
    assert room.here == 0
