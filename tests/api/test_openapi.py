"""The OpenAPI document, held to what the server does by schemathesis, against a real server."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest

import pychat
from pychat import ChatRoom, Limits
from pychat.web.api.api import OPERATIONS
from tests.clients import SSEPerson
from tests.servers import aiohttp_server

TOKEN = "a-token-of-the-server"
CONFIG = """\
[generation]
max-examples = 8
# Clients may send more than we know, as on every wire.
allow-extra-parameters = false

[phases.stateful]
# The document says which answers lead where; a guess takes a message's id for its number.
inference.algorithms = []

[checks]
# What was deleted leaves a mark, which can still be looked at, and cannot be edited.
use_after_free.enabled = false
ensure_resource_availability.enabled = false
# What has the right form can still be against the rules: a text of white space, a name that is taken.
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422"]

# A text that is no address, and an id of nothing, have the right form.
[[operations]]
include-operation-id = "moderate"
checks.positive_data_acceptance.enabled = false

# Each command has fields of its own; they are described with the wire.
[[operations]]
include-operation-id = "command"
checks.positive_data_acceptance.enabled = false
"""


async def complaints(url: str, token: str, folder: Path, *leave_out: str) -> str:
    """What schemathesis has to say of the API at `url`; nothing if all is well."""
    (folder / "schemathesis.toml").write_text(CONFIG, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--generation-deterministic", "--no-color"),
        *(part for name in ("listen", "listenToRooms", *leave_out) for part in ("--exclude-operation-id", name)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    told = (await process.communicate())[0].decode()
    return "" if process.returncode == 0 and "Tested:" in told else told


@pytest.mark.timeout(180)
@pytest.mark.parametrize("who", ["program", pytest.param("visitor", marks=pytest.mark.slow)])
# What schemathesis sends to learn what a server takes is no HTTP, and aiohttp says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_server_does_what_the_document_says(who: str, tmp_path: Path) -> None:
    """Whatever is sent, answers have the statuses, types, headers and schemas that are described; and nothing fails."""
    room = ChatRoom("lobby", limits=Limits(rate=0))
    for number in range(3):
        await room.post(f"message {number}", author="bot")
    async with aiohttp_server(pychat.aiohttp_app(room, api_tokens=TOKEN)) as url:
        if who == "program":
            told = await complaints(url, TOKEN, tmp_path)
            assert not told, told
        else:
            ada = await SSEPerson.enter(url, name="Ada")
            token = (await ada.event("welcome"))["token"]
            told = await complaints(url, token, tmp_path, "leave")
            assert not told, told
            await ada.close()
        assert len(await room.history(limit=100)) > 3


async def test_the_document_describes_each_operation() -> None:
    """With one id for each, who may ask, and only schemas that there are."""
    async with (
        aiohttp_server(pychat.aiohttp_app(ChatRoom("lobby"), ChatRoom("kitchen"))) as url,
        aiohttp.ClientSession() as http,
        http.get(f"{url}/api/openapi.json") as response,
    ):
        told = await response.json()
    assert told["openapi"] == "3.1.0"
    described = {each["operationId"]: each for path in told["paths"].values() for each in path.values()}
    assert set(described) == {operation.name for operation in OPERATIONS}
    assert len(described) == len(OPERATIONS)
    assert described["say"]["parameters"][0]["schema"]["enum"] == ["lobby", "kitchen"]
    assert described["say"]["security"] == [{}, {"token": []}]
    used = json.dumps(told).split('"#/components/schemas/')[1:]
    assert {each.partition('"')[0] for each in used} == set(told["components"]["schemas"])
