"""Nothing that people write is ever more than text, and nothing comes from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from pychat import ChatRoom
from tests.browser.conftest import Open
from tests.browser.server import Server

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "</p></li><svg onload=alert(1)>",
    "{{ 7 * 7 }} ${7*7} &lt;b&gt; &amp;",
    "javascript:alert(1) data:text/html,<b>x</b>",
]


async def test_markup_is_shown_as_text(opened: Open) -> None:
    """HTML in messages and names is shown letter by letter, to others and to its author, live and from history."""
    ada, ben = await opened("Ada"), await opened("Ben")
    for text in HOSTILE:
        await ada.say(text)
    await ben.sees(*HOSTILE)
    await ada.sees(*HOSTILE)
    late = await opened()
    await late.sees(*HOSTILE)
    for window in (ada, ben, late):
        assert await window.page.locator(".messages :is(img, script, svg[onload], b)").count() == 0
        await expect(window.page).to_have_title("The lobby")


async def test_a_title_with_markup_is_text(opened: Open, serve: Callable[[Server], Awaitable[Server]]) -> None:
    """A room may be called anything."""
    title = "<b>Tom & 'Jerry'</b> \"x\""
    server = await serve(Server(ChatRoom("odd", title=title)))
    window = await opened(url=server.url)
    await expect(window.page.locator("h1")).to_have_text(title)
    await expect(window.page).to_have_title(title)


async def test_addresses_become_safe_links(opened: Open, server: Server) -> None:
    """Addresses of http and https can be clicked, tell the other side nothing of us, and show where they lead."""
    ada = await opened("Ada")
    await server.room.post("see https://example.com/a_(b)?c=d&e=1. And http://x.test/, or ftp://no.test", author="Ben")
    links = ada.page.locator(".text a")
    await expect(links).to_have_text(["https://example.com/a_(b)?c=d&e=1", "http://x.test/"])
    await expect(links.first).to_have_attribute("href", "https://example.com/a_(b)?c=d&e=1")
    await expect(links.first).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(links.first).to_have_attribute("target", "_blank")


async def test_a_link_is_what_it_shows(opened: Open, server: Server) -> None:
    """An address that hides another behind a user name, or turns the direction of writing, is no link."""
    ada = await opened("Ada")
    text = "https://bank.example@evil.test/ https://evil.test/\u202egpj.exe"
    await server.room.post("first", author="Ben")
    try:
        await server.room.post(text, author="Ben")
    except Exception as refused:  # a room that refuses such text keeps the promise too
        pytest.skip(str(refused))
    await expect(ada.messages).to_have_count(2)
    hrefs = await ada.page.locator(".text a").evaluate_all("links => links.map(link => link.href)")
    assert not any("@" in href or "gpj" in href for href in hrefs)


async def test_everything_comes_from_the_room_itself(opened: Open, server: Server) -> None:
    """The page works on a network without internet: not one request goes elsewhere."""
    asked: list[str] = []
    ada = await opened("Ada")
    ada.page.on("request", lambda request: asked.append(request.url))
    ada.page.on("websocket", lambda socket: asked.append(socket.url))
    await ada.reload()
    await ada.live()
    await ada.say("https://example.com/picture.png")
    await ada.has_sent("https://example.com/picture.png")
    own = urlsplit(server.url).netloc
    assert {own} == {urlsplit(url).netloc for url in asked if not url.startswith("data:")}


async def test_the_page_keeps_to_its_security_policy(opened: Open) -> None:
    """The strict policy is in force, and nothing that the page does runs against it (the console would tell)."""
    ada = await opened("Ada")
    answer = await ada.page.request.get(ada.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in await answer.text()
    await ada.say("x")
    await ada.rename("Ada 2")
    await expect(ada.part("rename-dialog")).to_be_hidden()
    await ada.part("theme-button").click()
    await ada.page.set_viewport_size({"width": 390, "height": 800})
    await ada.part("people-button").click()
    await ada.page.keyboard.press("Escape")


async def test_under_a_prefix_and_in_another_room(opened: Open, serve: Callable[[Server], Awaitable[Server]]) -> None:
    """Mounted in an app and with several rooms, everything is found, and each room is its own."""
    first, second = ChatRoom("lobby", title="Lobby"), ChatRoom("dev", title="Development")
    server = await serve(Server(first, second, prefix="/team/chat/"))
    ada = await opened("Ada", url=server.url)
    await ada.page.get_by_role("link", name="Development").click()
    await ada.live()
    await expect(ada.page.locator("h1")).to_have_text("Development")
    await expect(ada.page.get_by_role("link", name="Development")).to_have_attribute("aria-current", "page")
    await expect(ada.part("me-name")).to_have_text("Ada")
    await ada.say("in dev")
    await ada.has_sent("in dev")
    assert ["in dev"] == [message.text for message in await second.history()]
    assert [] == await first.history()
    await ada.page.get_by_role("link", name="Lobby").click()
    await ada.live()
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.messages).to_have_count(0)


async def test_a_page_of_ones_own_making(
    opened: Open, serve: Callable[[Server], Awaitable[Server]], tmp_path: Path
) -> None:
    """A template may leave out any block and add its own; what is left works, and the console stays silent."""
    page = """{% extends "pychat/page.html" %}
{% block title %}Help{% endblock %}
{% block header %}{% endblock %}
{% block empty %}<p>Ask us anything.</p>{% endblock %}
{% block before_room %}<p id="ours">We answer from 9 to 5.</p>{% endblock %}
"""
    (tmp_path / "page.html").write_text(page, "utf-8")
    server = await serve(Server(ChatRoom("help"), templates=tmp_path))
    ada = await opened()
    await ada.page.goto(server.url)
    await expect(ada.page).to_have_title("Help")
    await expect(ada.page.locator("#ours")).to_be_visible()
    await expect(ada.page.locator(".top")).to_have_count(0)
    await expect(ada.part("empty")).to_have_text("Ask us anything.")
    await ada.join("Ada")
    await ada.say("hello")
    await ada.has_sent("hello")


async def test_every_module_is_fetched_at_once(opened: Open) -> None:
    """The page names all modules that a reader needs, so that the browser does not find them one after the other."""
    reader = await opened()
    named, fetched = await reader.page.evaluate(
        """[
          [...document.querySelectorAll("link[rel=modulepreload]")].map(link => link.href).sort(),
          performance.getEntriesByType("resource").map(one => one.name)
            .filter(name => name.endsWith(".js") && !/boot\\.js$/.test(name)).sort(),
        ]"""
    )
    assert named == sorted(set(fetched))


async def test_without_javascript_people_talk(browser: Browser, server: Server) -> None:
    """The page leads to one without scripts, where a form is enough; nothing says that it connects."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(server.url)
    await page.wait_for_url("**/plain?room=lobby")
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("textbox", name="Message").fill("without scripts")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("list", name="Messages")).to_contain_text("without scripts")
    await expect(page.get_by_label("Your name")).to_have_value("Ada")
    await expect(page.get_by_text("Connecting")).to_have_count(0)
    await context.close()
