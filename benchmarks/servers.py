"""The servers that are measured: how each is started on its core, and where it then is."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import program

__all__ = ["SERVERS", "Running", "Server", "running"]

HERE = Path(__file__).parent
SERVER_CORE = 0


@dataclass(frozen=True)
class Server:
    """One that can be measured."""

    #: What it is called in tables.
    title: str
    #: Which of the load program's protocols it speaks.
    protocol: str
    #: What starts it, in the folder `benchmarks`; it prints its address first.
    command: tuple[str, ...]
    #: What shows how many people are here, where that is not always so.
    presence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Running:
    """A server that is running."""

    server: Server
    address: str
    pid: int


_SERVE = (
    sys.executable,
    "-m",
    "pychat",
    "serve",
    "--port",
    "0",
    "--quiet",
    "--limits",
    "off",
    "--text-length",
    "5000",
    "--log-format",
    "json",
)

SERVERS = {
    "node": Server("Socket.IO on Node", "socketio", ("node", "peers/node.mjs"), presence=("presence",)),
    "node-deflate": Server("Socket.IO on Node, told to compress", "socketio", ("node", "peers/node.mjs", "deflate")),
    "uws-deflate": Server("uWebSockets, told to compress", "websocket", ("node", "peers/uws.mjs", "deflate")),
    "uws": Server("uWebSockets, C++ on Node", "websocket", ("node", "peers/uws.mjs")),
    "bun": Server("Bun, publish", "websocket", ("{bun}", "peers/bun.mjs")),
    "stock": Server("stock python-socketio", "socketio", (sys.executable, "peers/stock.py")),
    "pychat": Server("pychat, memory:", "socketio", (*_SERVE, "--store", "memory:")),
    "sqlite": Server("pychat, sqlite:", "socketio", (*_SERVE, "--store", "sqlite:{folder}/chat.db")),
    "plain": Server("pychat, plain WebSocket", "pychat", (*_SERVE, "--store", "memory:")),
    "asgi": Server("pychat below uvicorn", "socketio", (sys.executable, "-m", "benchmarks.peers.asgi")),
    "mounted": Server("pychat in an aiohttp app", "socketio", (sys.executable, "-m", "benchmarks.peers.mounted")),
    "bare": Server("C, a send() each", "websocket", ("{bare}",)),
    "gathered": Server("C, one send() a turn", "websocket", ("{bare}", "--gather")),
}


def _address(line: str) -> str:
    url = str(json.loads(line)["url"]) if line.startswith("{") else line
    return url.strip().removeprefix("http://").rstrip("/")


def _bun() -> str:
    # npm installs the package of binaries that fits the machine; `bun` itself needs a script to run at installing.
    return next((str(found) for found in HERE.glob("node_modules/@oven/*/bin/bun")), "bun")


@contextlib.contextmanager
def running(server: Server, rooms: int = 1, *, presence: bool = False) -> Iterator[Running]:
    """Start `server` on its core with so many rooms; kill it in the end."""
    with tempfile.TemporaryDirectory() as folder:
        bare = str(program("bare")) if "{bare}" in server.command else ""
        command = [part.format(folder=folder, bare=bare, bun=_bun()) for part in server.command]
        if "serve" in command and rooms > 1:
            command += [part for number in range(rooms) for part in ("--room", f"r{number}")]
        if presence:
            command += server.presence
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        if os.cpu_count() != 1:
            command = ["taskset", "--cpu-list", str(SERVER_CORE), *command]
        # What it prints goes to a file, for nobody reads on, and who prints into a full pipe stands still.
        printed = Path(folder) / "printed"
        with printed.open("w") as out:
            process = subprocess.Popen(command, stdout=out, cwd=HERE, env=environment)
        try:
            while "\n" not in (first := printed.read_text()):
                if process.poll() is not None:
                    raise SystemExit(f"{server.title} did not start")
                time.sleep(0.02)
            yield Running(server, _address(first.splitlines()[0]), process.pid)
        finally:
            process.kill()
            process.wait()
