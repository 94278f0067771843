"""A person in 200 rooms on one connection: to enter all of them after a drop, and what a message costs."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from benchmarks.load import Result
from pychat import ChatRoom, aiohttp_app
from pychat.domain import strictjson

ROOMS = 200
IN_ONE_ENTER = 100
MESSAGES = 2000


class Person:
    """A client of version 2 that reads as little as it can."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, welcome: dict[str, str]) -> None:
        self._socket = socket
        self.token = welcome["token"]

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, url: str, token: str | None = None) -> Person:
        """Connect to the mount at `url`."""
        socket = await http.ws_connect(f"{url}/ws", protocols=("pychat.v2",))
        await socket.send_str(strictjson.dumps({"type": "hello", **({} if token is None else {"token": token})}))
        return cls(socket, strictjson.loads(await socket.receive_str()))

    async def enter(self, entries: list[dict[str, object]]) -> None:
        """Enter rooms, with as many commands at once as they take, and read until all are answered."""
        commands = [entries[start : start + IN_ONE_ENTER] for start in range(0, len(entries), IN_ONE_ENTER)]
        for number, rooms in enumerate(commands):
            await self._socket.send_str(strictjson.dumps({"type": "enter", "rooms": rooms, "ref": number}))
        unanswered = len(commands)
        while unanswered:
            unanswered -= (await self._socket.receive_str()).startswith('{"type":"ack"')

    async def join(self, room: str, name: str) -> None:
        """Take a nickname in a room."""
        await self._socket.send_str(strictjson.dumps({"type": "join", "room": room, "name": name, "ref": "join"}))
        while '"ref":"join"' not in await self._socket.receive_str():
            pass

    async def close(self) -> None:
        """Lose the connection."""
        await self._socket.close(code=1001)


@asynccontextmanager
async def served(rooms: list[ChatRoom]) -> AsyncIterator[str]:
    """Serve the rooms on this event loop."""
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(*rooms))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/chat"
    finally:
        await runner.cleanup()


async def measure(rounds: int, number: int) -> dict[str, float]:
    """The milliseconds to enter so many rooms after a drop, and the microseconds of a message for one who is there."""
    rooms = [ChatRoom(f"room-{each}") for each in range(number)]
    async with served(rooms) as url, aiohttp.ClientSession() as http:
        person = await Person.connect(http, url)
        await person.enter([{"name": room.name} for room in rooms])
        await person.join(rooms[0].name, "Ada")
        taken, messages = [], []
        for _ in range(rounds):
            since = [{"epoch": room.position.epoch, "seq": room.position.seq} for room in rooms]
            token = person.token
            await person.close()
            for room in rooms:
                await room.post("missed", author="bot")
            person = await Person.connect(http, url, token)
            entries: list[dict[str, object]] = [
                {"name": room.name, "since": each} for room, each in zip(rooms, since, strict=True)
            ]
            begun = time.perf_counter()
            await person.enter(entries)
            taken.append((time.perf_counter() - begun) * 1000)
            begun = time.perf_counter()
            for _ in range(MESSAGES):
                await rooms[0].post("hello", author="bot")
            messages.append((time.perf_counter() - begun) * 1e6 / MESSAGES)
            await asyncio.sleep(number / 200)  # the rate of `enter`
        await person.close()
    return {"enter": statistics.median(taken), "message": statistics.median(messages)}


@dataclass
class ManyRooms:
    """One connection in many rooms, as a cell."""

    title: str = "one connection in 200 rooms"
    servers: tuple[str, ...] = ("pychat",)
    takes: float = 20
    most_rounds: dict[str, int] = field(default_factory=lambda: {"": 1})

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Measure eleven times, with one room and with all."""
        del name, seconds
        for number in (1, ROOMS):
            yield {"label": f"{number}", **asyncio.run(measure(11, number))}
