"""One test for each trap of the stock stack, on real sockets: what it did, and what a client sees here."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest


@pytest.mark.parametrize(
    "event", ['["disconnect"]', '["connect",{"token":1}]', '["connect_error",1]', '1["disconnecting","x"]']
)
async def test_01_lifecycle_events_from_a_client(serve, recorder, event):
    """A client that plays server is disconnected; its words reach no lifecycle handler."""
    server, log = recorder()
    wire = await serve(server)
    opened, sid = await wire.connected()
    await opened.send("42" + event)
    assert await opened.closed() == 4004
    await log.until(2)
    assert [("connect", sid, None), ("disconnect", sid, "transport error")] == log


async def test_01_star_is_a_name(serve, recorder):
    """An event that is called "*" does not run the handler of all events with its arguments shifted."""
    server, _ = recorder()
    seen: list[Any] = []

    @server.on("*")
    async def anything(event, sid, *args):
        seen.append((event, sid, *args))
        return "heard"

    wire = await serve(server)
    opened, sid = await wire.connected()
    await opened.send('421["*","a"]')
    assert await opened.receive() == '431["heard"]'
    assert [("*", sid, "a")] == seen


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 101, "[" * 100_000, "'a'", "1,"])
async def test_02_strict_json_in(serve, recorder, value):
    """What JavaScript could not read is refused from whoever sent it, and reaches nobody."""
    server, log = recorder()
    wire = await serve(server)
    other, _ = await wire.connected()
    opened, _ = await wire.connected()
    await opened.send(f'42["message",{value}]')
    assert await opened.closed() == 4004
    await log.until(3)
    assert not [entry for entry in log if entry[0] == "message"]
    await server.emit("still", "fine")
    assert await other.receive() == '42["still","fine"]'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"deep": [float("-inf")]}, "\ud800"])
async def test_02_strict_json_out(serve, recorder, value):
    """What JavaScript could not read is refused from the program, before anybody is sent anything."""
    server, _ = recorder()
    wire = await serve(server)
    opened, sid = await wire.connected()
    with pytest.raises(ValueError):  # noqa: PT011 (several texts)
        await server.emit("bad", value)
    with pytest.raises(ValueError):  # noqa: PT011 (several texts)
        await server.emit("bad", value, to=sid, callback=print)
    await server.emit("good")
    assert await opened.receive() == '42["good"]'


@pytest.mark.parametrize(
    "packets",
    [
        ['451-["message",{"_placeholder":true,"num":9}]', b"x"],
        ['451-["message",{"_placeholder":true,"num":-1}]', b"x"],
        ['451-["message",{"_placeholder":true,"num":true}]', b"x"],
        ['451-["message",{"_placeholder":true}]', b"x"],
        ['452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]', b"x", b"y"],
        ['451-["message"]', b"x"],
        ['450-["message"]'],
        ['45["message"]'],
        ['459999999999-["message",{"_placeholder":true,"num":0}]'],
        ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
        [b"an attachment of nothing"],
        ['452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"x" * 900_000, b"y" * 900_000],
    ],
)
async def test_03_attachments(serve, recorder, packets):
    """Attachments that do not match what was announced, or are too many or too large, end the connection."""
    server, log = recorder()
    wire = await serve(server)
    opened, _ = await wire.connected()
    for packet in packets:
        await opened.send(packet)
    assert await opened.closed() == 4004
    await log.until(2)
    assert ["connect", "disconnect"] == [entry[0] for entry in log]


@pytest.mark.parametrize("garbage", ["abc", "", "0", "2", "9", "{}", "\x00"])
async def test_04_garbage_leaves_at_once(serve, recorder, garbage):
    """A frame that is no packet ends in a proper `disconnect` at once, not in a ghost until the ping timeout."""
    server, log = recorder(ping_interval=60, ping_timeout=60)
    wire = await serve(server)
    opened, sid = await wire.connected()
    await opened.send(garbage)
    assert await opened.closed() == 4004
    assert ("disconnect", sid, "transport error") == (await log.until(2))[1]
    assert not server.eio.registry.sockets
    assert not server.manager.rooms


async def test_05_never_connected(serve, recorder):
    """Who answers pings but connects to no namespace, or to none any more, is closed in time."""
    server, log = recorder(connect_timeout=0.3, ping_interval=0.05)
    wire = await serve(server)
    idle = await wire.websocket()
    left, _ = await wire.connected()
    stays, _ = await wire.connected()
    await left.send("41")
    assert await idle.closed() == 4002
    assert await left.closed() == 4002
    await stays.send('42["message",1]')
    assert await stays.receive() == '42["message-back",1]'
    polling = await wire.open_polling()
    async with asyncio.timeout(5):
        while (await wire.poll(polling))[0] == 200:
            await wire.post(polling, "3")
    assert len(server.eio.registry.sockets) == 1
    del log


async def test_06_many_packets_in_a_post(serve, recorder):
    """A POST of thousands of packets is handled in order to the last; one that is too large is 413, and the end."""
    server, log = recorder(max_http_buffer_size=100_000)
    wire = await serve(server)
    sid = await wire.open_polling()
    body = "\x1e".join(["40", *(f'42["message",{number}]' for number in range(3_000))])
    assert (200, "ok") == await wire.post(sid, body)
    await log.until(3_001)
    assert [("message", number) for number in range(3_000)] == log[1:]
    assert (await wire.post(sid, "4" + "x" * 100_000))[0] == 413
    assert (await wire.post(sid, "41"))[0] == 400
    assert (await log.until(3_002))[-1][0] == "disconnect"


async def test_06_limit_over_websocket(serve, recorder):
    """A message of exactly the limit is taken; one byte more closes the connection."""
    server, log = recorder(max_http_buffer_size=20_000)
    wire = await serve(server)
    opened, _ = await wire.connected()
    empty = len('42["message",""]')
    await opened.send(f'42["message","{"x" * (20_000 - empty)}"]')
    assert len(await opened.receive()) == 20_000 + len("-back")
    await opened.send(f'42["message","{"x" * (20_001 - empty)}"]')
    # 1009 is what aiohttp says itself.
    assert await opened.closed() in {1009, 4005}
    assert (await log.until(3))[-1][0] == "disconnect"


async def test_07_in_order(serve, recorder):
    """One client's events are handled one at a time and in order, however long each takes; nobody else waits."""
    server, _ = recorder()
    seen = []
    gate = asyncio.Event()

    @server.on("step")
    async def step(sid, number):
        if number == 0:
            await gate.wait()
        elif number % 2:
            await asyncio.sleep(0)
        seen.append(number)
        return number

    wire = await serve(server)
    slow, _ = await wire.connected()
    other, _ = await wire.connected()
    for number in range(50):
        await slow.send(f'42{number}["step",{number}]')
    await other.send('427["step",1000]')
    assert await other.receive() == "437[1000]"
    gate.set()
    assert [f"43{number}[{number}]" for number in range(50)] == [await slow.receive() for _ in range(50)]
    assert [1000, *range(50)] == seen


async def test_07_back_pressure(serve, recorder):
    """Who sends faster than its handlers work is read no further; what waits is bounded, and nothing is lost."""
    server, _ = recorder(max_queue_bytes=20_000, ping_interval=0.1, ping_timeout=0.1)
    gate = asyncio.Event()
    seen = []

    @server.on("load")
    async def load(sid, number, text):
        await gate.wait()
        seen.append(number)

    wire = await serve(server)
    opened, _ = await wire.connected()
    text = "x" * 1_000

    async def flood():
        for number in range(2_000):
            await opened.send(f'42["load",{number},"{text}"]')
        await opened.send('421["message-with-ack"]')

    flooding = asyncio.create_task(flood())
    (session,) = server.eio.registry.sockets.values()
    async with asyncio.timeout(5):
        while session.drained is None:
            await asyncio.sleep(0.001)
    # Longer than the ping timeout: a client whose socket we do not read is not taken for dead.
    await asyncio.sleep(0.5)
    assert session.inbox_bytes < 20_000 + 2_000
    assert not session.closed
    gate.set()
    assert await opened.receive() == "431[]"
    await flooding
    assert list(range(2_000)) == seen


async def test_07_call_within_a_handler(serve, recorder):
    """A handler may wait for its own client's acknowledgement: that does not queue behind the handler."""
    server, _ = recorder()

    @server.on("ask")
    async def ask(sid):
        return await server.call("really", to=sid, timeout=5)

    wire = await serve(server)
    opened, _ = await wire.connected()
    await opened.send('429["ask"]')
    assert await opened.receive() == '421["really"]'
    await opened.send('42["message","behind"]')
    await opened.send('431["yes"]')
    assert await opened.receive() == '439["yes"]'
    assert await opened.receive() == '42["message-back","behind"]'


async def test_09_clock_steps(serve, recorder, monkeypatch):
    """A wall clock that jumps drops nobody: heartbeats are measured with the monotonic one."""
    server, log = recorder(ping_interval=0.1, ping_timeout=2)
    wire = await serve(server)
    opened, _ = await wire.connected(pong=False)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    for _ in range(3):
        assert await opened.receive() == "2"
        await server.emit("tick")
        assert await opened.receive() == '42["tick"]'
        await opened.send("3")
    assert len(log) == 1


async def test_10_pending_sessions_are_capped(serve, recorder):
    """Handshakes beyond the cap of those that are not CONNECTed are 429; one that CONNECTs makes room."""
    wire = await serve(recorder(max_pending=3)[0])
    sids = [await wire.open_polling() for _ in range(3)]
    status, text, headers = await wire.request(transport="polling")
    assert (429, "Too many clients are connecting at once. Try again in a moment.", True) == (
        status, json.loads(text)["message"], int(headers["Retry-After"]) > 0,
    )  # fmt: skip
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await wire.websocket()
    assert refused.value.status == 429
    await wire.post(sids[0], "40")
    assert (await wire.poll(sids[0]))[1].startswith("40")
    await wire.open_polling()


async def test_10_sessions_are_capped(serve, recorder):
    """Handshakes beyond the cap of all sessions are 503 with a Retry-After; one that leaves makes room."""
    server, log = recorder(max_connections=2)
    wire = await serve(server)
    first, _ = await wire.connected()
    second, _ = await wire.connected()
    status, _, headers = await wire.request(transport="polling")
    assert (503, True) == (status, int(headers["Retry-After"]) > 0)
    await second.ws.close()
    await log.until(3)
    await wire.connected()
    del first


async def test_11_remote_address(serve, recorder):
    """REMOTE_ADDR is the peer's; what X-Forwarded-For says counts only from a proxy that is trusted."""
    forged = {"X-Forwarded-For": "9.9.9.9, 8.8.8.8"}
    for trusted, expected in (([], "127.0.0.1"), (["127.0.0.0/8"], "8.8.8.8"), (["127.0.0.1", "8.8.8.8"], "9.9.9.9")):
        server, _ = recorder(trusted_proxies=trusted)
        seen: list[Any] = []

        @server.event
        async def connect(sid, environ, auth, server=server, seen=seen):
            seen.append((environ["REMOTE_ADDR"], environ["REMOTE_PORT"] != "0", server.client(sid).remote))

        wire = await serve(server)
        await wire.connected(headers=forged)
        assert [(expected, expected == "127.0.0.1", expected)] == seen


async def test_11_whole_body(serve, recorder):
    """A body that comes in many pieces is read to its end."""
    server, log = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    body = ('40\x1e42["message","' + "é" * 200_000 + '"]').encode()

    async def pieces():
        for start in range(0, len(body), 30_001):
            yield body[start : start + 30_001]
            await asyncio.sleep(0)

    plain = {"Content-Type": "text/plain;charset=UTF-8"}
    async with wire.http.post(wire.address(transport="polling", sid=sid), data=pieces(), headers=plain) as answer:
        assert answer.status == 200
    assert ("message", "é" * 200_000) == (await log.until(2))[1]


async def test_12_no_deflate(serve, recorder, host):
    """No frame is compressed for each member anew, even where the client offers it."""
    server, _ = recorder()
    wire = await serve(server)
    opened, _ = await wire.connected()
    if host.__name__ == "on_aiohttp":
        assert not opened.ws.compress
    await server.emit("big", "x" * 10_000)
    assert len(await opened.receive()) > 10_000


async def test_13_lone_surrogates(serve, recorder):
    """Half a character is refused; where handlers ask for it, it is handed on for them to refuse."""
    server, log = recorder()
    wire = await serve(server)
    opened, _ = await wire.connected()
    await opened.send(r'42["message","\ud83d\ude00"]')
    assert await opened.receive() == '42["message-back","\U0001f600"]'
    await opened.send(r'42["message","\ud83d"]')
    assert await opened.closed() == 4004
    await log.until(3)
    assert ["connect", "message", "disconnect"] == [entry[0] for entry in log]

    server, _ = recorder(lone_surrogates="pass")
    server.on("whole", lambda sid, text: text.isprintable())
    wire = await serve(server)
    opened, _ = await wire.connected()
    await opened.send(r'421["whole","\ud83d"]')
    assert await opened.receive() == "431[false]"


@pytest.mark.parametrize(
    ("origin", "options", "headers", "good"),
    [
        ("http://127.0.0.1:{port}", {}, {}, True),
        ("https://127.0.0.1:{port}", {}, {}, True),
        ("http://evil.example", {}, {}, False),
        ("http://127.0.0.1:1", {}, {}, False),
        ("null", {}, {}, False),
        ("https://chat.example", {}, {"Host": "chat.example"}, True),
        ("https://chat.example", {}, {"X-Forwarded-Host": "chat.example"}, False),
        ("https://chat.example", {"trusted_proxies": ["127.0.0.1"]}, {"X-Forwarded-Host": "chat.example"}, True),
        ("https://other.example", {"allowed_origins": ["https://other.example"]}, {}, True),
        ("https://other.example", {"cors_allowed_origins": "https://other.example"}, {}, True),
        ("https://any.example", {"allowed_origins": "*"}, {}, True),
    ],
)
async def test_14_origins(serve, recorder, caplog, origin, options, headers, good):
    """Pages of this host connect, behind a TLS proxy too; others are refused with a line that says what to set."""
    wire = await serve(recorder(**options)[0])
    origin = origin.format(port=wire.port)
    headers = {**headers, "Origin": origin}
    status, _, _ = await wire.request(headers=headers, transport="polling")
    assert (200 if good else 403) == status
    if good:
        assert (await wire.websocket(headers=headers)).sid
    else:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await wire.websocket(headers=headers)
        assert refused.value.status == 403
        assert caplog.text.count(f"--allow-origin {origin}") == 1


async def test_16_nothing_grows_with_the_number_connected(serve, recorder):
    """Connecting and leaving start no task that stays, and leave nothing behind."""
    server, log = recorder()
    wire = await serve(server)
    before = len(asyncio.all_tasks())
    opened = [await wire.connected() for _ in range(20)]
    # The host's own task for each connection, and ASGI's writer; both ends are in this process.
    assert len(asyncio.all_tasks()) <= before + 20 * 3
    assert not server.eio.registry.tasks
    for socket, _ in opened:
        await socket.ws.close()
    await log.until(40)
    while server.eio.registry.sockets or server.eio.registry.tasks or server.eio.registry.websockets:
        await asyncio.sleep(0.001)
    assert ({}, {}, {}) == (server.manager.rooms, server.environ, server.manager.callbacks)
    assert not any(
        len(wheel)
        for wheel in (
            server.eio.registry.connecting,
            server.eio.registry.pings,
            server.eio.registry.pongs,
            server.eio.registry.upgrading,
        )
    )
