"""Real servers on free ports, for tests: an aiohttp host, uvicorn, and `pychat serve` as a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from aiohttp import web

__all__ = ["Served", "aiohttp_server", "pychat_process", "uvicorn_server"]


@contextlib.asynccontextmanager
async def aiohttp_server(app: web.Application) -> AsyncIterator[str]:
    """Serve `app`; yield its address, without a slash at the end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def uvicorn_server(app: Any, **config: Any) -> AsyncIterator[str]:
    """Serve an ASGI `app`; yield its address, without a slash at the end."""
    settings = uvicorn.Config(
        app, port=0, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1, **config
    )
    server = uvicorn.Server(settings)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class Served:
    """A `pychat serve` that is running."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        #: Its address, without a slash at the end.
        self.url = url
        self._lines: list[dict[str, Any]] = []

    def line(self, **wanted: object) -> dict[str, Any]:
        """The next line of its log in which these fields stand."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            line: dict[str, Any] = json.loads(text)
            if all(line.get(name) == value for name, value in wanted.items()):
                return line
        raise AssertionError(f"the log ended without {wanted}")


@contextlib.contextmanager
def pychat_process(*arguments: str, port: int = 0, command: tuple[str, ...] = ()) -> Iterator[Served]:
    """Run `pychat serve` with a log in JSON; kill it in the end if it is still there."""
    if "--store" not in arguments:
        arguments = ("--store", "memory:", *arguments)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYCHAT_")}
    process = subprocess.Popen(
        [
            *(command or (sys.executable, "-m", "pychat")),
            "serve",
            "--port",
            str(port),
            "--log-format",
            "json",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        served = Served(process, "")
        served.url = str(served.line(event="start")["url"]).rstrip("/")
        yield served
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
