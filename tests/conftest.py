"""What all tests share: bundles of today's page, and the npm client, run in Node."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from tests.clients import TIMEOUT

_ROOT = Path(__file__).parent.parent
_SCRIPT = Path(__file__).parent / "node_client.mjs"


def pytest_configure(config: pytest.Config) -> None:
    """Bundle the page's scripts if they have changed: no test looks at yesterday's page."""
    if hasattr(config, "workerinput"):  # whoever started this worker has done it
        return
    hook = hatch_build.hook(_ROOT)
    if not hook.is_current() and hook.installed:
        hook.initialize("", {})


class NodeClient:
    """npm's socket.io-client, unmodified, in a process of its own; it is told what to do line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, url: str, **options: Any) -> NodeClient:
        """Connect to `url`."""
        node = shutil.which("node")
        assert node, "these tests need Node.js; `make test` brings it"
        process = await asyncio.create_subprocess_exec(
            node,
            str(_SCRIPT),
            url,
            json.dumps(options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        return cls(process)

    async def told(self, name: str) -> list[Any]:
        """The arguments of the next event of that name; those before it are passed over."""
        assert self._process.stdout is not None
        async with asyncio.timeout(TIMEOUT):
            async for line in self._process.stdout:
                event, *arguments = json.loads(line)
                if event == name:
                    return arguments
        raise AssertionError(f"the client ended before “{name}”")

    async def do(self, verb: str, *arguments: Any) -> None:
        """Tell it what to do: `emit`, `call` (its answer comes as the event `answer`), `drop`, `connect`, `close`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([verb, *arguments]).encode() + b"\n")
        await self._process.stdin.drain()

    async def call(self, *arguments: Any) -> Any:
        """Emit, and wait for the acknowledgement."""
        await self.do("call", *arguments)
        return (await self.told("answer"))[0]

    async def end(self) -> None:
        """Go."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@pytest.fixture
async def node_clients() -> AsyncIterator[Any]:
    """How to start npm's client: with an address, and its options."""
    clients: list[NodeClient] = []

    async def start(url: str, **options: Any) -> NodeClient:
        clients.append(await NodeClient.start(url, **options))
        return clients[-1]

    yield start
    for client in clients:
        await client.end()
