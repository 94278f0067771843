"""What is done with the blocks of the docs; a comment before a block names one: `<!-- use: serves /chat/ -->`."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import types
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import socketio
from aiohttp import web
from playwright.async_api import Page, async_playwright

from pychat import ChatRoom, Close, IrcServer, Request, User, aiohttp_app, serve_irc
from pychat.testing import Chat, Person, TransportContract
from tests.browser.chromium import chromium
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.docs.http_uses import *  # noqa: F403 -- each is a use
from tests.docs.pages import ROOT
from tests.docs.stage import Stage
from tests.irc.person import IrcPerson
from tests.irc.weechat import weechat
from tests.servers import aiohttp_server, pychat_process


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


async def refuses_shouting(stage: Stage, argument: str) -> None:
    """The hook of the program refuses capitals, with its own code, and nothing else."""
    person = await Person.enter((await stage.run())["room"])
    await person.join("Grace")
    assert (await person.say("HELLO"))["error"]["code"] == "shouting"
    assert (await person.say("Hello"))["ok"]
    await person.close()


async def bot_spoke(stage: Stage, argument: str) -> None:
    """The bot's words are the first of the room."""
    await stage.serve()
    first = (await (await stage.run())["room"].history())[0]
    assert (first.author.name, first.text) == ("bot", "The room is open.")


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


# The tutorial.


async def is_what_serve_prints(stage: Stage, argument: str) -> None:
    """The first line of `pychat serve`; where there is a network, it goes on."""
    async with console() as (_, line):
        assert (await line() + "\n").startswith(stage.code.rstrip())


async def is_what_ada_leaves_on_the_console(stage: Stage, argument: str) -> None:
    """One line for each thing that she does."""
    async with console() as (url, line):
        await line()
        ada = await WebSocketPerson.enter(url)
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "Is anybody here?"})
        expected = [_TIME.sub("12:00:00", shown) for shown in stage.code.splitlines()]
        assert [await line() for _ in expected] == expected
        await ada.close()


async def are_lines_of_the_log(stage: Stage, argument: str) -> None:
    """Somebody who joins, speaks, takes another name and goes leaves just these lines, but for the time."""

    def without_time(line: dict[str, Any]) -> dict[str, Any]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        return line | {"time": ""}

    with pychat_process() as served:
        ada = await WebSocketPerson.enter(served.url)
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "Hello!"})
        await ada.command("join", {"name": "Countess"})
        await ada.close()
        for shown in map(json.loads, stage.code.splitlines()):
            line = await asyncio.to_thread(served.line, event=shown["event"])
            assert list(shown) == list(line)
            assert without_time(shown) == without_time(line)


_TIME = re.compile(r"^\d\d:\d\d:\d\d")


@contextlib.asynccontextmanager
async def console() -> AsyncIterator[tuple[str, Callable[[], Awaitable[str]]]]:
    """Run `pychat serve` as people do; its address, and its next line, as if it were Ada's, at 12 o'clock on port 3000."""
    home = tempfile.mkdtemp()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pychat", "serve", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "XDG_DATA_HOME"} | {"HOME": home},
    )
    try:
        assert process.stdout is not None
        first = (await process.stdout.readline()).decode()
        (url,) = re.findall(r"at (http://\S+)/", first)
        lines = [first.replace(url, "http://127.0.0.1:3000")]

        async def line() -> str:
            assert process.stdout is not None
            shown = lines.pop() if lines else (await process.stdout.readline()).decode()
            return _TIME.sub("12:00:00", shown.rstrip("\n"))

        yield url, line
    finally:
        process.kill()
        await process.communicate()
        shutil.rmtree(home)


async def is_there_tomorrow(stage: Stage, argument: str) -> None:
    """The program runs, and what it said is in its file afterwards."""
    await stage.run()
    assert stage.main is not None
    await stage.main
    assert list(Path().glob("*.db"))
    room = ChatRoom("lobby", store="sqlite:chat.db")
    assert [message.text for message in await room.history()] == ["This will be here tomorrow."]
    await room.aclose()


async def throws_dice(stage: Stage, argument: str) -> None:
    """Whoever asks for dice is thrown some, by name."""
    person = await Person.enter((await stage.run())["room"])
    await person.join("Grace")
    await person.say("!dice")
    told = await person.event("message")
    assert told["author"]["name"] == "dice"
    assert re.fullmatch(r"Grace throws a [1-6]\.", told["text"])
    await person.close()


# Mounting.


async def knows_its_users(stage: Stage, argument: str) -> None:
    """With the cookie somebody is Ada, a moderator; without it they stay out and are told why."""
    url = await stage.serve()
    async with aiohttp.ClientSession() as http, http.get(f"{url}/chat/api/rooms/lobby/messages") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (401, "login_required")
    known = aiohttp.ClientSession(cookies={"session": "s3cret"})
    async with known as http, http.ws_connect(f"{url}/chat/ws") as socket:
        you = (await socket.receive_json())["you"]
    assert you == {"id": "user:42", "name": "Ada", "roles": ["moderator"], "name_fixed": True}


async def sends_out(stage: Stage, argument: str) -> None:
    """Who logs out is told so, and disconnected until the next login; a stranger sends nobody out."""
    url = await stage.serve()
    cookies = {"session": "s3cret"}
    async with aiohttp.ClientSession() as stranger, aiohttp.ClientSession(cookies=cookies) as ada:
        async with ada.ws_connect(f"{url}/chat/ws") as socket:
            assert (await socket.receive_json())["you"]["id"] == argument
            async with stranger.post(f"{url}/logout") as response:
                assert response.status == 200
            await socket.send_json({"type": "say", "text": "still here", "ref": 1})
            assert (await _answer(socket))["ok"]
            await _log_out(ada, socket, url)
        assert await you_are(f"{url}/chat/ws", cookies=cookies) == 401


async def _answer(socket: aiohttp.ClientWebSocketResponse) -> Any:
    while (told := await socket.receive_json())["type"] != "ack":
        pass
    return told


async def _log_out(http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, url: str) -> None:
    async with http.post(f"{url}/logout") as response:
        assert response.status == 200
    while (told := await socket.receive_json())["type"] != "error":
        pass
    assert told["text"] == "You have logged out."
    async for _ in socket:
        pass
    assert socket.close_code == Close.KICKED.code


async def sends_strangers_to_the_login(stage: Stage, argument: str) -> None:
    """Only who opens a page without the cookie; the WebSocket and the API answer as without the middleware."""
    url = await stage.serve()
    name, _, value = argument.partition("=")
    async with aiohttp.ClientSession() as stranger, aiohttp.ClientSession(cookies={name: value}) as known:
        await _is_sent_to_the_login(stranger, url)
        async with known.get(f"{url}/chat/", headers={"Accept": "text/html"}) as response:
            assert "data-pychat" in await response.text()
        async with stranger.get(f"{url}/chat/api/rooms/lobby/messages") as response:
            assert response.status == 401
    assert await you_are(f"{url}/chat/ws") == 401
    assert (await you_are(f"{url}/chat/ws", cookies={name: value}))["name"] == "Ada"


async def _is_sent_to_the_login(http: aiohttp.ClientSession, url: str) -> None:
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/chat/", "/chat/rooms/lobby"):
        async with http.get(url + path, headers=accept, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/login")


async def logs_in_and_out(stage: Stage, argument: str) -> None:
    """A stranger is sent to the login; after it they see the page, and after the logout they do not; nobody else goes."""
    url = await stage.serve()
    jar, other = aiohttp.CookieJar(unsafe=True), aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as ada, aiohttp.ClientSession(cookie_jar=other) as bob:
        await _is_sent_to_the_login(ada, url)
        for each, name in ((ada, "Ada"), (bob, "Bob")):
            async with each.post(f"{url}/login?name={name}") as response:
                assert response.status == 200
        async with ada.get(f"{url}/chat/", headers={"Accept": "text/html"}) as response:
            assert "data-pychat" in await response.text()
        async with ada.ws_connect(f"{url}/chat/ws") as socket, bob.ws_connect(f"{url}/chat/ws") as bobs:
            await _log_out(ada, socket, url)
            await bobs.send_json({"type": "say", "text": "still here", "ref": 1})
            assert (await _answer(bobs))["ok"]
        await _is_sent_to_the_login(ada, url)


async def you_are(url: str, **options: Any) -> Any:
    """Who somebody is told to be at the mount of `url`; `None` for a guest, the status for who may not come in."""
    async with aiohttp.ClientSession(**options) as http:
        try:
            async with http.ws_connect(url) as socket:
                return (await socket.receive_json()).get("you")
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status


async def lets_in_by_a_dependency(stage: Stage, argument: str) -> None:
    """The same cookie opens the application and the room."""
    url = await stage.serve()
    cookies = {"session": "s3cret"}
    assert (await you_are(f"{url}/chat/ws", cookies=cookies))["name"] == "Ada"
    assert await you_are(f"{url}/chat/ws") == 401
    async with aiohttp.ClientSession(cookies=cookies) as http, http.get(f"{url}/me") as response:
        assert await response.json() == "Ada"


async def lets_in_by_django(stage: Stage, argument: str) -> None:
    """Who is logged in to Django is themselves in the room, and a moderator if they are of the staff; others are guests."""
    cookies = await asyncio.to_thread(a_django, stage.folder)
    url = await stage.serve()
    assert await you_are(f"{url}/chat/ws", cookies=cookies) == {
        "id": "user:1",
        "name": "ada",
        "roles": ["moderator"],
        "name_fixed": True,
    }
    assert await you_are(f"{url}/chat/ws") is None
    assert await you_are(f"{url}/chat/ws", cookies={"sessionid": "forged"}) is None
    assert (await stage.get(f"{url}/nothing"))[0] == 404
    assert "data-pychat" in (await stage.get(f"{url}/chat/"))[1]


def a_django(folder: Path) -> dict[str, str]:
    """Set up a project with somebody who is logged in; the cookie of that."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    if not settings.configured:
        settings.configure(
            SECRET_KEY="tests",
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=types.ModuleType("urls", "No views."),
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "django.db")}},
            DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        )
        settings.ROOT_URLCONF.urlpatterns = []
        django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import connections

    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada", password="x", is_staff=True)
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(ada.pk), "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = ada.get_session_auth_hash()
    session.save()
    connections.close_all()
    return {settings.SESSION_COOKIE_NAME: str(session.session_key)}


async def lets_in_by_a_session(stage: Stage, argument: str) -> None:
    """After the login the cookie says who somebody is; before, they are a guest."""
    url = await stage.serve()
    stage.stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore", web.NotAppKeyWarning)  # aiohttp-session's own keys
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.ws_connect(f"{url}/chat/ws") as socket:
            assert "you" not in await socket.receive_json()
        async with http.post(f"{url}/login?name=Ada") as response:
            assert response.status == 200
        async with http.ws_connect(f"{url}/chat/ws") as socket:
            assert (await socket.receive_json())["you"]["name"] == "Ada"


async def lets_in_by_a_jwt(stage: Stage, argument: str) -> None:
    """A good token lets in, on both wires; one that is missing, forged or too old is refused with words."""
    import jwt

    names = await stage.run()
    url = await stage.serve()
    claims = {"sub": "7", "name": "Ada", "roles": ["moderator"]}
    good = jwt.encode(claims, names["KEY"], "HS256")
    expected = {"id": "user:7", "name": "Ada", "roles": ["moderator"], "name_fixed": True}
    assert await you_are(f"{url}/ws", headers={"Authorization": f"Bearer {good}"}) == expected
    assert await you_are(f"{url}/ws?access_token={good}") == expected
    person = await SocketIOPerson.enter(url, token=good)
    assert (await person.event("welcome"))["you"] == expected
    await person.close()
    for bad in ("", jwt.encode(claims, "x" * 32, "HS256"), jwt.encode(claims | {"exp": 1}, names["KEY"], "HS256")):
        assert await you_are(f"{url}/ws?access_token={bad}") == 401


async def lets_members_in(stage: Stage, argument: str) -> None:
    """Everybody comes into the first room, the staff into theirs."""
    url = await stage.serve()
    assert (await you_are(f"{url}/ws?name=Bob"))["name"] == "Bob"
    assert await you_are(f"{url}/ws?name=Bob&room=staff") == 403
    assert (await you_are(f"{url}/ws?name=Ada&room=staff"))["name"] == "Ada"


async def has_the_rooms(stage: Stage, argument: str) -> None:
    """Each room has its page, and people in one do not hear the other."""
    url = f"{await stage.serve()}/chat"
    for name in argument.split():
        assert (await stage.get(f"{url}/rooms/{name}"))[0] == 200
        person = await WebSocketPerson.enter(url, room=name)
        assert (await person.event("welcome"))["room"]["name"] == name
        await person.close()


async def tells_who_is_there(stage: Stage, argument: str) -> None:
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
    await ada.close()


async def lets_in_with_a_cookie(stage: Stage, argument: str) -> None:
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


async def closes_with_the_application(stage: Stage, argument: str) -> None:
    """When the host has ended, the room has let go of everyone."""
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


async def lets_in_pages_of(stage: Stage, argument: str) -> None:
    """Pages of the host that the proxy tells of, and those allowed by name, may connect; others may not."""
    url = await stage.serve()
    told = {"X-Forwarded-Host": "example.com", "X-Forwarded-For": "203.0.113.7"}
    async with aiohttp.ClientSession() as http:
        for origin in [*argument.split(), "https://elsewhere.example"]:
            try:
                async with http.ws_connect(f"{url}/ws", headers={**told, "Origin": origin}):
                    assert origin in argument
            except aiohttp.WSServerHandshakeError as error:
                assert (error.status, origin in argument) == (403, False)


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
    await person.close()
    await other.close()
    return fates


async def mutes(stage: Stage, argument: str) -> None:
    """Links are refused; who is muted is refused everything."""
    assert await said(stage, "hello", "see http://example.com") == ["hello", "no_links"]
    names = await stage.run()
    person = await Person.enter(names["room"])
    names["muted"].add((await person.join("Eve"))["member"]["id"])
    assert (await person.say("hello"))["error"]["code"] == "muted"
    await person.close()


async def changes_words(stage: Stage, argument: str) -> None:
    """Others hear what the hook made of it."""
    assert await said(stage, "a :coffee:, please") == ["a ☕, please"]


async def asks_somebody(stage: Stage, argument: str) -> None:
    """The judge's verdict counts, and where there is no judge nothing passes."""

    async def judge(request: web.Request) -> web.Response:
        return web.json_response({"fine": "fool" not in (await request.json())["text"]})

    app = web.Application()
    app.router.add_post("/judge", judge)
    async with aiohttp_server(app) as url:
        await stage.run(url.removeprefix("http://"))
        assert await said(stage, "hello", "you fool") == ["hello", "unkind"]
    assert await said(stage, "hello") == ["internal"]


async def decides_about_names(stage: Stage, argument: str) -> None:
    """Some names are refused, one is replaced, and those reserved need no hook."""
    person = await Person.enter((await stage.run())["room"])
    assert (await person.join("Botticelli"))["error"]["code"] == "name_of_bot"
    assert (await person.join("Moderator"))["error"]["code"] == "name_reserved"
    assert (await person.join("anonymous"))["member"]["name"].startswith("Guest ")
    assert (await person.join("Grace"))["member"]["name"] == "Grace"
    await person.close()


async def logs_what_happens(stage: Stage, argument: str) -> None:
    """What happens is in the file, in order, and the terminal says goodbye."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert await said(stage, "hello") == ["hello"]
        await until(lambda: "gone" in printed.getvalue())
    log = stage.folder / "chat.log"
    await until(lambda: log.exists() and log.read_text("utf-8").count("\n") == 2)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert lines == [{"joined": "Grace"}, {"seq": 1, "name": "Grace", "text": "hello"}]
    assert printed.getvalue() == "Grace has gone.\n"


async def gives_roles(stage: Stage, argument: str) -> None:
    """Grace may delete what another said; nobody else may."""
    room = (await stage.run())["room"]
    grace, eve = await Person.enter(room), await Person.enter(room)
    assert (await grace.join("Grace"))["member"]["roles"] == ["moderator"]
    assert "roles" not in (await eve.join("Eve"))["member"]
    seq = (await eve.say("rude"))["seq"]
    assert (await grace.command("delete", {"target": seq}))["ok"]


async def posts_from_a_thread(stage: Stage, argument: str) -> None:
    """The thread's words are in the room."""
    names = await stage.run()
    await names["room"].start()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        await asyncio.to_thread(names["begin"]().join)
    assert [message.text for message in await names["room"].history()] == ["The backup is done."]
    assert printed.getvalue() == "That was message number 1; 0 were here to read it.\n"


# Clients.


async def echoes(stage: Stage, argument: str) -> None:
    """What somebody says comes back, once."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "Echo")
        for text in ("one", "two"):
            await person.say(text)
            assert (await person.event("message"))["text"] == f"Grace says: {text}"
    await person.close()


async def comes_back(stage: Stage, argument: str) -> None:
    """After a drop it is the same member, and has everything, once and in order."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        async with running(stage, address):
            member = await until_joined(person, "Reader")
            await person.say("heard")
            await until(lambda: "heard" in printed.getvalue())
            (connection,) = [each for each in room._core.delivery.fanout if each is not person.connection]
            connection.close(Close.SLOW)
            await until(lambda: [each.name for each in room.members] == ["Grace"])
            await person.say("missed")
            assert await until_joined(person, "Reader") == member
            await person.say("live")
            await until(lambda: "live" in printed.getvalue())
    lines = [line for line in printed.getvalue().splitlines() if not line.startswith("Away: ")]
    assert lines == ["— the newest messages —", "Grace: heard", "Grace: missed", "Grace: live"]
    await person.close()


async def answers_pings(stage: Stage, argument: str) -> None:
    """A ping is answered, with a quote of it; other things are not, its own words least of all."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "pong")
        for text in ("hello", "a ping, please", "ping"):
            await person.say(text)
        for text in ("a ping, please", "ping"):
            told = await person.event("message")
            assert (told["author"]["name"], told["text"], told["reply"]["text"]) == ("pong", "pong!", text)
    await person.close()


async def streams_its_answer(stage: Stage, argument: str) -> None:
    """The answer to each of two questions grows, at the same time, and is whole in the end."""
    room, address = await stage.room()
    person = await Person.enter(room)
    await person.join("Grace")
    async with running(stage, address):
        await until_joined(person, "sage")
        for text in ("why?", "how?"):
            await person.say(text)
        answers = [await person.event("message") for _ in range(2)]
        assert [(told["text"], told["reply"]["text"]) for told in answers] == [("…", "why?"), ("…", "how?")]
        grown: dict[int, list[str]] = {told["seq"]: [] for told in answers}
        while not all(texts and texts[-1].endswith("about that.") for texts in grown.values()):
            told = await person.event("edited")
            grown[told["target"]].append(told["text"])
        for texts, question in zip(grown.values(), ("why?", "how?"), strict=True):
            assert len(texts) > 1
            assert all(whole.startswith(part) for part, whole in itertools.pairwise(texts))
            assert texts[-1] == f"You asked: {question} I have to think about that."
    await person.close()


async def is_the_same_tomorrow(stage: Stage, argument: str) -> None:
    """Run twice, it is the same member, and its report is stored once."""
    room, address = await stage.room()
    for each in (stage, Stage(stage.program, stage.folder, stage.stack)):
        await each.run(address)
        assert each.main is not None
        await each.main
    assert [(each.author.name, each.text) for each in await room.history()] == [("deploy", "Version 1.2 is live.")]


async def says_hello_over_socketio(stage: Stage, argument: str) -> None:
    """What it says is heard."""
    room, address = await stage.room()
    person = await Person.enter(room)
    with contextlib.redirect_stdout(io.StringIO()):
        await stage.run(address)
        assert stage.main is not None
        await stage.main
    assert (await person.event("message"))["text"] == "Hello over Socket.IO"
    await person.close()


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


async def until(it_is_so: Callable[[], bool]) -> None:
    """Wait for what another program does, and has no event for."""
    async with asyncio.timeout(10):
        while not it_is_so():
            await asyncio.sleep(0.01)


async def until_joined(person: Person, name: str) -> dict[str, str]:
    """Wait until somebody of that name has joined; the member."""
    while True:
        told = await person.event("presence")
        for member in [*told.get("joined", ()), *told.get("renamed", ())]:
            if member["name"] == name:
                return dict(member)


async def runs_in_a_browser(stage: Stage, argument: str) -> None:
    """On a page of the application that has the room mounted, the module connects, joins, says this, and hears."""
    room = ChatRoom("lobby")
    (block,) = stage.program.blocks
    html = block.code if block.language == "html" else '<script type="module" src="/app.js"></script>'

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html>{html}", content_type="text/html")

    async def script(_: web.Request) -> web.Response:
        return web.Response(text=block.code, content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/app.js", script)
    app.add_subapp("/chat/", aiohttp_app(room))
    person = await Person.enter(room)
    heard: list[str] = []
    failed: list[str] = []
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    async with aiohttp_server(app) as url, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        window = await chromium.new_page()
        window.on("console", lambda told: heard.append(told.text))
        window.on("pageerror", lambda error: failed.append(str(error)))
        await window.goto(url)
        assert (await person.event("message"))["text"] == argument
        await room.post("Hello from Python", author="bot")
        await until(lambda: "bot: Hello from Python" in heard)
        assert failed == []
        await chromium.close()
    await person.close()


@contextlib.asynccontextmanager
async def _pages(room: ChatRoom, html: str, **options: Any) -> AsyncIterator[Page]:
    """A window at a page of an application that has the room mounted at `/chat/`; its scripts may not fail."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html>{html}", content_type="text/html")

    async def token(_: web.Request) -> web.Response:
        return web.Response(text="s3cret")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/my-token", token)
    app.add_subapp("/chat/", aiohttp_app(room, **options))
    failed: list[str] = []
    async with aiohttp_server(app) as url, chromium() as browser:
        window = await browser.new_page()
        window.on("pageerror", lambda error: failed.append(str(error)))
        await window.goto(url)
        yield window
        assert failed == []


async def _talk_in(window: Page, room: ChatRoom) -> None:
    """Somebody at the page and somebody elsewhere hear each other."""
    person = await Person.enter(room)
    await window.locator("[data-part=name-input]").fill("Ada")
    await window.locator("[data-part=name-button]").click()
    await window.locator("[data-part=text]").fill("Hello from the box")
    await window.locator("[data-part=text]").press("Enter")
    assert (await person.event("message"))["text"] == "Hello from the box"
    await room.post("Hello from Python", author="bot")
    await window.locator(".message", has_text="Hello from Python").wait_for()
    await person.close()


async def is_a_room_in_a_page(stage: Stage, argument: str) -> None:
    """The markup is all that it takes to have the room in a page, as high as it says."""
    room = ChatRoom("lobby")
    async with _pages(room, stage.code) as window:
        await _talk_in(window, room)
        box = await window.locator("pychat-room").bounding_box()
        assert box is not None
        assert box["height"] == 480


async def is_a_room_on_another_site(stage: Stage, argument: str) -> None:
    """The same with everything from another origin, which lets the page's in."""
    room = ChatRoom("lobby")
    chat = web.Application()
    async with contextlib.AsyncExitStack() as stack:
        chat.add_subapp("/chat/", aiohttp_app(room, allowed_origins="*"))
        other = await stack.enter_async_context(aiohttp_server(chat))
        html = stage.code.replace(f"{argument}/", f"{other}/chat/")
        assert html != stage.code
        window = await stack.enter_async_context(_pages(ChatRoom("lobby"), html))
        await _talk_in(window, room)


async def draws_its_own_list(stage: Stage, argument: str) -> None:
    """The page shows what others say, and what is typed in its own form reaches them."""
    room = ChatRoom("lobby")
    async with _pages(room, stage.code) as window:
        person = await Person.enter(room)
        await window.get_by_label("Message").fill("Hello from a list")
        await window.get_by_role("button", name="Send").click()
        assert (await person.event("message"))["text"] == "Hello from a list"
        await room.post("Hello from Python", author="bot")
        await window.get_by_role("listitem").filter(has_text="bot: Hello from Python").wait_for()
        await window.get_by_role("listitem").filter(has_text=re.compile(r"^Guest \d+: Hello from a list$")).wait_for()
        await person.close()


async def sends_a_token(stage: Stage, argument: str) -> None:
    """The application is given the token that the page got for the person, and knows them by it."""

    def authenticate(request: Request) -> User | None:
        return User("1", "Ada") if request.bearer == "s3cret" else None

    script = f'<script type="module" src="/chat/pychat-room.js"></script><script type="module">{stage.code}</script>'
    html = f'<pychat-room src="/chat/"></pychat-room>{script}'
    async with _pages(ChatRoom("lobby"), html, authenticate=authenticate) as window:
        await window.locator("[data-part=me-name]", has_text="Ada").wait_for()


async def sets_properties_that_there_are(stage: Stage, argument: str) -> None:
    """The style sheet sets what pychat's own style sheet uses."""
    assets = ROOT / "src" / "pychat" / "assets"
    ours = "".join(file.read_text("utf-8") for file in assets.glob("*.css"))
    names = set(re.findall(r"(--[\w-]+):", stage.code))
    assert names
    for name in names:
        assert f"var({name}," in ours


async def is_held_with_a_server(stage: Stage, argument: str) -> None:
    """Said line by line to a real server, it is answered as shown; only what is made up anew each time differs."""
    _, address = await stage.room()
    async with aiohttp.ClientSession() as http, http.ws_connect(f"http://{address}/ws") as socket:
        for line in stage.code.splitlines():
            direction, _, text = line.partition(" ")
            if direction == "→":
                await socket.send_str(text)
                continue
            while (told := await socket.receive_json())["type"] == "presence":
                pass
            assert direction == "←"
            assert without_chance(told) == without_chance(json.loads(text))


def without_chance(value: Any) -> Any:
    """`value`, with ids, dates and such left out. The order of the fields counts."""
    if isinstance(value, dict):
        made_up = {"id", "token", "date", "epoch"}
        return [(name, type(of) if name in made_up else without_chance(of)) for name, of in value.items()]
    return value


# Socket.IO beside the chat, and transports.


async def waves(stage: Stage, argument: str) -> None:
    """A wave reaches the others, and the chat goes on beside it."""
    host = await stage.serve()
    path = f"{argument.strip('/')}/socket.io".lstrip("/")
    ada, bob = [await SocketIOPerson.enter(host, path=path) for _ in range(2)]
    assert await ada.command("wave", "left") == {"ok": True}
    assert await bob.event("wave") == "left"
    assert (await ada.command("join", {"name": "Ada"}))["ok"]
    for person in (ada, bob):
        await person.close()


async def plays(stage: Stage, argument: str) -> None:
    """Hits count in the namespace, and everyone else there is told."""
    host = await stage.serve()
    async with clients(host, "/game", 2) as (one, two):
        heard: asyncio.Queue[int] = asyncio.Queue()
        two.on("score", heard.put, namespace="/game")
        assert [await one.call("hit", namespace="/game") for _ in range(2)] == [1, 2]
        assert [await heard.get() for _ in range(2)] == [1, 2]


async def says_everything_back(stage: Stage, argument: str) -> None:
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


async def is_typed_into_weechat(stage: Stage, argument: str) -> None:
    """Whoever types that is in the room."""
    room = ChatRoom("lobby")
    irc = await serve_irc(room, port=0)
    async with weechat(stage.folder) as somebody:
        for line in stage.code.splitlines():
            somebody.types(line.replace("6667", str(irc.port)))
            if line.startswith("/connect"):
                await somebody.until(lambda: any("/join" in said for _, said in somebody.log("server.pychat")))
        await somebody.until(lambda: len(room.members) == 1)
    await irc.aclose()
    await room.aclose()


@contextlib.contextmanager
def irc_on_a_free_port() -> Iterator[list[int]]:
    """Where the docs say 6667."""
    ports: list[int] = []
    real = IrcServer.start

    async def start(self: IrcServer, host: str | None, port: int) -> int:
        assert port == 6667
        ports.append(await real(self, host, 0))
        return ports[0]

    with mock.patch.object(IrcServer, "start", start):
        yield ports


async def knows_who_has_a_token(stage: Stage, argument: str) -> None:
    """With the token one is Ada; without, one is told what to do."""
    with irc_on_a_free_port() as ports:
        names = await stage.run()
    ada = await IrcPerson.enter(ports[0], "whoever", password="ada-s-token")
    assert "Ada" in ada.heard[-2].params[-1].split()
    stranger = await IrcPerson.connect(ports[0])
    stranger.say("NICK ada", "USER ada 0 * :Ada")
    assert (await stranger.next()).params[-1] == "Set your token as the server password, and connect again."
    await names["irc"].aclose()
    for person in (ada, stranger):
        await person.close()
    await names["room"].aclose()


async def lets_irc_in(stage: Stage, argument: str) -> None:
    """An IRC client and a page hear each other."""
    with irc_on_a_free_port() as ports:
        url = await stage.serve()
    ada, bob = await IrcPerson.enter(ports[0], "ada"), await WebSocketPerson.enter(f"{url}/chat")
    await bob.command("join", {"name": "Bob"})
    ada.say("PRIVMSG #lobby :hi")
    assert (await bob.event("message"))["text"] == "hi"
    await bob.command("say", {"text": "hello"})
    assert (await ada.line("PRIVMSG")).params == ("#lobby", "hello")
    await ada.close()
    await bob.close()


async def is_talked_over(stage: Stage, argument: str) -> None:
    """Two people who come with `nc` are asked for a name, hear each other and a browser, and read why not."""
    visit = (await stage.run())["visit"]
    room = ChatRoom("lobby")
    server = await asyncio.start_server(lambda reader, writer: visit(room, reader, writer), "localhost", 0)
    address = server.sockets[0].getsockname()[:2]
    (ada_hears, ada), (bob_hears, bob) = [await asyncio.open_connection(*address) for _ in range(2)]
    for hears in (ada_hears, bob_hears):
        assert await hears.readline() == b"What is your name?\n"
    ada.write(b"Ada\nfirst\n")
    assert await bob_hears.readline() == b"Ada: first\n"
    bob.write(b"ADA\n")
    assert b"Please take another name" in await bob_hears.readline()
    bob.write("Bob\r\nhi ☕\r\n".encode())
    assert (await ada_hears.readline()).decode() == "Bob: hi ☕\n"
    page = await Person.enter(room)
    await page.join("Grace")
    await page.say("hello")
    for hears in (ada_hears, bob_hears):
        assert await hears.readline() == b"Grace: hello\n"
    room.dismiss(Close.SHUTDOWN)
    for hears, writer in ((ada_hears, ada), (bob_hears, bob)):
        assert (await hears.read()).decode() == f"{Close.SHUTDOWN.text}\n"
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
    await room.aclose()


async def keeps_the_contract(stage: Stage, argument: str) -> None:
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


# Tests of one's own.


async def passes_as_tests(stage: Stage, argument: str) -> None:
    """Pytest finds as many tests in the program as said, and all pass, in a project without a line of configuration."""
    (stage.folder / "test_program.py").write_text(stage.program.code, "utf-8")
    (stage.folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider", "test_program.py"),
        cwd=stage.folder,
        stdout=asyncio.subprocess.PIPE,
    )
    told = (await process.communicate())[0].decode()
    assert (process.returncode, f"{argument} passed" in told) == (0, True), told
    assert not list(stage.folder.glob("*.db"))


async def is_how_a_test_fails(stage: Stage, argument: str) -> None:
    """Who looks for “hello” when this was said is told so."""
    with Chat() as chat:
        chat.patience = 0.01
        alice, bob = await chat.people(chat.room(), "alice", "bob")
        await alice.says(argument)
        try:
            await bob.sees("hello")
        except AssertionError as error:
            assert str(error) == stage.code.rstrip()
            return
    raise AssertionError("it did not fail")
