"""The whole of a visit without a mouse, and without sight, in English and from right to left."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

import pychat
from tests.browser.states import Stage, stage
from tests.browser.tree import Tree
from tests.browser.window import Window

_LANGUAGES = Path(pychat.__file__).parent / "assets" / "languages"
LANGUAGES = [name for name in ("en", "ar") if (_LANGUAGES / f"{name}.json").exists()]
#: What nobody should be able to reach without being told what it is.
_CONTROLS = {"button", "link", "textbox", "searchbox", "checkbox", "radio", "tab", "combobox", "menuitem", "switch"}


@pytest_asyncio.fixture(loop_scope="session")
async def at(browser: Browser) -> AsyncIterator[Stage]:
    """A chat where something was said."""
    expect.set_options(timeout=15_000)
    async with stage(browser) as it:
        yield it


async def _tabs_to(window: Window, part: str, most: int, key: str = "Tab") -> int:
    """Press Tab until that part has the focus, or something in it; return how often."""
    inside = f"!!document.activeElement?.closest('[data-part=\"{part}\"]')"
    for count in range(1, most + 1):
        await window.page.keyboard.press(key)
        if await window.page.evaluate(inside):
            return count
    focused = await window.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    raise AssertionError(f"{most} × {key} do not lead to {part}, but to {focused}")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_visit_by_keyboard(at: Stage, language: str) -> None:
    """Join, write, read, react, reply, edit, meet the people, change settings, leave: the way is short, and always in sight."""
    for number in range(40):
        await at.lobby.post(f"line {number}", author=f"Person {number % 3}")
    await at.window("grace")
    ada = Window(await at.page(locale=language), "")
    keys = ada.page.keyboard
    await expect(ada.part("name-input")).to_be_focused()
    await keys.type("Zoe")
    await keys.press("Enter")
    await expect(ada.part("text")).to_be_focused()
    await keys.type("by keys")
    await keys.press("Enter")
    await ada.has_sent("by keys")
    # Read: the log is one stop, before the message box.
    await _tabs_to(ada, "messages", 3, "Shift+Tab")
    await expect(ada.message("by keys")).to_be_focused()
    await keys.press("ArrowUp")
    await expect(ada.message("line 39")).to_be_focused()
    assert await ada.message("line 39").evaluate("one => getComputedStyle(one).outlineStyle !== 'none'")
    # React, with the arrow that leads into the row.
    forwards = "ArrowLeft" if await ada.page.evaluate("document.dir === 'rtl'") else "ArrowRight"
    assert (language == "ar") == (forwards == "ArrowLeft")
    await keys.press(forwards)
    await keys.press("Enter")
    await expect(ada.message("line 39").locator(".reaction")).to_have_count(1)
    await keys.press("Escape")
    await expect(ada.message("line 39")).to_be_focused()
    # Reply.
    await keys.press(forwards)
    while not await ada.page.evaluate("document.activeElement.dataset.part === 'action-reply'"):
        await keys.press(forwards)
    await keys.press("Enter")
    await expect(ada.part("text")).to_be_focused()
    await keys.type("an answer")
    await keys.press("Enter")
    await ada.has_sent("an answer")
    await expect(ada.message("an answer").locator(".quote")).to_be_visible()
    # Edit.
    await keys.press("ArrowUp")
    await expect(ada.part("text")).to_have_value("an answer")
    await keys.type(", edited")
    await keys.press("Enter")
    await expect(ada.message("an answer, edited").locator(".edited")).to_be_visible()
    # People: a few stops further.
    await _tabs_to(ada, "people", 8)
    await ada.page.locator(".person:not(:disabled)").first.focus()
    await keys.press("Enter")
    await expect(ada.part("person-menu")).to_be_visible()
    await keys.press("Escape")
    await expect(ada.part("person-menu")).to_be_hidden()
    assert await ada.page.evaluate("document.activeElement !== document.body")
    # Settings: by their keys, and back to where one was.
    await ada.part("text").focus()
    await keys.press("Control+,")
    await expect(ada.page.locator("dialog[open]")).to_be_visible()
    await keys.press("Escape")
    await expect(ada.page.locator("dialog[open]")).to_have_count(0)
    assert await ada.page.evaluate("document.activeElement !== document.body")
    # All the way from the top of the page to the message box: not a stop for each message.
    await ada.page.evaluate("document.activeElement.blur()")
    assert await _tabs_to(ada, "composer", 20) <= 20
    # Leave: to the other room.
    await ada.page.locator("a.room-link", has_text="quiet").focus()
    await keys.press("Enter")
    await expect(ada.page.locator("h1")).to_have_text("A quiet room")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_visit_without_sight(at: Stage, language: str) -> None:
    """The same by the accessibility tree alone: everything has a name in the reader's language, and messages are announced."""
    words = json.loads((_LANGUAGES / f"{language}.json").read_text("utf-8"))
    page = await at.page(locale=language)
    tree = await Tree.of(page)
    await tree.type("textbox", words["naming.label"], "Zoe")
    composer = (await tree.find("textbox", words.get("composer.label", ".")))["name"]["value"]
    await tree.type("textbox", re.escape(composer), "without sight")
    await Window(page, "").has_sent("without sight")
    await tree.find("list", re.escape(words["log.label"]))
    await at.lobby.post("can you hear this?", author="Ben")
    said = page.locator("[data-part=announcements]")
    await expect(said).to_contain_text("Ben: can you hear this?")
    assert "without sight" not in await said.inner_text()
    await tree.find("heading", "The lobby")
    await tree.find("main")
    await tree.press("button", f"^{re.escape(words['settings.title'])}$")
    await tree.find("dialog", re.escape(words["settings.title"]))
    unnamed = [
        node for node in await tree.nodes() if node["role"]["value"] in _CONTROLS and not node["name"]["value"].strip()
    ]
    assert [] == unnamed
    await page.keyboard.press("Escape")
    await tree.press("button", re.escape(words["search.title"]))
    await tree.find("dialog", re.escape(words["search.title"]))
    await page.keyboard.press("Escape")
    unnamed = [
        node for node in await tree.nodes() if node["role"]["value"] in _CONTROLS and not node["name"]["value"].strip()
    ]
    assert [] == unnamed
