"""Somebody guesses the password, replays a solution, and asks to come in without end; nobody in the room notices."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import aiohttp
import altcha
import pytest

from tests.attacks.conftest import Public

TOKEN = "a-token-of-programs-for-the-test"
PASSWORD = "open sesame"


async def moderate(http: aiohttp.ClientSession, url: str, **fields: Any) -> None:
    """Do what moderators do."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with http.post(f"{url}/api/rooms/lobby/moderation", json=fields, headers=headers) as response:
        assert response.status == 200, await response.text()


async def codes(http: aiohttp.ClientSession, url: str, requests: list[dict[str, Any]]) -> Counter[str]:
    """How often each code is answered to these requests, which are made at the same moment."""

    async def ask(fields: dict[str, Any]) -> str:
        async with http.post(f"{url}/api/rooms/lobby/entry", json=fields) as response:
            told = await response.json()
            return "" if told["ok"] else str(told["error"]["code"])

    return Counter(await asyncio.gather(*(ask(each) for each in requests)))


@pytest.mark.slow
async def test_guesses_are_few_and_hold_nobody_up(public: Public) -> None:
    """Of two thousand guesses of each kind, ten are compared in all; no secret and no guess is in the log."""
    async with public(arguments=("--api-token", TOKEN)) as server, aiohttp.ClientSession() as http:
        await moderate(http, server.url, action="set", password=PASSWORD)
        async with server.attacked():
            found: Counter[str] = Counter()
            for way in ("password", "invite", "owner"):
                found += await codes(http, server.url, [{way: f"guess-{each}"} for each in range(2000)])
        assert found["rate_limited"] >= 5900
        assert 1 <= found["entry_required"] + found["forbidden"] <= 20  # some seconds pass meanwhile
        assert "guess-" not in server.log
        assert PASSWORD not in server.log
        await server.settles()


async def test_a_solution_is_replayed_and_challenges_are_asked_for(public: Public) -> None:
    """A thousand replays let one guest in; two thousand requests for challenges hold nobody up."""
    async with public(arguments=("--api-token", TOKEN)) as server, aiohttp.ClientSession() as http:
        await moderate(http, server.url, action="set", challenge=True)
        address = f"{server.url}/api/rooms/lobby/challenge"
        async with http.get(address) as response:
            challenge = altcha.Challenge.from_dict((await response.json())["challenge"])
        solution = await asyncio.to_thread(altcha.solve_challenge, challenge)
        assert solution is not None
        payload = altcha.Payload(challenge, solution).to_dict()

        async def take() -> int:
            async with http.get(address) as response:
                await response.read()
                return response.status

        async with server.attacked():
            found = await codes(http, server.url, [{"solution": payload}] * 1000)
            statuses = Counter(await asyncio.gather(*(take() for _ in range(2000))))
        assert found[""] == 1
        assert set(found) <= {"", "challenge_required", "rate_limited"}
        assert set(statuses) <= {200, 429}
        await server.settles()


async def test_thousands_of_requests_to_come_in(public: Public) -> None:
    """They are somebody new each time: twenty wait for a moderator, and the room goes on."""
    async with public(arguments=("--api-token", TOKEN)) as server, aiohttp.ClientSession() as http:
        await moderate(http, server.url, action="set", entry="ask")
        async with server.attacked():
            found: Counter[str] = Counter()
            for _ in range(3):
                found += await codes(http, server.url, [{"ask": {"name": "Eve", "text": "Let me in!"}}] * 1000)
        assert 1 <= found[""] <= 25
        assert set(found) <= {"", "rate_limited"}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with http.get(f"{server.url}/api/rooms/lobby/moderation", headers=headers) as response:
            assert len((await response.json())["asking"]) == found[""]
        await server.settles()
