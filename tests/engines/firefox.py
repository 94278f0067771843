"""Firefox as the machine has it, over WebDriver BiDi."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.engines.engine import Engine

__all__ = ["firefox"]

# A mouse, as people have it; without a screen there is none. 2 is a fine pointer, 4 is one that hovers.
_MOUSE = """user_pref("ui.primaryPointerCapabilities", 6);
user_pref("ui.allPointerCapabilities", 6);
"""


class Firefox(Engine):
    """One tab."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._context = ""

    async def start(self) -> None:
        """Begin the session."""
        await self._send("session.new", capabilities={})
        tree = await self._send("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def open(self, url: str) -> None:
        """Load a page."""
        await self._send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def run(self, script: str) -> Any:  # as above
        """The value of an expression."""
        told = await self._send(
            "script.evaluate",
            expression=f"Promise.resolve({script}).then((value) => JSON.stringify(value ?? null))",
            target={"context": self._context},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise AssertionError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    async def actions(self, *sources: dict[str, Any]) -> None:
        """Perform actions."""
        await self._send("input.performActions", context=self._context, actions=list(sources))

    async def _send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (answer := await self._socket.receive_json()).get("id") != number:
            pass  # events
        if answer["type"] == "error":
            raise AssertionError(f"{method}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result


@contextlib.asynccontextmanager
async def firefox(program: str) -> AsyncIterator[Firefox]:
    """Start it with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (Path(profile) / "user.js").write_text(_MOUSE, "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr
        try:
            address = None
            while address is None:
                line = (await process.stderr.readline()).decode()
                assert line, "Firefox did not start"
                address = re.search(r"WebDriver BiDi listening on (ws://\S+)", line)
            async with ClientSession() as http, http.ws_connect(f"{address[1]}/session", max_msg_size=0) as socket:
                window = Firefox(socket)
                await window.start()
                yield window
        finally:
            process.terminate()
            await process.communicate()
