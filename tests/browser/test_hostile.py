"""Whatever people write, wherever it stands: no script of theirs runs, and the page never breaks its own policy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

import pychat
from pychat import Chat, ChatRoom, Member, Message, User
from pychat.cli.export import FORMS
from tests.browser.conftest import Place
from tests.browser.host import STRICT, Host, box
from tests.browser.hostile import ATTACKS, NAMES, WATCH, accepted, harm
from tests.browser.window import Window

_TEMPLATE = """{% extends "pychat/page.html" %}
{% block title %}{{ room.title }}{% endblock %}
{% block before_room %}<p id="ours" title="{{ room.title }}">{{ room.title }}</p>{% endblock %}
"""

Look = Callable[..., Awaitable[Page]]


def authenticate(request: pychat.Request) -> User | None:
    """Users whose names and roles are attacks; the first is the owner."""
    number = request.cookies.get("session", "")
    roles = ("owner",) if number == "0" else (NAMES[0], NAMES[3])
    return User(number, NAMES[int(number)], roles) if number else None


def _rooms() -> list[ChatRoom]:
    return [ChatRoom("lobby", title=NAMES[5]), *(ChatRoom(f"room{n}", title=name) for n, name in enumerate(NAMES))]


@pytest_asyncio.fixture(loop_scope="session")
async def look(browser: Browser) -> AsyncIterator[Look]:
    """Opens pages under watch. Dialogs fail the test, as all that `harm` finds does."""
    pages: list[Page] = []
    dialogs: list[str] = []

    async def open_page(url: str, session: str = "", **options: Any) -> Page:
        context = await browser.new_context(**options)
        if session:
            await context.add_cookies([{"name": "session", "value": session, "url": url}])
        await context.add_init_script(WATCH)
        page = await context.new_page()
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        pages.append(page)
        await page.goto(url)
        return page

    yield open_page
    found = [await harm(page) for page in pages]
    for page in pages:
        await page.context.close()
    assert [[] for _ in pages] == found
    assert [] == dialogs


async def _filled(place: Place, tmp_path: Path, **options: Any) -> tuple[Host, ChatRoom, int]:
    (tmp_path / "page.html").write_text(_TEMPLATE, "utf-8")
    rooms = _rooms()
    host = await place(Chat(*rooms, authenticate=authenticate), templates=tmp_path, **options)
    lobby = rooms[0]
    posted = await accepted(lambda text: lobby.post(text, author="Ben"))
    assert len(posted) > 35
    named = await accepted(lambda name: lobby.post("hello", author=name), NAMES)
    assert len(named) > 5
    quoted = await lobby.post(ATTACKS[1], author=NAMES[1])
    await lobby.post("an answer", author="Ben", reply_to=quoted.seq)
    await lobby.moderation.set(topic=ATTACKS[6])
    await lobby.moderation.pin(quoted.seq)
    await lobby.moderation.report(quoted.seq, ATTACKS[5], by=User("3", NAMES[3]))
    return host, lobby, len(posted) + len(named) + 2


async def test_nothing_that_people_write_runs_on_the_page(place: Place, look: Look, tmp_path: Path) -> None:
    """Texts, Markdown, links, names, roles, titles, topics, pins, reports, search: all are words, also in a template of one's own."""
    host, lobby, _ = await _filled(place, tmp_path)
    url = f"{host.url}/chat/"
    await look(url, "3")
    grace = Window(await look(url, "0"), url)
    await expect(grace.part("composer")).to_be_visible()
    await expect(grace.page.locator("#ours")).to_have_text(NAMES[5])
    await expect(grace.page).to_have_title(NAMES[5])
    await expect(grace.messages.last).to_have_text("an answer")
    for text in (
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "{{ 7*7 }} {% raw %} ${alert(1)} #{7*7} <%= 7*7 %>",
    ):
        await expect(grace.message(text).first).to_be_attached()
    await lobby.post(f"@{NAMES[0]} {ATTACKS[1]}", author=User("3", NAMES[3]))  # a mention, live
    await grace.part("search-button").click()
    await grace.part("finder-input").fill("alert")
    await expect(grace.part("found").locator("li").first).to_be_visible()
    await grace.page.keyboard.press("Escape")
    await grace.root.locator(".person", has_text=NAMES[3]).click()
    await expect(grace.part("person-name")).to_have_text(NAMES[3])
    await grace.page.keyboard.press("Escape")
    await grace.part("moderation-button").click()
    await expect(grace.root.get_by_role("tabpanel").first).to_contain_text(ATTACKS[5])
    assert [] == await harm(grace.page)


async def test_nothing_that_people_write_runs_in_a_box(place: Place, look: Look, tmp_path: Path) -> None:
    """The same in `<pychat-room>`, on a page with a strict policy and Trusted Types."""
    host, _, _ = await _filled(place, tmp_path)
    socket = host.url.replace("http", "ws")
    policy = STRICT.format(host.url, socket)
    url = host.page('<pychat-room src="/chat/" room="lobby"></pychat-room>', Content_Security_Policy=policy)
    ada = box(await look(url, "3"))
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.messages.last).to_have_text("an answer")
    assert [] == await harm(ada.page)


async def test_nothing_that_people_write_runs_elsewhere(place: Place, look: Look, tmp_path: Path) -> None:
    """The page without JavaScript, the page that is not there, addresses, and the export, even where no policy protects them."""
    host, lobby, _ = await _filled(place, tmp_path)
    plain = await look(f"{host.url}/chat/", java_script_enabled=False)
    await plain.wait_for_url("**/plain*")
    assert [] == await harm(plain)
    bare = await look(host.page("", script=""))
    answers = [await (await plain.request.get(url)).text() for url in (f"{host.url}/chat/", plain.url)]
    for attack in (ATTACKS[5], ATTACKS[6], "javascript:alert(1)"):
        escaped = quote(attack, safe="")
        for path in (
            f"?room={escaped}",
            f"rooms/{escaped}",
            escaped,
            f"?language={escaped}",
            f"rooms/lobby?before={escaped}",
        ):
            answer = await plain.request.get(f"{host.url}/chat/{path}")
            if "html" in answer.headers.get("content-type", ""):
                answers.append(await answer.text())
    messages = [Message(str(n), Member("b", NAMES[n % len(NAMES)]), text, 1.0, seq=n) for n, text in enumerate(ATTACKS)]
    answers += [
        "".join(FORMS["html"](ATTACKS[6], messages)),
        "".join(FORMS["html"]("lobby", await lobby.history(limit=100))),
    ]
    for each in dict.fromkeys(answers):
        # As a browser without scripts reads it, in one with scripts and without the policy: the hardest that there is.
        html = each.replace("<noscript", "<div").replace("</noscript", "</div")
        html = html.replace('src="/', 'data-src="/').replace('http-equiv="Content-Security-Policy"', "")
        html = re.sub('http-equiv="refresh" content="[0-9]+', 'content="', html)  # the page's own
        await bare.set_content(html)
        assert [] == await harm(bare)
