"""How much a client may send, tested at each limit, one below and one above; and what is kept of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pychat import ChatRoom
from pychat.domain.errors import UsageError
from pychat.transports.socketio import Server, SocketIOTransport
from pychat.transports.socketio.engineio.socket import MAX_EARLY
from pychat.transports.socketio.packet import Packet


def auth_of(size: int) -> str:
    """An object of `size` bytes, not all of them ASCII."""
    return '{"é":"' + "x" * (size - 9) + '"}'


@pytest.mark.parametrize("namespace", ["", "/chat,"])
async def test_auth(serve, recorder, namespace):
    """A CONNECT takes `max_auth_bytes` of JSON; one more is a CONNECT_ERROR that says so, and the client may try again."""
    server, log = recorder(max_auth_bytes=100, namespaces="*")
    server.on("connect", lambda sid, environ, auth: log.append(("connect", sid, auth)), namespace="/chat")
    wire = await serve(server)
    for size, good in ((99, True), (100, True), (101, False)):
        opened = await wire.websocket()
        assert size == len(auth_of(size).encode())
        await opened.send(f"40{namespace}{auth_of(size)}")
        answer = str(await opened.receive())
        assert answer.startswith(f"40{namespace}{{" if good else f"44{namespace}{{"), answer
        if not good:
            assert "100 bytes" in json.loads(answer.removeprefix(f"44{namespace}"))["message"]
            await opened.send(f"40{namespace}{auth_of(100)}")
            assert str(await opened.receive()).startswith(f"40{namespace}{{")
    assert [99, 100, 100] == [len(str(entry[2]).encode()) - 1 for entry in log if entry[0] == "connect"]


async def test_auth_is_forgotten(serve, recorder):
    """What a client said when it connected is known to its `connect` handler, and to nothing afterwards."""
    server, log = recorder()
    wire = await serve(server)
    _, sid = await wire.connected(auth={"token": "secret"})
    assert [("connect", sid, {"token": "secret"})] == log
    assert server.client(sid).auth is None


@pytest.mark.parametrize("extra", [None, "event", "namespace"])
async def test_environ_of_the_chat(serve, extra):
    """The chat forgets a request when it has let its client in; with handlers of an application it keeps it for them."""
    room = ChatRoom("lobby", store="memory:")
    server = SocketIOTransport(room).server
    if extra is not None:
        server.on("wave", lambda sid: None, namespace="/" if extra == "event" else "/game")
    wire = await serve(server)
    _, sid = await wire.connected()
    environ = server.get_environ(sid)
    assert (extra is not None) == bool(environ)
    if extra is None:
        (session,) = server.eio.registry.sockets.values()
        assert {} == session.environ
    await room.aclose()


async def test_limits_of_the_chat(serve):
    """The chat takes messages as the plain WebSocket does, and tells polling clients how large a body may be."""
    room = ChatRoom("lobby", store="memory:")
    server = SocketIOTransport(room).server
    wire = await serve(server)
    opened = await wire.websocket()
    assert (28_096, 100_000) == (server.eio.options.message_bytes, opened.handshake["maxPayload"])
    await opened.connect(auth={"v": 1})
    text = "x" * 28_096
    for size, good in ((28_096, True), (28_097, False)):
        begin, end = '421["say",{"text":"', '"}]'
        await opened.send(begin + text[: size - len(begin) - len(end)] + end)
        if good:
            while not (answer := str(await opened.receive())).startswith("43"):
                pass
            assert '"not_joined"' in answer
        else:
            assert await opened.closed() in {1009, 4005}
    await room.aclose()


async def test_bytes_of_a_body(serve, recorder):
    """A body of the limit is taken whole; one byte more is 413 with words, and the session is over."""
    server, log = recorder(max_http_buffer_size=5_000, max_message_bytes=2_000)
    wire = await serve(server)
    for size, good in ((4_999, True), (5_000, True), (5_001, False)):
        log.clear()
        sid = await wire.open_polling()
        parts = ["40", *['42["message",1]'] * 200]
        body = "\x1e".join(parts)
        body += '\x1e42["message","' + "x" * (size - len(body) - 17) + '"]'
        assert size == len(body)
        status, text = await wire.post(sid, body)
        assert (200 if good else 413) == status
        if good:
            await log.until(202)
        else:
            assert "5000 bytes" in json.loads(text)["message"]
            assert (await wire.post(sid, "3"))[0] == 400
            assert [] == log


@pytest.mark.parametrize("binary", [False, True])
async def test_bytes_of_a_message_in_a_body(serve, recorder, binary):
    """A message in a body has the same limit as over a WebSocket, attachments as well."""
    server, log = recorder(max_http_buffer_size=5_000, max_message_bytes=1_000)
    wire = await serve(server)
    for size, good in ((999, True), (1_000, True), (1_001, False)):
        log.clear()
        sid = await wire.open_polling()
        body = '40\x1e451-["message",{"_placeholder":true,"num":0}]\x1eb' + "A" * ((size + 2) // 3 * 4)
        if not binary:
            body = '40\x1e42["message","' + "x" * (size - 16) + '"]'
            assert size == len(body.partition("\x1e")[2])
        status, _ = await wire.post(sid, body)
        if binary:
            assert status in ({200} if size < 1_000 else {200, 413})
        else:
            assert (200 if good else 413) == status
            if good:
                await log.until(2)


async def test_packets_of_a_body(serve, recorder):
    """A body takes `max_payload_packets` in order; one more is 413 with the limit, and none of them is handled."""
    server, log = recorder(max_payload_packets=1_000)
    wire = await serve(server)
    for count, good in ((999, True), (1_000, True), (1_001, False)):
        log.clear()
        sid = await wire.open_polling()
        body = "\x1e".join(["40", *(f'42["message",{number}]' for number in range(count - 1))])
        status, text = await wire.post(sid, body)
        if good:
            assert status == 200
            await log.until(count)
            assert [("message", number) for number in range(count - 1)] == log[1:]
        else:
            assert (413, True) == (status, "1000 packets" in json.loads(text)["message"])
            assert [] == log
            assert (await wire.post(sid, "3"))[0] == 400


async def test_others_are_served_between(recorder, serve):
    """Of a body full of packets a few are taken in one turn of the event loop, however fast their handlers are."""
    server, _ = recorder()
    loop = asyncio.get_running_loop()
    done = False
    most = handled = 0

    def turn() -> None:
        nonlocal handled, most
        most, handled = max(most, handled), 0
        if not done:
            loop.call_soon(turn)

    @server.on("quick")
    async def quick(sid):
        nonlocal handled
        handled += 1

    wire = await serve(server)
    sid = await wire.open_polling()
    loop.call_soon(turn)
    assert (await wire.post(sid, "\x1e".join(["40", *['42["quick"]'] * 4_000])))[0] == 200
    while server.eio.registry.tasks:
        await asyncio.sleep(0)
    done = True
    assert 0 < most <= 64


async def test_work_ends_with_the_session(serve, recorder):
    """Nothing that came before a packet that breaks the protocol is handled after the session was closed for it."""
    server, log = recorder()
    gate = asyncio.Event()

    @server.on("slow")
    async def slow(sid):
        log.append(("slow",))
        await gate.wait()

    wire = await serve(server)
    opened, _ = await wire.connected()
    for packet in ('42["slow"]', *['42["message",1]'] * 50, "garbage"):
        await opened.send(packet)
    assert await opened.closed() == 4004
    gate.set()
    await log.until(3)
    assert ["connect", "slow", "disconnect"] == [entry[0] for entry in log]


async def test_what_was_sent_before_leaving_is_handled(serve, recorder):
    """Who says goodbye right behind their last words is heard."""
    server, log = recorder()
    wire = await serve(server)
    sid = await wire.open_polling()
    body = "\x1e".join(["40", *(f'42["message",{number}]' for number in range(100)), "1", '42["message","late"]'])
    assert (await wire.post(sid, body))[0] == 200
    await log.until(102)
    assert [*range(100)] == [entry[1] for entry in log if entry[0] == "message"]
    assert log[-1][0] == "disconnect"


@pytest.mark.parametrize("packet", ["3", "6", '42["message",1]', "431[]", "41"])
@pytest.mark.parametrize("polling", [False, True])
async def test_before_a_connect(serve, recorder, packet, polling):
    """Before a CONNECT a client may say little: answers to pings for a while, and nothing that only clients may say."""
    server, log = recorder()
    wire = await serve(server)
    if polling:
        sid = await wire.open_polling()
        assert (await wire.post(sid, "\x1e".join([packet] * (MAX_EARLY + 1))))[0] == 400
        assert (await wire.post(sid, "3"))[0] == 400
    else:
        opened = await wire.websocket()
        for _ in range(MAX_EARLY + 1):
            await opened.send(packet)
        assert await opened.closed() == 4004
    assert [] == log


async def test_refused_connects_are_counted(serve, recorder):
    """Who is refused may ask again, but not for ever on one connection."""
    server, _ = recorder()
    wire = await serve(server)
    opened = await wire.websocket()
    server.on("connect", lambda sid, environ: False)
    for _ in range(MAX_EARLY // 2):
        await opened.send("40")
        assert str(await opened.receive()).startswith("44")
    await opened.send("40")
    assert await opened.closed() == 4004


async def test_attachments_must_come_in_time(serve, recorder):
    """Half a message is kept for a while; a whole one starts no deadline anew."""
    server, log = recorder(attachment_timeout=0.2)
    wire = await serve(server)
    whole, _ = await wire.connected()
    half, _ = await wire.connected()
    await whole.send('451-["message",{"_placeholder":true,"num":0}]')
    await whole.send(b"x")
    await half.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    await half.send(b"x")
    assert await half.closed() == 4004
    assert ["connect", "connect", "message", "disconnect"] == [entry[0] for entry in await log.until(4)]
    assert not len(server.core.half_received)


async def test_half_messages_are_bounded(serve, recorder):
    """A message and its attachments together have the limit of one message."""
    server, _ = recorder(max_message_bytes=2_000)
    wire = await serve(server)
    opened, _ = await wire.connected()
    await opened.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    await opened.send(b"x" * 1_900)
    (session,) = server.eio.registry.sockets.values()
    listener = session.listener
    await opened.send(b"x" * 1_900)
    assert await opened.closed() == 4004
    assert listener.half is None


async def test_what_waits_is_not_decoded(serve, recorder, monkeypatch):
    """JSON is read when its turn has come: a queue of events takes the memory of their texts."""
    server, _ = recorder()
    gate = asyncio.Event()
    decoded: list[Packet] = []
    decode = Packet.decode

    def note(packet: Packet, *, surrogates: bool = False) -> object:
        decoded.append(packet)
        return decode(packet, surrogates=surrogates)

    monkeypatch.setattr(Packet, "decode", note)

    @server.on("slow")
    async def slow(sid, *args):
        await gate.wait()

    wire = await serve(server)
    opened, _ = await wire.connected()
    packet = '2["slow",[' + "[]," * 1_000 + "[]]]"
    for _ in range(10):
        await opened.send("4" + packet)
    (session,) = server.eio.registry.sockets.values()
    async with asyncio.timeout(5):
        while session.inbox_bytes < 10 * len(packet):
            await asyncio.sleep(0.001)
    assert ["0", "2"] == [str(packet.kind) for packet in decoded]
    gate.set()
    async with asyncio.timeout(5):
        while session.inbox_bytes:
            await asyncio.sleep(0.001)
    assert len(decoded) == 11


async def test_unread_answers(serve, recorder):
    """Who polls no answers is answered no further: what is kept for them is bounded, and nothing is lost."""
    server, _ = recorder(max_queue_bytes=2_000, max_buffer_bytes=80_000)

    @server.on("big")
    async def big(sid, number):
        return [number, "x" * 5_000]

    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    (session,) = server.eio.registry.sockets.values()
    posting = asyncio.create_task(wire.post(sid, "\x1e".join(f'42{number}["big",{number}]' for number in range(200))))
    async with asyncio.timeout(5):
        while session.outbox.reader is None:
            await asyncio.sleep(0.001)
    for _ in range(10):
        await asyncio.sleep(0)
    assert session.outbox.buffered < 20_000 + 3 * 5_100
    found: list[str] = []
    async with asyncio.timeout(10):
        while len(found) < 200:
            found += [part for part in (await wire.poll(sid))[1].split("\x1e") if part.startswith("43")]
    assert [f"43{number}[[{number}," for number in range(200)] == [part.partition('"')[0] for part in found]
    assert (await posting)[0] == 200


async def test_who_neither_reads_nor_answers_is_closed(serve, recorder):
    """AnswerBatch that wait for a client that does not poll hold off no ping timeout."""
    server, log = recorder(max_queue_bytes=2_000, max_buffer_bytes=8_000, ping_interval=0.2, ping_timeout=0.2)
    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    posting = asyncio.create_task(wire.post(sid, "\x1e".join(['421["message-with-ack","' + "x" * 900 + '"]'] * 20)))
    assert ["connect", "disconnect"] == [entry[0] for entry in await log.until(2)]
    await posting
    assert not server.eio.registry.sockets


async def test_a_body_waits_while_a_websocket_takes_over(serve, recorder):
    """A body that waits for its handlers is answered, and its events are handled, whoever waits beside it."""
    server, _ = recorder(max_queue_bytes=2_000)
    gate = asyncio.Event()
    seen: list[int] = []

    @server.on("load")
    async def load(sid, number, text):
        await gate.wait()
        seen.append(number)

    wire = await serve(server)
    sid = await wire.open_polling()
    await wire.post(sid, "40")
    await wire.poll(sid)
    (session,) = server.eio.registry.sockets.values()
    text = "x" * 500
    body = "\x1e".join(f'42["load",{number},"{text}"]' for number in range(20))
    posting = asyncio.create_task(wire.post(sid, body))
    async with asyncio.timeout(5):
        while session.drained is None:
            await asyncio.sleep(0.001)
    opened = await wire.websocket(sid=sid)
    await opened.send("2probe")
    assert await opened.receive() == "3probe"
    await opened.send("5")
    for number in range(100, 110):
        await opened.send(f'42["load",{number},"{text}"]')
    await asyncio.sleep(0.05)
    gate.set()
    async with asyncio.timeout(5):
        assert (await posting)[0] == 200
        while len(seen) < 30:
            await asyncio.sleep(0.001)
    assert [*range(20)] == [number for number in seen if number < 100]
    assert [*range(100, 110)] == [number for number in seen if number >= 100]


async def test_stray_acknowledgements_start_nothing(serve, recorder, monkeypatch):
    """An acknowledgement that nobody asked for is not decoded, and starts no task."""
    server, log = recorder()
    wire = await serve(server)
    opened, _ = await wire.connected()
    decoded: list[int] = []
    tasks: list[object] = []
    decode, spawn = Packet.decode, server.eio.registry.spawn

    def note(packet: Packet, *, surrogates: bool = False) -> object:
        decoded.append(packet.kind)
        return decode(packet, surrogates=surrogates)

    def start(work: Any) -> None:
        tasks.append(work)
        spawn(work)

    monkeypatch.setattr(Packet, "decode", note)
    monkeypatch.setattr(server.eio.registry, "spawn", start)
    for number in range(100):
        await opened.send(f"43{number}[[[1]]]")
        await opened.send(f'461-{number}[{{"_placeholder":true,"num":0}}]')
        await opened.send(b"x")
    await opened.send('421["message-with-ack"]')
    assert await opened.receive() == "431[]"
    assert ([2], 1, 1) == (decoded, len(tasks), len(log))


def test_settings_that_cannot_be():
    """A message that no body could hold, and limits of nothing, are refused from the program."""
    with pytest.raises(UsageError, match="max_message_bytes"):
        Server(max_message_bytes=2_000, max_http_buffer_size=1_000)
    for name in ("max_message_bytes", "max_auth_bytes", "max_payload_packets", "attachment_timeout"):
        options: dict[str, Any] = {name: 0}
        with pytest.raises(UsageError, match=name):
            Server(**options)
