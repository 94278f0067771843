"""What a mount answers to those who make a room part of their page."""

from __future__ import annotations

import json
import re

import pytest

from pychat import ChatRoom, Request
from pychat.hosts.mount import Mount
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.response import Response
from pychat.room.directory import RoomDirectory
from pychat.web.site import Site

HERE, FRIEND, STRANGER = "https://chat.example", "https://friend.example", "https://stranger.example"


async def ask(path: str, origin: str | None = None, **query: str) -> Response:
    """A GET to two rooms that let the pages of one friend in."""
    rooms = RoomDirectory(ChatRoom("lobby", title="The lobby"), ChatRoom("den", title="The den"))
    headers = {"host": "chat.example"} | ({"origin": origin} if origin else {})
    request = Request("GET", path, headers, query, "127.0.0.1", query.get("room", "lobby"), None)
    return await Site(rooms, origins=OriginPolicy([FRIEND])).respond(path, request, "chat.example")


@pytest.mark.parametrize("origin", [None, HERE, FRIEND])
async def test_a_page_that_may_connect_gets_the_markup(origin: str | None) -> None:
    """It is that of the page, of the room that is named or the first, without what only a page of its own has."""
    for query, title in (({}, "The lobby"), ({"room": "den"}, "The den")):
        response = await ask("/part", origin, **query)
        text = response.body.decode()
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Origin" in response.headers["Vary"]
        assert f">{title}</h2>" in text
        assert not re.search(r"<main|<h1|theme-button|share-address|<nav", text)


@pytest.mark.parametrize(("proxy", "status"), [("10.0.0.1", 200), ("10.0.0.2", 403)])
async def test_behind_a_proxy_it_is_the_host_that_the_page_knows(proxy: str, status: int) -> None:
    """Which a proxy that is trusted may tell, and nobody else: as for the connections that follow."""
    mount = Mount([ChatRoom()], "asgi", trusted_proxies=["10.0.0.1"])
    headers = {"host": "inside:8000", "x-forwarded-host": "chat.example", "origin": HERE}
    request = mount.request("GET", "/chat/part", "/part", proxy, headers, {}, None)
    assert (await mount.respond("/part", request, proxy)).status == status


async def test_a_page_that_may_not_is_told_what_to_set() -> None:
    """It can read the refusal, whatever its origin; nobody keeps it."""
    response = await ask("/part", STRANGER)
    told = json.loads(response.body)
    assert response.status == 403
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert (told["ok"], told["error"]["code"]) == (False, "origin_refused")
    assert f"--allow-origin {STRANGER}" in told["error"]["text"]
    assert f'allowed_origins=["{STRANGER}"]' in told["error"]["text"]


async def test_a_room_that_is_not_there_is_told_with_those_that_are() -> None:
    """404, the code of the wire, and the names."""
    response = await ask("/part", room="attic")
    told = json.loads(response.body)
    assert response.status == 404
    assert told["error"]["code"] == "unknown_room"
    assert "lobby, den" in told["error"]["text"]


async def test_the_addresses_that_stay_lead_to_files_that_are_kept() -> None:
    """Scripts with an address to write down name only files under the hash, all of which there are."""
    for path in ("/pychat-room.js", "/client.js"):
        response = await ask(path, STRANGER)
        named = re.findall(r'"\./(.*?)"', response.body.decode())
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "must-revalidate" in response.headers["Cache-Control"]
        assert named
        files = [await ask(f"/{name}") for name in named]
        assert all("immutable" in file.headers["Cache-Control"] for file in files)
