"""What is kept of a client when it has gone: nothing, at once, without the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

import pytest

from pychat import ChatRoom
from pychat.transports.socketio import Server, SocketIOTransport

_LIVES = 50
_REMEMBERED = "pychat.domain.rates.Usage"  # rates know the last 20,000 people for a while: tests/attacks/test_rates.py


def objects() -> Counter[str]:
    """How many objects there are, by their class."""
    return Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())


async def gone(server: Server) -> None:
    """Wait until the server has no session, and nothing under way."""
    async with asyncio.timeout(10):
        while server.eio.registry.sockets or server.eio.registry.tasks or server.eio.registry.websockets:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("end", ["never connects", "never polls", "says goodbye", "breaks the protocol"])
async def test_a_polling_client(serve, end):
    """However the session of a client that polls ends, all that it held is free: sessions, packets, deadlines, its request."""
    room = ChatRoom("lobby", store="memory:")
    server = SocketIOTransport(room, connect_timeout=0.3, ping_interval=0.3, ping_timeout=0.2).server
    wire = await serve(server)

    async def life() -> None:
        sid = await wire.open_polling()
        if end != "never connects":
            await wire.post(sid, "40")
            await wire.post(sid, '421["say",{"text":"hi"}]')
        if end == "says goodbye":
            await wire.post(sid, "1")
        if end == "breaks the protocol":
            await wire.post(sid, "garbage")

    async def lives(count: int) -> None:
        for _ in range(count // 10):
            await asyncio.gather(*(life() for _ in range(10)))
        await gone(server)

    await lives(20)
    gc.collect()
    gc.disable()
    try:
        before = objects()
        await lives(_LIVES)
        found = objects() - before
    finally:
        gc.enable()
    assert {} == {
        name: count
        for name, count in found.items()
        if name.startswith("pychat.") and name != _REMEMBERED and count > _LIVES // 10
    }
    eio = server.eio
    wheels = (
        eio.registry.connecting,
        eio.registry.upgrading,
        server.core.half_received,
        eio.registry.pings,
        eio.registry.pongs,
        eio.registry.partings,
    )
    assert [0] * 6 == [len(wheel) for wheel in wheels]
    assert ({}, {}, {}, {}) == (server.environ, server.manager.rooms, server.manager.callbacks, eio.registry.parting)
    await room.aclose()
