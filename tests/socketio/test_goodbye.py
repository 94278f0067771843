"""A polling client that the server puts out hears why, also where it does not poll at that moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from pychat import ChatRoom, Close
from pychat.transports.socketio import SocketIOTransport
from tests.clients import SocketIOPerson
from tests.socketio.conftest import PATH, Log

_TOLD = sorted(set(Close) - {Close.BAD_FRAME, Close.TOO_LARGE, Close.TIMEOUT}, key=lambda why: why.code)


@asynccontextmanager
async def served(serve: Any, **options: Any) -> AsyncIterator[tuple[Any, Any, ChatRoom]]:
    """A room over Socket.IO: how to reach it, its sockets, and the room."""
    async with ChatRoom("lobby") as room:
        server = SocketIOTransport(room, **options).server
        yield await serve(server), server.eio.registry, room


async def entered(wire: Any) -> str:
    """The session of somebody who is in the room, and between two polls."""
    sid = await wire.open_polling()
    await wire.post(sid, '40{"v":1}')
    text = ""
    while '42["welcome"' not in text:
        status, text = await wire.poll(sid)
        assert status == 200
    return sid


async def goodbye(wire: Any, sid: str) -> list[Any]:
    """The name and the reason of each event that the next poll brings."""
    status, text = await wire.poll(sid)
    assert status == 200, text
    events = [json.loads(packet.removeprefix("42")) for packet in text.split("\x1e")]
    return [(name, fields["reason"]) for name, fields in events if name != "presence"]


@pytest.mark.parametrize("why", _TOLD, ids=lambda why: why.reason)
async def test_the_next_poll_tells_why(serve: Any, why: Close) -> None:
    """Whatever the reason is: first the events, then the end of the session, each once."""
    async with served(serve) as (wire, registry, room):
        sid = await entered(wire)
        room.backend.dismiss(why)
        assert await goodbye(wire, sid) == [("bye", why.reason)]
        assert (200, "1") == await wire.poll(sid)
        assert (await wire.poll(sid))[0] == 400
        assert not registry.parting


async def test_a_post_meanwhile_is_no_error(serve: Any) -> None:
    """What is posted after the end does not happen; it is not refused either, for the client would not poll again."""
    async with served(serve) as (wire, _, room):
        sid = await entered(wire)
        room.backend.dismiss(Close.LOGIN_ENDED)
        assert (200, "ok") == await wire.post(sid, '42["join",{"name":"Ada"}]\x1e42["say",{"text":"hi"}]')
        assert await goodbye(wire, sid) == [("bye", "login_ended")]
        assert (200, "ok") == await wire.post(sid, "3")
        assert (200, "1") == await wire.poll(sid)
        assert (await wire.post(sid, "3"))[0] == 400
        assert await room.history() == []


async def test_it_is_kept_for_a_few_seconds(serve: Any) -> None:
    """A client that does not come back is forgotten."""
    async with served(serve) as (wire, registry, room):
        registry.partings.seconds = 0.01
        sid = await entered(wire)
        room.backend.dismiss(Close.BANNED)
        async with asyncio.timeout(10):
            while registry.parting:
                await asyncio.sleep(0.005)
        assert (await wire.poll(sid))[0] == 400


async def test_as_many_are_kept_as_may_be_connected(serve: Any) -> None:
    """The oldest are forgotten first, so that those who come and are put out take a bounded amount of memory."""
    async with served(serve, max_connections=3) as (wire, registry, room):
        put_out = []
        for _ in range(5):
            put_out.append(await entered(wire))
            room.backend.dismiss(Close.BANNED)
        assert list(registry.parting) == put_out[-3:]
        assert [(await wire.poll(sid))[0] for sid in put_out] == [400, 400, 200, 200, 200]


@pytest.mark.parametrize("posts", [False, True], ids=["silent", "posts"])
async def test_python_socketio_hears_it(serve: Any, posts: bool) -> None:
    """The event comes before the disconnect, also where the client sends something after its session has ended."""
    polls = asyncio.Event()
    polls.set()
    held = asyncio.Event()
    posted = asyncio.Event()

    async def hold(_: object, __: object, request: aiohttp.TraceRequestStartParams) -> None:
        if request.method == "GET" and not polls.is_set():
            held.set()
            await polls.wait()

    async def end(_: object, __: object, request: aiohttp.TraceRequestEndParams) -> None:
        if request.method == "POST":
            posted.set()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(hold)
    trace.on_request_end.append(end)
    async with served(serve) as (wire, _, room), asyncio.timeout(20):
        person = SocketIOPerson()
        await person._http.close()
        person._http = person.client.eio.http = aiohttp.ClientSession(trace_configs=[trace])
        log = Log()
        person.client.on("bye", lambda fields: log.append(fields["reason"]))
        person.client.on("disconnect", log.append)
        await person.client.connect(wire.url, auth={"v": 1}, transports=["polling"], socketio_path=PATH.strip("/"))
        await person.event("welcome")
        polls.clear()
        await room.post("the poll that waits comes back with this", author="bot")
        await held.wait()
        room.backend.dismiss(Close.KICKED)
        if posts:
            posted.clear()
            await person.client.emit("say", {"text": "too late"})
            await posted.wait()
        polls.set()
        assert await log.until(2, 15) == ["kicked", "server disconnect"]
        await person.close()
