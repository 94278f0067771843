"""What is said with a CONNECT: read once, in kilobytes, and forgotten."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp

from tests.attacks.conftest import Public

_SOCKET = "/socket.io/?EIO=4&transport=websocket"
_MOST = 4_096


def _auth(size: int) -> str:
    """An object of exactly `size` bytes, full of empty lists."""
    count = (size - len('{"x":[[]],"y":""}')) // 3
    told = '{"x":[' + "[]," * count + '[]],"y":"'
    return told + "y" * (size - len(told) - 2) + '"}'


async def test_auth_is_not_kept(public: Public):
    """A hundred connections that say as much as they may when they connect, in any number of namespaces: it is forgotten."""
    async with public() as server, AsyncExitStack() as open_:
        async with server.attacked():
            for _ in range(100):
                socket = await open_.enter_async_context(server.websocket(_SOCKET))
                await socket.receive_str()
                for number in range(20):
                    await socket.send_str(f"40/{number},{_auth(_MOST)}")
                await socket.send_str(f"40{_auth(_MOST)}")
                while not (await socket.receive_str(timeout=10)).startswith('40{"'):
                    pass
            # One byte more is answered in words that say the limit, and the connection may try again; a megabyte ends it.
            async with server.websocket(_SOCKET) as socket:
                await socket.receive_str()
                await socket.send_str(f"40{_auth(_MOST + 1)}")
                refused = await socket.receive_str(timeout=10)
                assert refused.startswith('44{"message":')
                assert str(_MOST) in refused
                await socket.send_str(f"40{_auth(_MOST)}")
                assert (await socket.receive_str(timeout=10)).startswith('40{"')
            async with server.websocket(_SOCKET) as socket:
                await socket.receive_str()
                await socket.send_str(f"40{_auth(1_000_000)}")
                assert (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE
                assert socket.close_code in {1009, 4005}
        # What a connection takes, without what it said: 10 KiB, with room to spare.
        assert server.rss() - server._before < 100 * 40 * 1024 + (6 << 20)


async def test_half_messages(public: Public):
    """Attachments that are announced and never come hold less than a message, on connections that talk on."""
    async with public() as server, AsyncExitStack() as open_:
        async with server.attacked():
            announced = (
                '452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},[' + "[]," * 8_000 + "[]]]"
            )
            for _ in range(200):
                socket = await open_.enter_async_context(server.websocket(_SOCKET))
                await socket.receive_str()
                await socket.send_str("40")
                await socket.receive_str()
                await socket.send_str(announced)
            await asyncio.sleep(0.5)
        assert server.rss() - server._before < 200 * 64 * 1024 + (6 << 20)
