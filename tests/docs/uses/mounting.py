"""How programs that mount a room in an application are tested."""

from __future__ import annotations

import re

import aiohttp

from pychat.testing import Person
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.docs.stage import Stage


async def serves(stage: Stage, argument: str) -> None:
    """Below the prefix there is the page, and a room in which people on both wires hear each other."""
    host = await stage.serve()
    url = host + argument.rstrip("/")
    status, text = await stage.get(f"{url}/")
    assert status == 200
    assert "data-pychat" in text
    ada = await WebSocketPerson.enter(url)
    bob = await SocketIOPerson.enter(host, path=f"{argument.strip('/')}/socket.io".lstrip("/"))
    assert (await ada.command("join", {"name": "Ada"}))["ok"]
    assert (await bob.command("join", {"name": "Bob"}))["ok"]
    assert (await ada.command("say", {"text": "Hello from Ada"}))["ok"]
    while (await bob.event("message"))["text"] != "Hello from Ada":
        pass
    await ada.close()
    await bob.close()


async def reports_a_deployment(stage: Stage, argument: str) -> None:
    """A POST to the application is heard in the room."""
    url = await stage.serve()
    ada = await WebSocketPerson.enter(f"{url}/chat")
    async with aiohttp.ClientSession() as http, http.post(f"{url}/deployed/1.2") as response:
        assert response.status == 200
        told = await response.json()
    heard = await ada.event("message")
    assert (heard["author"]["name"], heard["text"], heard["seq"]) == ("bot", "Version 1.2 is live.", told["seq"])
    await ada.close()


async def has_the_rooms(stage: Stage, argument: str) -> None:
    """Each room has its page, and people in one do not hear the other."""
    url = f"{await stage.serve()}/chat"
    for name in argument.split():
        assert (await stage.get(f"{url}/rooms/{name}"))[0] == 200
        person = await WebSocketPerson.enter(url, room=name)
        assert (await person.event("welcome"))["room"]["name"] == name
        await person.close()


async def tells_who_is_there(stage: Stage, argument: str) -> None:
    """The status names the members and the newest messages; a message that the room refuses is answered with 422."""
    url = await stage.serve()
    ada = await WebSocketPerson.enter(f"{url}/chat")
    await ada.command("join", {"name": "Ada"})
    async with aiohttp.ClientSession() as http:
        for text, status in (("Tea is ready.", 204), ("", 422)):
            async with http.post(f"{url}/announce", data=text) as response:
                assert response.status == status
        async with http.get(f"{url}/status") as response:
            assert await response.json() == {"here": 1, "names": ["Ada"], "newest": ["news: Tea is ready."]}
    await ada.close()


async def closes_with_the_application(stage: Stage, argument: str) -> None:
    """When the application has stopped, the room has closed all connections."""
    url = await stage.serve()
    room = (await stage.run())["room"]
    person = await Person.enter(room)
    await stage.stack.aclose()
    assert (await person.event("bye"))["reason"] == "shutdown"
    assert room.here == 0
    assert url


async def shows_the_changed_page(stage: Stage, argument: str) -> None:
    """The page is pychat's, with the blocks of the template in it and the style sheet served beside it."""
    url = await stage.serve()
    _, text = await stage.get(f"{url}/chat/")
    assert "<title>lobby · Example</title>" in text
    assert '<a href="/rules">' in text
    assert 'data-part="composer"' in text
    (style,) = re.findall(r'href="(/static/.*?)"', text)
    assert "--pychat-accent" in (await stage.get(url + style))[1]


async def speaks_swedish(stage: Stage, argument: str) -> None:
    """The words of the catalogue are in the page, and those that it lacks are English."""
    url = await stage.serve()
    _, text = await stage.get(f"{url}/chat/")
    assert "Försök igen" in text
    assert "Reconnecting" in text


async def lets_in_pages_of(stage: Stage, argument: str) -> None:
    """Pages of the host that the proxy names, and of allowed origins, may connect; others may not."""
    url = await stage.serve()
    told = {"X-Forwarded-Host": "example.com", "X-Forwarded-For": "203.0.113.7"}
    async with aiohttp.ClientSession() as http:
        for origin in [*argument.split(), "https://elsewhere.example"]:
            try:
                async with http.ws_connect(f"{url}/ws", headers={**told, "Origin": origin}):
                    assert origin in argument
            except aiohttp.WSServerHandshakeError as error:
                assert (error.status, origin in argument) == (403, False)
