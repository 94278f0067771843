"""Somebody keeps others out, or moderators from acting, by using up what all share."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer

TOKEN = "a-token-of-programs-for-the-test"
PROGRAM = {"Authorization": f"Bearer {TOKEN}"}
OWNER = "the-owners-token-for-the-test"
BEHIND_A_PROXY = ("--trusted-proxy", "127.0.0.1", "--api-token", TOKEN, "--owner-token", OWNER)


async def half_post(server: PublicServer, address: str, path: str) -> None:
    """Begin to post, and never send the rest."""
    reader, writer = await server.raw()
    head = f"POST /api/rooms/lobby/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {address}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{".encode())
    with contextlib.closing(writer):
        await reader.read()


async def test_requests_whose_bodies_do_not_come(public: Public) -> None:
    """Forty addresses send half a request: moderators and readers are answered before those have run out of time."""
    async with public(arguments=(*BEHIND_A_PROXY, "--body-timeout", "600")) as server, aiohttp.ClientSession() as http:
        room = f"{server.url}/api/rooms/lobby"
        paths = ["entry", "moderation", "reports", "read"]
        async with server.attacked():
            slow = [asyncio.create_task(half_post(server, f"198.51.100.{n}", paths[n % 4])) for n in range(40)]
            await asyncio.sleep(1)  # their heads have come
            async with asyncio.timeout(60):
                for path in ("messages", "moderation"):
                    async with http.get(f"{room}/{path}", headers=PROGRAM) as response:
                        assert response.status == 200
                async with http.post(f"{room}/moderation", json={"action": "set", "slow": 1}, headers=PROGRAM) as done:
                    assert done.status == 200
        assert not any(each.done() for each in slow)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.slow
async def test_guesses_from_many_addresses_keep_no_invited_person_out(public: Public) -> None:
    """Strangers use up the wrong passwords of a room; the owner's link and invitations go on to let people in."""
    async with public(arguments=BEHIND_A_PROXY) as server, aiohttp.ClientSession() as http:
        room = f"{server.url}/api/rooms/lobby"

        async def enter(address: str, **fields: str) -> int:
            headers = {"X-Forwarded-For": address}
            async with http.post(f"{room}/entry", json=fields, headers=headers) as response:
                return response.status

        async with http.post(
            f"{room}/moderation", json={"action": "set", "password": "sesame"}, headers=PROGRAM
        ) as done:
            assert done.status == 200
        async with http.post(f"{room}/moderation", json={"action": "invite"}, headers=PROGRAM) as done:
            invitation = (await done.json())["token"]
        async with server.attacked():
            for network, way in enumerate(("invite", "owner", "password")):
                guesses = (enter(f"198.{network}.{each % 20}.1", **{way: "wrong"}) for each in range(160))
                assert 403 in await asyncio.gather(*guesses)
            assert await enter("203.0.113.1", owner=OWNER) == 200
            assert await enter("203.0.113.2", invite=invitation) == 200
        await server.settles()
