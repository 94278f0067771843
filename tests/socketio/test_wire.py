"""The handle that a broadcast loop holds: order, bounds, slow readers, and closings that end."""

from __future__ import annotations

import asyncio
import json

import pytest

from pychat.domain.errors import Close, UsageError
from pychat.net.websocket.frames import Frame
from pychat.transports.socketio import encode_event


@pytest.fixture
def wired(recorder):
    """A recording server that also keeps the wire of every client."""

    def make(**options):
        server, log = recorder(**options)
        wires = {}

        @server.event
        async def connect(sid, environ, auth):
            log.append(("connect", sid, auth))
            wires[sid] = server.client(sid)

        return server, log, wires

    return make


def test_encode_event():
    """An event is encoded once, as the text and as the finished frame; bad texts and bytes are refused there."""
    packet = encode_event("message", {"text": "é"}, "offset")
    assert ('42["message",{"text":"é"},"offset"]',) == packet.texts
    assert packet.raw[:2] == bytes([0x81, len(packet.raw) - 2])
    assert encode_event("a", namespace="/b").text == '42/b,["a"]'
    for bad in (float("nan"), "\udc00"):
        with pytest.raises(ValueError):  # noqa: PT011 (several texts)
            encode_event("message", bad)
    with pytest.raises(UsageError):
        encode_event("message", b"bytes")


async def test_order_with_everything_else(serve, wired):
    """The wire, `emit`, acknowledgements and answers go out in the order in which they were sent."""
    server, _, wires = wired()
    wire = await serve(server)
    opened, sid = await wire.connected()

    @server.on("mixed")
    async def mixed(sid):
        wires[sid].send(encode_event("a", 1))
        await server.emit("b", 2, to=sid)
        wires[sid].send(Frame.join([encode_event("c", 3), encode_event("d", 4)]))
        await server.emit("e", b"5", to=sid)
        wires[sid].send(encode_event("f", 6))
        return "g"

    await opened.send('427["mixed"]')
    got = [await opened.receive() for _ in range(8)]
    assert [
        '42["a",1]', '42["b",2]', '42["c",3]', '42["d",4]', '451-["e",{"_placeholder":true,"num":0}]', b"5",
        '42["f",6]', '437["g"]',
    ] == got  # fmt: skip
    with pytest.raises(KeyError):
        server.client("nobody")
    assert server.client(sid) is wires[sid]
    with pytest.warns(DeprecationWarning, match=r"Server\.client\(\)"):
        assert server.wire(sid) is wires[sid]


async def test_before_the_answer_to_connect(serve, recorder):
    """What a `connect` handler sends travels right after the answer, and before anything later."""
    server, _ = recorder()

    @server.event
    async def connect(sid, environ, auth):
        wire = server.client(sid)
        wire.send(encode_event("first"))
        await server.emit("second", b"!", to=sid)
        wire.send(encode_event("third"))

    wire = await serve(server)
    opened, _ = await wire.connected()
    got = [await opened.receive() for _ in range(4)]
    assert ['42["first"]', '451-["second",{"_placeholder":true,"num":0}]', b"!", '42["third"]'] == got


async def test_over_polling(serve, wired):
    """Over polling what was sent gathers, and one answer carries all of it."""
    server, _, wires = wired()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    (client,) = wires.values()
    for number in range(3):
        client.send(encode_event("n", number))
    assert client.buffered > 0
    assert (200, '42["n",0]\x1e42["n",1]\x1e42["n",2]') == await wire.poll(sid)
    assert client.buffered == 0
    pending = asyncio.create_task(wire.poll(sid))
    while server.eio.registry.sockets[sid].outbox.poll is None:
        await asyncio.sleep(0.001)
    client.send(encode_event("n", 3))
    client.send(encode_event("n", 4))
    assert (200, '42["n",3]\x1e42["n",4]') == await pending


async def test_upgrade_in_a_burst(serve, wired):
    """Through an upgrade in the middle of a burst, everything arrives, once and in order."""
    server, log, wires = wired()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await log.until(1)
    (client,) = wires.values()
    got: list[str] = []
    enough = asyncio.Event()

    async def burst() -> int:
        number = 0
        while not enough.is_set():
            client.send(encode_event("n", number))
            number += 1
            await asyncio.sleep(0)
        return number

    bursting = asyncio.create_task(burst())

    async def poll_once():
        status, text = await wire.poll(sid)
        assert status == 200
        got.extend(text.split("\x1e"))

    for _ in range(5):
        await poll_once()
    polling = asyncio.create_task(poll_once())
    opened = await wire.websocket(sid=sid)
    await opened.send("2probe")
    assert await opened.receive() == "3probe"
    await polling
    assert client.buffered
    await opened.send("5")
    got += [await opened.receive() for _ in range(500)]
    enough.set()
    total = await bursting
    while got[-1] != f'42["n",{total - 1}]':
        got.append(await opened.receive())
    assert list(range(total)) == [json.loads(text[2:])[1] for text in got if text.startswith("42")]


async def test_closed_during_an_upgrade(serve, wired):
    """A client whose socket is closed between probe and UPGRADE gets what waits for it, then the code of the close."""
    server, log, wires = wired()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await log.until(1)
    await wire.poll(sid)
    opened = await wire.websocket(sid=sid)
    await opened.send("2probe")
    assert await opened.receive() == "3probe"
    (client,) = wires.values()
    client.send(encode_event("bye", 4000))
    client.close(Close.SHUTDOWN)
    await log.until(2)
    await opened.send("5")
    assert await opened.receive() == '42["bye",4000]'
    assert await opened.closed() == Close.SHUTDOWN.code
    async with asyncio.timeout(1):  # nothing holds a shutdown up
        await server.shutdown(10)


async def test_closed_during_an_upgrade_that_is_never_finished(serve, wired):
    """A WebSocket that was probed and whose socket is closed is closed too when the upgrade times out."""
    server, log, wires = wired(upgrade_timeout=0.1)
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await log.until(1)
    opened = await wire.websocket(sid=sid)
    await opened.send("2probe")
    assert await opened.receive() == "3probe"
    next(iter(wires.values())).close(Close.SHUTDOWN)
    assert await opened.closed() == 1000


async def test_partial_writes(serve, wired, reluctant):
    """On a socket that takes a few bytes at a time, frames, acknowledgements, pings and pongs never tear or swap."""
    server, log, wires = wired(ping_interval=0.05, ping_timeout=30)
    wire = await serve(server, send_buffer=4096)
    client = await reluctant(wire)
    (handle,) = wires.values()
    filler = "x" * 3_000
    for number in range(60):
        handle.send(encode_event("n", number, filler))
        if number % 10 == 0:
            await client.send(f'42{number}["message-with-ack",{number}]')
            await client.send(f"pong {number}", opcode=9)
            await asyncio.sleep(0.02)
        await server.emit("m", number)
    assert handle.buffered > 10_000
    events, acks, pongs, pings = [], [], [], 0
    while len(events) < 120 or len(acks) < 6 or len(pongs) < 6:
        opcode, payload = await client.receive()
        if opcode == 10:
            pongs.append(payload)
        elif payload == b"2":
            pings += 1
        elif payload.startswith(b"43"):
            acks.append(payload)
        else:
            events.append(json.loads(payload[2:])[:2])
    assert [[name, number] for number in range(60) for name in "nm"] == events
    assert [f"43{number}[{number}]".encode() for number in range(0, 60, 10)] == acks
    assert [f"pong {number}".encode() for number in range(0, 60, 10)] == pongs
    assert pings
    del log


async def test_slow_reader(serve, wired, reluctant):
    """Who does not read is closed with 4001 and leaves at once; nobody else waits, and the backlog is bounded."""
    server, log, wires = wired(max_buffer_bytes=200_000)
    wire = await serve(server, send_buffer=4096)
    stuck = await reluctant(wire)
    (slow,) = wires.values()
    other, _ = await wire.connected()
    packet = encode_event("big", "x" * 10_000)
    received = 0
    while slow.why is None:
        for handle in wires.values():
            handle.send(packet)
        assert slow.buffered < 210_000 + 65_536
        assert await other.receive() == packet.text
        received += 1
    assert (Close.SLOW, slow.sid, "transport close") == (slow.why, *(await log.until(3))[2][1:])
    assert received < 100
    # It reads on, and finds everything in order, and the reason at the end.
    last = (1, b"")
    while last[0] != 8:
        last = await stuck.receive()
    assert (4001).to_bytes(2, "big") + b"slow" == last[1]


async def test_stuck_reader_is_cut(serve, wired, reluctant, monkeypatch, host):
    """A slow reader that never reads again is cut: its closing does not hang."""
    for module in ("websocket.writer", "websocket.asgi"):
        monkeypatch.setattr(f"pychat.net.{module}.CLOSE_SECONDS", 0.2)
    server, log, wires = wired(max_buffer_bytes=100_000)
    wire = await serve(server, send_buffer=4096)
    await reluctant(wire)
    (slow,) = wires.values()
    while slow.why is None:
        slow.send(encode_event("big", "x" * 10_000))
        await asyncio.sleep(0)
    await log.until(2)
    async with asyncio.timeout(2):
        while server.eio.registry.websockets:
            await asyncio.sleep(0.01)
    assert not server.eio.registry.sockets


async def test_slow_poller(serve, wired):
    """A polling client whose backlog grows past the bound is closed; its next poll says so."""
    server, log, wires = wired(max_buffer_bytes=50_000)
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    (slow,) = wires.values()
    for _ in range(6):
        slow.send(encode_event("big", "x" * 10_000))
    assert slow.why is Close.SLOW
    await log.until(2)
    assert (200, "1") == await wire.poll(sid)
    assert (await wire.poll(sid))[0] == 400


async def test_one_large_frame_is_no_slowness(serve, wired):
    """A frame larger than the bound goes to a reader that has kept up."""
    server, _, wires = wired(max_buffer_bytes=10_000)
    wire = await serve(server)
    opened, _ = await wire.connected()
    packet = encode_event("welcome", "x" * 1_000_000)
    next(iter(wires.values())).send(packet)
    assert await opened.receive() == packet.text


async def test_close_of_a_wire(serve, wired):
    """`close` closes the transport with the code, not the namespace: clients come back by themselves."""
    server, log, wires = wired()
    wire = await serve(server)
    opened, sid = await wire.connected()
    wires[sid].send(encode_event("bye"))
    wires[sid].close(Close.KICKED)
    wires[sid].send(encode_event("too late"))
    assert await opened.receive() == '42["bye"]'
    assert await opened.closed() == 4008
    assert ("disconnect", sid, "server disconnect") == (await log.until(2))[1]
    wires[sid].close(Close.SLOW)
    assert wires[sid].why is Close.KICKED


async def test_shutdown(serve, wired, reluctant):
    """Shutting down tells everybody, runs every `disconnect`, refuses newcomers, and ends in time with a stuck reader."""
    server, log, wires = wired()
    wire = await serve(server, send_buffer=4096)
    opened, _ = await wire.connected()
    polling, between = await wire.open_polling(), await wire.open_polling()
    for sid in (polling, between):
        await wire.post(sid, "40")
        await wire.poll(sid)
    await reluctant(wire)
    for _ in range(50):
        list(wires.values())[-1].send(encode_event("big", "x" * 10_000))
    pending = asyncio.create_task(wire.poll(polling))
    while server.eio.registry.sockets[polling].outbox.poll is None:
        await asyncio.sleep(0.001)
    loop = asyncio.get_running_loop()
    start = loop.time()
    stopping = asyncio.create_task(server.shutdown(1.0))
    assert await opened.closed() == 4000
    assert (200, "1") == await pending
    assert (200, "1") == await wire.poll(between)
    status, _, headers = await wire.request(transport="polling")
    assert (503, True) == (status, "Retry-After" in headers)
    await stopping
    assert loop.time() - start < 2.0
    assert 4 == len([entry for entry in log if entry[0] == "disconnect"])
    assert not server.eio.registry.sockets
    # The stuck one is cut, sooner than its own deadline would do it.
    async with asyncio.timeout(1):
        while server.eio.registry.websockets:
            await asyncio.sleep(0.001)


async def test_shutdown_with_a_stuck_handler(serve, wired):
    """Handlers that never end do not keep the server: they are cancelled at the deadline, and no next one starts."""
    server, log, _ = wired()
    started = []

    @server.on("stick")
    async def stick(sid, number):
        started.append(number)
        await asyncio.Event().wait()

    wire = await serve(server)
    opened, _ = await wire.connected()
    for number in range(3):
        await opened.send(f'42["stick",{number}]')
    while not started:
        await asyncio.sleep(0.001)
    closing = asyncio.create_task(opened.closed())
    async with asyncio.timeout(2):
        await server.shutdown(0.1)
    assert ([0], 4000) == (started, await closing)
    assert not server.eio.registry.tasks
    del log


async def test_shutdown_of_the_quiet_is_quick(serve, wired):
    """With nobody stuck, nobody waits for the deadline."""
    server, log, _ = wired()
    wire = await serve(server)
    clients = [await wire.connected() for _ in range(5)]
    closings = [asyncio.create_task(client.closed()) for client, _ in clients]
    async with asyncio.timeout(2):
        await server.shutdown(30)
    assert [4000] * 5 == [await closing for closing in closings]
    assert len(log) == 10
