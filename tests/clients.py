"""Real clients for tests, each as the contract of transports sees people."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextvars import ContextVar
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import aiohttp
import socketio
from engineio.payload import Payload

from pychat.domain.model import Position

__all__ = [
    "TIMEOUT",
    "InRoom",
    "ManyRooms",
    "PollingManyRooms",
    "SSEManyRooms",
    "SSEPerson",
    "SocketIOManyRooms",
    "SocketIOPerson",
    "Told",
    "WebSocketManyRooms",
    "WebSocketPerson",
    "extra_headers",
]

TIMEOUT = 10.0
#: Headers of every request of those who connect from now on, for example the address that a trusted proxy says.
extra_headers: ContextVar[dict[str, str] | None] = ContextVar("extra_headers", default=None)

# python-engineio's client breaks off at the 17th packet of one poll, unless it is told to take more; JavaScript's takes all.
Payload.max_decode_packets = 100_000


class Told:
    """Events that came, by name, waiting to be looked at."""

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[Any]] = {}

    def put(self, name: str, value: Any) -> None:
        """Keep an event."""
        self._queues.setdefault(name, asyncio.Queue()).put_nowait(value)

    async def next(self, name: str) -> Any:
        """The next event of that name."""
        async with asyncio.timeout(TIMEOUT):
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
            query |= {"epoch": since.epoch, "seq": str(since.seq)} | ({"id": since.id} if since.id else {})
        http = aiohttp.ClientSession(headers=extra_headers.get())
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

    async def stall(self) -> None:
        """Read nothing more."""
        self._reading.cancel()

    async def close(self) -> None:
        """Go for good."""
        await self.socket.close()
        await asyncio.wait([self._reading])
        await self._http.close()


class ManyRooms:
    """Somebody on version 2, in many rooms. A subclass connects, and calls `put` with what comes."""

    def __init__(self) -> None:
        self.told = Told()
        #: The first event.
        self.welcome: dict[str, Any] = {}
        #: The names of all events, in order, with their rooms.
        self.log: list[tuple[str, str]] = []

    def put(self, name: str, fields: dict[str, Any]) -> None:
        """Keep an event, by its room."""
        room = "" if name.startswith("ack") else fields.pop("room", "")
        self.log.append((room, name))
        self.told.put(f"{room}/{name}", fields)

    async def event(self, name: str, room: str = "") -> dict[str, Any]:
        """The next event of that name, of a room or of none."""
        told: dict[str, Any] = await self.told.next(f"{room}/{name}")
        return told

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its answer."""
        raise NotImplementedError

    async def send(self, name: str, fields: dict[str, Any]) -> None:
        """Send a command that asks for no answer."""
        raise NotImplementedError

    async def enter(self, *rooms: str | tuple[str, Position | None]) -> dict[str, Any]:
        """Enter rooms, each from a position or from now; what the answer tells of each."""
        entries = []
        for room in rooms:
            name, since = (room, None) if isinstance(room, str) else room
            entry: dict[str, Any] = {"name": name}
            if since is not None:
                entry["since"] = {"epoch": since.epoch, "seq": since.seq} | ({"id": since.id} if since.id else {})
            entries.append(entry)
        answer = await self.command("enter", {"rooms": entries})
        assert answer["ok"], answer
        told: dict[str, Any] = answer["rooms"]
        return told

    async def close(self) -> None:
        """Go for good."""
        raise NotImplementedError

    async def stall(self) -> None:
        """Read nothing more."""
        raise NotImplementedError


class InRoom:
    """A person of version 2 in their only room, as the contract of transports sees people."""

    def __init__(self, person: ManyRooms, room: str) -> None:
        self.person = person
        self.room = room

    @classmethod
    async def enter(cls, person: ManyRooms, since: Position | None = None, room: str = "lobby") -> Self:
        """Enter the room."""
        assert await person.enter((room, since)) == {room: {"ok": True}}
        return cls(person, room)

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command to the room and return its answer."""
        return await self.person.command(name, {**fields, "room": self.room})

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of the room, under its name in version 1."""
        return await self.person.event({"welcome": "entered", "bye": "exited"}.get(name, name), self.room)

    async def stall(self) -> None:
        """Read nothing more."""
        await self.person.stall()

    async def close(self) -> None:
        """Go for good."""
        await self.person.close()


class WebSocketManyRooms(ManyRooms):
    """Somebody on the plain WebSocket of version 2."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__()
        self._http = http
        self.socket = socket
        self._numbers = itertools.count(1)
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, token: str | None = None, **query: str) -> Self:
        """Connect to the mount at `url`, and say hello."""
        http = aiohttp.ClientSession(headers=extra_headers.get())
        person = cls(http, await http.ws_connect(f"{url}/ws", params=query, protocols=("pychat.v2",)))
        await person.socket.send_json({"type": "hello"} | ({} if token is None else {"token": token}))
        person.welcome = await person.event("welcome")
        return person

    async def _read(self) -> None:
        async for message in self.socket:
            told = json.loads(message.data)
            name = told.pop("type")
            self.put(f"ack {told.pop('ref')}" if name == "ack" else name, told)
        self.put("closed", {"code": self.socket.close_code})

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its answer."""
        number = next(self._numbers)
        await self.socket.send_json({**fields, "type": name, "ref": number})
        return await self.event(f"ack {number}")

    async def send(self, name: str, fields: dict[str, Any]) -> None:
        """Send a command that asks for no answer."""
        await self.socket.send_json({**fields, "type": name})

    async def stall(self) -> None:
        """Read nothing more."""
        self._reading.cancel()

    async def close(self) -> None:
        """Go for good."""
        await self.socket.close()
        await asyncio.wait([self._reading])
        await self._http.close()


class SocketIOPerson:
    """Somebody on Socket.IO, over python-socketio's client."""

    def __init__(self) -> None:
        # Its own session would not be closed where a server ends a poll.
        self._http = aiohttp.ClientSession(headers=extra_headers.get())
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
            auth["since"] = {"epoch": since.epoch, "seq": since.seq} | ({"id": since.id} if since.id else {})
        try:
            await person.client.connect(
                url, auth=auth or None, transports=list(transports), socketio_path=path, wait_timeout=TIMEOUT
            )
        except BaseException:
            await person._http.close()
            raise
        return person

    async def command(self, name: str, fields: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        answer: dict[str, Any] = await self.client.call(name, fields, timeout=TIMEOUT)
        return answer

    async def event(self, name: str) -> Any:
        """The next event of that name."""
        return await self.told.next(name)

    async def stall(self) -> None:
        """Read nothing more."""
        self.client.eio.read_loop_task.cancel()

    async def close(self) -> None:
        """Go for good."""
        try:
            await self.client.disconnect()
        except asyncio.CancelledError:
            # It waits for the task that was stopped by `stall`.
            if not self.client.eio.read_loop_task.cancelled():
                raise
        finally:
            await self._http.close()


class SocketIOManyRooms(ManyRooms):
    """Somebody on Socket.IO, on version 2."""

    transports: tuple[str, ...] = ("websocket",)

    def __init__(self) -> None:
        super().__init__()
        self._http = aiohttp.ClientSession(headers=extra_headers.get())  # as above
        self.client = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self.client.on("*", lambda name, *arguments: self.put(name, arguments[0]))
        self.client.on("disconnect", lambda reason: self.put("closed", {"reason": reason}))

    @classmethod
    async def connect(cls, url: str, token: str | None = None, **query: str) -> Self:
        """Connect to the mount at `url`."""
        person = cls()
        path = f"{urlsplit(url).path}/socket.io".lstrip("/")
        address = f"{url}?{urlencode(query)}" if query else url
        auth = {"v": 2} | ({} if token is None else {"token": token})
        try:
            await person.client.connect(
                address, auth=auth, transports=list(cls.transports), socketio_path=path, wait_timeout=TIMEOUT
            )
        except BaseException:
            await person._http.close()
            raise
        person.welcome = await person.event("welcome")
        return person

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its answer."""
        answer: dict[str, Any] = await self.client.call(name, fields, timeout=TIMEOUT)
        return answer

    async def send(self, name: str, fields: dict[str, Any]) -> None:
        """Send a command that asks for no answer."""
        await self.client.emit(name, fields)

    async def stall(self) -> None:
        """Read nothing more."""
        self.client.eio.read_loop_task.cancel()

    async def close(self) -> None:
        """Go for good."""
        try:
            await self.client.disconnect()
        except asyncio.CancelledError:
            if not self.client.eio.read_loop_task.cancelled():
                raise
        finally:
            await self._http.close()


class PollingManyRooms(SocketIOManyRooms):
    """Somebody on Socket.IO over long-polling, on version 2."""

    transports = ("polling",)


class SSEPerson:
    """Somebody on an event stream, who sends commands by POST, over aiohttp's client."""

    def __init__(self, http: aiohttp.ClientSession, url: str, response: aiohttp.ClientResponse) -> None:
        self.http = http
        self.url = url
        self.response = response
        self.told = Told()
        #: The `id` that a browser would remember.
        self.offset: str | None = None
        self._said: set[str] = set()
        self._reading = asyncio.create_task(self._read())
        self._token: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @classmethod
    async def enter(
        cls, url: str, since: Position | None = None, /, *, room: str = "lobby", headers: Any = None, **query: str
    ) -> Self:
        """Open a stream of the mount at `url`."""
        headers = dict(headers or {})
        if since is not None:
            headers["Last-Event-ID"] = f"{since.epoch}:{since.seq}" + (f".{since.id}" if since.id else "")
        http = aiohttp.ClientSession(headers=extra_headers.get(), timeout=aiohttp.ClientTimeout(total=None))
        address = f"{url}/api/rooms/{room}"
        return cls(http, address, await http.get(f"{address}/events", params=query, headers=headers))

    async def _read(self) -> None:
        name, data = "", ""
        try:
            async for raw in self.response.content:
                field, _, value = raw.decode().rstrip("\n").partition(": ")
                if field == "id":
                    self.offset = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif not field and data:
                    told = json.loads(data)
                    assert told.pop("type") == name
                    if name == "welcome":
                        self._token.set_result(told.get("token", ""))
                    self.told.put(name, told)
                    data = ""
        except aiohttp.ClientError:
            pass
        self.told.put("closed", None)

    @property
    async def headers(self) -> dict[str, str]:
        """What a request says to speak for this person."""
        async with asyncio.timeout(TIMEOUT):
            token = await asyncio.shield(self._token)
        return {"Authorization": f"Bearer {token}"}

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its answer."""
        async with self.http.post(f"{self.url}/commands/{name}", json=fields, headers=await self.headers) as response:
            answer: dict[str, Any] = await response.json()
        if name == "say" and answer["ok"]:
            self._said.add(answer["id"])
        return answer

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of that name. What this person said comes back over the stream, and is passed over."""
        while True:
            told: dict[str, Any] = await self.told.next(name)
            if name != "message" or told["id"] not in self._said:
                return told

    async def stall(self) -> None:
        """Read nothing more."""
        self._reading.cancel()

    async def drop(self) -> None:
        """Lose the connection."""
        self.response.close()
        await asyncio.wait([self._reading])

    async def close(self) -> None:
        """Go for good."""
        if not self._reading.done():
            async with self.http.delete(f"{self.url}/events", headers=await self.headers):
                pass
        self.response.close()
        await asyncio.wait([self._reading])
        await self.http.close()


class SSEManyRooms(ManyRooms):
    """Somebody on an event stream of version 2, who sends commands by POST."""

    def __init__(self, http: aiohttp.ClientSession, url: str, response: aiohttp.ClientResponse) -> None:
        super().__init__()
        self.http = http
        self.url = url
        self.response = response
        #: The `id` that a browser would remember.
        self.offset: str | None = None
        self._said: set[str] = set()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, token: str | None = None, *query: tuple[str, str], **headers: str) -> Self:
        """Open a stream of the mount at `url`."""
        http = aiohttp.ClientSession(headers=extra_headers.get(), timeout=aiohttp.ClientTimeout(total=None))
        pairs = [*query] if token is None else [("token", token), *query]
        person = cls(http, f"{url}/api", await http.get(f"{url}/api/events", params=pairs, headers=headers))
        person.welcome = await person.event("welcome")
        return person

    async def _read(self) -> None:
        name, data = "", ""
        try:
            async for raw in self.response.content:
                field, _, value = raw.decode().rstrip("\n").partition(": ")
                if field == "id":
                    self.offset = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif not field and data:
                    told = json.loads(data)
                    assert told.pop("type") == name
                    self.put(name, told)
                    data = ""
        except aiohttp.ClientError:
            pass
        self.put("closed", {})

    @property
    def headers(self) -> dict[str, str]:
        """What a request says to speak for this person."""
        return {"Authorization": f"Bearer {self.welcome['token']}"} if "token" in self.welcome else {}

    async def command(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its answer."""
        async with self.http.post(f"{self.url}/commands/{name}", json=fields, headers=self.headers) as response:
            answer: dict[str, Any] = await response.json()
        if name == "say" and answer["ok"]:
            self._said.add(answer["id"])
        return answer

    async def event(self, name: str, room: str = "") -> dict[str, Any]:
        """The next event of that name. What this person said comes back over the stream, and is passed over."""
        while True:
            told = await super().event(name, room)
            if name != "message" or told["id"] not in self._said:
                return told

    async def send(self, name: str, fields: dict[str, Any]) -> None:
        """Send a command that asks for no answer: there is none over HTTP."""
        told = await self.command(name, fields)
        refused = {fields.get("room", ""): told, **told.get("rooms", {})}
        for room, each in refused.items():
            if not each["ok"]:
                self.put("error", {"room": room, **each["error"]})

    async def stall(self) -> None:
        """Read nothing more."""
        self._reading.cancel()

    async def close(self) -> None:
        """Go for good."""
        if not self._reading.done():
            async with self.http.delete(f"{self.url}/events", headers=self.headers):
                pass
        self.response.close()
        await asyncio.wait([self._reading])
        await self.http.close()
