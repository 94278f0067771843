"""What is done with the programs of the docs. A comment before a block names one of these: `<!-- use: serves /chat/ -->`."""

from __future__ import annotations

import aiohttp

from pychat.testing import Person
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.docs.stage import Stage


async def serves(stage: Stage, prefix: str) -> None:
    """Below `prefix` there is the page, and a room in which people on both wires hear each other."""
    host = await stage.serve()
    url = host + prefix.rstrip("/")
    status, text = await stage.get(f"{url}/")
    assert status == 200
    assert "data-pychat" in text
    ada = await WebSocketPerson.enter(url)
    bob = await SocketIOPerson.enter(host, path=f"{prefix.strip('/')}/socket.io".lstrip("/"))
    assert (await ada.command("join", {"name": "Ada"}))["ok"]
    assert (await bob.command("join", {"name": "Bob"}))["ok"]
    assert (await ada.command("say", {"text": "Hello from Ada"}))["ok"]
    while (await bob.event("message"))["text"] != "Hello from Ada":
        pass
    await ada.drop()
    await bob.drop()


async def refuses_shouting(stage: Stage, _argument: str) -> None:
    """The hook of the program refuses capitals, with its own code, and nothing else."""
    person = await Person.enter((await stage.run())["room"])
    await person.join("Grace")
    assert (await person.say("HELLO"))["error"]["code"] == "shouting"
    assert (await person.say("Hello"))["ok"]
    await person.drop()


async def bot_spoke(stage: Stage, _argument: str) -> None:
    """The bot's words are the first of the room."""
    await stage.serve()
    first = (await (await stage.run())["room"].history())[0]
    assert (first.author.name, first.text) == ("bot", "The room is open.")


async def reports_a_deployment(stage: Stage, _argument: str) -> None:
    """A POST to the application is heard in the room."""
    url = await stage.serve()
    ada = await WebSocketPerson.enter(f"{url}/chat")
    async with aiohttp.ClientSession() as http, http.post(f"{url}/deployed/1.2") as response:
        assert response.status == 200
        told = await response.json()
    heard = await ada.event("message")
    assert (heard["author"]["name"], heard["text"], heard["seq"]) == ("bot", "Version 1.2 is live.", told["seq"])
    await ada.drop()
