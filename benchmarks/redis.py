"""What Redis takes to carry one room to many servers."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import Result
from pychat.domain.model import Member, Message
from pychat.stores import open_store

__all__ = ["READERS", "Backplane"]

#: How many servers of the room there are, in turn.
READERS = (1, 32)
_MESSAGES = 1000
_FLIGHT = 4


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _run(url: str, pid: int, readers: int) -> Result:
    """Redis's processor time for a message that so many servers are told of."""
    room, heard, everyone = f"room{readers}", 0, asyncio.Event()

    def hear(_: object) -> None:
        nonlocal heard
        heard += 1
        if heard == readers * _MESSAGES:
            everyone.set()

    stores = [open_store(url) for _ in range(readers)]
    for store in stores:
        await store.subscribe(room, hear)
    used = _used(pid)
    turn, author = asyncio.Semaphore(_FLIGHT), Member("a", "Ada")

    async def say(number: int) -> None:
        async with turn:
            await stores[0].append(room, Message(f"m{number}", author, f"message {number}".ljust(64, "x"), number))

    await asyncio.gather(*(say(number) for number in range(_MESSAGES)))
    await asyncio.wait_for(everyone.wait(), 60)
    cpu = _used(pid) - used
    for store in stores:
        await store.aclose()
    return {"label": f"readers {readers}", "cpu": cpu, "cpu_us": cpu / _MESSAGES * 1e6}


@dataclass
class Backplane:
    """The Redis store, as a cell: each server is a store of its own, with a connection that hears."""

    title: str = "one room on many servers, with the Redis store"
    servers: tuple[str, ...] = ("redis",)
    takes: float = 10
    most_rounds: dict[str, int] = field(default_factory=lambda: {"": 3})

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Start a Redis of its own."""
        del name, seconds
        if not (program := shutil.which("redis-server")):
            raise SystemExit("There is no redis-server (Debian: apt install redis-server).")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                assert process.stdout is not None
                if not any("eady to accept" in line for line in process.stdout):
                    raise SystemExit("redis-server did not start")
                for readers in READERS:
                    yield asyncio.run(_run(f"redis://127.0.0.1:{port}", process.pid, readers))
            finally:
                process.kill()
                process.communicate()
