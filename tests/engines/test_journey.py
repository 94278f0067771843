"""What people do most, in Firefox and in WebKit. `make browsers` brings both; where one is missing, its test is skipped."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest

from pychat import ChatRoom
from tests.browser.host import Host
from tests.browser.server import Server
from tests.engines.engine import Engine
from tests.engines.firefox import firefox
from tests.engines.webkit import BROWSERS, webkit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(params=["firefox", "webkit"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """A window of each."""
    if request.param == "firefox":
        if not (program := shutil.which("firefox-esr") or shutil.which("firefox")):
            pytest.skip("there is no Firefox")
        async with firefox(program) as window:
            yield window
    else:
        if not (driver := shutil.which("WebKitWebDriver")) or not BROWSERS or not shutil.which("Xvfb"):
            pytest.skip("there is no WebKitGTK with its driver")
        async with webkit(driver) as window:
            yield window


async def _join(window: Engine) -> None:
    await window.focus("name-input")
    await window.press("Ada", "Enter")
    await window.until(
        f"{window.root}.activeElement === {window.find('text')} && {window.find('composer')} !== undefined"
    )


async def _shows(window: Engine, text: str) -> None:
    await window.until(
        f"[...{window.root}.querySelectorAll('.message .text')].some((one) => one.textContent === {text!r})"
    )


async def _say(window: Engine, text: str) -> None:
    await window.press(text, "Enter")
    sent = f"[...{window.root}.querySelectorAll('.message[data-state=sent] .text')].some((one) => one.textContent === {text!r})"
    await window.until(sent)


async def _talk(window: Engine, room: ChatRoom) -> None:
    await _join(window)
    await _say(window, "Hello Ben")
    await room.post("Hello Ada", author="Ben")
    await _shows(window, "Hello Ada")
    await window.press("ArrowUp")
    await window.until(f"{window.find('text')}.value === 'Hello Ben'")
    await window.press(", dear", "Enter")
    await _shows(window, "Hello Ben, dear")
    await window.sees(".edited")
    theirs = ".message:not(.own) .text"
    await window.hover(theirs)
    await window.click("action-reply")
    await _say(window, "An answer")
    await window.sees(".own .quote")
    await window.hover(theirs)
    await window.click("action-react")
    await window.click('[data-part="picker"] [data-emoji]')
    await window.sees(".message:not(.own) .reaction")
    stored = await room.history()
    assert ["Hello Ben, dear", "Hello Ada", "An answer"] == [message.text for message in stored]
    assert stored[1].reactions
    assert stored[2].reply


async def test_people_talk_on_the_page(engine: Engine) -> None:
    """Join, write, read, edit, reply, react, search, settings; the room comes back after the server was away."""
    server = Server(ChatRoom("lobby", title="The lobby"))
    await server.start()
    try:
        await engine.open(server.url)
        await _talk(engine, server.room)
        await engine.click("search-button")
        await engine.press("answer")
        await engine.sees("#pychat-found li")
        await engine.press("Escape")
        await engine.click("settings-button")
        await engine.sees("dialog[open]")
        await engine.press("Escape")
        await engine.until("!document.querySelector('dialog[open]')")
        await server.stop()
        await engine.sees("banner")
        await server.start()
        await engine.until(f"!{engine.find('banner')}")
        await engine.focus("text")
        await _say(engine, "Back again")
    finally:
        await server.stop()


async def test_people_talk_in_a_box(engine: Engine) -> None:
    """The same in `<pychat-room>`."""
    room = ChatRoom("lobby", title="The lobby")
    host = await Host(room).start()
    engine.root = "document.querySelector('pychat-room').shadowRoot"
    try:
        await engine.open(host.page('<pychat-room src="/chat/" room="lobby" style="height:600px"></pychat-room>'))
        await engine.until("!!document.querySelector('pychat-room').shadowRoot")
        await _talk(engine, room)
    finally:
        await host.stop()
