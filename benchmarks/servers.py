"""The servers that are measured: each on one core, with its address and what it has used of the processor."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["GENERATOR_CORE", "Measured", "pychat_server", "socketio_server"]

HERE = Path(__file__).parent
SERVER_CORE, GENERATOR_CORE = 0, 1
_TICK = os.sysconf("SC_CLK_TCK")


class Measured:
    """A server that is running."""

    def __init__(self, name: str, process: subprocess.Popen[str], url: str) -> None:
        self.name = name
        self.url = url
        self._process = process

    def cpu(self) -> float:
        """Seconds of processor that it has used, its threads' included."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK


@contextlib.contextmanager
def _started(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)
    if os.cpu_count() != 1:
        os.sched_setaffinity(process.pid, {SERVER_CORE})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def socketio_server() -> Iterator[Measured]:
    """Node's Socket.IO."""
    with _started("node", "peers/socketio.mjs") as process:
        assert process.stdout is not None
        yield Measured("socket.io (Node), stores nothing", process, process.stdout.readline().strip())


@contextlib.contextmanager
def pychat_server(store: str) -> Iterator[Measured]:
    """`pychat serve`, as an operator runs it, without limits."""
    options = ["--port", "0", "--store", store, "--quiet", "--limits", "off", "--log-format", "json"]
    with _started(sys.executable, "-m", "pychat", "serve", *options) as process:
        assert process.stdout is not None
        url = str(json.loads(process.stdout.readline())["url"]).rstrip("/")
        yield Measured(f"pychat, {store.partition(':')[0]}", process, url)
