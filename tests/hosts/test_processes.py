"""Several processes of one application: one room with Redis, and what goes wrong without it is told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.clients import SSEPerson, WebSocketPerson
from tests.hosts.nginx import of_the_docs, proxy
from tests.hosts.program import Running, running
from tests.hosts.talk import everybody_talks
from tests.stores.redis_server import redis_server

APP = """
import os

import pychat


def authenticate(request):
    return pychat.User(str(os.getpid()), f"Process {os.getpid()}") if "which" in request.query else None


room = pychat.ChatRoom("lobby", store=os.environ["STORE"])
app = pychat.asgi_app(room, authenticate=authenticate)
"""
COMMAND = ["uvicorn", "app:app", "--port", "3000"]


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A Redis; its address."""
    with redis_server() as redis:
        yield redis.url


@contextlib.contextmanager
def process(folder: Path, store: str, *more: str) -> Iterator[Running]:
    """The application in a process of its own, or several."""
    folder.mkdir()
    (folder / "app.py").write_text(APP, "utf-8")
    with running(folder, [*COMMAND, *more], STORE=store) as server:
        yield server


async def test_workers_with_redis_are_one_room(tmp_path: Path, store: str) -> None:
    """With `--workers 2`, who is connected to one process hears who is connected to the other."""
    with process(tmp_path / "app", store, "--workers", "2") as server:
        people: dict[str, WebSocketPerson] = {}
        others = []
        while len(people) < 2:
            person = await WebSocketPerson.enter(server.url, which="1")
            name = (await person.event("welcome"))["you"]["name"]
            others.append(people.setdefault(name, person))
            assert len(others) < 200, "there is one process only"
            if people[name] is not person:
                others[-1] = person
        one, two = people.values()
        assert (await one.command("say", {"text": "from one"}))["ok"]
        assert (await two.event("message"))["text"] == "from one"
        for person in others:
            await person.close()


async def test_two_processes_behind_nginx(tmp_path: Path, store: str) -> None:
    """As the docs have it, each person comes to one process: polling finds its session, and all are in one room."""
    upstream = of_the_docs("several.conf")
    with process(tmp_path / "one", store) as one, process(tmp_path / "two", store) as two:
        for told, server in (("127.0.0.1:3000", one), ("127.0.0.1:3001", two)):
            assert told in upstream
            upstream = upstream.replace(told, f"127.0.0.1:{server.port}")
        (tmp_path / "nginx").mkdir()
        with proxy(tmp_path / "nginx", one.port, before=upstream, to="chat") as nginx:
            await everybody_talks(f"{nginx.url}/chat")
            ears = [await WebSocketPerson.enter(server.url) for server in (one, two)]
            for ear in ears:
                await ear.event("welcome")
            dan = await SSEPerson.enter(f"{nginx.url}/chat")
            await dan.event("welcome")
            assert (await dan.command("join", {"name": "Dan again"}))["ok"]
            assert (await dan.command("say", {"text": "to all processes"}))["ok"]
            for ear in ears:
                assert (await ear.event("message"))["text"] == "to all processes"
                await ear.close()
            await dan.close()


async def test_without_stickiness_polling_is_told_so(tmp_path: Path, store: str) -> None:
    """A poll at a process that does not know its session is answered with what Socket.IO's clients understand."""
    with process(tmp_path / "one", store) as one, process(tmp_path / "two", store) as two:
        async with aiohttp.ClientSession() as http:
            address = "socket.io/?EIO=4&transport=polling"
            async with http.get(f"{one.url}/{address}") as response:
                sid = (await response.text()).partition('"sid":"')[2].partition('"')[0]
            async with http.get(f"{two.url}/{address}&sid={sid}") as response:
                assert (response.status, await response.json(content_type=None)) == (
                    400,
                    {"code": 1, "message": "Session ID unknown"},
                )
