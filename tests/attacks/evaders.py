"""Somebody who wants to get around a ban or a mute, on any wire, from any address.

A proxy that the server trusts says the address. IRC has no proxy: there, the address is that of the socket, which is
replaced (`irc_addresses`), because loopback is never banned.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from typing import Any, ClassVar

import aiohttp
import pytest
import socketio

from tests import clients
from tests.clients import (
    TIMEOUT,
    InRoom,
    ManyRooms,
    PollingManyRooms,
    SocketIOManyRooms,
    SocketIOPerson,
    SSEManyRooms,
    SSEPerson,
    Told,
    WebSocketManyRooms,
    WebSocketPerson,
)
from tests.irc.person import IrcPerson

__all__ = ["TOKENS", "WIRES", "Evader", "Place", "Turned", "irc_addresses"]

_irc_addresses: dict[int, str] = {}  # by the port of the client


class Turned(Exception):
    """The server refuses: the code and the text."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Place:
    """Where a room is served."""

    def __init__(self, url: str, irc_port: int) -> None:
        self.url = url
        self.irc_port = irc_port


class Evader(ABC):
    """One connection of one person. `token` is that of the guest."""

    wire: ClassVar[str]
    #: Commands that the wire does not have.
    lacks: ClassVar[tuple[str, ...]] = ()
    token: str | None = None

    @classmethod
    async def come(
        cls, place: Place, address: str, name: str, token: str | None = None, *, user: str | None = None
    ) -> Evader:
        """Enter the lobby under a name, as a guest or as a user of the app. Raise `Turned`."""
        person = cls()
        about = {"X-Forwarded-For": address} | ({} if user is None else {"X-User": user})
        setting = clients.extra_headers.set(about)
        try:
            await person.enter(place, name, token)
        except BaseException:
            await person.close()
            raise
        finally:
            clients.extra_headers.reset(setting)
        return person

    @abstractmethod
    async def enter(self, place: Place, name: str, token: str | None) -> None:
        """Connect and take a name. Raise `Turned`."""

    @abstractmethod
    async def does(self, name: str, /, **fields: Any) -> dict[str, Any]:
        """Perform a command of version 1. Raise `Turned`."""

    @abstractmethod
    async def ended(self) -> str:
        """Wait until the server has put this person out; the code."""

    @abstractmethod
    async def close(self) -> None:
        """Go."""


def _accepted(answer: dict[str, Any]) -> dict[str, Any]:
    if not answer["ok"]:
        raise Turned(answer["error"]["code"], answer["error"]["text"])
    return answer


async def _first(told: Told, *names: str) -> tuple[str, Any]:
    """The event that comes first."""
    waiting = {name: asyncio.ensure_future(told.next(name)) for name in names}
    try:
        async with asyncio.timeout(TIMEOUT):
            await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
        return next((name, task.result()) for name, task in waiting.items() if task.done())
    finally:
        for task in waiting.values():
            task.cancel()


async def _answer(person: Any, command: Coroutine[Any, Any, dict[str, Any]], bye: str) -> dict[str, Any]:
    """The answer to a command. Raise `Turned` if the server says `bye` instead."""
    answer, ended = asyncio.ensure_future(command), asyncio.ensure_future(person.event(bye))
    try:
        async with asyncio.timeout(TIMEOUT):
            await asyncio.wait((answer, ended), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        told = ended.result()
        raise Turned(told["reason"], told["text"])
    finally:
        for task in (answer, ended):
            task.cancel()


class _Version1(Evader):
    """A connection with the commands of version 1."""

    person: Any = None

    async def join(self, name: str, token: str | None) -> None:
        """Take the name."""
        answer = await self.does("join", name=name, **({"token": token} if token else {}))
        self.token = answer.get("token")

    async def does(self, name: str, /, **fields: Any) -> dict[str, Any]:
        return _accepted(await _answer(self.person, self.person.command(name, fields), "bye"))

    async def ended(self) -> str:
        return str((await self.person.event("bye"))["reason"])

    async def close(self) -> None:
        if self.person is not None:
            await self.person.close()


class WebSocket(_Version1):
    wire = "websocket"

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        self.person = await WebSocketPerson.enter(place.url)
        first, told = await _first(self.person.told, "welcome", "error", "bye")
        if first != "welcome":
            raise Turned(told["code"] if first == "error" else told["reason"], told["text"])
        await self.join(name, token)


class SocketIO(_Version1):
    wire = "socketio"
    transports: ClassVar[tuple[str, ...]] = ("websocket",)

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        self.person = await _connected(place, self.transports, {"v": 1})
        await self.person.event("welcome")
        await self.join(name, token)


class Polling(SocketIO):
    wire = "polling"
    transports = ("polling",)


async def _connected(place: Place, transports: tuple[str, ...], auth: dict[str, Any] | None) -> SocketIOPerson:
    person = SocketIOPerson()
    person.client.on("connect_error", lambda error: person.told.put("connect_error", error))
    try:
        await person.client.connect(place.url, auth=auth, transports=list(transports), wait_timeout=TIMEOUT)
    except socketio.exceptions.ConnectionError:
        await person._http.close()
        told = await person.told.next("connect_error")
        raise Turned(told["data"]["code"], told["message"]) from None
    return person


class Client2013(Evader):
    """The client of 2013. It can ask for answers, which have the codes."""

    wire = "2013"
    person: SocketIOPerson | None = None

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        self.person = await _connected(place, ("websocket",), None)
        await self.does("join", name=name)

    async def does(self, name: str, /, **fields: Any) -> dict[str, Any]:
        assert self.person is not None
        word, argument = ("setPseudo", fields["name"]) if name == "join" else ("message", fields.get("text", ""))
        if name not in ("join", "say"):
            return _accepted(await self.person.command(name, fields))  # words of version 1 are for everybody
        return _accepted(await self.person.command(word, argument))

    async def ended(self) -> str:
        assert self.person is not None
        await self.person.event("disconnect")
        return "disconnected"

    async def close(self) -> None:
        if self.person is not None:
            await self.person.close()


class SSE(_Version1):
    wire = "sse"

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        query = {} if token is None else {"token": token}
        self.person = await SSEPerson.enter(place.url, **query)
        first, told = await _first(self.person.told, "welcome", "error", "bye")
        if first != "welcome":
            raise Turned(told["code"] if first == "error" else told["reason"], told["text"])
        self.token = told.get("token")
        await self.does("join", name=name)

    async def close(self) -> None:
        if self.person is not None:
            self.person.response.close()
            await asyncio.wait([self.person._reading])
            await self.person.http.close()


class _Version2(Evader):
    """A connection of version 2, in the lobby."""

    connecting: ClassVar[type[Any]]
    person: ManyRooms | None = None

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        self.person = await self.connecting.connect(place.url, token)
        self.token = self.person.welcome.get("token")
        answer = _accepted(await self.person.command("enter", {"rooms": [{"name": "lobby"}]}))
        _accepted(answer["rooms"]["lobby"])
        await self.does("join", name=name)

    async def does(self, name: str, /, **fields: Any) -> dict[str, Any]:
        assert self.person is not None
        person = InRoom(self.person, "lobby")
        return _accepted(await _answer(person, person.command(name, fields), "bye"))

    async def ended(self) -> str:
        assert self.person is not None
        return str((await self.person.event("exited", "lobby"))["reason"])

    async def close(self) -> None:
        if self.person is not None:
            await self.person.close()


class WebSocket2(_Version2):
    wire = "websocket-2"
    connecting = WebSocketManyRooms


class SocketIO2(_Version2):
    wire = "socketio-2"
    connecting = SocketIOManyRooms


class Polling2(_Version2):
    wire = "polling-2"
    connecting = PollingManyRooms


class SSE2(_Version2):
    wire = "sse-2"
    connecting = SSEManyRooms


class Posts(Evader):
    """Somebody without a connection, who posts. A refusal comes with the first post."""

    wire = "posts"
    lacks = ("react", "typing", "join")
    http: aiohttp.ClientSession | None = None

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        self.http = aiohttp.ClientSession(headers=clients.extra_headers.get())
        self.url = f"{place.url}/api/rooms/lobby"
        self.name: str | None = name
        self.token = token
        await self.does("say", text="hello")

    async def does(self, name: str, /, **fields: Any) -> dict[str, Any]:
        assert self.http is not None
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        method, path = {
            "say": ("POST", "/messages"),
            "edit": ("PATCH", f"/messages/{fields.get('target')}"),
            "delete": ("DELETE", f"/messages/{fields.get('target')}"),
            "history": ("GET", "/messages"),
        }.get(name, ("POST", f"/commands/{name}"))
        if name == "say" and self.name is not None:
            fields["author"] = self.name
        body = None if method in ("GET", "DELETE") else fields
        async with self.http.request(method, self.url + path, headers=headers, json=body) as response:
            answer: dict[str, Any] = await response.json()
        if not answer["ok"]:
            raise Turned(answer["error"]["code"], answer["error"]["text"])
        self.token = answer.get("token", self.token)
        self.name = None if self.token else self.name
        return answer

    async def ended(self) -> str:
        try:
            await self.does("say", text="still here?")
        except Turned as turned:
            return turned.code
        raise AssertionError("the post was accepted")

    async def close(self) -> None:
        if self.http is not None:
            await self.http.close()


class Irc(Evader):
    """Somebody on IRC. Numerics are given as the codes that they stand for."""

    wire = "irc"
    lacks = ("edit", "react", "typing")
    person: IrcPerson | None = None

    async def enter(self, place: Place, name: str, token: str | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        about = clients.extra_headers.get() or {}
        _irc_addresses[port] = about["X-Forwarded-For"].rpartition(" ")[2]
        self.person = await IrcPerson.connect(place.irc_port, local_addr=("127.0.0.1", port))
        if "X-User" in about:
            self.person.say(f"PASS {about['X-User']}")
        self.person.say("CAP LS 302", "CAP REQ :standard-replies echo-message message-tags draft/message-redaction")
        self.person.say(f"NICK {name}", f"USER {name} 0 * :{name}", "CAP END")
        await self.person.line("376")
        self.person.say("JOIN #lobby")
        await self._answered("366")

    async def does(self, name: str, /, **fields: Any) -> dict[str, Any]:
        assert self.person is not None
        if name == "join":
            self.person.say(f"NICK {fields['name']}")
            await self._answered("NICK")
        elif name == "say":
            self.person.say(f"PRIVMSG #lobby :{fields['text']}")
            await self._answered("PRIVMSG", fields["text"])
        elif name == "history":
            self.person.say("CHATHISTORY LATEST #lobby * 10", "PING history")
            await self._answered("PONG")
        else:
            raise NotImplementedError(name)
        return {}

    async def _answered(self, command: str, text: str | None = None) -> None:
        assert self.person is not None
        while (line := await self.person.next()).command != command or text not in (None, line.params[-1]):
            if line.command == "FAIL":
                raise Turned(line.params[1].lower(), line.params[-1])
            if line.command == "474":
                raise Turned("banned", line.params[-1])

    async def ended(self) -> str:
        assert self.person is not None
        with contextlib.suppress(EOFError):
            while True:
                line = await self.person.next()
                if line.command == "KICK":
                    return "banned" if "banned" in line.params[-1] else line.params[-1]
        return "disconnected"

    async def close(self) -> None:
        if self.person is not None:
            self.person.writer.close()


#: All wires by name.
WIRES: dict[str, type[Evader]] = {
    each.wire: each
    for each in (WebSocket, SocketIO, Polling, Client2013, SSE, WebSocket2, SocketIO2, Polling2, SSE2, Posts, Irc)
}


#: The wires on which a guest can show the token of another wire.
TOKENS = tuple(wire for wire in WIRES if wire not in ("2013", "irc"))


@contextlib.contextmanager
def irc_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let IRC clients have the address of the header that they would send."""
    before = asyncio.StreamWriter.get_extra_info

    def extra(self: asyncio.StreamWriter, name: str, default: Any = None) -> Any:
        found = before(self, name, default)
        address = _irc_addresses.get(found[1]) if name == "peername" and found else None
        return found if address is None else (address, *found[1:])

    with monkeypatch.context() as patch:
        patch.setattr(asyncio.StreamWriter, "get_extra_info", extra)
        yield
