"""Several workers of one application without a store that they share: that is noticed, and said in one line."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.hosts.program import Running, free_port, running

APP = """
import os

import pychat
from fastapi import FastAPI
from pychat.hosts import siblings

siblings._AGAIN_SECONDS = 0.3
room = pychat.ChatRoom("lobby", store=os.environ["STORE"])
chat = pychat.asgi_app(room)
app = FastAPI(lifespan=chat.lifespan)
app.mount("/chat", chat)


@app.get("/which")
async def which():
    return os.getpid()
"""
SERVERS = {
    "uvicorn": ["uvicorn", "app:chat", "--port", "3000"],
    "hypercorn": ["hypercorn", "app:chat", "--bind", "127.0.0.1:3000"],
    "granian": ["granian", "app:chat", "--interface", "asgi", "--port", "3000"],
}
REMEDY = "Several workers serve the room lobby, and each keeps it in its own memory"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the application is."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    return tmp_path


async def _asks(server: Running, *, until: str) -> None:
    """Ask for the page, on a new connection each time, until the log says so."""
    async with asyncio.timeout(30):
        while until not in server.log:
            async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/rooms"):
                await asyncio.sleep(0.05)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is noticed on Linux")
@pytest.mark.parametrize("name", SERVERS)
async def test_a_room_in_the_memory_of_two_workers_is_said(folder: Path, name: str) -> None:
    """People in one do not hear those in the other: one line says so, with the remedy."""
    with running(folder, [*SERVERS[name], "--workers", "2"], STORE="memory:") as server:
        await _asks(server, until=REMEDY)
        assert server.log.count(REMEDY) == 1
        assert "--workers 1" in server.log
        assert "redis://" in server.log


@pytest.mark.parametrize("more", [[], ["--workers", "1"], ["--reload"]], ids=["plain", "one worker", "reload"])
async def test_one_worker_is_not_warned_of(folder: Path, more: list[str]) -> None:
    """Nor is one that has taken the place of another, nor two servers of one parent at two ports."""
    with (
        running(folder, [*SERVERS["uvicorn"], *more], STORE="memory:") as one,
        running(folder, SERVERS["uvicorn"], STORE="memory:") as other,
    ):
        for server in (one, other):
            for _ in range(15):
                async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/rooms") as response:
                    assert response.status == 200
                await asyncio.sleep(0.05)
            assert REMEDY not in server.log


@pytest.mark.parametrize("app", ["app:chat", "app:app"], ids=["asgi", "fastapi"])
@pytest.mark.slow
def test_a_file_for_two_workers_ends_the_server_with_what_to_do(folder: Path, app: str) -> None:
    """It does not start, and says why in words, without a way through our code."""
    command = [str(Path(sys.executable).with_name("uvicorn")), app, "--port", str(free_port()), "--workers", "2"]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "STORE": "sqlite:chat.db", "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert "is in use by another worker of this server (process " in said
    assert "Start one worker (--workers 1), or use Redis" in said
    assert "another --store" not in said
    assert "pychat/stores" not in said
    assert "Application startup complete." in said
    assert "Application startup failed. Exiting." in said
