"""npm's own client against the server, over WebSocket, over polling, and through the upgrade."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pychat.domain.errors import Close
from pychat.transports.socketio import encode_event

HERE = Path(__file__).parent


def _installed() -> bool:
    node = shutil.which("node")
    if node is None:
        return False
    asked = [node, "-e", "require.resolve('socket.io-client')"]
    return subprocess.run(asked, cwd=HERE, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _installed(), reason="needs node and `npm install`")


class Node:
    """A client process, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def until(self, what: str) -> list[object]:
        """What it says next of that kind; what it says before is left out."""
        async with asyncio.timeout(20):
            while True:
                assert self.process.stdout is not None
                line = await self.process.stdout.readline()
                assert line, f"it ended before it said {what}"
                said = json.loads(line)
                if said[0] == what:
                    return said[1:]


@pytest.fixture(params=["websocket", "polling", "polling,websocket"])
async def node(request):
    """Start a client process over each transport."""
    processes = []

    async def start(wire) -> Node:
        process = await asyncio.create_subprocess_exec(
            "node", HERE / "client.js", wire.url, request.param, stdout=asyncio.subprocess.PIPE
        )
        processes.append(process)
        return Node(process)

    start.transports = request.param  # type: ignore[attr-defined]  # the test asks which
    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_conversation(serve, recorder, node):
    """Events in order with acknowledgements, questions from the server, bytes, heartbeats, and a proper leaving."""
    server, log = recorder(ping_interval=0.2, ping_timeout=2)
    said = []

    @server.on("say")
    async def say(sid, number):
        said.append(number)
        return number

    @server.on("take-bytes")
    async def take_bytes(sid, data):
        return data[::-1]

    wire = await serve(server)
    client = await node(wire)
    (sid,) = await client.until("connect")
    assert ("connect", sid, {"token": "t"}) == log[0]
    if node.transports == "polling,websocket":
        # The upgrade happens in the middle of this.
        for number in range(200):
            server.client(sid).send(encode_event("n", number))
            await asyncio.sleep(0.001)
        assert [[number] for number in range(200)] == [await client.until("n") for number in range(200)]
    await server.emit("talk", 500)
    last, transport = await client.until("acknowledged")
    assert (499, list(range(500))) == (last, said)
    assert transport == node.transports.split(",")[-1]
    assert await server.call("ask", 21, to=sid) == 42
    await server.emit("bytes", b"\1\2\3")
    assert await client.until("bytes") == [[1, 2, 3]]
    await server.emit("send-bytes")
    assert await client.until("bytes-back") == [[3, 2, 1]]
    await asyncio.sleep(0.6)  # Three heartbeats.
    await server.emit("n", -1)
    assert await client.until("n") == [-1]
    await server.emit("leave")
    assert "disconnect" == (await log.until(2))[1][0]
    await client.process.wait()


@pytest.mark.parametrize("why", [Close.SHUTDOWN, Close.SLOW, Close.TIMEOUT])
async def test_comes_back_by_itself(serve, recorder, node, why):
    """A connection that the server closes with a code is connected again by the client, with nothing done for it."""
    server, log = recorder()
    wire = await serve(server)
    client = await node(wire)
    (sid,) = await client.until("connect")
    server.client(sid).close(why)
    assert (await client.until("disconnect"))[0] in {"transport close", "transport error"}
    (again,) = await client.until("connect")
    assert again != sid
    await log.until(3)
    await server.emit("n", 1)
    assert await client.until("n") == [1]


async def test_stays_away(serve, recorder, node):
    """A client that is sent out with `disconnect` stays out."""
    server, log = recorder()
    wire = await serve(server)
    client = await node(wire)
    (sid,) = await client.until("connect")
    await server.disconnect(sid)
    assert await client.until("disconnect") == ["io server disconnect"]
    await log.until(2)
    await asyncio.sleep(0.2)  # Longer than it would take to come back.
    assert len(log) == 2
