"""More of everything than anybody needs: commands, joins, room names, and connections that never say what they want."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import resource
from collections import Counter
from collections.abc import Iterator

import aiohttp
import pytest

from pychat.protocol import v1, v2
from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer
from tests.attacks.test_answers import UPGRADE
from tests.attacks.test_frames import masked
from tests.clients import WebSocketPerson

FLOOD = 1_500
_FEW_FILES = 5  # of the store and its threads, which come when there is something to do

#: A valid use of each command.
FIELDS: dict[str, dict[str, object]] = {
    "join": {"name": "Flood"},
    "say": {"text": "flood"},
    "edit": {"target": 1, "text": "flood"},
    "delete": {"target": 1},
    "react": {"target": 1, "emoji": "👍"},
    "history": {"limit": 1},
    "typing": {"on": True},
    "read": {"seq": 1},
    "enter": {"rooms": [{"name": "lobby"}]},
    "exit": {"room": "lobby"},
    "direct": {"with": ["user:1"]},
    "block": {"member": "user:1"},
}


async def opened(server: PublicServer, *first: dict[str, object], version: int = 1) -> asyncio.StreamWriter:
    """A WebSocket that has said this, and whose answers are read and forgotten."""
    reader, writer = await server.raw()
    protocol = f"Sec-WebSocket-Protocol: pychat.v{version}\r\n"
    writer.write(f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}{protocol}\r\n".encode())
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"".join(masked(0x81, json.dumps(each).encode()) for each in first))

    async def read() -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                pass

    task = asyncio.create_task(read())
    _reading.add(task)
    task.add_done_callback(_reading.discard)
    return writer


_reading: set[asyncio.Task[None]] = set()


async def flood(writer: asyncio.StreamWriter, command: dict[str, object], times: int) -> None:
    """Send it again and again, until the server closes."""
    wire = masked(0x81, json.dumps(command).encode()) * 50
    with contextlib.suppress(ConnectionError):
        for _ in range(times // 50):
            writer.write(wire)
            await writer.drain()
    writer.close()


async def test_floods_of_each_command(public: Public) -> None:
    """1,500 of each command of both versions without a pause: nobody else waits, and the log stays short."""
    async with public() as server:
        before = len(server.log.splitlines())
        async with server.attacked():
            hello: list[dict[str, object]] = [{"type": "hello"}, {"type": "enter", "rooms": [{"name": "lobby"}]}]
            floods = []
            for number, name in enumerate(v1.COMMANDS):
                writer = await opened(server, {"type": "join", "name": f"Flood {number}"})
                floods.append(flood(writer, {**FIELDS.get(name, {}), "type": name, "ref": 1}, FLOOD))
            for name in v2.COMMANDS:
                writer = await opened(server, *hello, version=2)
                floods.append(flood(writer, {"room": "lobby", **FIELDS.get(name, {}), "type": name, "ref": 1}, FLOOD))
            await asyncio.gather(*floods)
        await server.settles()
        assert len(server.log.splitlines()) - before < 60 + server.log.count('"event":"message"')
        assert "Traceback" not in server.log


@pytest.mark.slow
async def test_joining_and_leaving_a_thousand_times(public: Public) -> None:
    """Names come and go a thousand times: the list of members is right, and nothing is left."""
    async with public(arguments=("--limits", "off", "--grace", "0")) as server:
        witness = await WebSocketPerson.enter(server.url)
        before = {member["name"] for member in (await witness.command("who", {}))["members"]}
        files = server.descriptors() + _FEW_FILES

        async def come_and_go(number: int) -> None:
            for turn in range(5):
                person = await WebSocketPerson.enter(server.url)
                for step in range(50):
                    answer = await person.command("join", {"name": f"Turn {number} {turn} {step % 3}"})
                    assert answer["ok"], answer
                    assert (await person.command("leave", {}))["ok"]
                await person.close()

        async with server.attacked():
            await asyncio.gather(*(come_and_go(number) for number in range(4)))
        async with asyncio.timeout(90):
            while before != {member["name"] for member in (await witness.command("who", {}))["members"]}:
                await asyncio.sleep(0.1)
            while server.descriptors() > files:
                await asyncio.sleep(0.1)
        await witness.close()
        await server.settles()


@pytest.mark.slow
async def test_room_names_without_end(public: Public) -> None:
    """Thousands of rooms are asked for where every name is a room: what nobody is in takes nothing, and the lobby goes on."""
    async with (
        public(arguments=("--rooms", "open", "--limits", "off")) as server,
        aiohttp.ClientSession(server.url) as http,
    ):
        answers = Counter[int]()

        async def ask(first: int) -> None:
            for number in range(first, first + 200):
                for path in (f"/api/rooms/r{number}/messages", f"/rooms/p{number}"):
                    async with http.get(path) as response:
                        await response.read()
                        answers[response.status] += 1

        async def enter(first: int) -> None:
            async with http.ws_connect("/ws", protocols=["pychat.v2"]) as socket:
                await socket.send_json({"type": "hello"})
                for ref, start in enumerate(range(first, first + 500, 10)):
                    names = [f"e{number}" for number in range(start, start + 10)]
                    await socket.send_json({"type": "enter", "ref": ref, "rooms": [{"name": name} for name in names]})
                    for name in names:
                        await socket.send_json({"type": "exit", "room": name})
                    async with asyncio.timeout(60):
                        while json.loads(await socket.receive_str()).get("ref") != ref:
                            pass

        # The 500 pages that are kept are there now.
        await asyncio.gather(*(ask(10**6 + 1_000 * number) for number in range(3)), enter(10**6))
        async with server.attacked():
            await asyncio.gather(
                *(ask(1_000 * number) for number in range(3)), *(enter(1_000 * number) for number in range(2))
            )
        assert set(answers) <= {200, 404, 429, 503}, answers
        await server.settles()
        assert "Traceback" not in server.log


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open files as this machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


HALVES = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
    b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"",
)


async def test_half_requests_by_the_thousand(public: Public, many_files: None) -> None:
    """A thousand connections that send half a head, half a body or nothing: newcomers are served, and nothing is left of them."""
    async with public() as server:
        files = server.descriptors() + _FEW_FILES
        async with server.attacked():
            held = []
            for number, half in zip(range(1_000), itertools.cycle(HALVES), strict=False):
                _, writer = await server.raw(source=f"127.0.6.{1 + number % 8}")
                writer.write(half)
                held.append(writer)
            async with aiohttp.ClientSession(server.url) as http:
                async with http.get("/api/rooms/lobby/messages") as response:
                    assert response.status == 200
                person = await WebSocketPerson.enter(server.url)
                assert (await person.command("join", {"name": "Newcomer"}))["ok"]
                await person.close()
            for writer in held:
                writer.close()
        async with asyncio.timeout(90):
            while server.descriptors() > files:
                await asyncio.sleep(0.1)
        await server.settles()
        assert "Traceback" not in server.log


@pytest.mark.slow
async def test_half_requests_are_cut(public: Public, many_files: None) -> None:
    """Whoever sends half a head or half a body, or nothing, is cut within its seconds; bystanders do not notice."""
    async with public() as server, server.attacked():
        reading, writers = [], []
        for number, half in zip(range(500), itertools.cycle(HALVES), strict=False):
            reader, writer = await server.raw(source=f"127.0.6.{1 + number % 8}")
            writer.write(half)
            writers.append(writer)
            reading.append(reader.read())
        async with asyncio.timeout(60):
            await asyncio.gather(*reading, return_exceptions=True)
        for each in writers:
            each.close()


async def test_who_never_joins(public: Public, many_files: None) -> None:
    """Hundreds who connect and say nothing more, on each wire: bystanders do not notice, and when they go nothing is left."""
    async with public() as server:
        files = server.descriptors() + _FEW_FILES
        async with server.attacked(), contextlib.AsyncExitStack() as stack:
            for number in range(600):
                version = 1 + number % 2
                path = "/socket.io/?EIO=4&transport=websocket" if number % 3 == 0 else "/ws"
                protocol = f"Sec-WebSocket-Protocol: pychat.v{version}\r\n" if path == "/ws" else ""
                reader, writer = await server.raw(source=f"127.0.7.{1 + number % 8}")
                stack.callback(writer.close)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}{protocol}\r\n".encode())
                assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(90):
            while server.descriptors() > files:
                await asyncio.sleep(0.1)
        await server.settles()
