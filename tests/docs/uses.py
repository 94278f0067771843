"""What is done with the programs of the docs. A comment before a block names one of these: `<!-- use: serves /chat/ -->`."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import socketio
from aiohttp import web

from pychat import Close
from pychat.testing import Person, TransportContract
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.docs.stage import Stage
from tests.servers import aiohttp_server


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


# The tutorial.


async def is_what_serve_prints(stage: Stage, _argument: str) -> None:
    """The first line of `pychat serve`; where there is a network, it goes on."""


async def throws_dice(stage: Stage, _argument: str) -> None:
    """Whoever asks for dice is thrown some, by name."""
    person = await Person.enter((await stage.run())["room"])
    await person.join("Grace")
    await person.say("!dice")
    told = await person.event("message")
    assert told["author"]["name"] == "dice"
    assert re.fullmatch(r"Grace throws a [1-6]\.", told["text"])
    await person.drop()


# Mounting.


async def has_the_rooms(stage: Stage, names: str) -> None:
    """Each room has its page, and people in one do not hear the other."""
    url = f"{await stage.serve()}/chat"
    for name in names.split():
        assert (await stage.get(f"{url}/rooms/{name}"))[0] == 200
        person = await WebSocketPerson.enter(url, room=name)
        assert (await person.event("welcome"))["room"]["name"] == name
        await person.drop()


async def tells_who_is_there(stage: Stage, _argument: str) -> None:
    """The status names who is here and what was said; what the room refuses is answered with 422."""
    url = await stage.serve()
    ada = await WebSocketPerson.enter(f"{url}/chat")
    await ada.command("join", {"name": "Ada"})
    async with aiohttp.ClientSession() as http:
        for text, status in (("Tea is ready.", 204), ("", 422)):
            async with http.post(f"{url}/announce", data=text) as response:
                assert response.status == status
        async with http.get(f"{url}/status") as response:
            assert await response.json() == {"here": 1, "names": ["Ada"], "newest": ["news: Tea is ready."]}
    await ada.drop()


async def lets_in_with_a_cookie(stage: Stage, _argument: str) -> None:
    """The page, the WebSocket and Socket.IO are closed without the cookie, and open with it."""
    url = await stage.serve()
    for cookies, allowed in (({}, False), ({"key": "swordfish"}, True)):
        async with aiohttp.ClientSession(cookies=cookies) as http:
            for path in ("/chat/", "/chat/socket.io/?EIO=4&transport=polling"):
                async with http.get(url + path) as response:
                    assert (response.status == 200) is allowed
            try:
                async with http.ws_connect(f"{url}/chat/ws"):
                    assert allowed
            except aiohttp.WSServerHandshakeError as error:
                assert (error.status, allowed) == (403, False)


async def closes_with_the_application(stage: Stage, _argument: str) -> None:
    """When the host has ended, the room has let go of everyone."""
    url = await stage.serve()
    room = (await stage.run())["room"]
    person = await Person.enter(room)
    await stage.stack.aclose()
    assert (await person.event("bye"))["reason"] == "shutdown"
    assert room.here == 0
    assert url


async def shows_the_changed_page(stage: Stage, _argument: str) -> None:
    """The page is pychat's, with the blocks of the template in it and the style sheet served beside it."""
    url = await stage.serve()
    _, text = await stage.get(f"{url}/chat/")
    assert "<title>lobby · Example</title>" in text
    assert '<a href="/rules">' in text
    assert 'data-part="composer"' in text
    (style,) = re.findall(r'href="(/static/.*?)"', text)
    assert "--accent" in (await stage.get(url + style))[1]


async def lets_in_pages_of(stage: Stage, origins: str) -> None:
    """Pages of the host that the proxy tells of, and those allowed by name, may connect; others may not."""
    url = await stage.serve()
    told = {"X-Forwarded-Host": "example.com", "X-Forwarded-For": "203.0.113.7"}
    async with aiohttp.ClientSession() as http:
        for origin in [*origins.split(), "https://elsewhere.example"]:
            try:
                async with http.ws_connect(f"{url}/ws", headers={**told, "Origin": origin}):
                    assert origin in origins
            except aiohttp.WSServerHandshakeError as error:
                assert (error.status, origin in origins) == (403, False)


# Hooks.


async def said(stage: Stage, *texts: str) -> list[str]:
    """What became of these texts: what the room heard, or the code of the refusal."""
    room = (await stage.run())["room"]
    person, other = await Person.enter(room), await Person.enter(room)
    await person.join("Grace")
    fates = []
    for text in texts:
        answer = await person.say(text)
        fates.append((await other.event("message"))["text"] if answer["ok"] else answer["error"]["code"])
    await person.drop()
    await other.drop()
    return fates


async def mutes(stage: Stage, _argument: str) -> None:
    """Links are refused; who is muted is refused everything."""
    assert await said(stage, "hello", "see http://example.com") == ["hello", "no_links"]
    names = await stage.run()
    person = await Person.enter(names["room"])
    names["muted"].add((await person.join("Eve"))["member"]["id"])
    assert (await person.say("hello"))["error"]["code"] == "muted"
    await person.drop()


async def changes_words(stage: Stage, _argument: str) -> None:
    """Others hear what the hook made of it."""
    assert await said(stage, "a :coffee:, please") == ["a ☕, please"]


async def asks_somebody(stage: Stage, _argument: str) -> None:
    """The judge's verdict counts, and where there is no judge nothing passes."""

    async def judge(request: web.Request) -> web.Response:
        return web.json_response({"fine": "fool" not in (await request.json())["text"]})

    app = web.Application()
    app.router.add_post("/judge", judge)
    async with aiohttp_server(app) as url:
        await stage.run(url.removeprefix("http://"))
        assert await said(stage, "hello", "you fool") == ["hello", "unkind"]
    assert await said(stage, "hello") == ["internal"]


async def decides_about_names(stage: Stage, _argument: str) -> None:
    """Some names are refused, one is replaced, and those reserved need no hook."""
    person = await Person.enter((await stage.run())["room"])
    assert (await person.join("Botticelli"))["error"]["code"] == "name_of_bot"
    assert (await person.join("Moderator"))["error"]["code"] == "name_reserved"
    assert (await person.join("anonymous"))["member"]["name"].startswith("Guest ")
    assert (await person.join("Grace"))["member"]["name"] == "Grace"
    await person.drop()


async def logs_what_happens(stage: Stage, _argument: str) -> None:
    """What happens is in the file, in order, and the terminal says goodbye."""
    names = await stage.run()
    keeping = asyncio.create_task(names["keep"](str(stage.folder / "log")))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert await said(stage, "hello") == ["hello"]
    while (stage.folder / "log").read_text("utf-8").count("\n") < 2:
        await asyncio.sleep(0.01)
    lines = [json.loads(line) for line in (stage.folder / "log").read_text("utf-8").splitlines()]
    assert lines == [{"joined": "Grace"}, {"seq": 1, "name": "Grace", "text": "hello"}]
    assert printed.getvalue() == "Grace has gone; 1 are left.\n"
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


# Clients.


async def echoes(stage: Stage, _argument: str) -> None:
    """What somebody says comes back, once."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "Echo")
        for text in ("one", "two"):
            await person.say(text)
            assert (await person.event("message"))["text"] == f"Grace says: {text}"
    await person.drop()


async def comes_back(stage: Stage, _argument: str) -> None:
    """After a drop it is the same member, and has everything, once and in order."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        async with running(stage, address):
            member = await until_joined(person, "Reader")
            await person.say("heard")
            while "heard" not in printed.getvalue():
                await asyncio.sleep(0.01)
            (connection,) = [each for each in room._fanout if each is not person.connection]
            connection.close(Close.SLOW)
            while "Reader" in {each.name for each in room.members}:
                await asyncio.sleep(0.01)
            await person.say("missed")
            assert await until_joined(person, "Reader") == member
            await person.say("live")
            while "live" not in printed.getvalue():
                await asyncio.sleep(0.01)
    lines = [line for line in printed.getvalue().splitlines() if not line.startswith("Away: ")]
    assert lines == ["— the newest messages —", "Grace: heard", "Grace: missed", "Grace: live"]
    await person.drop()


async def says_hello_over_socketio(stage: Stage, _argument: str) -> None:
    """What it says is heard."""
    room, address = await stage.room()
    person = await Person.enter(room)
    with contextlib.redirect_stdout(io.StringIO()):
        await stage.run(address)
        assert stage.main is not None
        await stage.main
    assert (await person.event("message"))["text"] == "Hello over Socket.IO"
    await person.drop()


@contextlib.asynccontextmanager
async def running(stage: Stage, address: str) -> AsyncIterator[None]:
    """Run the program's main, against a server at `address`, for as long as the block takes."""
    await stage.run(address)
    assert stage.main is not None
    task = asyncio.create_task(stage.main)
    try:
        yield
    finally:
        assert not task.done(), task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_joined(person: Person, name: str) -> dict[str, str]:
    """Wait until somebody of that name has joined; the member."""
    while True:
        told = await person.event("presence")
        for member in [*told.get("joined", ()), *told.get("renamed", ())]:
            if member["name"] == name:
                return dict(member)


# Socket.IO beside the chat, and transports.


async def waves(stage: Stage, prefix: str) -> None:
    """A wave reaches the others, and the chat goes on beside it."""
    host = await stage.serve()
    path = f"{prefix.strip('/')}/socket.io".lstrip("/")
    ada, bob = [await SocketIOPerson.enter(host, path=path) for _ in range(2)]
    assert await ada.command("wave", "left") == {"ok": True}
    assert await bob.event("wave") == "left"
    assert (await ada.command("join", {"name": "Ada"}))["ok"]
    for person in (ada, bob):
        await person.drop()


async def plays(stage: Stage, _argument: str) -> None:
    """Hits count in the namespace, and everyone else there is told."""
    host = await stage.serve()
    async with clients(host, "/game", 2) as (one, two):
        heard: asyncio.Queue[int] = asyncio.Queue()
        two.on("score", heard.put, namespace="/game")
        assert [await one.call("hit", namespace="/game") for _ in range(2)] == [1, 2]
        assert [await heard.get() for _ in range(2)] == [1, 2]


async def says_everything_back(stage: Stage, _argument: str) -> None:
    """It is a Socket.IO server like any other."""
    async with clients(await stage.serve(), "/", 1) as (one,):
        assert await one.call("echo", {"a": [1, "é"]}) == {"a": [1, "é"]}


@contextlib.asynccontextmanager
async def clients(host: str, namespace: str, count: int) -> AsyncIterator[list[socketio.AsyncClient]]:
    """As many clients of python-socketio, in that namespace alone."""
    async with contextlib.AsyncExitStack() as stack:
        connected = []
        for _ in range(count):
            http = await stack.enter_async_context(aiohttp.ClientSession())
            client = socketio.AsyncClient(http_session=http, reconnection=False)
            await client.connect(host, namespaces=[namespace], transports=["websocket"])
            stack.push_async_callback(client.disconnect)
            connected.append(client)
        yield connected


async def talks_in_lines(stage: Stage, _argument: str) -> None:
    """Two on TCP, and one beside them, are in one room."""


async def keeps_the_contract(stage: Stage, _argument: str) -> None:
    """Every promise of the contract of transports is kept."""
    suites = [
        thing
        for thing in (await stage.run()).values()
        if isinstance(thing, type) and issubclass(thing, TransportContract) and thing is not TransportContract
    ]
    for suite in suites:
        tests = [name for name in dir(suite) if name.startswith("test_")]
        assert len(tests) > 10
        for name in tests:
            await getattr(suite(), name)()
