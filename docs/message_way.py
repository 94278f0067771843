"""Follows one message through pychat: from the bytes that its author sends to the bytes that another person is sent."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NamedTuple, TypeVarTuple

import aiohttp
from aiohttp import web

import pychat
from pychat.hosts.aiohttp import MOUNT
from pychat.hosts.connection import HttpConnection
from pychat.net.addresses import AddressLimiter
from pychat.net.http.connections import Connections
from pychat.room.clock import Clock
from pychat.transports.socketio.handshake_router import HandshakeRouter

__all__ = ["Stop", "files", "message_way"]

SOURCES = Path(pychat.__file__).parent
_TEXT = "on its way"
_BODY_BYTES = 100_000
_Args = TypeVarTuple("_Args")


class Stop(NamedTuple):
    """A function that the message passes."""

    #: Below `src/pychat`.
    file: str
    function: str


def message_way() -> list[Stop]:
    """The functions that run for a message from one Socket.IO client to another, in order: the store is `memory:`."""
    found: list[list[Stop]] = []
    # A thread of its own: whoever asks may have an event loop, and a profiler.
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_follow())))
    thread.start()
    thread.join()
    return found[0]


def files(stops: list[Stop]) -> list[tuple[Stop, str]]:
    """The first stop in each file that is no property, and what the function does: the first line of its docstring."""
    firsts: dict[str, Stop] = {}
    for stop in stops:
        if stop.file not in firsts and not _is_property(stop):
            firsts[stop.file] = stop
    return [(stop, _says(stop)) for stop in firsts.values()]


def _is_property(stop: Stop) -> bool:
    return isinstance(_function(stop), property)


def _says(stop: Stop) -> str:
    # A method without a docstring does what the method of its base class says; a constructor, what its class says.
    says = inspect.getdoc(_function(Stop(stop.file, stop.function.removesuffix(".__init__"))))
    assert says is not None, f"{stop} has no docstring"  # noqa: S101 -- for whoever changes that function
    return says.partition("\n")[0]


def _function(stop: Stop) -> object:
    found: object = import_module("pychat." + stop.file.removesuffix(".py").replace("/", "."))
    for name in stop.function.split("."):
        found = getattr(found, name, None)
    return found


class _Timer:
    def cancel(self) -> None:
        """There is nothing to cancel."""


class _NoTimers(Clock):
    """A clock whose timers never go off: what they do is not on the way of the message."""

    def call_later(self, delay: float, callback: Callable[[*_Args], object], *args: *_Args) -> _Timer:
        return _Timer()


async def _follow() -> list[Stop]:
    async with _served(pychat.ChatRoom(clock=_NoTimers())) as url, aiohttp.ClientSession() as http:
        ada, bob = await _enter(http, url, "Ada"), await _enter(http, url, "Bob")
        await _say(ada, bob, "what is made once is made by now")
        with _followed() as passed:
            await _say(ada, bob, _TEXT)
    return passed


async def _say(author: aiohttp.ClientWebSocketResponse, other: aiohttp.ClientWebSocketResponse, text: str) -> None:
    await author.send_str(f'42["say",{{"text":"{text}"}}]')
    await _told(other, text)


@asynccontextmanager
async def _served(room: pychat.ChatRoom) -> AsyncIterator[str]:
    """Serve `room` in this process, on a port of its own, as `pychat serve` does."""
    app = pychat.aiohttp_app(room)
    runner = web.AppRunner(app)
    await runner.setup()
    server, plain = app[MOUNT].socketio.server, runner.server
    assert plain is not None  # noqa: S101 -- it is set up
    connections = Connections(AddressLimiter(100, 100), server.eio.proxies)
    listening = await asyncio.get_running_loop().create_server(
        lambda: HandshakeRouter(
            server, lambda: HttpConnection(plain, connections, max_body_bytes=_BODY_BYTES), connections=connections
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        await app[MOUNT].aclose()
        listening.close()
        await runner.cleanup()


async def _enter(http: aiohttp.ClientSession, url: str, name: str) -> aiohttp.ClientWebSocketResponse:
    """Come in over Socket.IO, and take a name."""
    socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket")
    await socket.send_str('40{"v":1}')
    await _told(socket, "welcome")
    await socket.send_str(f'420["join",{{"name":"{name}"}}]')
    await _told(socket, '430[{"ok":true')
    return socket


async def _told(socket: aiohttp.ClientWebSocketResponse, words: str) -> None:
    async with asyncio.timeout(10):
        while words not in str((await socket.receive()).data):
            pass


@contextmanager
def _followed() -> Iterator[list[Stop]]:
    """Yield the functions of pychat that run, from the bytes that come to those with `_TEXT` that go."""
    passed: list[Stop] = []
    under_way = arrived = False

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal under_way, arrived
        if event != "call" or arrived:
            return
        code, path = frame.f_code, Path(frame.f_code.co_filename)
        if under_way and code.co_name == "write":
            arrived = _TEXT.encode() in bytes(frame.f_locals.get("data", b""))
        elif SOURCES in path.parents:
            under_way = under_way or code.co_name == "data_received"
            if under_way:
                passed.append(Stop(path.relative_to(SOURCES).as_posix(), code.co_qualname))

    sys.setprofile(note)
    try:
        yield passed
    finally:
        sys.setprofile(None)
