"""`revalidate`: a login that ends elsewhere ends here, on every wire, while everybody else stays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

import pychat
from pychat import ChatRoom, Close, Refused, Request, UsageError, User
from pychat.testing import FakeClock
from pychat.transports.authenticator import Authenticator
from tests.clients import (
    PollingManyRooms,
    SocketIOManyRooms,
    SocketIOPerson,
    SSEManyRooms,
    SSEPerson,
    WebSocketManyRooms,
    WebSocketPerson,
)
from tests.irc.person import IrcPerson
from tests.servers import aiohttp_server

SECONDS = 60.0


class App:
    """An app with logins, by the word that a request brings."""

    def __init__(self) -> None:
        #: What is answered for each word: a user, a guest, or what is raised.
        self.logins: dict[str, User | Exception | None] = {"ada": User("1", "Ada"), "bob": User("2", "Bob")}
        self.asked: list[str] = []
        #: Cleared while the function hangs.
        self.answers = asyncio.Event()
        self.answers.set()
        self.under_way = self.most_under_way = 0

    async def __call__(self, request: Request) -> User | None:
        """Answer for a request."""
        auth = request.auth or {}
        word = request.query.get("login") or request.headers.get("x-login") or auth.get("nick") or "nobody"
        self.asked.append(word)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.answers.wait()
        finally:
            self.under_way -= 1
        found = self.logins.get(word)
        if isinstance(found, Exception):
            raise found
        return found


class Site:
    """A room for people with logins, over all wires, with a clock that a test moves."""

    def __init__(self, app: App, clock: FakeClock, url: str, irc_port: int, room: ChatRoom) -> None:
        self.app, self.clock, self.url, self.irc_port, self.room = app, clock, url, irc_port, room

    async def asked(self, number: int) -> None:
        """Let the time pass after which everybody was asked, and wait until `number` questions were."""
        self.app.asked.clear()
        self.clock.move(SECONDS)
        async with asyncio.timeout(10):
            while len(self.app.asked) < number or self.app.under_way:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def site(**options: Any) -> AsyncIterator[Site]:
    """Serve it."""
    app, clock = App(), FakeClock()
    room = ChatRoom("lobby", clock=clock)
    options = {"authenticate": app, "revalidate": SECONDS, **options}
    async with aiohttp_server(pychat.aiohttp_app(room, **options)) as url, AsyncExitStack() as stack:
        irc = pychat.IrcServer(room, authenticate=app, revalidate=SECONDS)
        await irc.start(port=0)
        stack.push_async_callback(irc.aclose)
        yield Site(app, clock, url, irc.port, room)


Ended = Callable[[], Awaitable[object]]


async def websocket(site: Site, word: str) -> tuple[Any, Ended]:
    """A plain WebSocket."""
    person = await WebSocketPerson.enter(site.url, login=word)

    async def ended() -> None:
        assert (await person.event("bye"))["reason"] == "login_ended"
        assert await person.told.next("closed") == 4018

    return person, ended


async def websocket_2(site: Site, word: str) -> tuple[Any, Ended]:
    """The same of version 2, in one room."""
    person = await WebSocketManyRooms.connect(site.url, login=word)
    await person.enter("lobby")

    async def ended() -> None:
        assert (await person.event("exited", "lobby"))["reason"] == "login_ended"
        assert (await person.event("closed"))["code"] == 4018

    return person, ended


def socketio(*transports: str, version: int | None = 1) -> Callable[[Site, str], Awaitable[tuple[Any, Ended]]]:
    """Socket.IO, by these ways."""

    async def enter(site: Site, word: str) -> tuple[Any, Ended]:
        url = f"{site.url}?login={word}"
        person = await SocketIOPerson.enter(url, transports=transports, version=version)

        async def ended() -> None:
            assert (await person.event("bye"))["reason"] == "login_ended"
            await person.event("disconnect")

        return person, ended

    return enter


def socketio_2(kind: type[SocketIOManyRooms]) -> Callable[[Site, str], Awaitable[tuple[Any, Ended]]]:
    """The same of version 2, in one room."""

    async def enter(site: Site, word: str) -> tuple[Any, Ended]:
        person = await kind.connect(site.url, login=word)
        await person.enter("lobby")

        async def ended() -> None:
            assert (await person.event("bye"))["reason"] == "login_ended"
            await person.event("closed")

        return person, ended

    return enter


async def stream(site: Site, word: str) -> tuple[Any, Ended]:
    """An event stream."""
    person = await SSEPerson.enter(site.url, headers={"X-Login": word})

    async def ended() -> None:
        assert (await person.event("bye"))["reason"] == "login_ended"

    return person, ended


async def stream_2(site: Site, word: str) -> tuple[Any, Ended]:
    """The same of version 2, in one room."""
    person = await SSEManyRooms.connect(site.url, None, ("room", "lobby"), **{"X-Login": word})

    async def ended() -> None:
        assert (await person.event("bye"))["reason"] == "login_ended"

    return person, ended


async def irc(site: Site, word: str) -> tuple[Any, Ended]:
    """IRC."""
    person = await IrcPerson.enter(site.irc_port, word)

    async def ended() -> None:
        assert (await person.ended())[-1].params[0].endswith("(login_ended)")

    return person, ended


WIRES = {
    "websocket": websocket,
    "websocket 2": websocket_2,
    "socketio": socketio("websocket"),
    "polling": socketio("polling"),
    "2013": socketio("websocket", version=None),
    "socketio 2": socketio_2(SocketIOManyRooms),
    "polling 2": socketio_2(PollingManyRooms),
    "stream": stream,
    "stream 2": stream_2,
    "irc": irc,
}


@pytest.mark.parametrize("now", [None, User("2", "Bob"), Refused("login_required", "Log in.")], ids=["", "bob", "no"])
@pytest.mark.parametrize("wire", WIRES)
async def test_a_login_that_ended_ends_the_connection(wire: str, now: User | Exception | None) -> None:
    """Logged out, somebody else, or refused: closed with 4018, the name is free at once; a login that holds stays."""
    async with site() as here:
        ada, ended = await WIRES[wire](here, "ada")
        bob, _ = await websocket(here, "bob")
        await here.asked(2)
        assert here.room.user("user:1") is not None
        here.app.logins["ada"] = now
        await here.asked(2)
        await ended()
        async with asyncio.timeout(10):
            while "user:1" in {member.id for member in here.room.members}:
                await asyncio.sleep(0.005)
        assert (await bob.command("say", {"text": "still here"}))["ok"]
        await here.asked(1)
        assert here.app.asked == ["bob"]
        for person in (ada, bob):
            await person.close()


@pytest.mark.parametrize("wire", ["websocket", "socketio", "stream", "irc"])
async def test_guests_are_not_asked_for(wire: str) -> None:
    """Whoever came without a login has none that could end."""
    async with site() as here:
        guest, _ = await WIRES[wire](here, "somebody")
        bob, _ = await websocket(here, "bob")
        await here.asked(1)
        assert here.app.asked == ["bob"]
        for person in (guest, bob):
            await person.close()


@pytest.mark.parametrize(
    "fault", [RuntimeError("no database"), Refused("unavailable", "Later.", 5.0), Refused("busy", "Later.", 5.0)]
)
async def test_who_cannot_be_asked_for_stays(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Where the app's function fails, or refuses for now, the person stays, the log tells, and the next time counts."""
    async with site() as here:
        ada, ended = await websocket(here, "ada")
        here.app.logins["ada"] = fault
        with caplog.at_level(logging.WARNING, "pychat.auth"):
            await here.asked(1)
            assert (await ada.command("say", {"text": "still here"}))["ok"]
        assert "'user:1' could not be checked, and stays for now" in caplog.text
        here.app.logins["ada"] = None
        await here.asked(1)
        await ended()
        await ada.close()


async def test_a_function_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody stays and can write while it hangs; few calls wait at once, and after its time limit the next are made."""
    async with site() as here:
        people = [(await websocket(here, "ada"))[0] for _ in range(20)]
        monkeypatch.setattr("pychat.room.app_function._ANSWER_SECONDS", 0.05)
        here.app.answers.clear()
        here.app.most_under_way = 0
        await here.asked(20)
        assert 1 <= here.app.most_under_way <= 8
        for person in people:
            assert (await person.command("say", {"text": "still here"}))["ok"]
            await person.close()


async def test_a_connection_that_ends_meanwhile_is_left_alone() -> None:
    """While the app is asked, the person goes; the answer then ends nothing, and nobody is asked for any more."""
    async with site() as here:
        ada, _ = await websocket(here, "ada")
        here.app.answers.clear()
        here.app.asked.clear()
        here.clock.move(SECONDS)
        async with asyncio.timeout(10):
            while not here.app.asked:
                await asyncio.sleep(0.005)
            await ada.close()
            while here.room.members:
                here.clock.move(60)
                await asyncio.sleep(0.005)
        again, _ = await websocket_again(here)
        here.app.logins["ada"] = None
        here.app.answers.set()
        assert (await again.command("say", {"text": "I am back"}))["ok"]
        await again.close()


async def websocket_again(here: Site) -> tuple[Any, Ended]:
    """Ada on a new connection, whose login is found without waiting."""
    here.app.answers.set()
    found = await websocket(here, "ada")
    await found[0].event("welcome")
    return found


async def test_what_is_sent_after_the_end_does_not_happen() -> None:
    """A command on its way when the login ends is not carried out: nobody hears it."""
    async with site() as here:
        heard: list[str] = []
        here.room.on("message", lambda message: heard.append(message.text))
        ada, ended = await websocket(here, "ada")
        two, ended_2 = await websocket_2(here, "ada")
        here.app.logins["ada"] = None
        here.app.asked.clear()
        here.clock.move(SECONDS)
        for _ in range(200):
            if ada.socket.closed and two.socket.closed:
                break
            for person, fields in ((ada, {}), (two, {"room": "lobby"})):
                if not person.socket.closed:
                    await person.socket.send_json({"type": "say", "text": "x", **fields})
            await asyncio.sleep(0)
        await ended()
        await ended_2()
        before = len(heard)
        await asyncio.sleep(0)
        assert len(heard) == before
        assert not here.room.members
        for person in (ada, two):
            await person.close()


async def test_those_who_came_together_are_not_asked_for_together() -> None:
    """Of a hundred logins of one moment, the times of asking are spread over a quarter of the time."""
    clock, asked = FakeClock(), []

    async def ada(request: Request) -> User:
        asked.append(clock.steady())
        return User("1", "Ada")

    authenticator = Authenticator(ada, revalidate=SECONDS, clock=clock)
    request = Request("GET", "/ws", {}, {}, "192.0.2.1", "lobby", None)
    stops = [authenticator.watch(request, User("1", "Ada"), lambda _: None) for _ in range(100)]
    for _ in range(int(SECONDS)):
        clock.move(1.0)
        for _ in range(5):
            await asyncio.sleep(0)
    times = sorted(asked)
    assert len(times) >= 100
    assert 0.75 * SECONDS - 1 <= times[0]
    assert max(times.count(each) for each in times) < 50
    for stop in stops:
        stop()
    assert authenticator.logins is not None
    assert len(authenticator.logins) == 0
    assert clock.next_timer is None


async def test_nothing_is_left_when_everybody_has_gone() -> None:
    """No login, no timer and no task stays behind, on any wire."""
    async with site() as here:
        for enter in WIRES.values():
            person, _ = await enter(here, "ada")
            await person.close()
        here.app.asked.clear()
        async with asyncio.timeout(10):
            while here.room.members:
                here.clock.move(30)
                await asyncio.sleep(0.005)
        here.clock.move(SECONDS)
        await asyncio.sleep(0)
        assert here.app.asked == []


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), "60", True])
def test_what_is_no_time_is_refused(wrong: Any) -> None:
    """And so is `revalidate` without a function to ask."""
    with pytest.raises(UsageError, match="revalidate"):
        Authenticator(App(), revalidate=wrong)
    with pytest.raises(UsageError, match="revalidate"):
        pychat.aiohttp_app(ChatRoom("lobby"), revalidate=60)


def test_the_close_code_is_final() -> None:
    """Clients do not come back by themselves with a login that has ended."""
    assert Close.LOGIN_ENDED.code == 4018
    assert not Close.LOGIN_ENDED.reconnect
