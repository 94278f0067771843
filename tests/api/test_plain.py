"""The page without scripts: people read and write with nothing but HTML, under the rules of everybody."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import pychat
from pychat import Access, Chat, ChatRoom, Limits, Refused, User
from tests.api.plain_browser import PlainBrowser
from tests.servers import aiohttp_server, uvicorn_server

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&"


async def test_somebody_without_scripts_talks(mounted):
    """The page leads there; a name and a text are sent with one form; the name is known from then on."""
    site = await mounted()
    async with PlainBrowser() as ada:
        front = await ada.open(f"{site.url}/")
        assert 'http-equiv="refresh" content="0; url=./plain?room=lobby"' in front.html
        page = await ada.open(front.links["Open the simple page"])
        assert (page.status, page.forms[0].fields["name"]) == (200, "")
        said = await ada.send(page, {"name": "Ada", "text": "Hello\r\nthere"})
        assert said.status == 200
        assert "Ada Hello there" in said.text
        assert said.forms[0].fields["name"] == "Ada"
        await ada.send(said, {"text": "/me waves"})
        (first, second) = await site.room.history()
        assert (first.text, first.author) == ("Hello\nthere", second.author)
        assert "<i><bdi>Ada</bdi></i> waves" in (await ada.open(page.url)).html


async def test_the_cookie_is_of_this_mount_and_of_no_script(mounted):
    """HttpOnly, SameSite, of the path of the mount, Secure over TLS; the page cannot be cached, framed or scripted."""
    site = await mounted()
    async with PlainBrowser() as ada:
        page = await ada.open(f"{site.url}/plain")
        over_tls = await ada.open(f"{site.url}/plain", **{"X-Forwarded-Proto": "https"})
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly; SameSite=Lax" in cookie
    assert "Path" not in cookie
    assert ("Secure" in cookie, "; Secure" in over_tls.headers["Set-Cookie"]) == (False, True)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "same-origin")
    assert "<script" not in page.html


@pytest.mark.parametrize("host", ["aiohttp", "asgi"])
async def test_it_works_below_any_prefix(host: str) -> None:
    """All addresses are relative, and the cookie of one mount is not sent to another."""
    room = ChatRoom("lobby")
    if host == "aiohttp":
        app = web.Application()
        app.add_subapp("/deep/chat/", pychat.aiohttp_app(room))
        served = aiohttp_server(app)
    else:
        chat = pychat.asgi_app(room)

        async def nothing(scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError

        served = uvicorn_server(chat.wrap(nothing, at="/deep/chat"))
    async with served as url, PlainBrowser() as ada:
        page = await ada.open((await ada.open(f"{url}/deep/chat/rooms/lobby")).links["Open the simple page"])
        assert page.url == f"{url}/deep/chat/plain?room=lobby"
        said = await ada.send(page, {"name": "Ada", "text": "hi"})
        assert said.url.startswith(f"{url}/deep/chat/plain?room=lobby")
        style = said.html.partition('rel="stylesheet" href="./')[2].partition('"')[0]
        assert (await ada.open(f"{url}/deep/chat/{style}")).status == 200
        assert {(each.key, each["path"]) for each in ada.http.cookie_jar} == {("pychat-guest", "/deep/chat")}
        assert [each.text for each in await room.history()] == ["hi"]


async def test_no_other_site_can_write(mounted):
    """The origin of the form, its token and the cookie are checked; a forged form leaves nothing, and no cookie."""
    site = await mounted(allowed_origins="*")
    async with PlainBrowser() as ada, PlainBrowser() as eve:
        page = await ada.open(f"{site.url}/plain")
        for name, value in (("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")):
            headers: Any = {name: value}
            refused = await ada.send(page, {"name": "Ada", "text": "forged"}, **headers)
            assert refused.status == 403
            assert "another site" in refused.text
            assert "forged" not in refused.html
            async with aiohttp.ClientSession() as stranger:  # the browser keeps a guest's cookie from that site
                answer = await stranger.post(f"{site.url}/plain", data={"text": "x"}, headers=headers)
                assert (answer.status, answer.headers.get("Set-Cookie")) == (403, None)
        eves = await eve.open(f"{site.url}/plain")
        for form in ({"form": ""}, {"form": eves.forms[0].fields["form"]}):
            refused = await ada.send(page, {"name": "Ada", "text": "with a wrong token", **form}, Origin="")
            assert refused.status == 403
            assert refused.forms[0].fields["text"] == "with a wrong token"
        async with aiohttp.ClientSession() as stranger:
            fields = {**page.forms[0].fields, "name": "Ada", "text": "without a cookie"}
            assert (await stranger.post(f"{site.url}/plain", data=fields)).status == 403
        assert await site.texts() == []
        assert (await ada.send(page, {"name": "Ada", "text": "curl sends no origin"}, Origin="")).status == 200
        assert await site.texts() == ["curl sends no origin"]


async def test_a_refusal_stands_above_what_one_wrote(mounted):
    """A taken name, an empty text, a long one, a command: the reason is told, and the form is as it was."""
    site = await mounted(ChatRoom("lobby", limits=Limits(text=20)))
    async with PlainBrowser() as ada, PlainBrowser() as bob:
        await ada.send(await ada.open(f"{site.url}/plain"), {"name": "Ada", "text": "first"})
        page = await bob.open(f"{site.url}/plain")
        for name, text, status, words in (
            ("Ada", "hi", 409, "has the name “Ada”"),
            ("", "hi", 409, "name first"),
            ("Bob", "x" * 21, 422, "20"),
            ("Bob", "/help", 400, "Commands do not work"),
            ("x" * 99, HOSTILE[:20], 422, ""),
        ):
            refused = await bob.send(page, {"name": name, "text": text})
            assert refused.status == status, refused.text
            assert words in refused.text
            assert 'role="alert"' in refused.html
            assert (refused.forms[0].fields["name"], refused.forms[0].fields["text"]) == (name, text)
        assert await site.texts() == ["first"]


async def test_everything_is_escaped(mounted):
    """Names, texts, titles, replies and links: what people write is never markup."""
    room = ChatRoom("lobby", title=HOSTILE)
    site = await mounted(room)
    first = await room.post(f"{HOSTILE} https://a.example/?q=1&r=2#x. javascript:alert(3)", author="Eve &lt;")
    await room.post(HOSTILE, author="Bob", reply_to=first.seq)
    async with PlainBrowser() as ada:
        for url in (f"{site.url}/plain", f"{site.url}/nowhere"):
            html = (await ada.open(url)).html
            assert "<script" not in html
            assert "<img" not in html
        page = await ada.open(f"{site.url}/plain")
        assert page.text.count(" ".join(HOSTILE.split())) == 5
        assert page.links["https://a.example/?q=1&r=2#x"] == "https://a.example/?q=1&r=2#x"
        assert 'href="javascript' not in page.html


async def test_rates_and_repeats(mounted):
    """Whoever writes too fast is told when to go on; a form that is sent twice is one message."""
    site = await mounted(ChatRoom("lobby", limits=Limits(rate=1, burst=3)))
    async with PlainBrowser() as ada:
        page = await ada.open(f"{site.url}/plain")
        for _ in range(2):
            await ada.send(page, {"name": "Ada", "text": "once"})
        assert await site.texts() == ["once"]
        for number in range(20):
            page = await ada.send(page, {"text": f"message {number}", "id": f"id-{number}"})
            if page.status != 200:
                break
        assert page.status == 429
        assert int(page.headers["Retry-After"]) > 0
        assert page.forms[0].fields["text"] == f"message {number}"


async def test_older_messages_and_refreshing(mounted):
    """Fifty messages are on a page; a link leads to older ones, and back; the page may load itself again."""
    room = ChatRoom("lobby")
    site = await mounted(room)
    for number in range(1, 61):
        await room.post(f"number {number}", author="bot")
    async with PlainBrowser() as ada:
        page = await ada.open(f"{site.url}/plain")
        assert "number 60" in page.text
        assert "number 10 " not in page.text
        older = await ada.open(page.links["Older messages"])
        assert "number 10" in older.text
        assert "number 11 " not in older.text
        assert "Older messages" not in older.links
        assert (await ada.open(older.links["Newest messages"])).text == page.text
        again = await ada.open(page.links["Refresh every 30 seconds"])
        assert '<meta http-equiv="refresh" content="30">' in again.html
        assert "refresh" not in (await ada.open(again.links["Stop refreshing"])).html.partition("</head>")[0]
        assert (await ada.open(f"{site.url}/plain?every=x&before=99999999999999999")).status in (200, 400)
        assert 'content="10"' in (await ada.open(f"{site.url}/plain?every=0")).html


async def test_bans_hold(mounted):
    """A banned guest reads nothing and writes nothing, and is told why."""
    room = ChatRoom("lobby")
    site = await mounted(room)
    async with PlainBrowser() as ada:
        page = await ada.send(await ada.open(f"{site.url}/plain"), {"name": "Ada", "text": "secret plan"})
        (said,) = await room.history()
        await room.moderation.ban(said.author, reason="spam")
        for refused in (await ada.open(page.url), await ada.send(page, {"text": "again"})):
            assert refused.status == 403
            assert "spam" in refused.text
            assert "secret plan" not in refused.text
        assert len(await room.history()) == 1


async def test_a_password_opens_a_room(mounted):
    """Somebody gives it on the page, and is known from then on; a wrong one is refused in place."""
    room = ChatRoom("lobby")
    site = await mounted(room)
    await room.post("inside", author="bot")
    await room.moderation.set(password="sesame open")
    async with PlainBrowser() as ada:
        page = await ada.open(f"{site.url}/plain")
        assert page.status == 403
        assert "inside" not in page.text
        wrong = await ada.send(page, {"password": "wrong", "way": "password"})
        assert wrong.status == 403
        right = await ada.send(wrong, {"password": "sesame open", "way": "password"})
        assert right.status == 200
        assert "inside" in right.text
        assert (await ada.send(right, {"name": "Ada", "text": "thanks"})).status == 200
        assert await site.texts() == ["inside", "thanks"]


async def test_somebody_asks_to_come_in(mounted):
    """The moderators get the request; the page says that they were asked."""
    room = ChatRoom("lobby")
    site = await mounted(room)
    await room.moderation.set(entry="ask")
    async with PlainBrowser() as ada:
        page = await ada.open(f"{site.url}/plain")
        asked = await ada.send(page, {"name": "Ada", "reason": "I am from your school.", "way": "ask"})
        assert "A moderator lets people into this room." in asked.text
        (waiting,) = room.backend.core.moderation.state.of("asking").values()
        assert (waiting.data["name"], waiting.data["text"]) == ("Ada", "I am from your school.")


async def test_a_room_that_one_may_not_read_is_no_room() -> None:
    """It is answered as one that does not exist: 404, with the rooms that one may see."""

    def access(user: User | None, name: str) -> str | Access:
        return Access.NONE if name == "secret" else "read" if name == "news" else "write"

    chat = Chat(
        ChatRoom("lobby", title="The lobby"), ChatRoom("secret", title="The plan"), ChatRoom("news"), access=access
    )
    async with aiohttp_server(pychat.aiohttp_app(chat)) as url, PlainBrowser() as ada:
        secret, nothing = await ada.open(f"{url}/plain?room=secret"), await ada.open(f"{url}/plain?room=nothing")
        assert (secret.status, secret.html) == (404, nothing.html)
        assert set(secret.links) == {"The lobby", "news"}
        assert (await ada.open(secret.links["The lobby"])).forms
        assert not (await ada.open(secret.links["news"])).forms
        found = await ada.open(f"{url}/anything/else")
        assert (found.status, set(found.links)) == (404, {"The lobby", "news"})
        assert (await ada.open(found.links["news"])).url == f"{url}/rooms/news"


async def test_users_need_no_name() -> None:
    """A login has its own name; a refused login is told on a page."""

    def authenticate(request: pychat.Request) -> User | None:
        name = request.cookies.get("login")
        if name == "nobody":
            raise Refused("login_required", "Log in to the shop first.")
        return User("7", name, name_fixed=True) if name else None

    chat = Chat(ChatRoom("lobby"), authenticate=authenticate)
    async with aiohttp_server(pychat.aiohttp_app(chat)) as url, PlainBrowser() as ada:
        ada.http.cookie_jar.update_cookies({"login": "Ada"})
        page = await ada.open(f"{url}/plain")
        assert "name" not in page.forms[0].fields
        assert "Set-Cookie" not in page.headers
        assert "Ada hello" in (await ada.send(page, {"text": "hello"})).text
        ada.http.cookie_jar.update_cookies({"login": "nobody"})
        refused = await ada.open(f"{url}/plain")
        assert (refused.status, "Log in to the shop first." in refused.text) == (401, True)


async def test_where_there_is_no_page(mounted):
    """Browsers get a list of the rooms, with links that work from there; programs get a short text."""
    site = await mounted()
    async with PlainBrowser() as ada:
        for path in ("/nowhere", "/a/b/c", "/rooms/nothing", "/rooms/"):
            page = await ada.open(f"{site.url}{path}")
            assert page.status == 404
            assert (await ada.open(page.links["lobby"])).url == f"{site.url}/"
        for accept in ("*/*", "application/json"):
            plain = await ada.open(f"{site.url}/nowhere", Accept=accept)
            assert (plain.status, plain.html) == (404, "There is nothing here.\n")
        api = await ada.open(f"{site.url}/api/nowhere")
        assert api.headers["Content-Type"] == "application/json"


async def test_what_is_no_form_is_refused(mounted):
    """Another method, another kind of body, one that is too large or not UTF-8."""
    site = await mounted()
    async with PlainBrowser() as ada:
        await ada.open(f"{site.url}/plain")
        url = f"{site.url}/plain"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answers = [
            await ada.http.put(url, data=b"text=hi"),
            await ada.http.post(url, json={"text": "hi"}),
            await ada.http.post(url, data=b"text=" + b"x" * 1_000_000, headers=form),
            await ada.http.post(url, data=b"text=%ff", headers=form),
            await ada.http.post(url, data=b"&".join(b"a%d=1" % number for number in range(99)), headers=form),
        ]
        assert [each.status for each in answers] == [405, 415, 413, 400, 400]
        assert await site.texts() == []


async def test_two_people_without_scripts_hear_each_other(mounted):
    """And somebody who is on a connection hears both."""
    site = await mounted()
    async with PlainBrowser() as ada, PlainBrowser() as bob:
        pages = await asyncio.gather(*(each.open(f"{site.url}/plain") for each in (ada, bob)))
        await ada.send(pages[0], {"name": "Ada", "text": "hello Bob"})
        heard = await bob.send(pages[1], {"name": "Bob", "text": "hello Ada"})
        assert "Ada hello Bob" in heard.text
        assert "Bob hello Ada" in heard.text


async def test_the_operator_s_colour_and_logo_are_there(tmp_path: Path) -> None:
    """The colour by a style whose hash is in the policy, for there are no scripts to set it."""
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", "utf-8")
    app = pychat.aiohttp_app(ChatRoom("lobby"), accent="#b3005e", logo=logo)
    async with aiohttp_server(app) as url, PlainBrowser() as ada:
        for path in ("/plain", "/nowhere"):
            page = await ada.open(f"{url}{path}")
            style = page.html.partition("<style>")[2].partition("</style>")[0]
            assert style == ":root{--chat-accent:#b3005e}"
            digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
            assert f"style-src 'self' 'sha256-{digest}';" in page.headers["Content-Security-Policy"]
            icon = page.html.partition('rel="icon" href="./')[2].partition('"')[0]
            assert (await ada.open(f"{url}/{icon}")).status == 200
