"""Socket.IO protocol 5, point by point, as its document and its test suite have it."""

from __future__ import annotations

import pytest


async def test_connect(serve, recorder):
    """CONNECT is answered with the id, and the payload reaches the handler."""
    server, log = recorder()
    wire = await serve(server)
    opened, sid = await wire.connected(auth={"token": "123"})
    assert [("connect", sid, {"token": "123"})] == log
    del opened


async def test_connect_to_a_namespace(serve, recorder):
    """Other namespaces are connected to beside the main one, over the same connection."""
    server, _ = recorder(namespaces=["/", "/custom"])
    seen = []

    @server.on("connect", namespace="/custom")
    async def connect(sid, environ, auth):
        seen.append((sid, auth))

    wire = await serve(server)
    opened = await wire.websocket()
    main = await opened.connect()
    custom = await opened.connect("/custom", {"token": "abc"})
    assert [(custom["sid"], {"token": "abc"})] == seen
    assert main["sid"] != custom["sid"]


async def test_unknown_namespace(serve, recorder):
    """There is no such namespace, and the words are the reference server's; the connection goes on."""
    wire = await serve(recorder()[0])
    opened = await wire.websocket()
    await opened.send("40/random")
    assert await opened.receive() == '44/random,{"message":"Invalid namespace"}'
    assert "sid" in await opened.connect()


async def test_refused_connect(serve, recorder):
    """A handler that refuses is told to the client in its own words; nothing is sent to it afterwards."""
    import socketio

    server, _ = recorder()

    @server.event
    async def connect(sid, environ, auth):
        await server.emit("secret", "words", to=sid)
        raise socketio.exceptions.ConnectionRefusedError("Not authorized", {"why": 1})

    wire = await serve(server)
    opened = await wire.websocket()
    await opened.send("40")
    assert await opened.receive() == '44{"message":"Not authorized","data":{"why":1}}'
    await server.emit("secret", "words")
    await opened.send("42[]")
    assert await opened.closed() == 4004


async def test_failing_connect(serve, recorder, caplog):
    """A handler that fails is a refusal, and a line in the log; nobody waits for ever."""
    server, _ = recorder()

    @server.event
    async def connect(sid, environ, auth):
        raise RuntimeError("broken")

    wire = await serve(server)
    opened = await wire.websocket()
    await opened.send("40")
    assert (await opened.receive()).startswith('44{"message":')
    assert "broken" in caplog.text


@pytest.mark.parametrize(
    "first",
    [
        "4abc",
        "4",
        "47",
        '42["message","before CONNECT"]',
        "41",
        "43[]",
        '451-["message",{"_placeholder":true,"num":0}]',
        "44{}",
        '40["not an object"]',
        "40{",
        "401{}",
    ],
)
async def test_bad_first_packet(serve, recorder, first):
    """Who does not CONNECT first, or not as the document has it, is closed with code 4004."""
    server, log = recorder()
    wire = await serve(server)
    opened = await wire.websocket()
    await opened.send(first)
    if first.startswith("451"):
        await opened.send(b"x")
    assert await opened.closed() == 4004
    assert not log
    assert not server.eio.registry.sockets


@pytest.mark.parametrize(
    "event", ["42", "42{}", "42[]", "42[1]", "42[null]", '42"message"', '42["message"', "40", "431"]
)
async def test_bad_packet_after_connect(serve, recorder, event):
    """A payload that is no non-empty array of a name and arguments closes the connection; `disconnect` runs once."""
    server, log = recorder()
    wire = await serve(server)
    opened, sid = await wire.connected()
    await opened.send(event)
    assert await opened.closed() == 4004
    await log.until(2)
    assert [("connect", sid, None), ("disconnect", sid, "transport error")] == log


async def test_disconnect_from_the_main_namespace(serve, recorder):
    """DISCONNECT ends the namespace, not the connection."""
    server, log = recorder()
    wire = await serve(server)
    opened, sid = await wire.connected()
    await opened.send("41")
    assert ("disconnect", sid, "client disconnect") == (await log.until(2))[1]
    again = await opened.connect()
    assert again["sid"] != sid


async def test_disconnect_from_a_custom_namespace(serve, recorder):
    """The main namespace goes on when another is left."""
    wire = await serve(recorder(namespaces=["/", "/custom"])[0])
    opened, _ = await wire.connected()
    await opened.connect("/custom")
    await opened.send("41/custom,")
    await opened.send('42["message","message to main namespace"]')
    assert await opened.receive() == '42["message-back","message to main namespace"]'


async def test_plain_and_binary_events(serve, recorder):
    """Texts, numbers, objects and attachments go through unchanged, both ways."""
    wire = await serve(recorder()[0])
    opened, _ = await wire.connected()
    await opened.send('42["message",1,"2",{"3":[true]}]')
    assert await opened.receive() == '42["message-back",1,"2",{"3":[true]}]'
    await opened.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    await opened.send(b"\1\2\3")
    await opened.send(b"")
    got = [await opened.receive() for _ in range(3)]
    assert ['452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"\1\2\3", b""] == got


async def test_acknowledgements(serve, recorder):
    """An event with an id is acknowledged with that id, attachments and all."""
    wire = await serve(recorder()[0])
    opened, _ = await wire.connected()
    await opened.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert await opened.receive() == '43456[1,"2",{"3":[false]}]'
    await opened.send('451-789["message-with-ack",{"_placeholder":true,"num":0}]')
    await opened.send(b"\1\2")
    assert await opened.receive() == '461-789[{"_placeholder":true,"num":0}]'
    assert await opened.receive() == b"\1\2"
    await opened.send('4212["message-with-ack"]')
    assert await opened.receive() == "4312[]"


async def test_connect_answer_carries_more(serve, recorder):
    """What a `connect` handler returns as a dict travels with the id, and what it sent arrives after the answer."""
    server, _ = recorder()

    @server.event
    async def connect(sid, environ, auth):
        await server.emit("early", 1, to=sid)
        return {"pid": "p1"}

    wire = await serve(server)
    opened = await wire.websocket()
    answer = await opened.connect()
    assert answer == {"pid": "p1", "sid": answer["sid"]}
    assert await opened.receive() == '42["early",1]'


async def test_server_disconnect_is_a_packet(serve, recorder):
    """`disconnect(sid)` sends DISCONNECT, which keeps the client away; what it had sent meanwhile is no offence."""
    server, log = recorder()
    wire = await serve(server)
    opened, sid = await wire.connected()
    await server.disconnect(sid)
    assert await opened.receive() == "41"
    assert ("disconnect", sid, "server disconnect") == log[1]
    await opened.send('42["message","crossed on the way"]')
    assert "sid" in await opened.connect()
    assert len(await log.until(3)) == 3
