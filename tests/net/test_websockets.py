"""The websocket port, kept by aiohttp and by ASGI alike."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from pychat.domain.errors import Close
from pychat.net.websocket.aiohttp import AiohttpWebSocket
from pychat.net.websocket.asgi import AsgiWebSocket
from pychat.net.websocket.frames import Frame, close_frame, frame_bytes
from pychat.net.websocket.protocol import FRAMES_PER_TURN


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
async def test_every_length(meet, size):
    """Frames of every length form arrive whole, as text and as bytes."""
    meeting = await meet()
    meeting.websocket.send(Frame("é" * (size // 2) + "x" * (size % 2)))
    meeting.websocket.send_bytes(b"\0" * size)
    assert await meeting.client.receive_str() == "é" * (size // 2) + "x" * (size % 2)
    assert await meeting.client.receive_bytes() == b"\0" * size


async def test_both_ways(meet):
    """Messages arrive in order, both ways; pings of WebSocket are answered underneath."""
    meeting = await meet()
    for word in ("a", b"b", ""):
        await (meeting.client.send_str(word) if isinstance(word, str) else meeting.client.send_bytes(word))
    await meeting.client.ping()
    assert ["a", b"b", ""] == [await meeting.received.get() for _ in range(3)]
    frames = [Frame(str(number)) for number in range(100)]
    meeting.websocket.send(frames[0])
    meeting.websocket.send(Frame.join(frames[1:50]))
    meeting.websocket.send(Frame(*(str(number) for number in range(50, 100))))
    assert [str(number) for number in range(100)] == [await meeting.client.receive_str() for _ in range(100)]
    assert meeting.websocket.remote == "127.0.0.1"
    assert meeting.websocket.buffered == 0


async def test_subprotocol(meet):
    """The first subprotocol that both know is agreed on."""
    meeting = await meet(protocols=("pychat.v1",), offer=("other", "pychat.v1"))
    assert ("pychat.v1", "pychat.v1") == (meeting.websocket.protocol, meeting.client.protocol)
    assert (await meet(protocols=("pychat.v1",))).websocket.protocol is None


async def test_client_leaves(meet):
    """A client that closes ends `receive`; sending to it is a no-op."""
    meeting = await meet()
    await meeting.client.close(code=3000)
    async with asyncio.timeout(5):
        await meeting.ended.wait()
    meeting.websocket.send(Frame("nobody hears"))
    meeting.websocket.close()
    assert meeting.client.close_code == 3000


async def test_client_is_cut(meet):
    """A connection that breaks ends `receive`."""
    meeting = await meet()
    meeting.client._response.connection.transport.abort()
    async with asyncio.timeout(5):
        await meeting.ended.wait()
    for _ in range(10):
        meeting.websocket.send(Frame("nobody hears"))


async def test_close(meet):
    """A close sends what waits, then the code and the reason; only the first close counts."""
    meeting = await meet()
    meeting.websocket.send(Frame("last words"))
    meeting.websocket.close(Close.SHUTDOWN.code, Close.SHUTDOWN.reason)
    meeting.websocket.close(4999, "again")
    meeting.websocket.send(Frame("too late"))
    assert await meeting.client.receive_str() == "last words"
    message = await meeting.client.receive()
    assert (aiohttp.WSMsgType.CLOSE, 4000, "shutdown") == (message.type, message.data, message.extra)
    async with asyncio.timeout(5):
        await meeting.ended.wait()


async def test_too_large(meet):
    """A message of the limit is taken; one byte more ends the connection."""
    meeting = await meet(max_message_bytes=1_000)
    await meeting.client.send_str("é" * 500)
    assert await meeting.received.get() == "é" * 500
    await meeting.client.send_str("é" * 500 + "x")
    assert await meeting.closed() in {1009, 4005}
    await meeting.ended.wait()
    assert meeting.received.empty()


async def test_slow_reader(meet):
    """A reader that falls behind the bound is told so with its code, once; what went before arrives in order."""
    meeting = await meet(max_buffer_bytes=300_000)
    calls: list[int] = []
    meeting.websocket.on_slow = lambda: calls.append(1)
    frame = Frame("x" * 10_000)
    sent = 0
    while not calls:
        meeting.websocket.send(frame)
        sent += 1
        # The client's task does not run meanwhile: nobody reads.
        assert sent < 1_000
    meeting.websocket.send(frame)
    assert calls == [1]
    assert meeting.websocket.buffered <= 300_000 + len(frame.raw)
    received = 0
    async with asyncio.timeout(10):
        while (message := await meeting.client.receive()).type is aiohttp.WSMsgType.TEXT:
            received += 1
    assert (4001, "slow", sent - 1) == (message.data, message.extra, received)


async def test_silent_peer_is_cut(meet, monkeypatch):
    """A peer that never answers a close does not keep the connection: it is cut after the deadline."""
    for module in ("websocket.writer", "websocket.asgi"):
        monkeypatch.setattr(f"pychat.net.{module}.CLOSE_SECONDS", 0.1)
    meeting = await meet()
    # It neither reads nor answers from here on.
    meeting.client._response.connection.transport.pause_reading()
    for _ in range(300):
        meeting.websocket.send(Frame("x" * 10_000)) if meeting.websocket.buffered < 900_000 else None
        await asyncio.sleep(0)
    meeting.websocket.close(Close.SHUTDOWN.code)
    async with asyncio.timeout(2):
        await meeting.ended.wait()
    meeting.client._response.connection.transport.abort()


async def test_heartbeat(meet):
    """Who answers pings stays; who does not is closed with 4002."""
    meeting = await meet(heartbeat=0.1)
    if isinstance(meeting.websocket, AsgiWebSocket):
        return  # there it is the host's affair
    meeting.client._autoping = False
    async with asyncio.timeout(10):
        for _ in range(5):
            assert (await meeting.client.receive()).type is aiohttp.WSMsgType.PING
            await meeting.client.pong()
        while (message := await meeting.client.receive()).type is aiohttp.WSMsgType.PING:
            pass
        assert (aiohttp.WSMsgType.CLOSE, 4002, "timeout") == (message.type, message.data, message.extra)
        await meeting.ended.wait()


async def test_what_came_before_the_close_is_received(meet):
    """A client that says a lot and closes at once has been heard to the end, in order."""
    meeting = await meet()
    words = [str(number) for number in range(500)]
    for word in words:
        await meeting.client.send_str(word)
    await meeting.client.close(code=3000)
    async with asyncio.timeout(5):
        await meeting.ended.wait()
    assert words == [meeting.received.get_nowait() for _ in words]


async def test_a_reader_that_does_not_keep_up_stops_the_socket(meet, monkeypatch):
    """Messages that nobody receives are not read without end; when they are received, they are all there, in order."""
    meeting = await meet()
    if isinstance(meeting.websocket, AsgiWebSocket):
        return
    taken, receive = asyncio.Event(), AiohttpWebSocket.receive

    async def later(self: AiohttpWebSocket) -> str | bytes:
        await taken.wait()
        return await receive(self)

    monkeypatch.setattr(AiohttpWebSocket, "receive", later)
    words = [str(number) for number in range(300)]
    for word in words:
        await meeting.client.send_str(word)
    while not meeting.websocket._paused:
        await asyncio.sleep(0)
    assert len(meeting.websocket._queue) <= 2 * FRAMES_PER_TURN
    taken.set()
    async with asyncio.timeout(5):
        assert words == [await meeting.received.get() for _ in words]


async def test_abort(meet):
    """`abort` ends it at once."""
    meeting = await meet()
    meeting.websocket.abort()
    async with asyncio.timeout(2):
        await meeting.ended.wait()
    meeting.websocket.send(Frame("nobody hears"))
    meeting.websocket.abort()


def test_frames():
    """Frames are those of RFC 6455, and are made once."""
    assert Frame("Hello").raw == b"\x81\x05Hello"
    assert frame_bytes(0x82, b"x" * 256)[:4] == b"\x82\x7e\x01\x00"
    assert frame_bytes(0x82, b"x" * 65_536)[:10] == b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"
    frame = Frame("é")
    assert frame.raw is frame.raw
    assert Frame.join([frame]) is frame
    joined = Frame.join([frame, Frame("b", "c")])
    assert (("é", "b", "c"), frame.raw + b"\x81\x01b\x81\x01c") == (joined.texts, joined.raw)
    assert close_frame(4000, "shutdown") == b"\x88\x0a\x0f\xa0shutdown"
    assert len(close_frame(4000, "é" * 100)) <= 127
    with pytest.raises(UnicodeEncodeError):
        _ = Frame("\ud800").raw
