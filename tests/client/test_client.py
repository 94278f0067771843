"""What a program sees of a room through `pychat.Client`, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from pychat import (
    ChatRoom,
    Client,
    Close,
    Deleted,
    Disconnected,
    Edited,
    Joined,
    Left,
    Limits,
    Message,
    Reacted,
    Refused,
    Renamed,
    Request,
    RoomSnapshot,
    Typing,
    UsageError,
    User,
    Whisper,
    aiohttp_app,
    asgi_app,
)
from pychat.client import State
from pychat.testing import RecordingConnection
from tests.client.hearing import event, texts, until
from tests.servers import aiohttp_server, uvicorn_server


@pytest.fixture
async def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby", title="The lobby")


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room)) as address:
        yield address


async def test_two_people_talk(url: str) -> None:
    """Each hears both, in the same order, one's own messages among them; `say` returns what was stored."""
    async with Client(url, name="Ada") as ada, Client(url, name="Bob") as bob:
        first = await ada.say("hi")
        second = await bob.say("  hello\r\n")
        assert (first.author, first.text, first.seq) == (ada.me, "hi", 1)
        assert (second.author, second.text, second.seq) == (bob.me, "  hello", 2)
        for chat in (ada, bob):
            assert [first, second] == [await event(chat, Message) for _ in range(2)]


async def test_the_room_as_one_comes_in(room: ChatRoom, url: str) -> None:
    """The first event has the newest messages, the room's title and limits; who is here is known by then."""
    for number in range(60):
        await room.post(f"{number}", author="bot")
    async with Client(url, name="Ada") as ada, Client(f"{url}/rooms/lobby") as guest:
        entered = await event(guest, RoomSnapshot)
        assert (entered.room, entered.title, entered.longest_text) == ("lobby", "The lobby", 2000)
        assert [f"{number}" for number in range(10, 60)] == [message.text for message in entered.messages]
        assert (entered.more, entered.missed) == (True, False)
        assert guest.entered == entered
        assert (guest.members, guest.here, guest.me, guest.room) == ((ada.me,), 2, None, "lobby")


async def test_a_whisper_is_yielded_once(room: ChatRoom, url: str) -> None:
    """Also if it is sent again after a drop."""
    async with Client(url, name="Ada") as chat:
        assert chat.me is not None
        await room.whisper(chat.me, "psst", author="bot", store=True)
        whisper = await event(chat, Whisper)
        assert (whisper.text, whisper.author.name, whisper.member, whisper.room) == ("psst", "bot", chat.me, "lobby")
        await chat._client_session.catch_up()  # connects again
        await room.whisper(chat.me, "again", author="bot", store=True)
        assert (await event(chat, Whisper)).text == "again"


async def test_messages_name_their_room_and_whom_they_mention(room: ChatRoom, url: str) -> None:
    """As events, in the history and in the answer to `say`."""
    await room.post("first", author="bot")
    async with Client(url, name="Ada") as ada, Client(url, name="Bob") as bob:
        assert ada.me is not None
        said = await bob.say("hi @ada")
        heard = await event(ada, Message)
        assert {(each.room, each.mentions) for each in (said, heard)} == {("lobby", (ada.me.id,))}
        assert {each.room for each in (*await ada.history(), *ada.entered.messages)} == {"lobby"}
        await bob.edit(said, "hi")
        assert (await event(ada, Edited)).mentions == ()


async def test_what_becomes_of_messages(url: str) -> None:
    """Replies quote; edits, reactions and deletions are told to everyone, with the number of their message."""
    async with Client(url, name="Ada") as ada, Client(url, name="Bob") as bob:
        said = await ada.say("x" * 300)
        reply = await bob.say("yes", reply_to=said)
        assert reply.reply is not None
        assert (reply.reply.seq, reply.reply.author, len(reply.reply.text)) == (said.seq, "Ada", 200)
        assert [said, reply] == [await event(ada, Message) for _ in range(2)]
        await ada.edit(said, "shorter")
        await bob.react(said.seq, "👍")
        await bob.react(said, "👍", on=False)
        await ada.delete(said)
        for chat in (ada, bob):
            edited = await event(chat, Edited)
            on, off = await event(chat, Reacted), await event(chat, Reacted)
            deleted = await event(chat, Deleted)
            assert (edited.target, edited.text) == (said.seq, "shorter")
            assert [(on.emoji, on.on), (off.emoji, off.on)] == [("👍", True), ("👍", False)]
            assert (deleted.target, deleted.author) == (said.seq, ada.me)


async def test_a_reply_to_an_old_message_quotes_it(room: ChatRoom, url: str) -> None:
    """A message that the client has never seen is asked for."""
    old = await room.post("very old", author="bot")
    for number in range(60):
        await room.post(f"{number}", author="bot")
    async with Client(url, name="Ada") as ada:
        said = await ada.say("yes", reply_to=old.seq)
        assert said.reply == (await room.message(said.seq)).reply


async def test_who_comes_and_goes(url: str) -> None:
    """Others' comings, goings, new names and typing are told; one's own are not."""
    async with Client(url, name="Ada") as ada:
        async with Client(url, name="Bob") as bob:
            joined = await event(ada, Joined)
            assert joined.member == bob.me
            await bob.typing()
            assert await event(ada, Typing) == Typing(joined.member, on=True)
            await bob.join("Robert")
            renamed = await event(ada, Renamed)
            assert (renamed.member, renamed.member.name, renamed.before) == (bob.me, "Robert", "Bob")
            assert await ada.who() == (ada.me, bob.me) == ada.members
            member = bob.me
        assert await event(ada, Left) == Left(member)


async def test_what_one_said_under_an_older_name_is_ones_own(url: str) -> None:
    """A program that skips its own messages also skips those from before a rename, and those it finds in the history."""
    async with Client(url, name="Ada") as ada, Client(url, name="Bob") as bob:
        said = await ada.say("hi")
        await bob.say("hello")
        me = await ada.join("Countess")
        assert (me, me.name) == (ada.me, "Countess")
        old, other = await ada.history()
        assert old.author == said.author == ada.me == old.author
        assert not old.author != ada.me  # noqa: SIM202 -- the operator of the examples in the docs
        assert hash(old.author) == hash(ada.me)
        assert old.author.name == "Ada"
        assert other.author != ada.me != other.author


async def test_leaving_gives_the_name_back(url: str) -> None:
    """One stays to listen; who says something then is told to take a nickname."""
    async with Client(url, name="Ada") as ada, Client(url) as other:
        await ada.leave()
        assert ada.me is None
        with pytest.raises(Refused) as refused:
            await ada.say("hi")
        assert refused.value.code == "not_joined"
        assert (await other.join("Ada")).name == "Ada"


async def test_the_history_in_pages(room: ChatRoom, url: str) -> None:
    """Any number of messages, oldest first, before any message; or those that hold some words."""
    for number in range(450):
        await room.post(f"number {number}", author="bot")
    async with Client(url) as chat:
        assert [f"number {number}" for number in range(450)] == [each.text for each in await chat.history(limit=1000)]
        newest = (await chat.history(limit=1))[0]
        assert [f"number {number}" for number in range(199, 449)] == [
            each.text for each in await chat.history(before=newest, limit=250)
        ]
        assert ["number 7"] == [each.text for each in await chat.history(matching="NUMBER 7", limit=1, before=9)]


async def test_the_same_id_is_stored_once(room: ChatRoom, url: str) -> None:
    """A program that repeats itself after a crash, as the same member and with the same id, says it once."""
    async with Client(url, name="Ada") as ada:
        first = await ada.say("hi", id="job-1")
        resume = ada.resume
    async with Client(url, name="Ada", resume=resume) as ada:
        assert await ada.say("hi", id="job-1") == first
        assert (await ada.say("next")).seq == first.seq + 1
    assert ["hi", "next"] == [message.text for message in await room.history()]


@pytest.mark.parametrize(
    ("name", "code"), [("admin", "name_reserved"), ("Bob", "name_taken"), ("", "name_invalid")], ids=str
)
async def test_a_name_that_cannot_be_had(url: str, name: str, code: str) -> None:
    """Entering with it fails with the room's own words; joining with another then works."""
    async with Client(url, name="Bob"):
        with pytest.raises(Refused) as refused:
            async with Client(url, name=name):
                raise AssertionError
        assert refused.value.code == code
        async with Client(url) as chat:
            with pytest.raises(Refused):
                await chat.join(name)
            assert (await chat.join("Ada")).name == "Ada"


async def test_refusals_are_for_who_asked(url: str) -> None:
    """They have a code and words, and what was refused does not hold up what comes after."""
    async with Client(url, name="Ada") as ada, Client(url, name="Bob") as bob:
        said = await ada.say("hi")
        for deed, code in (
            (bob.edit(said, "ho"), "not_yours"),
            (bob.say(" "), "text_empty"),
            (bob.say("x" * 2001), "text_too_long"),
            (bob.say("hi", reply_to=99), "not_found"),
            (bob.react(said, "no"), "emoji_invalid"),
        ):
            with pytest.raises(Refused) as refused:
                await deed
            assert refused.value.code == code
        assert (await bob.say("fine")).seq == 2


async def test_rates_are_waited_for() -> None:
    """A bot that says more than it may is slowed down, and loses nothing."""
    room = ChatRoom("lobby", limits=Limits(rate=50, burst=3))
    async with aiohttp_server(aiohttp_app(room)) as url, Client(url, name="bot") as bot:
        said = await asyncio.gather(*(bot.say(f"{number}") for number in range(12)))
        assert [f"{number}" for number in range(12)] == [message.text for message in said]
        assert [message.id for message in said] == [message.id for message in await room.history()]


async def test_a_hook_that_changes_words(room: ChatRoom, url: str) -> None:
    """`say` returns what the room made of it."""

    @room.on("message")
    def shout(message: Message) -> Message:
        return replace(message, text=message.text.upper())

    async with Client(url, name="Ada") as ada:
        assert (await ada.say("hi")).text == "HI"
        assert (await event(ada, Message)).text == "HI"


@pytest.mark.parametrize("prefix", ["", "/a/b"])
async def test_under_any_prefix_and_host(prefix: str) -> None:
    """Several rooms, below a prefix, on ASGI: an address of any form finds the room."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    rooms = [ChatRoom("lobby"), ChatRoom("tea")]
    async with uvicorn_server(Starlette(routes=[Mount(prefix or "/", asgi_app(*rooms))])) as url:
        for given, room in (
            (f"{url}{prefix}", "tea"),
            (f"{url}{prefix}/rooms/tea", None),
            (f"{url}{prefix}/ws", "tea"),
        ):
            async with Client(given, room, name="Ada") as chat:
                assert chat.room == "tea"
                await chat.say(given)
    assert len(await rooms[1].history()) == 3


async def test_cookies_headers_and_tokens_are_sent() -> None:
    """A host that asks who one is finds them in the handshake."""
    asked: list[tuple[str | None, ...]] = []

    @web.middleware
    async def guard(request: web.Request, handler: object) -> web.StreamResponse:
        asked.append((request.headers.get("X-Team"), request.cookies.get("a"), request.headers.get("Authorization")))
        raise web.HTTPForbidden

    async with aiohttp_server(web.Application(middlewares=[guard])) as url, aiohttp.ClientSession() as http:
        with pytest.raises(Disconnected, match=r"in \(HTTP 403\)\. There may be no pychat at .*give the whole address"):
            async with Client(url, headers={"X-Team": "red"}, cookies={"a": "b", "c": "d"}, token="t", session=http):
                raise AssertionError
        assert not http.closed
    # Again for the reason; a host that has none in JSON is left with its status.
    assert asked == [("red", "b", "Bearer t")] * 2


async def test_what_is_no_pychat_is_told() -> None:
    """Nobody there, no such page, no such host, not a WebSocket of ours: each in words, at once."""

    async def odd(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("hello")
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/odd/ws", odd)
    async with aiohttp_server(app) as url:
        for address, told in (
            (url, f"There is no pychat at {url}/ "),
            (f"{url}/odd", "does not speak the protocol of pychat"),
            ("http://127.0.0.1:1", "cannot be reached"),
        ):
            with pytest.raises(Disconnected, match=told):
                async with Client(address):
                    raise AssertionError


async def test_an_unknown_room_is_told(url: str) -> None:
    """With its close code, and in the server's words."""
    with pytest.raises(Disconnected, match="There are: lobby") as ended:
        async with Client(url, room="elsewhere"):
            raise AssertionError
    assert ended.value.close is Close.UNKNOWN_ROOM


async def test_being_sent_out_ends_it(room: ChatRoom, url: str) -> None:
    """The iterator, whoever waits for an answer, and all that is asked later raise why."""
    states: list[State] = []
    async with Client(url, name="Ada", on_state=states.append) as ada:
        room.dismiss(Close.KICKED)
        with pytest.raises(Disconnected) as ended:
            await event(ada, Message)
        assert ended.value.close is Close.KICKED
        with pytest.raises(Disconnected):
            await ada.say("hi")
    assert [state.name for state in states] == ["live", "closed"]
    assert states[-1].text == Close.KICKED.text


async def test_being_kicked_says_why(room: ChatRoom, url: str) -> None:
    """The words of `room.kick` reach the program; where there are none, the server's own; an error from before is not mistaken for them."""
    for words, told in (("You were rude.", "You were rude."), ("", Close.KICKED.text)):
        async with Client(url, name="Ada") as ada:
            assert ada.me is not None
            with pytest.raises(Refused):
                await ada.edit(99, "no such message")
            await room.kick(ada.me.id, words)
            with pytest.raises(Disconnected) as ended:
                await event(ada, Message)
            assert (Close.KICKED, told) == (ended.value.close, ended.value.text)


async def test_a_callback_that_fails_ends_nothing(url: str) -> None:
    """What `on_state` raises is told to the event loop's handler, and the client goes on."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))

    def fail(state: State) -> None:
        raise ValueError(state.name)

    async with Client(url, name="Ada", on_state=fail) as ada:
        assert (await ada.say("hi")).text == "hi"
    assert ["live", "closed"] == [str(error) for error in told]


async def test_who_has_a_login_need_not_join(room: ChatRoom) -> None:
    """The server knows the name by what the client sends with `token`; `me` has the roles, and is an author."""

    def who(request: Request) -> User | None:
        if request.headers.get("authorization") != "Bearer secret":
            raise Refused("login_required", "Log in first.")
        return User("7", "Ada", roles=("moderator",))

    async with aiohttp_server(aiohttp_app(room, authenticate=who)) as address:
        async with Client(address, token="secret") as ada:
            assert ada.me is not None
            assert (ada.me.name, ada.me.roles) == ("Ada", ("moderator",))
            assert [member.roles for member in ada.members] == [ada.me.roles]
            said = await ada.say("hi")
            assert (await event(ada, Message)).author == said.author == ada.me
            assert [member.roles for member in await ada.who()] == [("moderator",)]
            room.dismiss(Close.SHUTDOWN)
            assert (await ada.say("back")).author == ada.me
            await room.connect(RecordingConnection(), user=User("7", "Ada", roles=("vip",)))
            await ada.say("in another tab")
            await until(lambda: ada.me is not None and ada.me.roles == ("vip",))
        with pytest.raises(Disconnected, match=r"does not let you in \(HTTP 401\): Log in first\."):
            async with Client(address):
                raise AssertionError
        with pytest.raises(Disconnected, match=r"Log in first\."):
            async with Client(address, room="lobby"):
                raise AssertionError


async def test_the_name_of_a_login_counts(room: ChatRoom, caplog: pytest.LogCaptureFixture) -> None:
    """A program that asks for another is let in all the same, and its log says who it is; later wishes are refused."""
    app = aiohttp_app(room, authenticate=lambda _: User("7", "Ada"))
    async with aiohttp_server(app) as address, Client(address, name="Countess") as ada:
        assert ada.me is not None
        assert ada.me.name == "Ada"
        assert ["You are “Ada” and not “Countess”: on this server the name comes with the login."] == [
            record.getMessage() for record in caplog.records if record.name == "pychat.client"
        ]
        with pytest.raises(Refused, match="comes with your login"):
            await ada.join("Countess")


async def test_closing_ends_the_iterator(url: str) -> None:
    """What came is still told, then it ends; and whoever says something then is told so."""
    async with Client(url, name="Ada") as ada:
        await ada.say("hi")
    assert ["RoomSnapshot", "Message"] == [type(each).__name__ async for each in ada]
    with pytest.raises(Disconnected, match="closed"):
        await ada.say("more")


async def test_a_reader_that_is_cancelled_misses_nothing(room: ChatRoom, url: str) -> None:
    """`asyncio.timeout` around the next event is safe."""
    async with Client(url) as chat:
        await event(chat, RoomSnapshot)
        for number in range(20):
            waiting = asyncio.ensure_future(anext(chat))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await room.post(f"{number}", author="bot")
            assert await texts(chat, f"{number}") == [f"{number}"]


async def test_a_say_that_is_cancelled_leaves_the_rest_alone(url: str) -> None:
    """What somebody gave up waiting for does not hold up the next."""
    async with Client(url, name="Ada") as ada:
        saying = [asyncio.create_task(ada.say(f"{number}")) for number in range(10)]
        await asyncio.sleep(0)
        for task in saying[::2]:
            task.cancel()
        await asyncio.gather(*saying, return_exceptions=True)
        await ada.say("end")
        heard = await texts(ada, "end")
        assert [text for text in heard if text in "13579"] == ["1", "3", "5", "7", "9"]


async def test_mistakes_of_a_program_are_told() -> None:
    """A client that is not entered, and one entered twice, say what to do instead."""
    chat = Client("http://localhost:1")
    with pytest.raises(UsageError, match="async with"):
        await chat.say("hi")
    with pytest.raises(UsageError, match="async with"):
        await anext(chat)
    with pytest.raises(UsageError, match="http://localhost:3000"):
        Client("nonsense://")
    with pytest.raises(Disconnected):
        async with chat:
            raise AssertionError
    with pytest.raises(UsageError, match="Make a new one"):
        async with chat:
            raise AssertionError
