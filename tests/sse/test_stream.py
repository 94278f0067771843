"""Event streams: positions, recovery, tokens, hearts, slow readers, goodbyes, and what is on the wire."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any

import aiohttp
import pytest

import pychat
from pychat import ChatRoom, Close, Limits
from pychat.protocol.v1 import encode
from pychat.transports import sse
from tests.clients import TIMEOUT, SSEPerson, WebSocketPerson
from tests.servers import aiohttp_server, uvicorn_server


async def here(room: ChatRoom, count: int) -> None:
    """Wait until so many people are connected."""
    async with asyncio.timeout(TIMEOUT):
        while room.here != count:
            await asyncio.sleep(0)


async def test_a_stream_is_told_to_hurry(mounted) -> None:
    """Nobody on the way may keep, compress or hold it back, and it begins with more than a proxy waits for."""
    site = await mounted()
    async with site.http.get(f"{site.url}/api/rooms/lobby/events") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        padding, retry = await response.content.readline(), await response.content.readline()
        assert (padding[:1], len(padding)) == (b":", 2048)
        assert re.fullmatch(rb"retry: [123]\d\d\d\n", retry)
    async with site.http.head(f"{site.url}/api/rooms/lobby/events") as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    await here(site.room, 0)


async def test_each_event_has_its_position(mounted) -> None:
    """The id of what is in the log is its position; from each of them one goes on without a gap, and nothing twice."""
    site = await mounted()
    ada = await SSEPerson.enter(site.url, name="Ada")
    epoch = (await ada.event("welcome"))["epoch"]
    assert ada.offset == f"{epoch}:0"
    for text in ("one", "two", "three"):
        await site.room.post(text, author="bot")
    ids = [(await ada.event("message"))["id"] for _ in range(3)]
    await site.room.edit(2, "2")
    edit = (await ada.event("edited"))["id"]
    assert ada.offset == f"{epoch}:4.{edit}"
    for query in ({"since": f"{epoch}:1"}, {"lastEventId": f"{epoch}:1"}, {"since": f"{epoch}:1.{ids[0]}"}):
        back = await SSEPerson.enter(site.url, **query)
        welcome = await back.event("welcome")
        assert (welcome["recovered"], welcome["seq"], welcome["messages"]) == (True, 1, [])
        assert [(await back.event("message"))["text"] for _ in range(2)] == ["two", "three"]
        assert (await back.event("edited"))["text"] == "2"
        assert back.told.count("message") == 0
        await back.close()
    await ada.close()


async def test_the_header_goes_before_the_address(mounted) -> None:
    """A browser comes back to an address that still says where it once began; what it has seen since counts."""
    site = await mounted()
    for text in ("one", "two", "three"):
        await site.room.post(text, author="bot")
    back = await SSEPerson.enter(site.url, pychat.Position(site.room.position.epoch, 2), since="long:0")
    assert (await back.event("welcome"))["recovered"] is True
    assert (await back.event("message"))["text"] == "three"
    await back.close()


@pytest.mark.parametrize(
    "since", ["x", "epoch:1", "epoch:", ":1", "{}:99", "{}:-1", "{}:1.5", "{}:1.", "{}:1.other", "{}:0.other"]
)
async def test_a_gap_is_never_silent(mounted, since: str) -> None:
    """From a place that is not known one is told what a newcomer is told, and that it is so."""
    site = await mounted()
    await site.room.post("one", author="bot")
    back = await SSEPerson.enter(site.url, lastEventId=since.format(site.room.position.epoch))
    welcome = await back.event("welcome")
    assert (welcome["recovered"], [each["text"] for each in welcome["messages"]]) == (False, ["one"])
    await back.close()


async def test_a_browser_that_comes_back_sees_all_once(mounted) -> None:
    """Its own words too: the last id that it has seen is never behind what it has been shown."""
    site = await mounted()
    ada = await SSEPerson.enter(site.url, name="Ada")
    token = (await ada.event("welcome"))["token"]
    assert (await ada.event("ack"))["ok"]
    await site.post({"text": "mine"}, token=token)
    assert (await ada.event("message"))["text"] == "mine"
    offset = ada.offset
    await ada.drop()
    await here(site.room, 0)
    await site.room.post("missed", author="bot")
    back = await SSEPerson.enter(site.url, headers={"Last-Event-ID": offset}, token=token)
    assert [(await back.event("message"))["text"]] == ["missed"]
    assert back.told.count("message") == 0
    assert [member.name for member in site.room.members] == ["Ada"]
    await back.close()
    await ada.http.close()


async def test_a_name_in_the_address(mounted) -> None:
    """It is taken, or an event says why not and one listens as a guest; who drops has it held."""
    site = await mounted()
    ada = await SSEPerson.enter(site.url, name="Ada")
    token = (await ada.event("welcome"))["token"]
    ack = await ada.event("ack")
    assert (ack["ok"], ack["ref"], ack["member"]["name"], ack["token"]) == (True, "join", "Ada", token)
    eve = await SSEPerson.enter(site.url, name="Ada")
    ack = await eve.event("ack")
    assert (ack["ok"], ack["error"]["code"]) == (False, "name_taken")
    assert site.room.here == 2
    await ada.drop()
    await here(site.room, 1)
    assert (await eve.command("join", {"name": "Ada"}))["error"]["code"] == "name_taken"
    back = await SSEPerson.enter(site.url, token=token)
    await back.event("welcome")
    await here(site.room, 2)
    assert [member.name for member in site.room.members] == ["Ada"]
    for person in (eve, back):
        await person.close()
    await ada.http.close()


async def test_who_goes_is_noticed_at_once(mounted) -> None:
    """A stream whose client has gone is left, without waiting for a write to fail."""
    site = await mounted()
    ada = await SSEPerson.enter(site.url)
    await ada.event("welcome")
    assert site.room.here == 1
    await ada.drop()
    await here(site.room, 0)
    await ada.http.close()


async def test_commands_need_a_stream(mounted) -> None:
    """What belongs to somebody who is here says so, and unknown commands have a status of their own."""
    site = await mounted()
    token = (await site.ask("POST", "/token")).told["token"]
    done = await site.ask("POST", "/commands/typing", token=token, json={})
    assert (done.status, done.code) == (409, "not_joined")
    assert (await site.ask("DELETE", "/events", token=token)).status == 409
    assert (await site.ask("DELETE", "/events")).status == 401
    assert (await site.ask("POST", "/commands/dance", token=token, json={})).status == 404
    ada = await SSEPerson.enter(site.url, token=token)
    assert (await ada.event("welcome"))["token"] == token
    assert (await site.ask("POST", "/commands/who", token=token, json={})).told["here"] == 1
    assert (await site.ask("POST", "/commands/who", token=token, data=b"x")).status == 415
    assert (await site.ask("POST", "/commands/say", token=token, json={"text": "x"})).status == 409
    await ada.close()


async def test_hearts_beat(mounted, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing is said a comment shows that the stream lives, which no client takes for an event."""
    monkeypatch.setattr(sse, "_HEARTBEAT_SECONDS", 0.01)
    site = await mounted()
    async with site.http.get(f"{site.url}/api/rooms/lobby/events") as response, asyncio.timeout(TIMEOUT):
        while await response.content.readline() != b":\n":
            pass
        assert await response.content.readline() == b"\n"
        assert await response.content.readline() == b":\n"


async def test_a_full_server_says_when_to_come_again(mounted) -> None:
    """In a stream that ends at once: a browser gives up for ever on a status that is not 200."""
    site = await mounted(ChatRoom("lobby"))
    site.mount.sse.gate.limits.max_total = 1
    ada = await SSEPerson.enter(site.url)
    await ada.event("welcome")
    async with site.http.get(f"{site.url}/api/rooms/lobby/events") as response:
        text = await response.text()
    assert re.search(r"\nretry: 1[0-2]\d\d\d\n", text)
    assert '"code":4003,"reason":"full","reconnect":true' in text
    assert site.room.here == 1
    await ada.close()
    async with site.http.get(f"{site.url}/api/rooms/nowhere/events") as response:
        assert response.status == 404


async def test_one_address_has_its_share(mounted) -> None:
    """Of all connections together: past it the next is turned away on each wire, and what ends makes room again."""
    site = await mounted(ChatRoom("lobby"), max_connections_per_address=2)
    ada = await SSEPerson.enter(site.url)
    await ada.event("welcome")
    grace = await WebSocketPerson.enter(site.url)
    await grace.event("welcome")
    async with site.http.get(f"{site.url}/api/rooms/lobby/events") as response:
        assert '"reason":"full"' in await response.text()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.http.ws_connect(f"{site.url}/ws")
    async with site.http.get(f"{site.url}/socket.io/?EIO=4&transport=polling") as response:
        assert response.status == 429
    await ada.close()
    await grace.close()
    limits = site.mount.sse.gate.limits
    while len(limits):
        await asyncio.sleep(0.01)
    assert limits._held == {}
    again = await WebSocketPerson.enter(site.url)
    await again.close()


async def test_a_slow_reader_is_closed_with_its_code(mounted) -> None:
    """What waits is bounded; the others notice nothing; the stuck reader finds `bye` at the end of what it gets."""
    site = await mounted(ChatRoom("lobby", limits=Limits(text=100_000)), max_buffer_bytes=300_000)
    bob = await WebSocketPerson.enter(site.url)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, ("127.0.0.1", int(site.url.rpartition(":")[2])))
    await loop.sock_sendall(stuck, b"GET /api/rooms/lobby/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await here(site.room, 2)
    sent = 0
    while site.room.here == 2:
        await site.room.post("x" * 99_000, author="bot")
        await bob.event("message")
        sent += 1
        assert sent < 200, "nothing is bounded"
    received = b""
    async with asyncio.timeout(TIMEOUT):
        while piece := await loop.sock_recv(stuck, 1_000_000):
            received += piece
    assert len(received) < sent * 99_000
    assert b'"code":4001,"reason":"slow","reconnect":true' in received[-400:]
    stuck.close()
    await bob.close()


async def test_everybody_is_told_when_the_server_goes(mounted) -> None:
    """`bye` is the last event, and then the stream ends in good order."""
    site = await mounted()
    ada = await SSEPerson.enter(site.url)
    await ada.event("welcome")
    site.room.dismiss(Close.KICKED)
    told = await ada.event("bye")
    assert (told["code"], told["reason"], told["reconnect"]) == (4008, "kicked", False)
    await ada.told.next("closed")
    await here(site.room, 0)
    await ada.http.close()


async def test_an_old_client_needs_no_chunks() -> None:
    """HTTP/1.0 gets the plain bytes, until the connection ends."""
    room = ChatRoom("lobby")
    async with aiohttp_server(pychat.aiohttp_app(room)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /api/rooms/lobby/events HTTP/1.0\r\n\r\n")
        await here(room, 1)
        await room.post("hi", author="bot")
        room.dismiss(Close.SHUTDOWN)
        async with asyncio.timeout(TIMEOUT):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        fields = [line.partition(b": ")[0] for line in body.splitlines() if line and not line.startswith(b":")]
        events = fields[fields.index(b"event") :]
        assert events[-4:] == [b"event", b"data", b"event", b"data"]
        assert set(events) == {b"id", b"event", b"data"}
        writer.close()
        await writer.wait_closed()


async def test_one_frame_serves_all_streams(mounted, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many listen, a message is put into words once."""
    site = await mounted()
    people = [await SSEPerson.enter(site.url) for _ in range(5)]
    for person in people:
        await person.event("welcome")
    told: list[str] = []

    def counted(notice: Any) -> Any:
        told.append(type(notice).__name__)
        return encode(notice)

    monkeypatch.setattr(sse, "encode", counted)
    await site.room.post("hi", author="bot")
    for person in people:
        assert (await person.event("message"))["text"] == "hi"
    assert told.count("Message") == 1
    for person in people:
        await person.close()


async def test_streams_of_a_host_that_stops() -> None:
    """Under uvicorn, which waits for open responses, `aclose` ends them with a goodbye."""
    chat = pychat.asgi_app(ChatRoom("lobby"))
    async with uvicorn_server(chat) as url:
        ada = await SSEPerson.enter(url)
        await ada.event("welcome")
        await chat.aclose()
        assert (await ada.event("bye"))["reason"] == "shutdown"
        await ada.told.next("closed")
        await ada.http.close()
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{url}/api/rooms/lobby/events") as response:
                assert (response.status, "shutdown" in await response.text()) == (200, True)
            async with http.get(f"{url}/api/rooms/lobby/messages") as response:
                assert response.status == 503


async def test_a_host_that_waits_for_nobody(caplog) -> None:
    """Uvicorn cancels what is open when it stops; that is a goodbye too."""
    room = ChatRoom("lobby")
    async with uvicorn_server(pychat.asgi_app(room)) as url:
        ada = await SSEPerson.enter(url)
        await ada.event("welcome")
    assert (await ada.event("bye"))["reason"] == "shutdown"
    await ada.told.next("closed")
    await ada.http.close()
    await here(room, 0)
