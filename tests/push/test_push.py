"""Web push: people who are away are told of mentions and direct messages, and of nothing else."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pychat import Chat, ChatRoom, Request, User, aiohttp_app
from pychat.domain.errors import Refused, UsageError
from pychat.hosts.aiohttp import MOUNT
from pychat.hosts.mount import Mount
from pychat.net.web_push import WebPush
from pychat.stores import PushSubscription
from tests.clients import ManyRooms, WebSocketManyRooms
from tests.push.service import Browser, PushService, push_service
from tests.servers import aiohttp_server


def by_query(request: Request) -> User | None:
    """Whoever says `?user=ada` is Ada."""
    name = request.query.get("user")
    return User(name, name.title()) if name else None


class Served:
    """A chat with a push service of its own."""

    def __init__(self, chat: Chat, mount: Mount, url: str, service: PushService, stack: AsyncExitStack) -> None:
        self.chat = chat
        self.mount = mount
        self.url = url
        self.service = service
        self._stack = stack
        self.http = aiohttp.ClientSession()

    async def enter(self, user: str, *rooms: str) -> ManyRooms:
        """Somebody enters rooms."""
        person: ManyRooms = await WebSocketManyRooms.connect(self.url, user=user)
        self._stack.push_async_callback(person.close)
        await person.enter(*rooms)
        return person

    async def push(self, method: str, user: str | None, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """A request to `api/push`."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        query = {} if user is None else {"user": user}
        async with self.http.request(
            method, f"{self.url}/api/push", params=query, json=body, headers=headers
        ) as response:
            return response.status, await response.json()

    async def subscribe(self, user: str, name: str = "laptop", muted: tuple[str, ...] = ()) -> Browser:
        """Somebody asks for push messages in a browser."""
        browser = self.service.browser(f"{user}-{name}")
        status, told = await self.push("POST", user, {**browser.subscription, "muted": list(muted)})
        assert (status, told) == (200, {"ok": True})
        return browser

    async def visit(self, user: str, *rooms: str) -> None:
        """Somebody was in rooms once."""
        person = await self.enter(user, *rooms)
        await person.close()
        for room in rooms:
            backend = self.chat.directory.rooms.given[room].backend
            async with asyncio.timeout(10):
                while backend.member(f"user:{user}") is not None:
                    await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """All that is queued was sent."""
        async with asyncio.timeout(10):
            while len(self.mount.rooms.push._tasks) or self.mount.rooms.push._waiting:
                await asyncio.sleep(0.01)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A chat with two rooms."""
    chat = Chat(
        ChatRoom("lobby", title="The lobby"), ChatRoom("den"), authenticate=by_query, push="mailto:ops@example.com"
    )
    app = aiohttp_app(chat)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(push_service(tmp_path / "tls"))
        url = await stack.enter_async_context(aiohttp_server(app))
        app[MOUNT].rooms.push.sender = WebPush("mailto:ops@example.com", [service.host], tls=service.tls)
        served = Served(chat, app[MOUNT], url, service, stack)
        stack.push_async_callback(served.http.close)
        yield served


async def test_somebody_who_is_away_is_told_of_a_mention(served: Served) -> None:
    """Encrypted for each browser, signed, with the room and the message; nothing comes for other messages."""
    await served.visit("bob", "lobby", "den")
    laptop, phone = await served.subscribe("bob"), await served.subscribe("bob", "phone")
    ada = await served.enter("ada", "lobby")
    await ada.command("say", {"room": "lobby", "text": "nothing for anybody"})
    await ada.command("say", {"room": "lobby", "text": "@bob, " + "tea 🍵 " * 200})
    came = [await served.service.next(), await served.service.next()]
    assert {browser for browser, _ in came} == {laptop, phone}
    told = came[0][1]
    assert (told["room"], told["title"], told["author"], told["seq"], told["direct"]) == (
        "lobby",
        "The lobby",
        "Ada",
        2,
        False,
    )
    assert told["text"].startswith("@bob, tea 🍵")
    assert len(told["text"]) == 300
    headers = served.service.headers
    assert (headers["TTL"], len(headers["Topic"])) == ("86400", 24)
    assert "ops@example.com" in json.dumps(_claims(headers["Authorization"]))
    assert _claims(headers["Authorization"])["aud"] == f"https://{served.service.host}"
    assert served.service.waiting == 0


async def test_direct_messages_are_told(served: Served) -> None:
    """Each member of a direct room who is away, once; a mention in it is the same message."""
    await served.visit("bob", "lobby")
    bob = await served.subscribe("bob")
    room = await served.chat.direct("ada", "bob")
    ada = await served.enter("ada", room.name)
    await ada.command("say", {"room": room.name, "text": "hello @bob"})
    browser, told = await served.service.next()
    assert browser is bob
    assert (told["direct"], told["author"], told["text"]) == (True, "Ada", "hello @bob")
    await served.settled()
    assert served.service.waiting == 0


async def test_nobody_is_told_who_is_here_or_has_muted_or_blocked(served: Served) -> None:
    """A connection in any room is enough; a muted room and a blocked author are silent, and so is one's own message."""
    for user in ("bob", "cy", "dan"):
        await served.visit(user, "lobby")
    for user, muted in (("ada", ()), ("bob", ()), ("cy", ("lobby",)), ("dan", ())):
        await served.subscribe(user, muted=muted)
    await served.chat.block("dan", "ada")
    bob = await served.enter("bob", "den")
    ada = await served.enter("ada", "lobby")
    await ada.command("say", {"room": "lobby", "text": "@ada @bob @cy @dan"})
    direct = await served.chat.direct("ada", "dan")
    await ada.enter(direct.name)
    await ada.command("say", {"room": direct.name, "text": "hello?"})
    await served.settled()
    assert served.service.waiting == 0
    await served.subscribe("cy")
    await ada.command("say", {"room": "lobby", "text": "@cy again"})
    assert (await served.service.next())[1]["text"] == "@cy again"
    await bob.close()


async def test_nothing_is_told_of_a_room_that_one_may_not_read(served: Served) -> None:
    """Somebody who was banned hears nothing of the room any more."""
    await served.visit("bob", "lobby")
    await served.subscribe("bob")
    lobby = served.chat.directory.rooms.given["lobby"]
    await lobby.post("@bob is here", author="bot")
    assert (await served.service.next())[1]["text"] == "@bob is here"
    await lobby.moderation.ban(User("bob"))
    await lobby.post("@bob is gone", author="bot")
    await served.settled()
    assert served.service.waiting == 0


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_has_ended_is_removed(served: Served, status: int) -> None:
    """The push service says so; other failures, and a redirection, leave it."""
    await served.visit("bob", "lobby")
    browser = await served.subscribe("bob")
    lobby = served.chat.directory.rooms.given["lobby"]
    for number, answer in enumerate((500, 429, 302, status)):
        served.service.status = answer
        await lobby.post(f"@bob {number}", author="bot")
        assert (await served.service.next())[1]["text"] == f"@bob {number}"
        await served.settled()
        kept = await _kept(served, "bob")
        assert [each.endpoint for each in kept] == ([] if answer == status else [browser.endpoint])


async def test_somebody_ends_it(served: Served) -> None:
    """By the browser, by the app at a logout, and when a user is erased."""
    await served.visit("bob", "lobby")
    browser = await served.subscribe("bob")
    assert (await served.push("DELETE", "eve", {"endpoint": browser.endpoint}))[0] == 200
    assert len(await _kept(served, "bob")) == 1
    assert (await served.push("DELETE", "bob", {"endpoint": browser.endpoint}))[0] == 200
    assert await _kept(served, "bob") == ()
    await served.subscribe("bob")
    await served.chat.unsubscribe("bob")
    assert await _kept(served, "bob") == ()
    await served.subscribe("bob")
    await served.chat.erase_user("bob")
    assert await _kept(served, "bob") == ()
    await served.subscribe("bob")
    served.mount.authenticator.login_ended("user:bob")
    await served.settled()
    assert await _kept(served, "bob") == ()


async def test_guests_subscribe_while_they_are_here(served: Served) -> None:
    """A guest who is connected can; nobody can with a token alone, or without any."""
    guest: ManyRooms = await WebSocketManyRooms.connect(served.url)
    token = guest.welcome["token"]
    subscription = served.service.browser("guest").subscription
    assert (await served.push("POST", None, subscription))[0] == 401
    assert (await served.push("POST", None, subscription, "wrong"))[0] == 401
    assert (await served.push("POST", None, subscription, token))[0] == 409
    await guest.enter("lobby")
    await guest.command("join", {"room": "lobby", "name": "Gus"})
    assert (await served.push("POST", None, subscription, token))[0] == 200
    await guest.close()
    lobby = served.chat.directory.rooms.given["lobby"]
    async with asyncio.timeout(10):
        while lobby.backend.here:
            await asyncio.sleep(0.01)
    await lobby.post("@Gus, come back", author="bot")
    assert (await served.service.next())[1]["text"] == "@Gus, come back"


async def test_a_browser_is_one_member_s(served: Served) -> None:
    """Who logs in on a computer after somebody else, and subscribes there, ends the subscription of the other."""
    for user in ("bob", "cy"):
        await served.visit(user, "lobby")
    shared = await served.subscribe("bob", "shared")
    assert (await served.push("POST", "cy", shared.subscription))[0] == 200
    lobby = served.chat.directory.rooms.given["lobby"]
    await lobby.post("@bob: a secret", author="bot")
    await lobby.post("@cy: hello", author="bot")
    assert (await served.service.next())[1]["text"] == "@cy: hello"
    await served.settled()
    assert served.service.waiting == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://evil.example\\.push.apple.com/x",
        "https://evil.example#.push.apple.com/x",
        "https://evil.example/.push.apple.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://FCM.googleapis.com/x",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/" + "x" * 1000,
        "file:///etc/passwd",
        "",
    ],
)
def test_nothing_is_sent_elsewhere(endpoint: str) -> None:
    """Only to the push services of browsers, over TLS: no address in the network of the server is ever asked."""
    subscription = Browser(endpoint).subscription
    sender = WebPush("mailto:ops@example.com")
    with pytest.raises(Refused) as refused:
        sender.check(PushSubscription(endpoint, **subscription["keys"], until=0.0))
    assert refused.value.code == "forbidden"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def-_",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://web.push.apple.com/QNo",
        "https://db5p.notify.windows.com/w/?token=Bw%3d",
        "https://fcm.googleapis.com:443/x",
    ],
)
def test_push_services_of_browsers_are_known(endpoint: str) -> None:
    """Those of Chrome, Firefox, Safari and Edge."""
    WebPush("mailto:ops@example.com").check(
        PushSubscription(endpoint, **Browser(endpoint).subscription["keys"], until=0.0)
    )


async def test_malformed_subscriptions_are_refused(served: Served) -> None:
    """Keys that are none, wrong types, too many rooms."""
    right = served.service.browser("x").subscription
    keys = right["keys"]
    for wrong in (
        {},
        {**right, "endpoint": 1},
        {**right, "keys": None},
        {**right, "keys": {"p256dh": "AAAA", "auth": keys["auth"]}},
        {**right, "keys": {"p256dh": keys["p256dh"] + "!" * 10_000, "auth": keys["auth"]}},
        {**right, "keys": {"p256dh": keys["p256dh"], "auth": "A" * 10_000}},
        {**right, "keys": {"p256dh": "B" + "A" * 86, "auth": keys["auth"]}},
        {**right, "keys": {"p256dh": keys["p256dh"], "auth": ""}},
        {**right, "muted": ["x"] * 300},
        {**right, "muted": ["x" * 300]},
        {**right, "muted": [1]},
    ):
        status, told = await served.push("POST", "bob", wrong)
        assert (status, told["error"]["code"]) == (400, "bad_request"), wrong
    assert (await served.push("POST", "bob", {**right, "endpoint": "https://127.0.0.1/x"}))[0] == 403


async def test_the_key_lives_as_long_as_the_tokens(tmp_path: Path) -> None:
    """It is derived from the secret of the store, so it survives a restart, and is the same on all servers."""

    async def key() -> str:
        chat = Chat(ChatRoom("lobby"), store=f"sqlite:{tmp_path / 'chat.db'}", push="mailto:ops@example.com")
        async with aiohttp_server(aiohttp_app(chat)) as url, aiohttp.ClientSession() as http:
            return str((await (await http.get(f"{url}/api/push")).json())["key"])

    first = await key()
    assert len(first) == 87
    assert await key() == first


async def test_push_is_off_unless_it_is_asked_for() -> None:
    """Without a contact there is no key; a contact must be an address."""
    async with aiohttp_server(aiohttp_app(Chat(ChatRoom("lobby")))) as url, aiohttp.ClientSession() as http:
        response = await http.get(f"{url}/api/push")
        assert (response.status, (await response.json())["error"]["code"]) == (404, "not_found")
    with pytest.raises(UsageError, match="contact"):
        aiohttp_app(Chat(ChatRoom("lobby"), push="ops@example.com"))


async def test_what_waits_is_told_as_it_stands(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that was deleted while it waited is not told, nor one of somebody who was blocked; an edited one is."""
    await served.visit("bob", "lobby")
    bob = await served.subscribe("bob")
    lobby, push = served.chat.directory.rooms.given["lobby"], served.mount.rooms.push
    ada = await served.enter("ada", "lobby")
    eve = await served.enter("eve", "lobby")
    waiting = []
    said = push.said
    monkeypatch.setattr(push, "said", lambda message, ids: waiting.append((message, tuple(ids))))
    for person, text in ((ada, "@bob a secret"), (eve, "@bob insult"), (ada, "@bob hello")):
        await person.command("say", {"room": "lobby", "text": text})
    async with asyncio.timeout(10):
        while len(waiting) < 3:
            await asyncio.sleep(0.01)
    await lobby.delete(1)
    await lobby.edit(3, "@bob good evening")
    await served.chat.block("bob", "eve")
    for message, ids in waiting:
        said(message, ids)
        await served.settled()
    assert served.service.waiting == 1
    browser, told = await served.service.next()
    assert (browser, told["text"]) == (bob, "@bob good evening")


async def test_the_queue_is_bounded(served: Served) -> None:
    """A newer message of the same room replaces one that waits; beyond the bound the oldest goes."""
    push = served.mount.rooms.push
    lobby = served.chat.directory.rooms.given["lobby"]
    message = await lobby.post("hi", author="bot")
    for _ in range(3):
        push.said(message, (f"user:{number}" for number in range(6_000)))
        assert len(push._waiting) == 5_000
    await served.chat.unsubscribe("5999")
    assert len(push._waiting) == 4_999


def _claims(authorization: str) -> dict[str, Any]:
    token = authorization.partition("t=")[2].partition(",")[0].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return claims


async def _kept(served: Served, user: str) -> tuple[PushSubscription, ...]:
    store = served.chat.directory.readers.store
    assert store is not None
    assert store.push is not None
    return await store.push.of(f"user:{user}")
