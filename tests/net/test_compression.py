"""permessage-deflate: a client that offers it gets frames that are not compressed, and costs no compressor."""

from __future__ import annotations

import aiohttp
import pytest

from pychat import ChatRoom, aiohttp_app, asgi_app
from tests.servers import aiohttp_server, pychat_process, uvicorn_server

_TEXT = "the same words again and again " * 50


async def _told(url: str, room: ChatRoom) -> None:
    """Offer compression at `url`; it must not be agreed on, and what comes must be readable without."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}/ws", compress=15, protocols=("pychat.v1",)) as socket,
    ):
        assert not socket.compress
        assert (await socket.receive_json())["type"] == "welcome"
        await room.post(_TEXT, author="bot")
        while (told := await socket.receive_json())["type"] != "message":
            pass
        assert _TEXT.strip() == told["text"].strip()


async def test_not_in_aiohttp() -> None:
    """A mount in aiohttp never agrees to it."""
    room = ChatRoom()
    async with aiohttp_server(aiohttp_app(room)) as url:
        await _told(url, room)


async def test_not_in_uvicorn_that_is_told_so() -> None:
    """`--ws-per-message-deflate false`, as the page about ASGI says."""
    room = ChatRoom()
    chat = asgi_app(room)
    async with uvicorn_server(chat, ws_per_message_deflate=False) as url:
        await _told(url, room)
        await chat.aclose()


@pytest.mark.parametrize("path", ["/ws", "/socket.io/?EIO=4&transport=websocket"])
async def test_not_in_pychat_serve(path: str) -> None:
    """The command has it off."""
    with pychat_process() as served:
        async with aiohttp.ClientSession() as http, http.ws_connect(served.url + path, compress=15) as socket:
            assert not socket.compress
            assert isinstance(await socket.receive_str(), str)
