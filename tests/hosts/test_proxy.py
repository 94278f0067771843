"""Behind a real nginx: TLS ends there, prefixes are kept, taken away or changed, and Host may be lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.hosts.nginx import Proxy, proxy
from tests.hosts.program import Running, running
from tests.hosts.talk import everybody_talks, goes_to_slash, page_loads

APP = """
from fastapi import FastAPI

import pychat

room = pychat.ChatRoom("lobby")
chat = pychat.asgi_app(room)
api = FastAPI(lifespan=chat.lifespan)
api.mount("/talk", chat)
api.mount("/trusting", pychat.asgi_app(room, trusted_proxies=["127.0.0.1"]))
app = pychat.asgi_app(room).wrap(api, at="/wrapped")
"""

# nginx's own way is to send the upstream's address as Host.
FORWARDED = """
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
"""
LOCATIONS = f"""
    location /talk/ {{ {FORWARDED} proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:PORT; }}
    location /wrapped {{ {FORWARDED} proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:PORT; }}
    location /another/name/ {{ {FORWARDED} proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:PORT/talk/; }}
    location /under/ {{ {FORWARDED} proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:PORT/; }}
    location /hostless/ {{ {FORWARDED} proxy_pass http://127.0.0.1:PORT/talk/; }}
    location /told/ {{
        {FORWARDED} proxy_set_header X-Forwarded-Host $http_host; proxy_pass http://127.0.0.1:PORT/trusting/;
    }}
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A FastAPI application with one room, mounted twice and wrapped."""
    folder = tmp_path_factory.mktemp("application")
    (folder / "app.py").write_text(APP, "utf-8")
    with running(folder, ["uvicorn", "app:app", "--port", "3000", "--no-proxy-headers"]) as server:
        yield server


@pytest.fixture(scope="module")
def nginx(application: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Nginx before it."""
    locations = LOCATIONS.replace("PORT", str(application.port))
    with proxy(tmp_path_factory.mktemp("nginx"), application.port, locations) as running_proxy:
        yield running_proxy


@pytest.mark.parametrize(
    "prefix", ["/talk", "/another/name", "/under/talk", "/chat/talk", "/wrapped", "/under/wrapped"]
)
async def test_a_prefix_kept_taken_away_or_changed(nginx: Proxy, prefix: str) -> None:
    """The page, its files, WebSockets, polling and event streams work below whatever prefix the proxy makes of it."""
    await page_loads(nginx.url + prefix)
    await everybody_talks(nginx.url + prefix)


@pytest.mark.parametrize("prefix", ["/wrapped", "/under/wrapped"])
async def test_who_leaves_out_the_slash_stays_below_the_prefix(nginx: Proxy, prefix: str) -> None:
    """The way to the slash is relative: it knows neither of TLS nor of what the proxy has taken away."""
    await goes_to_slash(nginx.url + prefix)
    async with (
        aiohttp.ClientSession() as http,
        http.get(nginx.secure + prefix, ssl=False) as response,
    ):
        assert (response.status, str(response.url)) == (200, f"{nginx.secure}{prefix}/")


@pytest.mark.parametrize("prefix", ["/talk", "/another/name", "/told"])
async def test_npm_s_client_behind_tls_and_a_prefix(nginx: Proxy, prefix: str, node_clients: Any) -> None:
    """It polls first, with a page's Origin; its session is found again, and the upgrade succeeds, though nobody tells of TLS."""
    node = await node_clients(
        nginx.secure,
        path=f"{prefix}/socket.io/",
        rejectUnauthorized=False,
        extraHeaders={"Origin": nginx.secure},
        auth={"v": 1},
    )
    await node.told("(upgrade)")
    assert (await node.call("join", {"name": f"Node at {prefix}"}))["ok"]
    assert (await node.call("say", {"text": "through TLS"}))["ok"]


async def test_a_lost_host_is_refused_and_the_log_says_what_to_set(nginx: Proxy, application: Running) -> None:
    """A page of this very site is kept out where the proxy changes Host: the log names the origin, Host and settings."""
    headers = {"Origin": nginx.url}
    async with aiohttp.ClientSession(headers=headers) as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{nginx.url}/hostless/ws")
        assert refused.value.status == 403
        async with http.get(f"{nginx.url}/hostless/socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 403
        async with http.ws_connect(f"{nginx.url}/told/ws") as socket:
            assert (await socket.receive_json())["type"] == "welcome"
    (line,) = [line for line in application.log.splitlines() if f"a page of {nginx.url}," in line][:1]
    for word in (f"127.0.0.1:{application.port}", "allowed_origins=", "trusted_proxies=", "Host"):
        assert word in line


async def test_two_people_in_chromium(nginx: Proxy) -> None:
    """Through TLS and a changed prefix: the page loads, two people join, and each sees what the other says."""
    async with chromium() as browser:
        windows = []
        for name in ("Grace", "Edsger"):
            context = await browser.new_context(ignore_https_errors=True)
            window = Window(await context.new_page(), f"{nginx.secure}/another/name/")
            windows.append(await (await window.open()).join(name))
        grace, edsger = windows
        await grace.say("Hello from Grace")
        await edsger.message("Hello from Grace").wait_for()
        await edsger.say("Hello from Edsger")
        await grace.message("Hello from Edsger").wait_for()
        # Seen once on a loaded machine: Chromium gives one file up whose kept connection closed again and again. What
        # the page needs is there, or nobody could have talked.
        given_up = "Failed to load resource: net::ERR_TOO_MANY_RETRIES"
        # Chromium takes no service worker from a server whose certificate it does not trust.
        untrusted = "An SSL certificate error occurred when fetching the script."
        complaints = [told for window in windows for told in window.complaints if told not in (given_up, untrusted)]
        assert complaints == []
