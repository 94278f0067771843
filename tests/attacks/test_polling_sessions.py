"""Clients that poll, and are never heard of again: what they cost, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.attacks.conftest import Public


@pytest.mark.slow
async def test_abandoned_sessions(public: Public):
    """Thousands who connect by polling and never come back are a few KiB each, and nobody notices."""
    async with public() as server, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20)) as http:
        url = f"{server.url}/socket.io/?EIO=4&transport=polling"

        async def abandon(*, connect: bool) -> bool:
            async with http.get(url) as answer:
                if answer.status != 200:
                    return False
                sid = json.loads((await answer.text())[1:])["sid"]
            if connect:
                async with http.post(f"{url}&sid={sid}", data="40") as answer:
                    return answer.status == 200
            return True

        async with server.attacked():
            abandoned = 0
            for _ in range(40):
                abandoned += sum(await asyncio.gather(*(abandon(connect=True) for _ in range(50))))
            assert abandoned >= 500  # less where one address has a share
            assert server.rss() - server._before < abandoned * 5 * 1024 + (2 << 20)
            for _ in range(20):
                await asyncio.gather(*(abandon(connect=False) for _ in range(50)))
        await server.settles()
