"""Order on the fast path: messages, answers and pongs on a socket that takes a few bytes at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import cast

import aiohttp
import pytest
import uvloop
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from pychat import ChatRoom, Limits, aiohttp_app
from tests.socketio.conftest import RawClient, Reluctant, listening

PING, TEXT, PONG = 9, 1, 10

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(1, 4000)),
        st.tuples(st.just("say"), st.integers(1, 4000)),
        st.tuples(st.just("ping"), st.integers(1, 100)),
        st.tuples(st.just("read"), st.integers(1, 5)),
        st.tuples(st.just("turn"), st.integers(1, 12)),
    ),
    max_size=40,
)


class Reader:
    """A member with tiny buffers; reads no more than what must come, so it never waits for nothing."""

    def __init__(self, socket: Reluctant) -> None:
        self.socket = socket
        self.owed = 0
        self.heard: list[tuple[str, int]] = []
        self.texts: dict[int, str] = {}
        self.pongs: list[str] = []
        self.asked = 0
        self.pinged = 0

    async def say(self, size: int) -> None:
        """Say something, and ask for an answer."""
        await self.socket.send(f'42{self.asked}["say",{{"text":"{"s" * size}"}}]')
        self.asked += 1
        self.owed += 1

    async def ping(self, size: int) -> None:
        """Send a ping of RFC 6455, which its host answers in the middle of everything."""
        await self.socket.send(f"{self.pinged:03}".ljust(size, "p")[:100], opcode=PING)
        self.pinged += 1
        self.owed += 1

    async def read(self, count: int) -> None:
        """Read so many of the frames that are owed, and whatever stands between."""
        for _ in range(min(count, self.owed)):
            while not self._take(*await self.socket.receive()):
                pass
            self.owed -= 1

    def _take(self, opcode: int, payload: bytes) -> bool:
        if opcode == PONG:
            self.pongs.append(payload.decode())
            return True
        assert opcode == TEXT
        text = payload.decode()
        if text.startswith("43"):
            number, bracket, rest = text[2:].partition("[")
            (answer,) = json.loads(bracket + rest)
            self.heard.append(("answer", answer["seq"]))
            assert int(number) == sum(kind == "answer" for kind, _ in self.heard) - 1
            return True
        event, fields = json.loads(text[2:])
        if event == "message":
            self.heard.append(("message", fields["seq"]))
            self.texts[fields["seq"]] = fields["text"]
        return event == "message"


async def play(actions: list[tuple[str, int]]) -> None:
    """Do the actions in a room on real sockets, read all that is owed, and check it."""
    room = ChatRoom(limits=Limits(rate=0, text=4000))
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(room))
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    listener = listening(4096)
    await web.SockSite(runner, listener).start()
    wire = RawClient(listener.getsockname()[1], cast("aiohttp.ClientSession", None))  # what is by hand asks no session
    socket = await Reluctant.open(wire)
    try:
        await socket.send('40{"v":1}')
        await socket.send('42999["join",{"name":"Ada"}]')
        while not (await socket.receive())[1].startswith(b"43999"):
            pass
        reader = Reader(socket)
        posted: dict[int, str] = {}
        for action, size in [*actions, ("read", 1000)]:
            match action:
                case "post":
                    said = await room.post(f"{len(posted)} {'x' * size}"[:4000], author="bot")
                    posted[said.seq] = said.text
                    reader.owed += 1
                case "say":
                    await reader.say(size)
                case "ping":
                    await reader.ping(size)
                case "read":
                    await reader.read(size)
                case _:
                    for _ in range(size):
                        await asyncio.sleep(0)
        assert posted == reader.texts
        assert sorted(posted) == [seq for kind, seq in reader.heard if kind == "message"]
        assert reader.asked + len(posted) == len(reader.heard)
        told = 0
        for kind, seq in reader.heard:  # no answer overtakes what was stored before it
            if kind == "message":
                told = seq
            else:
                assert told >= max((each for each in posted if each < seq), default=0)
        assert [f"{number:03}" for number in range(reader.pinged)] == [pong[:3] for pong in reader.pongs]
    finally:
        socket.close()
        await runner.cleanup()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@settings(max_examples=25, deadline=None)
@given(actions=ACTIONS)
def test_all_in_order_byte_for_byte(
    loop: Callable[[], asyncio.AbstractEventLoop], actions: list[tuple[str, int]]
) -> None:
    """Broadcasts, answers and pongs arrive whole, once and in order, however little the socket takes at a time."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(play(actions))
