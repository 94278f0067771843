"""The history over plain HTTP."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

import pychat
from pychat import ChatRoom, Limits
from tests.servers import aiohttp_server, uvicorn_server

TOKEN = "a-token-of-the-server"


@pytest.mark.parametrize("kind", ["aiohttp", "asgi"])
async def test_history_is_json(kind: str) -> None:
    """Pages and searches, and mistakes with words, in both hosts."""
    room = ChatRoom("lobby")
    for number in range(1, 6):
        await room.post(f"{'tea' if number % 2 else 'coffee'} {number}", author="bot")
    host = aiohttp_server(pychat.aiohttp_app(room)) if kind == "aiohttp" else uvicorn_server(pychat.asgi_app(room))
    async with host as url, aiohttp.ClientSession() as http:

        async def get(query: str, room: str = "lobby", method: str = "GET") -> tuple[int, dict[str, Any]]:
            async with http.request(method, f"{url}/api/rooms/{room}/messages{query}") as response:
                assert response.headers["Content-Type"] == "application/json"
                assert "Access-Control-Allow-Origin" not in response.headers
                return response.status, await response.json()

        status, page = await get("?limit=2")
        assert (status, [each["seq"] for each in page["messages"]], page["more"]) == (200, [4, 5], True)
        _, page = await get("?before=4&limit=9")
        assert ([each["seq"] for each in page["messages"]], page["more"]) == ([1, 2, 3], False)
        _, page = await get("?matching=TEA")
        assert [each["text"] for each in page["messages"]] == ["tea 1", "tea 3", "tea 5"]
        assert (await get("?limit=many"))[0] == 400
        status, page = await get("", "nowhere")
        assert (status, page["error"]["code"]) == (404, "unknown_room")
        assert (await get("", method="PUT"))[0] == 405
        assert (await get("/x"))[0] == 404


async def test_a_page_has_a_size_as_well(mounted) -> None:
    """Of long messages a page holds fewer than were asked for, at least one, and `more` tells that there are older ones."""
    site = await mounted(ChatRoom("lobby", limits=Limits(text=400_000, rate=0)))
    for number in range(60):
        await site.room.post(f"{number:02}" + "\U0001f600" * 4_000, author="bot")
    await site.room.post("x" * 300_000, author="bot")
    await site.room.post("the last", author="bot")
    texts: list[str] = []
    before, more, pages = 63, True, 0
    while more:
        done = await site.ask("GET", f"/messages?limit=200&before={before}")
        page, more = done.told["messages"], done.told["more"]
        assert len(json.dumps(page, ensure_ascii=False).encode()) < 310_000
        texts[:0] = [each["text"][:2] for each in page]
        before, pages = page[0]["seq"], pages + 1
    assert [*(f"{number:02}" for number in range(60)), "xx", "th"] == texts
    assert 6 == pages


async def test_reading_counts(mounted) -> None:
    """Requests that read have the rate of their address, of their user, or of their program's token."""
    site = await mounted(ChatRoom("lobby", limits=Limits(rate=0.001, burst=5)), api_tokens=TOKEN)
    await site.room.post("x", author="bot")
    paths = ["/messages", "/messages/1", "/members", "", "/messages?before=1", "/messages"]
    done = [await site.ask("GET", path) for path in paths]
    assert [200, 200, 200, 200, 200, 429] == [each.status for each in done]
    assert "rate_limited" == done[5].code
    assert int(done[5].headers["Retry-After"]) > 1
    assert 429 == (await site.ask("POST", "/token")).status
    for path in ("rooms", "openapi.json"):
        async with site.http.get(f"{site.url}/api/{path}") as response:
            assert 429 == response.status
    assert 200 == (await site.ask("GET", "/messages", token=TOKEN)).status


async def test_a_search_counts_as_five(mounted) -> None:
    """As it does on the other wires."""
    site = await mounted(ChatRoom("lobby", limits=Limits(rate=0.001, burst=10)))
    done = [await site.ask("GET", f"/messages?matching=tea{number}") for number in range(3)]
    assert [200, 200, 429] == [each.status for each in done]
