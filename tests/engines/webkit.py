"""WebKit as the machine has it: the small browser of WebKitGTK, over WebDriver, on a screen that nobody sees."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectionError, ClientSession

from tests.engines.engine import Engine

__all__ = ["BROWSERS", "webkit"]

#: Where distributions put it; it is on no PATH.
BROWSERS = [
    *Path("/usr").glob("lib*/**/webkit2gtk-4.*/MiniBrowser"),
    *Path("/usr").glob("lib*/**/webkitgtk-6.*/MiniBrowser"),
]


class WebKit(Engine):
    """One window."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def start(self, browser: Path) -> None:
        """Begin the session, as soon as the driver listens."""
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        told = None
        while told is None:
            with contextlib.suppress(ClientConnectionError):
                told = await self._send("POST", "session", wanted)
            await asyncio.sleep(0.1)
        self._url += f"session/{told['sessionId']}/"
        await self._send("POST", "window/rect", {"width": 1280, "height": 900})

    async def stop(self) -> None:
        """End the session, and with it the browser."""
        await self._send("DELETE", "", None)

    async def open(self, url: str) -> None:
        """Load a page."""
        await self._send("POST", "url", {"url": url})

    async def run(self, script: str) -> Any:  # as above
        """The value of an expression."""
        return await self._send("POST", "execute/sync", {"script": f"return {script}", "args": []})

    async def actions(self, *sources: dict[str, Any]) -> None:
        """Perform actions."""
        await self._send("POST", "actions", {"actions": list(sources)})

    async def _send(self, method: str, path: str, body: object) -> Any:  # of the protocol
        async with self._http.request(method, (self._url + path).removesuffix("/"), json=body) as answer:
            value = (await answer.json(content_type=None))["value"]
            assert answer.ok, value
            return value


@contextlib.asynccontextmanager
async def webkit(driver: str) -> AsyncIterator[WebKit]:
    """Start the screen, the driver and the browser."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    reading, writing = os.pipe()
    screen = await asyncio.create_subprocess_exec(
        *("Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"),
        pass_fds=(writing,),
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        display = (await asyncio.to_thread(told.readline)).strip()
    process = await asyncio.create_subprocess_exec(
        *(driver, f"--port={port}"),
        # The sandbox of WebKitGTK needs user namespaces, which containers do not have.
        env={
            **os.environ,
            "DISPLAY": f":{display}",
            "GDK_BACKEND": "x11",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with ClientSession() as http:
            window = WebKit(http, f"http://127.0.0.1:{port}/")
            await window.start(BROWSERS[0])
            yield window
            await window.stop()
    finally:
        for each in (process, screen):
            with contextlib.suppress(ProcessLookupError):
                each.terminate()
            await each.wait()
