"""Saying something by HTTP: who may, in which forms, once, within limits, and what is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import pychat
from pychat import ChatRoom, Held, Limits, Message
from pychat.room.tokens import Tokens
from tests.clients import SSEPerson, WebSocketPerson

TOKEN = "a-token-of-the-server"


async def test_a_guest_says_one_thing(mounted) -> None:
    """With a nickname and nothing else: stored, heard by everybody, and the name is free again."""
    site = await mounted()
    bob = await WebSocketPerson.enter(site.url)
    done = await site.post({"text": "hi ☕", "author": "Ada", "id": "m-1"})
    heard = await bob.event("message")
    assert (done.status, done.headers["Location"]) == (201, "messages/1")
    assert {"ok": True, "token": done.told["token"], **heard} == done.told
    assert (heard["text"], heard["author"]["name"], heard["id"]) == ("hi ☕", "Ada", "m-1")
    assert (await bob.command("join", {"name": "Ada"}))["ok"]
    assert (await site.post({"text": "hi", "author": "Ada"})).code == "name_taken"
    await bob.close()


async def test_the_token_of_the_answer_is_that_guest(mounted) -> None:
    """With it the next message has the same author, no name is needed, and an id that was used says nothing twice."""
    site = await mounted()
    first = await site.post({"text": "one", "author": "Ada", "id": "m-1"})
    token = first.told["token"]
    again = await site.post({"text": "one", "id": "m-1"}, token=token)
    second = await site.post({"text": "two"}, token=token)
    assert (again.status, again.told["seq"]) == (200, 1)
    assert (second.status, second.told["author"]) == (201, first.told["author"])
    assert await site.texts() == ["one", "two"]


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("application/json", '{"text": "hi & bye"}', "hi & bye"),
        ("application/json; charset=utf-8", '{"text": "hi", "unknown": 1}', "hi"),
        ("text/plain", "1+1=2 & so on", "1+1=2 & so on"),
        ("application/x-www-form-urlencoded", "text=1%2B1%3D2+%26", "1+1=2 &"),
        ("application/x-www-form-urlencoded", "Hello there, 100% ☕", "Hello there, 100% ☕"),
    ],
)
async def test_forms_of_a_body(mounted, kind: str, body: str, text: str) -> None:
    """JSON, a form, a plain text, and what `curl -d 'Hello there'` sends: a text that calls itself a form."""
    site = await mounted()
    done = await site.ask("POST", "/messages?author=Ada", data=body.encode(), headers={"Content-Type": kind})
    assert (done.status, done.told.get("text")) == (201, text)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", "{}", 400),
        ("application/json", '{"text": 7}', 400),
        ("application/json", '{"text": "hi", "reply_to": true}', 400),
        ("application/json", '{"text": "hi", "id": "no spaces"}', 400),
        ("application/json", b'{"text": "\xff"}', 400),
        ("application/json", '{"text": "\\ud800"}', 400),
        ("application/x-www-form-urlencoded", "message=hi", 400),
        ("application/x-www-form-urlencoded", "text=one&two", 400),
        ("multipart/form-data", "hi", 415),
        ("", "hi", 415),
        ("text/plain", " ", 422),
        ("text/plain", "x" * 2001, 422),
        ("text/plain", "x" * 100_000, 413),
        ("application/json", '{"text": "hi", "reply_to": 99}', 404),
        ("application/json", '{"text": "hi", "author": "Admin"}', 403),
    ],
)
async def test_mistakes_are_told(mounted, kind: str, body: str | bytes, status: int) -> None:
    """Each has its status, a code and words; and the room is as it was."""
    site = await mounted()
    raw = body if isinstance(body, bytes) else body.encode()
    done = await site.ask("POST", "/messages?author=Ada", data=raw, headers={"Content-Type": kind})
    assert (done.status, bool(done.code)) == (status, True)
    assert await site.texts() == []


async def test_who_does_not_say_who_they_are(mounted) -> None:
    """Without a name or a token: 401, and what to do. A token that nobody issued is told apart."""
    site = await mounted()
    done = await site.post({"text": "hi"})
    assert (done.status, done.headers["WWW-Authenticate"], done.code) == (401, "Bearer", "unauthorized")
    assert "author" in done.told["error"]["text"]
    done = await site.post({"text": "hi", "author": "Ada"}, token="made.up")
    assert (done.status, done.code) == (401, "unauthorized")
    assert (await site.ask("POST", "/messages", data=b"x", headers={"Content-Type": "text/plain"})).status == 401


async def test_programs_have_tokens(mounted) -> None:
    """They post as anybody, reserved names too, with no presence; and where they are, guests need a token first."""
    site = await mounted(api_tokens=[TOKEN, "another-token-1234"])
    done = await site.post({"text": "Deployed.", "author": "admin", "id": "d1"}, token=TOKEN)
    assert (done.status, done.told["author"]) == (201, {"id": "post:admin", "name": "admin"})
    assert (await site.post({"text": "Deployed.", "author": "admin", "id": "d1"}, token=TOKEN)).status == 200
    assert "token" not in done.told
    assert (await site.post({"text": "Whose?"}, token=TOKEN)).status == 422
    answer = await site.post({"text": "Thanks!", "author": "b", "reply_to": 1}, token=TOKEN)
    assert (answer.status, answer.told["reply"]) == (201, {"seq": 1, "author": "admin", "text": "Deployed."})
    assert (await site.post({"text": "?", "author": "b", "reply_to": 99}, token=TOKEN)).code == "not_found"
    assert (await site.post({"text": "hi", "author": "Ada"})).status == 401
    wrong = await site.post({"text": "hi", "author": "b"}, token=TOKEN + "x")
    assert wrong.status == 401
    assert "--api-token" in wrong.told["error"]["text"]
    visitor = (await site.ask("POST", "/token")).told["token"]
    assert (await site.post({"text": "hi", "author": "Ada"}, token=visitor)).status == 201
    assert site.room.here == 0


@pytest.mark.parametrize("tokens", ["short", ["with space in it all"], [""]])
def test_tokens_that_protect_nothing_are_refused(tokens: Any) -> None:
    """A token that could be guessed, or not be sent, is the programmer's mistake."""
    with pytest.raises(pychat.UsageError, match="api_tokens"):
        pychat.asgi_app(ChatRoom("lobby"), api_tokens=tokens)


async def test_a_member_of_any_wire_can_post(mounted) -> None:
    """The token of a WebSocket's `join`, and that of a stream's welcome, speak as that person."""
    site = await mounted()
    ada, bob = await WebSocketPerson.enter(site.url), await SSEPerson.enter(site.url, name="Bob")
    joined = await ada.command("join", {"name": "Ada"})
    token = (await bob.event("welcome"))["token"]
    first = await site.post({"text": "from Ada"}, token=joined["token"])
    second = await site.post({"text": "from Bob", "reply_to": 1}, token=token)
    assert (first.told["author"], second.told["author"]["name"]) == (joined["member"], "Bob")
    assert second.told["reply"]["text"] == "from Ada"
    # A request is on a connection of its own, so both are told, each on theirs.
    assert [(await ada.event("message"))["text"] for _ in range(2)] == ["from Ada", "from Bob"]
    assert [(await bob.event("message"))["text"] for _ in range(2)] == ["from Ada", "from Bob"]
    assert [member.name for member in site.room.members] == ["Bob", "Ada"]
    await ada.close()
    await bob.close()


async def test_too_much_at_once(mounted) -> None:
    """Guests are counted by address, programs by token: past the limit 429, and when to go on."""
    site = await mounted(ChatRoom("lobby", limits=Limits(rate=0.001, burst=2)), api_tokens=TOKEN)
    program = [(await site.post({"text": "x", "author": "bot"}, token=TOKEN)).status for _ in range(3)]
    tokens = [site.room.backend.tokens.issue(Tokens.new_id()) for _ in range(3)]
    guests = [await site.post({"text": "x", "author": f"Ada {n}"}, token=token) for n, token in enumerate(tokens)]
    assert program == [201, 201, 429]
    assert [done.status for done in guests] == [201, 201, 429]
    assert guests[2].code == "rate_limited"
    assert int(guests[2].headers["Retry-After"]) >= guests[2].told["error"]["retry_after"]


async def test_a_body_that_does_not_come(mounted) -> None:
    """Who promises a body and sends none is told, and does not hold the server."""
    site = await mounted(body_seconds=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    writer.write(
        b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhel"
    )
    async with asyncio.timeout(10):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_hook_refuses_with_its_own_code(mounted) -> None:
    """422, the code and the words of the application."""
    site = await mounted()

    @site.room.on("message")
    def polite(message: pychat.Message) -> None:
        if message.text.isupper():
            raise pychat.Refused("shouting", "Please lower your voice.")

    done = await site.post({"text": "HEY", "author": "Ada"})
    assert (done.status, done.code) == (422, "shouting")


async def test_what_fails_is_logged_and_told(mounted, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    """A failing server says so in the form of every answer."""
    site = await mounted()

    async def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(site.room.backend.core.commands), "history", fail)
    done = await site.ask("GET", "/messages")
    assert (done.status, done.code) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


async def test_a_message_that_a_moderator_has_to_read(mounted: Any) -> None:
    """It is answered with 202, with the token of a guest, and is sent under its id when it is approved."""
    site = await mounted()

    @site.room.on("message")
    async def hold(message: Message) -> None:
        raise Held("everything")

    for _ in range(2):
        asked = await site.post({"text": "hi", "author": "Ada", "id": "one"})
        assert (asked.status, asked.told["held"], asked.told["id"]) == (202, True, "one")
        assert asked.told["token"]
    held = (await site.room.moderation.state())["held"]
    assert len(held) == 2  # without the token, they are two people
    await site.room.moderation.approve(held[0]["key"])
    assert await site.texts() == ["hi"]


async def test_reports_over_http(mounted: Any) -> None:
    """Somebody with a token reports a message; a stranger and a program do not, and a flood is refused."""
    site = await mounted(api_tokens="a-token-of-programs")
    for number in range(15):
        await site.room.post(f"rude {number}", author="bot")
    token = (await site.ask("POST", "/token")).told["token"]
    assert (await site.ask("POST", "/reports", json={"target": 1})).status == 401
    program = await site.ask("POST", "/reports", token="a-token-of-programs", json={"target": 1})
    assert program.code == "forbidden"
    codes = []
    for seq in range(1, 16):
        asked = await site.ask("POST", "/reports", token=token, json={"target": seq, "reason": "rude"})
        codes.append("" if asked.status == 200 else asked.code)
    assert set(codes) == {"", "rate_limited"}
    assert len((await site.room.moderation.state())["report"]) == codes.count("") <= 10
