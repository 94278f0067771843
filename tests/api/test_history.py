"""The history over plain HTTP."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

import pychat
from pychat import ChatRoom
from tests.servers import aiohttp_server, uvicorn_server


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
