"""The owner's link of `pychat serve`: printed once, for people, and worth nothing after the end of the server."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.clients import WebSocketPerson
from tests.servers import pychat_process

CHOSEN = "an-owner-token-of-mine"


class Printed:
    """A server that logs as text, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        self.text = ""

    def until(self, pattern: str) -> str:
        """Read up to a line with the pattern; its first group."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line
            found = re.search(pattern, line)
            if found:
                return found[1]
        raise AssertionError(f"it ended without {pattern}\n{self.text}")

    def stop(self) -> str:
        """End it; all that it has printed."""
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=20)
        self.text += rest
        return self.text


@contextlib.contextmanager
def printing(store: Path, *arguments: str, **variables: str) -> Iterator[Printed]:
    """Run it as people do."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYCHAT_")} | variables
    command = [sys.executable, "-m", "pychat", "serve", "--port", "0", "--store", f"sqlite:{store}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    served = Printed(process)
    try:
        served.url = served.until(r"at (http://\S+)/ ")
        yield served
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def enter(url: str, owner: str, token: str | None = None) -> tuple[int, Any]:
    """Show an owner's token, as the page does."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{url}/api/rooms/lobby/entry", json={"owner": owner}) as response,
    ):
        return response.status, await response.json()


async def role_of(url: str, token: str) -> str | None:
    """The role of the member whose token this is."""
    person = await WebSocketPerson.enter(url)
    joined = await person.command("join", {"name": "Ada", "token": token})
    assert joined["ok"], joined
    roles: list[str] = joined["member"].get("roles", [])
    await person.close()
    return roles[0] if roles else None


async def test_the_link_makes_an_owner_until_the_server_stops(tmp_path: Path) -> None:
    """It is printed once; after a restart it opens nothing, and the role that it gave is still there."""
    with printing(tmp_path / "chat.db") as served:
        token = served.until(r"/#owner=(\S+)$")
        status, told = await enter(served.url, token)
        assert (status, told["role"]) == (200, "owner")
        mine = told["token"]
        assert await role_of(served.url, mine) == "owner"
        assert (await enter(served.url, token + "x"))[0] == 403
        assert served.stop().count(token) == 1
    with printing(tmp_path / "chat.db") as served:
        assert served.until(r"/#owner=(\S+)$") != token
        assert (await enter(served.url, token))[0] == 403
        assert await role_of(served.url, mine) == "owner"


@pytest.mark.parametrize("how", ["flag", "variable"])
async def test_a_chosen_token_is_never_shown(tmp_path: Path, how: str) -> None:
    """Not when it is used either; and no other link is made."""
    arguments = ("--owner-token", CHOSEN) if how == "flag" else ()
    variables = {"PYCHAT_OWNER_TOKEN": CHOSEN} if how == "variable" else {}
    with printing(tmp_path / "chat.db", *arguments, **variables) as served:
        assert (await enter(served.url, CHOSEN))[1]["role"] == "owner"
        assert (await enter(served.url, f"{CHOSEN}?"))[0] == 403
        printed = served.stop()
    assert CHOSEN not in printed
    assert "owner=" not in printed


async def test_a_log_in_json_has_no_link() -> None:
    """Where nobody reads the start, there is no token to find: without `--owner-token`, none opens anything."""
    with pychat_process() as served:
        for guess in ("", "None", "null", "x" * 32):
            assert (await enter(served.url, guess))[0] in (400, 403)
        served.process.send_signal(signal.SIGTERM)
        rest, _ = served.process.communicate(timeout=20)
        assert "owner" not in rest
