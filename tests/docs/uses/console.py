"""How the shown output of `pychat serve` is tested."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.clients import WebSocketPerson
from tests.docs.stage import Stage
from tests.servers import pychat_process


async def is_what_serve_prints(stage: Stage, argument: str) -> None:
    """The first line of `pychat serve`; where there is a network, it goes on."""
    async with console() as (_, line):
        assert (await line() + "\n").startswith(stage.code.rstrip())


async def is_what_ada_leaves_on_the_console(stage: Stage, argument: str) -> None:
    """One line for each thing that she does."""
    async with console() as (url, line):
        await line()
        assert "/#owner=" in await line()
        ada = await WebSocketPerson.enter(url)
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "Is anybody here?"})
        expected = [_TIME.sub("12:00:00", shown) for shown in stage.code.splitlines()]
        assert [await line() for _ in expected] == expected
        await ada.close()


async def are_lines_of_the_log(stage: Stage, argument: str) -> None:
    """A visitor who joins, speaks, renames and leaves causes exactly these lines, apart from the time."""

    def without_time(line: dict[str, Any]) -> dict[str, Any]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        return line | {"time": ""}

    with pychat_process() as served:
        ada = await WebSocketPerson.enter(served.url)
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "Hello!"})
        await ada.command("join", {"name": "Countess"})
        await ada.close()
        for shown in map(json.loads, stage.code.splitlines()):
            line = await asyncio.to_thread(served.line, event=shown["event"])
            assert list(shown) == list(line)
            assert without_time(shown) == without_time(line)


_TIME = re.compile(r"^\d\d:\d\d:\d\d")


@contextlib.asynccontextmanager
async def console() -> AsyncIterator[tuple[str, Callable[[], Awaitable[str]]]]:
    """Run `pychat serve` as people do; its address, and its next line, as if it were Ada's, at 12 o'clock on port 3000."""
    home = tempfile.mkdtemp()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pychat", "serve", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "XDG_DATA_HOME"} | {"HOME": home},
    )
    try:
        assert process.stdout is not None
        first = (await process.stdout.readline()).decode()
        (url,) = re.findall(r"at (http://\S+)/", first)
        lines = [first.replace(url, "http://127.0.0.1:3000")]

        async def line() -> str:
            assert process.stdout is not None
            shown = lines.pop() if lines else (await process.stdout.readline()).decode()
            return _TIME.sub("12:00:00", shown.rstrip("\n"))

        yield url, line
    finally:
        process.kill()
        await process.communicate()
        shutil.rmtree(home)
