"""One hostile text on each wire where strangers send JSON, and what came of it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping

import aiohttp

__all__ = ["SAYING", "Outcome", "say"]

#: What a wire answered: a close code, an HTTP status, or the code of a refusal; `ok` if it was taken.
Outcome = str
_SECONDS = 20.0
_numbers = itertools.count(1)
_Say = Callable[[aiohttp.ClientSession, str], Awaitable[Outcome]]


async def _websocket(http: aiohttp.ClientSession, fields: str) -> Outcome:
    async with http.ws_connect("/ws") as socket:
        await socket.receive()
        await socket.send_json({"type": "join", "ref": 1, "name": _name()})
        await socket.send_str(f'{{"type":"say","ref":2,{fields[1:]}')
        return await _answer(socket, lambda told: told if told.get("ref") == 2 else None)


async def _version_2(http: aiohttp.ClientSession, fields: str) -> Outcome:
    async with http.ws_connect("/ws", protocols=["pychat.v2"]) as socket:
        await socket.send_json({"type": "hello"})
        await socket.send_json({"type": "enter", "ref": 1, "rooms": [{"name": "lobby"}]})
        await socket.send_json({"type": "join", "ref": 3, "room": "lobby", "name": _name()})
        await socket.send_str(f'{{"type":"say","room":"lobby","ref":2,{fields[1:]}')
        return await _answer(socket, lambda told: told if told.get("ref") == 2 else None)


async def _socketio(http: aiohttp.ClientSession, fields: str) -> Outcome:
    async with http.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket:
        await socket.send_str('40{"v":1}')
        await socket.send_str(f'421["join",{{"name":"{_name()}"}}]')
        await socket.send_str(f'422["say",{fields}]')
        return await _answer(socket, lambda told: None, begins="432")


async def _polling(http: aiohttp.ClientSession, fields: str) -> Outcome:
    path = "/socket.io/?EIO=4&transport=polling"
    async with http.get(path) as response:
        path += f"&sid={json.loads((await response.text())[1:])['sid']}"
    body = f'40{{"v":1}}\x1e421["join",{{"name":"{_name()}"}}]\x1e422["say",{fields}]'
    async with http.post(path, data=body) as response:
        if response.status != 200:
            return str(response.status)
    async with asyncio.timeout(_SECONDS):
        while True:
            async with http.get(path) as response:
                if response.status != 200:
                    return str(response.status)
                for packet in (await response.text()).split("\x1e"):
                    if packet.startswith("432"):
                        return _code(json.loads(packet[3:])[0])
                    if packet == "1":
                        return "closed"


async def _post(http: aiohttp.ClientSession, fields: str) -> Outcome:
    kind = {"Content-Type": "application/json"}
    data = f'{{"author":"Mallory",{fields[1:]}'.encode()
    async with http.post("/api/rooms/lobby/messages", data=data, headers=kind) as response:
        return "ok" if response.status == 201 else str(response.status)


async def _command(http: aiohttp.ClientSession, fields: str) -> Outcome:
    async with http.get("/api/rooms/lobby/events", params={"name": _name()}) as stream:
        token = ""
        async with asyncio.timeout(_SECONDS):
            while not token:
                line = (await stream.content.readline()).decode()
                if line.startswith("data:") and '"token"' in line:
                    token = json.loads(line[5:])["token"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        async with http.post("/api/rooms/lobby/commands/say", data=fields.encode(), headers=headers) as response:
            told = await response.json()
            return "ok" if response.status == 200 and told.get("ok") else str(response.status)


async def _answer(
    socket: aiohttp.ClientWebSocketResponse,
    is_answer: Callable[[Mapping[str, object]], Mapping[str, object] | None],
    begins: str = "",
) -> Outcome:
    async with asyncio.timeout(_SECONDS):
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return str(socket.close_code)
            text = str(message.data)
            if begins:
                if text.startswith(begins):
                    return _code(json.loads(text[len(begins) :])[0])
            else:
                told = json.loads(text)
                if told["type"] == "error" or is_answer(told) is not None:
                    return _code(told)


def _name() -> str:
    return f"Newcomer {next(_numbers)}"


def _code(told: Mapping[str, object]) -> Outcome:
    error = told.get("error", told)
    return "ok" if told.get("ok") is True else str(error["code"] if isinstance(error, dict) else told.get("code"))


#: How somebody says something on each wire: the JSON object of the command stands as it is.
SAYING: Mapping[str, _Say] = {
    "WebSocket": _websocket,
    "WebSocket, version 2": _version_2,
    "Socket.IO": _socketio,
    "Socket.IO by polling": _polling,
    "HTTP": _post,
    "HTTP with a stream": _command,
}


async def say(url: str, wire: str, fields: str) -> Outcome:
    """Say that on a wire, as a newcomer."""
    async with aiohttp.ClientSession(url) as http:
        return await SAYING[wire](http, fields)
