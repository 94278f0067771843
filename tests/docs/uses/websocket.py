"""How conversations over the WebSocket are tested."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from tests.docs.stage import Stage


async def is_held_with_a_server(stage: Stage, argument: str) -> None:
    """Sent line by line to a real server, it is answered as shown; only random values and dates differ."""
    _, address = await stage.room()
    async with aiohttp.ClientSession() as http, http.ws_connect(f"http://{address}/ws") as socket:
        for line in stage.code.splitlines():
            direction, _, text = line.partition(" ")
            if direction == "→":
                await socket.send_str(text)
                continue
            while (told := await socket.receive_json())["type"] == "presence":
                pass
            assert direction == "←"
            assert without_chance(told) == without_chance(json.loads(text))


def without_chance(value: Any) -> Any:
    """`value`, with ids, dates and such left out. The order of the fields counts."""
    if isinstance(value, dict):
        made_up = {"id", "token", "date", "epoch"}
        return [(name, type(of) if name in made_up else without_chance(of)) for name, of in value.items()]
    return value
