"""What is no JSON, or is JSON that hurts; events that only a server tells; and names that mean something to a programmer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer
from tests.attacks.wires import SAYING, say
from tests.clients import SSEPerson, WebSocketPerson

#: The object of a `say`, by what is wrong with it. Nothing of it may be stored.
BAD = {
    "NaN": '{"text":"evil","x":NaN}',
    "an infinity": '{"text":"evil","x":-Infinity}',
    "a huge number": '{"text":"evil","x":1e999}',
    "many digits": '{"text":"evil","x":%s}' % ("9" * 5_000),
    "10,000 deep": '{"text":"evil","x":%s}' % ("[" * 10_000 + "]" * 10_000),
    "100,000 deep": '{"text":"evil","x":%s}' % ("[" * 100_000),
    "100,000 deep, in objects": '{"text":"evil","x":%s}' % ('{"a":' * 100_000),
    "a lone surrogate": r'{"text":"evil \ud800"}',
    "a lone surrogate in an id": r'{"text":"evil","id":"\udfff"}',
    "NUL": r'{"text":"evil \u0000"}',
    "half an object": '{"text":"evil"',
    "a comment": '{"text":"evil"/**/}',
    "single quotes": "{'text':'evil'}",
    "a list for a text": '{"text":["evil"]}',
    "an object for a text": '{"text":{"__proto__":"evil"}}',
    "true for an id": '{"text":"evil","id":true}',
    "a number past 2**63": '{"text":"evil","reply_to":9223372036854775808}',
    "below zero": '{"text":"evil","reply_to":-1}',
    "half a number": '{"text":"evil","reply_to":0.5}',
}


async def history(server: PublicServer, matching: str = "") -> list[str]:
    """The newest texts in the lobby."""
    async with aiohttp.ClientSession() as http:
        query = {"matching": matching} if matching else {}
        async with http.get(f"{server.url}/api/rooms/lobby/messages", params=query) as response:
            return [message["text"] for message in (await response.json())["messages"]]


async def test_bad_json_on_every_wire(public: Public) -> None:
    """Each form is refused on each wire, with words or a close code; nothing of it is stored or heard."""
    async with public(arguments=("--limits", "off")) as server:
        async with server.attacked():
            for wire in SAYING:
                outcomes = await asyncio.gather(*(say(server.url, wire, fields) for fields in BAD.values()))
                for about, outcome in zip(BAD, outcomes, strict=True):
                    assert outcome not in {"ok", "500", "internal", "1011", "None"}, (wire, about, outcome)
        assert await history(server, "evil") == []
        assert "Traceback" not in server.log
        # The last of two fields of one name counts, on every wire: no two parts of the server see different texts.
        for number, wire in enumerate(SAYING):
            assert await say(server.url, wire, f'{{"text":"first","text":"second {number}"}}') == "ok"
        assert await history(server, "first") == []
        assert sorted(await history(server, "second")) == [f"second {number}" for number in range(len(SAYING))]


#: What a server tells, and what the life of a connection is made of.
SERVERS_WORDS = (
    *(
        "welcome",
        "message",
        "edited",
        "deleted",
        "reacted",
        "presence",
        "renamed",
        "whisper",
        "access",
        "room",
        "bye",
        "error",
    ),
    *(
        "ack",
        "kicked",
        "connect",
        "disconnect",
        "connect_error",
        "disconnecting",
        "newListener",
        "*",
        "ping",
        "nbUsers",
    ),
)


async def test_forged_events(public: Public) -> None:
    """Events that only a server tells are unknown commands, or end the connection of who sent them. Nobody else hears of it."""
    member = {"id": "forged", "name": "Admin"}
    forged = {
        "joined": member,
        "left": member,
        "member": member,
        "author": member,
        "text": "forged",
        "seq": 1,
        "id": "x",
    }
    async with public(arguments=("--limits", "off")) as server:
        witness = await WebSocketPerson.enter(server.url)
        before = (await witness.command("who", {}))["members"]
        async with server.attacked(), aiohttp.ClientSession(server.url) as http:
            for word in SERVERS_WORDS:
                async with http.ws_connect("/ws") as socket:
                    await socket.receive()
                    await socket.send_json({**forged, "type": word, "ref": 7})
                    answer: dict[str, Any] = {}
                    async with asyncio.timeout(20):
                        while (told := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                            answer = json.loads(told.data)
                            if answer.get("ref") == 7 or answer["type"] == "error":
                                break
                    assert told.type is not aiohttp.WSMsgType.TEXT or answer["error"]["code"] == "unknown_command", word
                async with http.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket:
                    await socket.receive()
                    await socket.send_str('40{"v":1}')
                    await socket.send_str("427" + json.dumps([word, forged]))
                    async with asyncio.timeout(20):
                        while (told := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                            if told.data.startswith("437"):
                                error = json.loads(told.data[3:])[0]["error"]
                                # On Socket.IO, `message` is how clients of 2013 say something: one text.
                                assert error["code"] == ("bad_request" if word == "message" else "unknown_command")
                                break
        assert before == (await witness.command("who", {}))["members"]
        assert await history(server, "forged") == []
        assert all(witness.told.count(name) == 0 for name in ("left", "kicked", "bye", "closed"))
        await witness.close()
        assert "Traceback" not in server.log


WORDS = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "__class__",
    "__init__",
    "__dict__",
    "None",
]


@pytest.mark.slow
async def test_names_that_mean_something_to_a_programmer(public: Public) -> None:
    """As commands they are unknown, as rooms there are none, as fields they are passed over; people and texts may have them."""
    async with public(arguments=("--limits", "off")) as server, aiohttp.ClientSession(server.url) as http:
        async with server.attacked():
            ear = await WebSocketPerson.enter(server.url)
            for word in WORDS:
                person = await SSEPerson.enter(server.url)
                for command in (word, "say.__call__", "say/../join"):
                    async with person.http.post(
                        f"{person.url}/commands/{command}", json={}, headers=await person.headers
                    ) as response:
                        assert response.status in {400, 404, 405}, (command, response.status)
                assert (await person.command("join", {"name": word, word: {word: 1}, "self": 1}))["ok"]
                assert (await person.command("say", {"text": word, word: word, "author": {"name": "Admin"}}))["ok"]
                assert (await person.command("react", {"target": 1, "emoji": word}))["error"]["code"]
                while (heard := await ear.event("message"))["author"]["name"] != word:
                    pass
                assert heard["text"] == word
                await person.close()
                for path in (f"/api/rooms/{word}", f"/rooms/{word}", f"/api/rooms/lobby/{word}", f"/{word}"):
                    async with http.get(path) as response:
                        assert response.status == 404, path
                async with http.ws_connect(f"/ws?room={word}") as socket:
                    assert [json.loads(told.data)["type"] async for told in socket][-1] == "bye"
            await ear.close()
        assert "Traceback" not in server.log
