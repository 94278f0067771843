"""Events that plain functions take: at once, without a task, and in order with everything else of their client."""

from __future__ import annotations

import asyncio

import pytest

from pychat import ChatRoom
from pychat.transports.socketio import SocketIOTransport

pytestmark = pytest.mark.parametrize("host", ["front"], indirect=True)


async def answered(opened, number: int) -> str:
    """Read until the acknowledgement of that number."""
    async with asyncio.timeout(5):
        while not (told := str(await opened.receive())).startswith(f"43{number}["):
            pass
    return told


def hold_messages(room: ChatRoom, gate: asyncio.Event, seen: list[str]) -> None:
    """Each message waits in a hook for the `gate`, and is noted behind it."""

    @room.on("message")
    async def slow(message):
        await gate.wait()
        seen.append(message.text)
        return message.text


async def test_a_message_starts_no_task(serve, monkeypatch):
    """A message of the chat is handled as it is read: the transport starts no task for it."""
    room = ChatRoom("lobby", store="memory:")
    server = SocketIOTransport(room).server
    wire = await serve(server)
    opened, _ = await wire.connected({"v": 1})
    await opened.send('420["join",{"name":"Ada"}]')
    await answered(opened, 0)
    started: list[object] = []
    spawn = server.eio.registry.spawn
    monkeypatch.setattr(server.eio.registry, "spawn", lambda work: (started.append(work), spawn(work)))
    for number in range(1, 6):
        await opened.send(f'42{number}["say",{{"text":"{number}"}}]')
    assert '"ok":true' in await answered(opened, 5)
    assert [] == started
    await room.aclose()


async def test_order_with_the_events_of_an_application(serve):
    """An application's event is handled after the commands that came before it, however long they take."""
    room = ChatRoom("lobby", store="memory:")
    server = SocketIOTransport(room).server
    gate = asyncio.Event()
    seen: list[str] = []

    hold_messages(room, gate, seen)

    @server.on("mine")
    async def mine(sid, text):
        seen.append(text)

    wire = await serve(server)
    opened, _ = await wire.connected({"v": 1})
    for packet in (
        '42["join",{"name":"Ada"}]',
        '42["mine","behind the join"]',
        '42["say",{"text":"said"}]',
        '42["mine","behind the message"]',
        '42["say",{"text":"said again"}]',
        '429["who",{}]',
    ):
        await opened.send(packet)
    async with asyncio.timeout(5):
        while not seen:
            await asyncio.sleep(0)
    gate.set()
    assert '"here":1' in await answered(opened, 9)
    assert ["behind the join", "said", "behind the message", "said again"] == seen
    await room.aclose()


async def test_what_was_sent_before_a_goodbye(serve):
    """Commands that came before the end of a connection are done before its `disconnect` handlers run."""
    room = ChatRoom("lobby", store="memory:")
    gate, left = asyncio.Event(), asyncio.Event()
    seen: list[str] = []

    hold_messages(room, gate, seen)

    @room.on("leave")
    async def ended(member):
        seen.append("left")
        left.set()

    server = SocketIOTransport(room).server
    wire = await serve(server)
    opened, _ = await wire.connected({"v": 1})
    await opened.send('420["join",{"name":"Ada"}]')
    await answered(opened, 0)
    await opened.send('42["say",{"text":"last words"}]')
    await opened.send("41")
    gate.set()
    await left.wait()
    assert ["last words", "left"] == seen
    await room.aclose()


async def test_a_function_that_fails(serve, recorder, caplog):
    """A plain function that raises is a line in the log; the client's next event is handled."""
    server, _ = recorder()

    def fail(client, event, arguments, asked):
        raise RuntimeError("broken")

    server.core.plain_handlers["fail"] = fail
    wire = await serve(server)
    opened, _ = await wire.connected()
    await opened.send('42["fail"]')
    await opened.send('421["message-with-ack"]')
    assert await answered(opened, 1) == "431[]"
    assert "A handler of 'fail' failed" in caplog.text
