"""Members who poll: what happened meanwhile comes in one answer, and nobody costs a task but for a request that waits."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from pychat import ChatRoom, aiohttp_app
from tests.clients import TIMEOUT
from tests.servers import aiohttp_server

MEMBERS, MESSAGES = 200, 20


class Poller:
    """One member, request by request."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"
        self.heard: list[str] = []

    async def enter(self) -> None:
        """Open, CONNECT, and read what newcomers are told."""
        async with self._http.get(self._url) as answer:
            self._url += f"&sid={json.loads((await answer.text())[1:])['sid']}"
        async with self._http.post(self._url, data='40{"v":1}') as answer:
            assert await answer.text() == "ok"
        while not any(packet.startswith('42["welcome"') for packet in await self.poll()):
            pass

    async def poll(self) -> list[str]:
        """One answer, as packets; the texts of its messages are `heard`."""
        async with asyncio.timeout(TIMEOUT), self._http.get(self._url) as answer:
            packets = (await answer.text()).split("\x1e")
        told = [json.loads(packet[2:]) for packet in packets if packet.startswith("42")]
        self.heard += [fields["text"] for name, fields in told if name == "message"]
        return packets


async def test_many_who_poll() -> None:
    """200 members hear 20 messages, all in one answer and in order; between polls there is no task for any of them."""
    room = ChatRoom()
    said = [str(number) for number in range(MESSAGES)]
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp_server(aiohttp_app(room)) as url, aiohttp.ClientSession(connector=connector) as http:
        before = len(asyncio.all_tasks())
        pollers = [Poller(http, url) for _ in range(MEMBERS)]
        for poller in pollers:
            await poller.enter()
        assert room.here == MEMBERS
        for text in said:
            await room.post(text, author="bot")
        assert len(asyncio.all_tasks()) < before + MEMBERS // 4
        await asyncio.gather(*(poller.poll() for poller in pollers))
        assert [said] * MEMBERS == [poller.heard for poller in pollers]
