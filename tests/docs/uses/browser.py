"""How pages and scripts of the browser are tested."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from playwright.async_api import Page, async_playwright

from pychat import Chat, ChatRoom, Request, User, aiohttp_app
from pychat.testing import Person
from tests.browser.chromium import chromium
from tests.docs.pages import ROOT
from tests.docs.stage import Stage
from tests.docs.uses.waiting import until
from tests.servers import aiohttp_server


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
async def _pages(room: ChatRoom | Chat, html: str, **options: Any) -> AsyncIterator[Page]:
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
    """A person at the page and a person elsewhere hear each other."""
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


async def counts_what_is_unread(stage: Stage, argument: str) -> None:
    """The badges show what the application has posted since the person was last in these rooms."""
    room = ChatRoom("project-42")
    user = User("1", "Ada")
    chat = Chat(room, authenticate=lambda _: user)
    async with _pages(chat, stage.code) as window:
        await chat.follow(user, "project-42")
        badges = window.locator("pychat-unread [part=badge]")
        await room.post("Hello from Python", author="bot")
        await badges.filter(has_text="1").nth(1).wait_for()
        assert ["1", "1"] == await badges.all_text_contents()


async def is_a_room_on_another_site(stage: Stage, argument: str) -> None:
    """The same from another origin, which allows the page's origin."""
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
    """The page sends its token, and the application knows the user by it."""

    def authenticate(request: Request) -> User | None:
        return User("1", "Ada") if request.bearer == "s3cret" else None

    script = f'<script type="module" src="/chat/pychat-room.js"></script><script type="module">{stage.code}</script>'
    html = f'<pychat-room src="/chat/"></pychat-room>{script}'
    async with _pages(ChatRoom("lobby"), html, authenticate=authenticate) as window:
        await window.locator("[data-part=me-name]", has_text="Ada").wait_for()


async def sets_properties_that_there_are(stage: Stage, argument: str) -> None:
    """The style sheet sets what pychat's own style sheet uses."""
    assets = ROOT / "src" / "pychat" / "assets"
    ours = "".join(file.read_text("utf-8") for file in assets.glob("css/*.css"))
    names = set(re.findall(r"(--[\w-]+):", stage.code))
    assert names
    for name in names:
        assert f"var({name}," in ours
