"""How conversations over the WebSocket are tested."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.docs.stage import Stage


async def is_held_with_a_server(stage: Stage, argument: str) -> None:
    """Sent line by line to a real server, it is answered as shown; only random values and dates differ."""
    async for told, shown in _held(stage, "pychat.v1"):
        assert without_chance(told) == without_chance(shown)


async def is_held_in_many_rooms_with_a_server(stage: Stage, argument: str) -> None:
    """The same on version 2, where some fields are not shown."""
    async for told, shown in _held(stage, "pychat.v2"):
        assert without_chance(shown) == without_chance(_as_shown(told, shown))


async def _held(stage: Stage, protocol: str) -> AsyncIterator[tuple[Any, Any]]:
    """Each answer of a server, and what is shown of it."""
    _, address = await stage.room()
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://{address}/ws", protocols=(protocol,)) as socket,
    ):
        for line in stage.code.splitlines():
            direction, _, text = line.partition(" ")
            if direction == "→":
                await socket.send_str(text)
                continue
            while (told := await socket.receive_json())["type"] == "presence":
                pass
            assert direction == "←"
            yield told, json.loads(text)


def _as_shown(told: Any, shown: Any) -> Any:
    """`told`, with only those fields that are shown."""
    if isinstance(told, dict):
        return {name: _as_shown(told[name], of) for name, of in shown.items()}
    return told


def without_chance(value: Any) -> Any:
    """`value`, with ids, dates and such left out. The order of the fields counts."""
    if isinstance(value, dict):
        made_up = {"id", "token", "date", "epoch"}
        return [(name, type(of) if name in made_up else without_chance(of)) for name, of in value.items()]
    return value
