"""A public server under attack: `pychat serve` in a process, with bystanders who must not notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.attacks.process import cpu_seconds, descriptors, resident_bytes

__all__ = ["PublicServer", "public_server"]

#: The longest that a bystander may wait for a message, in seconds of the server's processor time: a server that is held up is busy. Time on the
#: wall says more of the machine, which others share, so its bound is wide.
LONGEST_WAIT = 1.0
LONGEST_WAIT_ON_THE_WALL = 8.0
#: How much more memory than before an attack is none to speak of.
_SLACK = 6 << 20
_SETTLES_SECONDS = 60.0
_STARTS_SECONDS = 30.0
_STOPS_SECONDS = 10.0


class PublicServer:
    """A running server, and the bystanders in its room."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.host = "127.0.0.1"
        self.port = 0
        self.irc_port = 0
        self._log = log
        self._bystanders: asyncio.subprocess.Process
        self._before = 0

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    @property
    def log(self) -> str:
        """All that it printed, errors included."""
        return self._log.read_text(errors="replace")

    def rss(self) -> int:
        """Its memory, in bytes."""
        return resident_bytes(self.pid)

    def cpu(self) -> float:
        """Its processor time, in seconds."""
        return cpu_seconds(self.pid)

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return descriptors(self.pid)

    async def started(self) -> None:
        """Wait until it listens, and take its ports from its log."""
        async with asyncio.timeout(_STARTS_SECONDS):
            while not self.port or not self.irc_port:
                assert self.process.poll() is None, self.log
                for line in self.log.splitlines():
                    with contextlib.suppress(ValueError):
                        told = json.loads(line)
                        if told.get("event") == "start":
                            self.port = int(told["url"].rstrip("/").rpartition(":")[2])
                        elif told.get("event") == "irc":
                            self.irc_port = told["port"]
                await asyncio.sleep(0.02)

    async def accompanied(self) -> None:
        """Let the bystanders in."""
        self._bystanders = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.attacks.bystanders", self.url, str(self.irc_port), str(self.pid)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert await self._told() == "ready"

    async def _told(self) -> Any:
        assert self._bystanders.stdout is not None
        async with asyncio.timeout(90):
            line = await self._bystanders.stdout.readline()
        assert line, "the bystanders are gone"
        return json.loads(line)

    async def report(self) -> dict[str, Any]:
        """What the bystanders have seen since the report before; what they said has arrived by then."""
        assert self._bystanders.stdin is not None
        self._bystanders.stdin.write(b"\n")
        told: dict[str, Any] = await self._told()
        return told

    @contextlib.asynccontextmanager
    async def attacked(
        self, *, longest_wait: float = LONGEST_WAIT, on_the_wall: float = LONGEST_WAIT_ON_THE_WALL
    ) -> AsyncIterator[None]:
        """Attack within; on leaving, fail if a bystander waited too long, missed or heard twice, or was sent away."""
        await self.report()
        self._before = self.rss()
        yield
        assert self.process.poll() is None, f"the server ended\n{self.log[-4000:]}"
        report = await self.report()
        assert report["problems"] == [], report
        assert report["sent"] > 0
        assert report["cpu"] <= longest_wait, report
        assert report["wall"] <= on_the_wall, report

    async def settles(self) -> None:
        """Wait until the memory is what it was before the attack, within 10%; fail after a minute."""
        most = self._before * 1.1 + _SLACK
        try:
            async with asyncio.timeout(_SETTLES_SECONDS):
                while self.rss() > most:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            now, before = self.rss() >> 20, self._before >> 20
            raise AssertionError(f"a minute after the attack: {now} MiB, and {before} before") from None

    async def raw(
        self, port: int | None = None, source: str | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A fresh TCP connection; from `source`, such as 127.0.0.9, where the address counts."""
        local = None if source is None else (source, 0)
        return await asyncio.open_connection(self.host, port or self.port, local_addr=local)

    @contextlib.asynccontextmanager
    async def websocket(self, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket of aiohttp's client, such as to `/ws` or `/socket.io/?EIO=4&transport=websocket`."""
        async with aiohttp.ClientSession() as http, http.ws_connect(self.url + path, max_msg_size=0) as socket:
            yield socket

    async def stops(self) -> None:
        """Send the bystanders away, then SIGTERM; fail if the server does not obey."""
        self._bystanders.kill()
        await self._bystanders.wait()
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, _STOPS_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError("the server does not obey SIGTERM") from None
        assert self.process.returncode == 0, self.log[-4000:]


def _start(folder: Path, log: Path, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYCHAT_")}
    store = () if "--store" in arguments else ("--store", f"sqlite:{folder / 'chat.db'}")
    command = (sys.executable, "-m", "pychat", "serve", "--port", "0", "--irc-port", "0")
    with log.open("wb") as output:
        return subprocess.Popen(
            [*command, "--log-format", "json", "--quiet", *store, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )


@contextlib.asynccontextmanager
async def public_server(folder: Path, *, arguments: tuple[str, ...] = ()) -> AsyncIterator[PublicServer]:
    """`pychat serve` on SQLite with its default limits, on all wires, with bystanders; more flags in `arguments`."""
    log = folder / "log"
    process = _start(folder, log, arguments)
    server = PublicServer(process, log)
    try:
        await server.started()
        await server.accompanied()
        yield server
        await server.stops()
    finally:
        with contextlib.suppress(AttributeError, ProcessLookupError):
            server._bystanders.kill()
        process.kill()
        process.wait()
