"""DNS rebinding: a page whose name points at this server, so that its requests are of the same origin."""

from __future__ import annotations

import aiohttp
import pytest

import pychat
from tests.attacks.conftest import Public

EVIL = "evil.example:3000"
PLACES = (
    "/",
    "/part",
    "/client.js",
    "/rooms/lobby",
    "/socket.io/?EIO=4&transport=polling",
    "/api/rooms/lobby/messages",
    "/api/rooms/lobby/events",
)


async def test_another_name_for_this_server(public: Public):
    """Under a name that is not this server's nothing is served, on no wire, and the answer says how to allow it, as the log does."""
    async with public(
        arguments=("--allow-host", "chat.example.com", "--allow-origin", "https://www.example.com")
    ) as server:
        async with server.attacked(), aiohttp.ClientSession(server.url) as http:
            headers = {"Host": EVIL, "Origin": f"http://{EVIL}"}
            for place in PLACES:
                for extra in ({}, {"X-Forwarded-Host": "localhost"}):
                    async with http.get(place, headers=headers | extra) as response:
                        assert (place, 421) == (place, response.status)
                        assert "--allow-host evil.example" in await response.text()
            async with http.post("/api/rooms/lobby/messages", json={"text": "hi"}, headers=headers) as response:
                assert 421 == response.status
                assert "host_refused" == (await response.json())["error"]["code"]
            for place in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await http.ws_connect(place, headers=headers)
                assert 421 == refused.value.status
            with pytest.raises(pychat.Disconnected, match=r"--allow-host evil\.example"):
                async with pychat.Client(server.url, headers={"Host": EVIL}):
                    pass
            for host in ("chat.example.com", "www.example.com", "localhost:1", "192.0.2.7", "[::1]:3000"):
                headers = {"Host": host, "Origin": f"https://{host}"}
                async with http.get("/", headers=headers) as response:
                    assert 200 == response.status
                for place in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
                    async with http.ws_connect(place, headers=headers) as socket:
                        assert (await socket.receive()).data
            for place in ("/healthz", "/readyz"):
                async with http.get(place, headers={"Host": EVIL}) as response:
                    assert 200 == response.status
        assert 5 == server.log.count("Refused a request for the host evil.example")
