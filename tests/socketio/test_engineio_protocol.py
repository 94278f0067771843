"""Engine.IO protocol 4, point by point, as its document and its reference server have it."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

HANDSHAKE = {"upgrades", "sid", "pingInterval", "pingTimeout", "maxPayload"}


def error(code: int, message: str) -> dict[str, object]:
    """The body of a refusal."""
    return {"code": code, "message": message}


async def test_polling_handshake(serve, recorder):
    """A GET opens a session and says all that the document lists, in milliseconds and bytes."""
    wire = await serve(recorder(ping_interval=0.3, ping_timeout=0.2)[0])
    status, text, headers = await wire.request(transport="polling")
    opened = json.loads(text[1:])
    assert (200, "0", HANDSHAKE) == (status, text[0], set(opened))
    assert {"upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000} == {
        name: value for name, value in opened.items() if name != "sid"
    }
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert headers["Cache-Control"] == "no-store"


async def test_websocket_handshake(serve, recorder):
    """A WebSocket opens a session that has nothing to upgrade to, and negotiates no deflate."""
    wire = await serve(recorder(ping_interval=0.25)[0])
    opened = await wire.websocket()
    assert (HANDSHAKE, [], 250) == (
        set(opened.handshake), opened.handshake["upgrades"], opened.handshake["pingInterval"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "query", "status", "answer"),
    [
        ("GET", {"transport": "abc"}, 400, error(0, "Transport unknown")),
        ("GET", {}, 400, error(0, "Transport unknown")),
        ("GET", {"transport": "polling", "EIO": None}, 400, error(5, "Unsupported protocol version")),
        ("GET", {"transport": "polling", "EIO": "abc"}, 400, error(5, "Unsupported protocol version")),
        ("GET", {"transport": "polling", "EIO": "3"}, 400, error(5, "Unsupported protocol version")),
        ("GET", {"transport": "polling", "sid": "nobody"}, 400, error(1, "Session ID unknown")),
        ("POST", {"transport": "polling", "sid": "nobody"}, 400, error(1, "Session ID unknown")),
        ("POST", {"transport": "polling"}, 400, error(2, "Bad handshake method")),
        ("PUT", {"transport": "polling"}, 400, error(2, "Bad handshake method")),
        ("DELETE", {"transport": "polling"}, 400, error(2, "Bad handshake method")),
        ("GET", {"transport": "websocket"}, 400, error(3, "Bad request")),
        ("GET", {"transport": "polling", "j": "0"}, 400, error(3, "Bad request")),
    ],
)
async def test_refused_requests(serve, recorder, method, query, status, answer):
    """What cannot be is answered with the reference server's status, code and words."""
    wire = await serve(recorder()[0])
    got, text, headers = await wire.request(method, **query)
    assert (status, answer, "application/json") == (got, json.loads(text), headers["Content-Type"].partition(";")[0])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"EIO": None}, 400),
        ({"EIO": "abc"}, 400),
        ({"transport": None}, 400),
        ({"transport": "abc"}, 400),
        ({"transport": "polling"}, 400),
        ({"sid": "nobody"}, 400),
    ],
)
async def test_refused_websockets(serve, recorder, query, status):
    """A WebSocket that cannot be is refused before it is opened."""
    wire = await serve(recorder()[0])
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await wire.websocket(**query)
    assert status == refused.value.status


async def test_put_with_a_session(serve, recorder):
    """A method that polling has no use for is 405 and names those that it has; the session goes on."""
    wire = await serve(recorder()[0])
    sid = await wire.open_polling()
    status, _, headers = await wire.request("PUT", "4x", transport="polling", sid=sid)
    assert (405, "GET, POST, OPTIONS") == (status, headers["Allow"])
    assert (200, "ok") == await wire.post(sid, "40")


async def test_post_and_poll(serve, recorder):
    """Packets of one POST are handled in order, and the poll brings all that waits, with its separator."""
    wire = await serve(recorder()[0])
    sid = await wire.open_polling()
    assert (200, "ok") == await wire.post(
        sid, '40\x1e42["message","a"]\x1e42["message","é"]\x1e42["message","\U0001f600"]'
    )
    got = ""
    while got.count("\x1e") < 3:
        status, text = await wire.poll(sid)
        assert status == 200
        got += ("\x1e" if got else "") + text
    first, *rest = got.split("\x1e")
    assert first.startswith('40{"sid":')
    assert rest == [f'42["message-back","{text}"]' for text in "aé\U0001f600"]


async def test_binary_over_polling(serve, recorder):
    """Attachments travel in base64, both ways."""
    wire = await serve(recorder()[0])
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    await wire.post(sid, '451-["message",{"_placeholder":true,"num":0}]\x1ebAQIDBA==')
    assert (200, '451-["message-back",{"_placeholder":true,"num":0}]\x1ebAQIDBA==') == await wire.poll(sid)


@pytest.mark.parametrize("body", ["abc", "", "4", "0", "2", "7", "bnot base64!", "40\x1e45", "\x1e", b"4\xff"])
async def test_bad_body_closes_the_session(serve, recorder, body):
    """A body that is no payload is 400, and the session is over."""
    wire = await serve(recorder()[0])
    sid = await wire.open_polling()
    status, _ = await wire.post(sid, body)
    assert status == 400
    assert (await wire.poll(sid))[0] == 400


async def test_bad_json_closes_the_session(serve, recorder):
    """JSON is read when it is its turn: the body is taken, then the session is over."""
    server, log = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, '40\x1e42["message",1]\x1e42["message"\x1e42["message",2]')
    await log.until(3)
    assert ["connect", "message", "disconnect"] == [entry[0] for entry in log]
    assert (await wire.post(sid, "41"))[0] == 400


async def test_binary_content_type_closes_the_session(serve, recorder):
    """Payloads are text since version 4."""
    wire = await serve(recorder()[0])
    sid = await wire.open_polling()
    status, _, _ = await wire.request(
        "POST", b"40", {"Content-Type": "application/octet-stream"}, transport="polling", sid=sid
    )
    assert status == 400
    assert (await wire.post(sid, "40"))[0] == 400


async def test_second_poll_closes_the_session(serve, recorder):
    """Two polls at once: the first is told that it is over, the second is 400, and so is everything after."""
    server, _ = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    first = asyncio.create_task(wire.poll(sid))
    while server.eio.registry.sockets[sid].outbox.poll is None:
        await asyncio.sleep(0.001)
    second = await wire.poll(sid, t="burst")
    assert ((200, "1"), 400) == (await first, second[0])
    assert (await wire.poll(sid))[0] == 400


async def test_second_post_closes_the_session(serve, recorder):
    """Two posts at once cannot be put in order: 400, and the session is over."""
    server, _ = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    arrived = asyncio.Event()
    go_on = asyncio.Event()

    async def slowly():
        yield b"4"
        arrived.set()
        await go_on.wait()
        yield b"0"

    async def first():
        plain = {"Content-Type": "text/plain;charset=UTF-8"}
        async with wire.http.post(wire.address(transport="polling", sid=sid), data=slowly(), headers=plain) as answer:
            return answer.status

    task = asyncio.create_task(first())
    await arrived.wait()
    while not server.eio.registry.sockets[sid].posting:
        await asyncio.sleep(0.001)
    assert (await wire.post(sid, "40"))[0] == 400
    go_on.set()
    assert await task == 200
    assert (await wire.post(sid, "40"))[0] == 400


async def test_abandoned_poll_closes_the_session(serve, recorder):
    """A client that cuts its poll has gone: what would be written to it is not lost in silence."""
    server, log = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    path = wire.address(transport="polling", sid=sid).partition(str(wire.port))[2]
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    session = server.eio.registry.sockets[sid]
    async with asyncio.timeout(5):
        while session.outbox.poll is None:
            await asyncio.sleep(0.001)
    writer.close()
    await log.until(2)
    assert log[1][0] == "disconnect"
    assert (await wire.poll(sid))[0] == 400
    del reader


async def test_heartbeat_over_polling(serve, recorder):
    """A poll that has nothing else to bring brings the ping; a pong by POST keeps the session."""
    wire = await serve(recorder(ping_interval=0.1, ping_timeout=5)[0])
    sid = await wire.open_polling()
    for _ in range(3):
        assert (200, "2") == await wire.poll(sid)
        assert (200, "ok") == await wire.post(sid, "3")


async def test_heartbeat_over_websocket(serve, recorder):
    """The server pings, the client pongs, for as long as it likes."""
    wire = await serve(recorder(ping_interval=0.1, ping_timeout=5)[0])
    opened = await wire.websocket(pong=False)
    for _ in range(3):
        assert await opened.receive() == "2"
        await opened.send("3")


async def test_ping_timeout(serve, recorder):
    """Who does not answer the ping is gone: code 4002 over WebSocket, 400 over polling."""
    wire = await serve(recorder(ping_interval=0.1, ping_timeout=0.1)[0])
    sid = await wire.open_polling()
    opened = await wire.websocket(pong=False)
    assert await opened.closed() == 4002
    assert (await wire.poll(sid))[0] == 400


async def test_client_closes_polling(serve, recorder):
    """A CLOSE packet ends the session; the poll that is pending is let go with a NOOP."""
    server, log = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    pending = asyncio.create_task(wire.poll(sid))
    while server.eio.registry.sockets[sid].outbox.poll is None:
        await asyncio.sleep(0.001)
    assert (200, "ok") == await wire.post(sid, "1")
    assert (200, "6") == await pending
    assert (await wire.poll(sid))[0] == 400
    assert (await log.until(2))[1][2] == "client disconnect"


async def test_client_closes_websocket(serve, recorder):
    """A CLOSE packet over WebSocket closes it, as a close of its own."""
    wire = await serve(recorder()[0])
    opened = await wire.websocket()
    await opened.send("1")
    assert await opened.closed() == 1000


async def test_upgrade(serve, recorder):
    """The probe is answered, the pending poll let go with a NOOP, and after the UPGRADE the WebSocket carries all."""
    server, _ = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    pending = asyncio.create_task(wire.poll(sid))
    while server.eio.registry.sockets[sid].outbox.poll is None:
        await asyncio.sleep(0.001)
    opened = await wire.websocket(sid=sid)
    await opened.send("2probe")
    assert await opened.receive() == "3probe"
    assert (200, "6") == await pending
    assert (200, "6") == await wire.poll(sid)
    await opened.send("5")
    await opened.send('42["message","hello"]')
    assert await opened.receive() == '42["message-back","hello"]'
    for status, _ in (await wire.poll(sid), await wire.post(sid, "42[]")):
        assert status == 400


async def test_second_websocket_of_a_session(serve, recorder):
    """One WebSocket a session: another is closed, and the first goes on."""
    wire = await serve(recorder()[0])
    first, _ = await wire.connected()
    second = await wire.websocket(sid=first.sid)
    assert await second.closed() == 1000
    await first.send('42["message","still here"]')
    assert await first.receive() == '42["message-back","still here"]'


@pytest.mark.parametrize("words", [["5"], ["2"], ["2probe", "4hello"], ["abc"]])
async def test_failed_probe_leaves_polling_alone(serve, recorder, words):
    """A WebSocket that does not upgrade is closed; the session goes on over polling and may try again."""
    wire = await serve(recorder()[0])
    sid = await wire.open_polling()
    opened = await wire.websocket(sid=sid)
    for word in words:
        await opened.send(word)
    assert await opened.closed() == 1000
    assert (200, "ok") == await wire.post(sid, "40")
    assert (await wire.poll(sid))[1].startswith("40")
    again = await wire.websocket(sid=sid)
    await again.send("2probe")
    assert await again.receive() == "3probe"


async def test_endless_probe_is_closed(serve, recorder):
    """An upgrade that is never finished is given up; the session stays on polling."""
    wire = await serve(recorder(upgrade_timeout=0.1)[0])
    sid = await wire.open_polling()
    opened = await wire.websocket(sid=sid)
    await opened.send("2probe")
    assert await opened.closed() == 1000
    assert (200, "ok") == await wire.post(sid, "40")


async def test_upgrades_can_be_turned_off(serve, recorder):
    """Without upgrades none are offered, and none are taken."""
    wire = await serve(recorder(allow_upgrades=False)[0])
    _, text, _ = await wire.request(transport="polling")
    opened = json.loads(text[1:])
    assert opened["upgrades"] == []
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await wire.websocket(sid=opened["sid"])


async def test_transports_can_be_chosen(serve, recorder):
    """A server for WebSocket alone does not know polling."""
    wire = await serve(recorder(transports=["websocket"])[0])
    assert (await wire.request(transport="polling"))[0] == 400
    assert (await wire.websocket()).handshake["upgrades"] == []


async def test_cookie(serve, recorder):
    """A cookie with the session's id is set where one is asked for."""
    wire = await serve(recorder(cookie="io")[0])
    _, text, headers = await wire.request(transport="polling")
    assert headers["Set-Cookie"] == f"io={json.loads(text[1:])['sid']}; path=/; SameSite=Lax"


async def test_large_polls_are_compressed(serve, recorder):
    """A large poll is compressed for a client that takes that; a small one is not worth it."""
    server, log = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    _, _, headers = await wire.request(transport="polling", sid=sid)
    assert "Content-Encoding" not in headers
    for size in (2_000, 200_000):
        await server.emit("big", "x" * size)
        _, text, headers = await wire.request(transport="polling", sid=sid)
        assert (f'42["big","{"x" * size}"]', "gzip") == (text, headers["Content-Encoding"])
    assert len(log) == 1


async def test_cors(serve, recorder):
    """A page that is allowed gets the headers that its browser wants to see, before and with its request."""
    wire = await serve(recorder(allowed_origins=["https://other.example"])[0])
    page = {"Origin": "https://other.example"}
    status, _, headers = await wire.request(
        "OPTIONS", headers={**page, "Access-Control-Request-Headers": "content-type"}, transport="polling"
    )
    assert (204, "https://other.example", "content-type", "true") == (
        status,
        headers["Access-Control-Allow-Origin"],
        headers["Access-Control-Allow-Headers"],
        headers["Access-Control-Allow-Credentials"],
    )
    status, _, headers = await wire.request(headers=page, transport="polling")
    assert (200, "https://other.example", "Origin") == (
        status,
        headers["Access-Control-Allow-Origin"],
        headers["Vary"],
    )
