"""Real clients for tests, each as the contract of transports sees people."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, Self

import aiohttp
import socketio

from pychat.model import Position

__all__ = ["PATIENCE", "SocketIOPerson", "Told", "WebSocketPerson"]

PATIENCE = 10.0


class Told:
    """Events that came, by name, waiting to be looked at."""

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[Any]] = {}

    def put(self, name: str, value: Any) -> None:
        """Keep an event."""
        self._queues.setdefault(name, asyncio.Queue()).put_nowait(value)

    async def next(self, name: str) -> Any:
        """The next event of that name."""
        async with asyncio.timeout(PATIENCE):
            return await self._queues.setdefault(name, asyncio.Queue()).get()

    def count(self, name: str) -> int:
        """How many events of that name nobody has looked at."""
        return self._queues[name].qsize() if name in self._queues else 0


class WebSocketPerson:
    """Somebody on the plain WebSocket, over aiohttp's client."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self.socket = socket
        self.told = Told()
        self._numbers = itertools.count(1)
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def enter(cls, url: str, since: Position | None = None, **query: str) -> Self:
        """Connect to the mount at `url`."""
        if since is not None:
            query |= {"epoch": since.epoch, "seq": str(since.seq)}
        http = aiohttp.ClientSession()
        return cls(http, await http.ws_connect(f"{url}/ws", params=query, protocols=("pychat.v1",)))

    async def _read(self) -> None:
        async for message in self.socket:
            told = json.loads(message.data)
            name = told.pop("type")
            self.told.put(f"ack {told.pop('ref')}" if name == "ack" else name, told)
        self.told.put("closed", self.socket.close_code)

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its answer."""
        number = next(self._numbers)
        await self.socket.send_json({**fields, "type": name, "ref": number})
        answer: dict[str, Any] = await self.told.next(f"ack {number}")
        return answer

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of that name."""
        told: dict[str, Any] = await self.told.next(name)
        return told

    async def close(self) -> None:
        """Go for good."""
        await self.socket.close()
        await self._reading
        await self._http.close()


class SocketIOPerson:
    """Somebody on Socket.IO, over python-socketio's client."""

    def __init__(self) -> None:
        # Its own session would not be closed where a server ends a poll.
        self._http = aiohttp.ClientSession()
        self.client = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self.told = Told()
        self.client.on("*", lambda name, *arguments: self.told.put(name, arguments[0] if arguments else None))
        self.client.on("disconnect", lambda reason: self.told.put("disconnect", reason))
        # These two have handlers of their own in version 2013, which "*" would not see.
        self.client.on("message", lambda argument: self.told.put("message", argument))

    @classmethod
    async def enter(
        cls,
        url: str,
        since: Position | None = None,
        *,
        version: int | None = 1,
        transports: tuple[str, ...] = ("websocket",),
        path: str = "socket.io",
        **auth: Any,
    ) -> Self:
        """Connect to the server at `url`; `path` is where Socket.IO is mounted there."""
        person = cls()
        if version is not None:
            auth["v"] = version
        if since is not None:
            auth["since"] = {"epoch": since.epoch, "seq": since.seq}
        try:
            await person.client.connect(url, auth=auth or None, transports=list(transports), socketio_path=path)
        except BaseException:
            await person._http.close()
            raise
        return person

    async def command(self, name: str, fields: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        answer: dict[str, Any] = await self.client.call(name, fields, timeout=PATIENCE)
        return answer

    async def event(self, name: str) -> Any:
        """The next event of that name."""
        return await self.told.next(name)

    async def close(self) -> None:
        """Go for good."""
        await self.client.disconnect()
        await self._http.close()
