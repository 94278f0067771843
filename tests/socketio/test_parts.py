"""The small parts: deadlines, packets, strict JSON, the libraries' insides, and uvloop under all of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.domain import strictjson
from pychat.net.deadlines import Deadlines
from pychat.transports.socketio import Server
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.engineio.socket import EngineIOSocket
from pychat.transports.socketio.internals import moved
from pychat.transports.socketio.packet import EVENT, Packet, encode


def test_the_libraries_have_not_moved():
    """What is overridden or used of the libraries' insides is where it was, in the versions that are pinned."""
    assert [] == moved()


async def test_deadlines_fall_due_in_order():
    """Each falls due once, in the order of starting, unless it is stopped; starting anew puts it last."""
    due: list[str] = []
    done = asyncio.Event()

    def fall_due(item: str) -> None:
        due.append(item)
        if item == "a":
            done.set()

    wheel = Deadlines[str](0.02, fall_due)
    for item in "abcd":
        wheel.start(item)
    assert wheel.stop("b")
    assert not wheel.stop("b")
    wheel.start("a")
    assert (3, True, False) == (len(wheel), "c" in wheel, "b" in wheel)
    await done.wait()
    assert (["c", "d", "a"], 0) == (due, len(wheel))
    wheel.start("e")
    wheel.clear()
    assert not len(wheel)


async def test_deadlines_that_start_each_other():
    """What falls due may start itself again."""
    times = 0
    done = asyncio.Event()

    def due(item: str) -> None:
        nonlocal times
        times += 1
        wheel.start(item) if times < 3 else done.set()

    wheel = Deadlines[str](0.001, due)
    wheel.start("a")
    async with asyncio.timeout(5):
        await done.wait()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**50), 10**50) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)  # fmt: skip


@given(values)
def test_strict_json_round_trip(value):
    """Whatever is JSON comes back as it was, and is what every other JSON reader reads."""
    text = strictjson.dumps(value)
    assert value == strictjson.loads(text) == json.loads(text)


@given(st.text())
def test_any_text_is_a_packet_or_bad(text):
    """Whatever a client sends is decoded or refused; nothing else is ever raised."""
    try:
        packet = Packet(text)
        if packet.complete:
            packet.decode()
    except BadPacket:
        return
    assert packet.kind in {0, 1, 2, 3}


@given(st.lists(values | st.binary(), max_size=5), st.integers(0, 10**15 - 1), st.sampled_from(["/", "/a", "/é-b"]))
def test_packet_round_trip(args, id_, namespace):
    """What is encoded is decoded to the same, attachments too."""
    frame, attachments = encode(EVENT, ["event", *args], namespace, id_)
    packet = Packet(frame.text[1:])
    assert len(attachments) == packet.count
    for attachment in attachments:
        packet.attach(attachment, 1_000_000)
    assert (["event", *args], id_, namespace) == (packet.decode(), packet.id, packet.namespace)


@given(st.lists(values, max_size=5))
def test_bytes_within_are_attachments(args):
    """Bytes anywhere within the arguments, in tuples as well, travel as attachments in order."""
    frame, attachments = encode(EVENT, ["event", (b"a", {"x": [b"b", *args]}), bytearray(b"c")])
    assert [b"a", b"b", b"c"] == attachments
    packet = Packet(frame.text[1:])
    for attachment in attachments:
        packet.attach(attachment, 1_000_000)
    assert packet.decode() == ["event", [b"a", {"x": [b"b", *args]}], b"c"]


def test_namespaces_and_ids_are_bounded():
    """A namespace or an id without end is refused."""
    for text in ("0/" + "a" * 300, "2" + "1" * 16 + '["a"]', "5" + "9" * 4 + '-["a"]'):
        with pytest.raises(BadPacket):
            Packet(text)


async def test_too_many_namespaces(serve, recorder):
    """A client cannot fill the memory with namespaces that there are not."""
    wire = await serve(recorder()[0])
    opened = await wire.websocket()
    for number in range(200):
        await opened.send(f"40/{number}")
    assert await opened.closed() == 4004


UVLOOP = """
import asyncio, sys, uvloop, aiohttp
sys.path.insert(0, sys.argv[1])
from conftest import HOSTS, RawClient, recording
from pychat.transports.socketio import encode_event

async def talk(host):
    server, log = recording(ping_interval=0.05)
    async with aiohttp.ClientSession() as http, host(server) as port:
        wire = RawClient(port, http)
        opened, sid = await wire.connected()
        handle = server.client(sid)
        for number in range(1000):
            handle.send(encode_event("n", number, "x" * 500))
        assert [await opened.receive() for _ in range(1000)] == [
            encode_event("n", number, "x" * 500).text for number in range(1000)]
        await opened.send('427["message-with-ack",1]')
        assert await opened.receive() == "437[1]"
        closing = asyncio.create_task(opened.closed())
        await server.shutdown()
        assert await closing == 4000
        await log.until(2)

async def main():
    assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
    for host in HOSTS.values():
        await talk(host)
    print("well")

asyncio.run(main(), loop_factory=uvloop.new_event_loop) if sys.version_info >= (3, 12) else uvloop.run(main())
"""


def test_uvloop():
    """Order, acknowledgements and closing hold on uvloop's transports too."""
    pytest.importorskip("uvloop")
    from pathlib import Path

    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", UVLOOP, str(Path(__file__).parent)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (said.stdout, said.returncode) == ("well\n", 0), said.stderr


async def test_a_poll_that_is_cancelled_by_its_host(recorder):
    """A host that cancels handlers of clients that have gone does not leave their sessions behind."""
    server, log = recorder()

    class Request:
        method, query, peer, upgrade = "GET", "EIO=4&transport=polling", "1.2.3.4", False

        def header(self, name):
            return None

        def environ(self, remote):
            return {}

        async def hold(self, wake):
            return await wake

    reply = await server.eio.serve(Request())
    sid = json.loads(reply.body[1:])["sid"]
    polling = Request()
    polling.query += f"&sid={sid}"
    task = asyncio.create_task(server.eio.serve(polling))
    while server.eio.registry.sockets[sid].outbox.poll is None:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while server.eio.registry.sockets:
        await asyncio.sleep(0)
    await server.shutdown(0)
    del log


async def test_pending_sessions_are_counted_by_address_and_let_go():
    """A session is counted while it is pending, once, whichever way that ends."""
    server = Server(async_mode="aiohttp", max_pending=3, max_pending_per_address=2, connect_timeout=0.05)
    eio = server.eio
    sessions = [EngineIOSocket(eio.registry, str(number), "192.0.2.1") for number in range(3)]
    pending = eio.registry.connecting
    pending.start(sessions[0])
    pending.start(sessions[0])
    pending.start(sessions[1])
    assert eio.registry.gate.refusal("192.0.2.1") is not None
    assert eio.registry.gate.refusal("192.0.2.2") is None
    assert pending.stop(sessions[0])
    assert not pending.stop(sessions[0])
    assert eio.registry.gate.refusal("192.0.2.1") is None
    while len(pending):
        await asyncio.sleep(0.01)
    assert pending._limits._held == {}
    await server.shutdown(0.05)
