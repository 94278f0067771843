"""`asgi_app` alone under each ASGI server: why one is refused, who is slow, where the prefix went, who is at the other end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pychat import Close
from tests.clients import SSEPerson, WebSocketPerson
from tests.hosts.program import Running, running
from tests.hosts.talk import everybody_talks, page_loads

# Where it says who comes, so that tests can look; and all may say much.
APP = """
import pychat


def authenticate(request):
    if "key" in request.query:
        return pychat.Refused("login_required", f"Nobody at {request.remote} has this key: {request.query['key']}")
    return None


room = pychat.ChatRoom("lobby", limits=pychat.Limits(text=60_000, rate=0))
app = pychat.asgi_app(room, authenticate=authenticate, max_buffer_bytes=100_000)
"""

#: Messages of 50 kB: more than the buffers of two kernels hold.
MUCH = 240

# The prefix is one that a proxy has taken away. uvicorn puts it back into the path, the others do not.
SERVERS = {
    "uvicorn": ["uvicorn", "app:app", "--port", "3000", "--root-path", "/behind"],
    "hypercorn": ["hypercorn", "app:app", "--bind", "127.0.0.1:3000", "--root-path", "/behind"],
    "granian": ["granian", "--interface", "asgi", "app:app", "--port", "3000"],
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The application under one of the servers."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "app.py").write_text(APP, "utf-8")
    with running(folder, SERVERS[request.param]) as server:
        yield server
        assert "Traceback" not in server.log


async def test_page_and_every_wire(server: Running) -> None:
    """All of it works, at the root."""
    await page_loads(server.url)
    await everybody_talks(server.url)


async def test_a_refusal_says_why_and_knows_from_where(server: Running) -> None:
    """A WebSocket that may not be opened is answered with 401, and the error in JSON; the address is the person's."""
    async with aiohttp.ClientSession() as http:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
        async with http.get(f"{server.url}/ws?key=%C3%A9%2F", headers=headers) as response:
            assert response.status == 401
            assert json.loads(await response.text()) == {
                "ok": False,
                "error": {"code": "login_required", "text": "Nobody at 127.0.0.1 has this key: é/"},
            }
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/nothing")
        assert refused.value.status == 404


async def test_a_close_code_arrives(server: Running) -> None:
    """Who sends too much is told so by the code, and by what follows it."""
    ada = await WebSocketPerson.enter(server.url)
    await ada.event("welcome")
    await ada.socket.send_str("x" * 1_000_000)
    assert await ada.told.next("closed") == Close.TOO_LARGE.code
    await ada.close()


@pytest.mark.parametrize(
    ("command", "bye"),
    [
        (["uvicorn", "app:app", "--port", "3000", "--timeout-graceful-shutdown", "1"], True),
        (["hypercorn", "app:app", "--bind", "127.0.0.1:3000", "--graceful-timeout", "1"], True),
        (["granian", "--interface", "asgi", "app:app", "--port", "3000", "--workers-kill-timeout", "1"], False),
    ],
    ids=SERVERS,
)
async def test_an_event_stream_does_not_hold_up_the_end(command: list[str], bye: bool, tmp_path: Path) -> None:
    """With the options of the docs the server ends although somebody listens, and where it can be said, it is said."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    with running(tmp_path, command) as server:
        dan = await SSEPerson.enter(server.url)
        await dan.event("welcome")
        server.ask_to_stop()
        await dan.told.next("closed")
        assert dan.told.count("bye") == bye
        await dan.close()
        server.ended()


async def test_a_slow_reader_holds_nobody_up(server: Running) -> None:
    """Who does not read is let go, with the code that says so; the others have every message, in order."""
    ada, bob = [await WebSocketPerson.enter(server.url) for _ in range(2)]
    assert (await ada.command("join", {"name": "Zoe"}))["ok"]
    async with aiohttp.ClientSession() as http:
        slow = await http.ws_connect(f"{server.url}/ws", params={"history": 0})
        assert (await slow.receive_json())["type"] == "welcome"
        for number in range(MUCH):
            assert (await ada.command("say", {"text": f"{number} {'x' * 50_000}"}))["ok"]
        assert [number_of(await bob.event("message")) for _ in range(MUCH)] == list(range(MUCH))
        heard = []
        async for told in slow:
            event = json.loads(told.data)
            if event["type"] == "message":
                heard.append(number_of(event))
        assert heard == list(range(len(heard)))
        assert len(heard) < MUCH
        # 1006 where reading what had gathered took longer than the server waits.
        assert slow.close_code in {Close.SLOW.code, 1006}
    for person in (ada, bob):
        await person.close()


def number_of(message: dict[str, Any]) -> int:
    """Which one it is."""
    return int(message["text"].partition(" ")[0])
