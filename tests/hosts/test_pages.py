"""Each host's page of the docs, done to the letter: its program in a file, its command in a process, people in the room."""

from __future__ import annotations

from pathlib import Path

import pytest

from pychat import Close
from tests.clients import WebSocketPerson
from tests.hosts.program import free_port, running, written
from tests.hosts.talk import everybody_talks, goes_to_slash, page_loads

#: The prefix of each page, and what people on a WebSocket are told when the server stops (docs/how-to/asgi.md).
PAGES: dict[str, tuple[str, set[int | None]]] = {
    "aiohttp": ("/talk/chat", {Close.SHUTDOWN.code}),
    "fastapi": ("/chat", {1012}),
    "starlette": ("/chat", {1006, None}),
    "litestar": ("/chat", {1012}),
    "quart": ("/chat", {1011}),
    "django": ("/chat", {1012}),
}


@pytest.mark.parametrize("name", PAGES)
async def test_the_page_s_program_and_command(name: str, tmp_path: Path) -> None:
    """The page loads, every wire works below the prefix, nothing is complained of, and the server ends when told to."""
    prefix, farewell = PAGES[name]
    port = free_port()
    with running(tmp_path, written(name, tmp_path, port), port) as server:
        url = server.url + prefix
        await page_loads(url)
        await goes_to_slash(url)
        await everybody_talks(url)
        last = await WebSocketPerson.enter(url)
        await last.event("welcome")
        assert "Traceback" not in server.log
        server.ask_to_stop()
        assert await last.told.next("closed") in farewell
        await last.close()
        server.ended()
        # Hypercorn leaves tracebacks of its own (Python 3.11).
        assert "src/pychat" not in server.log
