"""The commands as processes, and how tests wait for what they print."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

__all__ = ["Done", "ended", "environment", "running"]

TIMEOUT = 20.0


class Done:
    """A command that has ended."""

    def __init__(self, status: int, out: str, error: str) -> None:
        self.status = status
        self.out = out
        self.error = error


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which nobody was here before; times are in UTC."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYCHAT_", "XDG_", "COLUMNS", "LINES"))
    }
    return {**kept, "HOME": str(home), "TZ": "UTC", "LOGNAME": "grace", **more}


@contextlib.asynccontextmanager
async def running(
    home: Path, *arguments: str, stdin: int | None = None, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `pychat` with these arguments; kill it in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pychat", *arguments),
        stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(home, **more),
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def ended(home: Path, *arguments: str, given: str | None = None, **more: str) -> Done:
    """Run `pychat` to its end, with this as its standard input."""
    stdin = None if given is None else asyncio.subprocess.PIPE
    async with running(home, *arguments, stdin=stdin, **more) as process, asyncio.timeout(TIMEOUT):
        out, error = await process.communicate(None if given is None else given.encode())
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), error.decode())
