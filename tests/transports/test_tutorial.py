"""The vocabulary of 2013, spoken by the clients of today: npm's and python-socketio's, over WebSocket and polling."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pychat import ChatRoom, Limits, aiohttp_app, asgi_app
from tests.clients import SocketIOPerson
from tests.servers import aiohttp_server, pychat_process, uvicorn_server

TRANSPORTS = pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])


@pytest.fixture(params=["aiohttp", "asgi"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A room, in both hosts."""
    room = ChatRoom(limits=Limits(rate=0))
    if request.param == "aiohttp":
        async with aiohttp_server(aiohttp_app(room)) as address:
            yield address
    else:
        async with uvicorn_server(asgi_app(room), lifespan="on") as address:
            yield address


@TRANSPORTS
async def test_every_event_of_the_table(url: str, transports: list[str], node_clients: Any) -> None:
    """`setPseudo`, `pseudoStatus`, `message` and `nbUsers`, as the tutorial's page says and expects them."""
    ada = await node_clients(url, transports=transports)
    assert (await ada.told("nbUsers"))[0] == {"nb": 1}
    bob = await node_clients(url, transports=transports)
    assert (await bob.told("nbUsers"))[0] == {"nb": 2}
    assert (await ada.told("nbUsers"))[0] == {"nb": 2}
    await ada.do("emit", "message", "too early")
    assert (await ada.told("error"))[0]["code"] == "not_joined"
    # Back to back, as both clients may.
    await ada.do("emit", "setPseudo", "Ada")
    await ada.do("emit", "message", "hi <b>there</b>")
    assert (await ada.told("pseudoStatus"))[0] == "ok"
    heard, _ = await bob.told("message")
    assert (heard["pseudo"], heard["message"], heard["seq"]) == ("Ada", "hi <b>there</b>", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", heard["date"])
    for taken in ("ada", "admin", "", 7, None, "\u202ex"):
        await bob.do("emit", "setPseudo", taken)
        assert (await bob.told("pseudoStatus"))[0] == "error"
    await ada.do("emit", "setPseudo", "Countess")
    assert (await ada.told("pseudoStatus"))[0] == "ok"
    assert (await bob.call("setPseudo", "Ada"))["ok"]
    answer = await bob.call("message", "hello")
    heard, _ = await ada.told("message")
    assert {"ok": True, "id": heard["id"], "seq": 2, "date": heard["date"]} == answer
    await bob.do("emit", "message", "")
    assert (await bob.told("error"))[0]["code"] == "text_empty"
    await bob.do("close")
    assert (await ada.told("nbUsers"))[0] == {"nb": 1}


@TRANSPORTS
async def test_a_burst_is_heard_once_and_in_order(url: str, transports: list[str], node_clients: Any) -> None:
    """Also in the middle of the upgrade from polling to WebSocket."""
    ada, bob = await node_clients(url, transports=transports), await node_clients(url, transports=transports)
    await bob.told("(connect)")
    await ada.told("(connect)")
    await ada.do("emit", "setPseudo", "Ada")
    await ada.do("burst", "message", 500)
    assert [str(n) for n in range(1, 501)] == [(await bob.told("message"))[0]["message"] for _ in range(500)]


@pytest.mark.parametrize("transports", [("websocket",), ("polling",)])
async def test_python_clients_too(url: str, transports: tuple[str, ...]) -> None:
    """python-socketio's own client, in both transports, with and without acknowledgements."""
    ada = await SocketIOPerson.enter(url, version=None, transports=transports)
    bob = await SocketIOPerson.enter(url, version=None, transports=transports)
    await ada.client.emit("setPseudo", "Ada")
    assert await ada.event("pseudoStatus") == "ok"
    await ada.client.emit("message", "hi")
    assert (await bob.event("message"))["message"] == "hi"
    assert (await bob.command("message", "hi"))["error"]["code"] == "not_joined"
    assert bob.told.count("error") == 0  # it was told by the acknowledgement
    await ada.close()
    await bob.close()


async def test_nobody_hears_of_version_1_unasked(url: str, node_clients: Any) -> None:
    """A client that does not name a version is sent the words of 2013 only; both kinds hear each other."""
    old = await node_clients(url)
    await old.told("nbUsers")
    new = await node_clients(url, auth={"v": 1})
    await new.told("welcome")
    await new.call("join", {"name": "Ada"})
    await new.call("typing", {"on": True})
    await new.call("say", {"text": "from the new"})
    heard: list[str] = []
    while not heard or heard[-1] != "message":
        assert old._process.stdout is not None
        heard.append(json.loads(await old._process.stdout.readline())[0])
    assert set(heard) <= {"(connect)", "(upgrade)", "nbUsers", "message"}
    await old.do("emit", "setPseudo", "Bob")
    await old.do("emit", "message", "from the old")
    (message,) = await new.told("message")
    assert (message["text"], message["author"]["name"]) == ("from the old", "Bob")


async def test_what_cannot_be_connected_to_is_said(url: str, node_clients: Any) -> None:
    """An unknown room, version or namespace is a `connect_error` with words."""
    client = await node_clients(url, auth={"v": 99})
    assert (await client.told("(connect_error)"))[1] == {"reason": "version", "speaks": [1, 2]}
    client = await node_clients(url, auth={"v": 1, "room": "nowhere"})
    message, data = await client.told("(connect_error)")
    assert "There are: lobby" in message
    assert data == {"reason": "unknown_room"}
    client = await node_clients(url + "/elsewhere")
    assert (await client.told("(connect_error)"))[0] == "Invalid namespace"


async def test_a_lone_surrogate_is_refused_as_bad_text(url: str) -> None:
    """Half a character passes JSON, and no further."""
    ada = await SocketIOPerson.enter(url, version=1)
    await ada.command("join", {"name": "Ada"})
    for fields, code in (({"text": "\ud800"}, "text_invalid"), ({"text": "x", "id": "\udfff"}, "bad_request")):
        # python-socketio's client writes it as an escape, as any program could.
        assert (await ada.command("say", fields))["error"]["code"] == code
    assert (await ada.command("\ud800", {}))["error"]["code"] == "unknown_command"
    assert (await ada.command("say", {"text": "fine"}))["ok"]
    await ada.close()


@TRANSPORTS
async def test_clients_come_back_when_the_server_does(transports: list[str], node_clients: Any) -> None:
    """An unmodified client reconnects by itself after a restart: the goodbye does not send it away for good."""
    with pychat_process() as served:
        port = int(served.url.rpartition(":")[2])
        client = await node_clients(served.url, transports=transports)
        # While a client changes transports, a goodbye may miss it; it comes back all the same.
        await client.told("(upgrade)" if len(transports) > 1 else "nbUsers")
        served.process.terminate()
        assert (await client.told("bye"))[0]["reconnect"] is True
        assert (await client.told("(disconnect)"))[0] in {"transport close", "transport error"}
        assert await asyncio.to_thread(served.process.wait, 5) == 0
    with pychat_process(port=port):
        await client.told("(connect)")
        assert (await client.told("nbUsers"))[0] == {"nb": 1}
