"""The page and the element in languages other than English."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

import pychat
from pychat import Chat, ChatRoom, User
from tests.browser.conftest import ClientSession, Place
from tests.browser.host import Host, box
from tests.browser.window import Window
from tests.test_languages import ENGLISH

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

# Visible or not: all that is written or named, and does not come from the catalogue, where words stand between ⟦ and ⟧.
# Names of people, what they write, dates and times, and the names that languages have for themselves are no words of ours.
FOREIGN = r"""() => {
  const isForeign = (text) => /[A-Za-z]{2}/.test(text.replace(/⟦[^⟧]*⟧|Eve|Grace|\d+ (second|minute|hour|day)s?/g, "")) && !text.includes("⟦");
  const found = [];
  for (const element of document.querySelectorAll("body *:not(script, template, style, bdi, option, time)")) {
    if (element.closest(".text, bdi, svg, .quote, [data-theirs], [data-part=title], .room-link, [data-part=me-name], .avatar")) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      const value = element.getAttribute(name);
      if (value && isForeign(value)) found.push(`${element.localName}.${element.className} ${name}="${value}"`);
    }
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !isForeign(node.data)) continue;
      const sentence = element.closest("p, button, li, label, h2, h3, span") ?? element;
      if (isForeign(sentence.textContent)) found.push(`${element.localName}.${element.className} ${node.data.trim()}`);
    }
  }
  return found;
}"""


def marked(words: str | dict[str, str]) -> str | dict[str, str]:
    """Words that can be told from others."""
    return {form: f"⟦{text}⟧" for form, text in words.items()} if isinstance(words, dict) else f"⟦{words}⟧"


def authenticate(request: pychat.Request) -> User | None:
    """An owner, for whoever has the cookie; others are guests."""
    return User("g", "Grace", roles=("owner",)) if request.cookies.get("session") else None


async def speak(page: Page, host: Host, language: str, **cookies: str) -> Window:
    """Open the chat in a language, as the settings would choose it."""
    given: list[Any] = [
        {"name": name, "value": value, "url": host.url}
        for name, value in {"pychat-language": language, **cookies}.items()
    ]
    await page.context.add_cookies(given)
    await page.goto(f"{host.url}/chat/")
    return Window(page, page.url)


async def test_no_words_stand_outside_the_catalogue(place: Place, visit: ClientSession, tmp_path: Path) -> None:
    """In a language whose words are all marked, an owner and a guest find no word without a mark on their way."""
    (tmp_path / "eo.json").write_text(json.dumps({key: marked(words) for key, words in ENGLISH.items()}), "utf-8")
    room = ChatRoom("lobby", title="⟦Lobby⟧")
    host = await place(Chat(room, languages=tmp_path, authenticate=authenticate))
    eve = await speak(await visit("about:blank"), host, "eo")
    await expect(eve.part("name-input")).to_be_visible()
    assert await eve.page.evaluate(FOREIGN) == []
    await eve.join("Eve")
    grace = await speak(await visit("about:blank"), host, "eo", session="grace")
    await eve.say("⟦Hello⟧ @Grace")
    await grace.say("⟦Hello⟧")
    await grace.has_sent("⟦Hello⟧")
    await expect(eve.messages).to_have_count(2)
    assert await eve.page.evaluate(FOREIGN) == []
    await grace.do("⟦Hello⟧ @Grace", "")
    assert await grace.page.evaluate(FOREIGN) == []
    await grace.part("moderation-button").click()
    for number in range(4):
        await grace.page.get_by_role("tab").nth(number).click()
        assert await grace.page.evaluate(FOREIGN) == []
    await grace.page.keyboard.press("Escape")
    await grace.part("settings-button").click()
    await expect(grace.page.locator("dialog[open]")).to_be_visible()
    assert await grace.page.evaluate(FOREIGN) == []
    await room.moderation.ban(next(each.id for each in room.members if each.name == "Eve"), reason="⟦spam⟧")
    await expect(eve.part("banner-text")).to_contain_text("⟦")
    assert await eve.page.evaluate(FOREIGN) == []


@pytest.mark.parametrize("screen", [{}, PHONE], ids=["desktop", "phone"])
async def test_a_page_from_right_to_left(place: Place, visit: ClientSession, screen: dict[str, Any]) -> None:
    """In Arabic, the page begins at the right, nothing stands outside of it, and dialogs too are turned around."""
    room = ChatRoom("lobby")
    host = await place(Chat(room, ChatRoom("den"), authenticate=authenticate))
    grace = await speak(await visit("about:blank", **screen), host, "ar", session="grace")
    await grace.live()
    await room.post("مرحبا", author="Bot")
    await grace.sees("مرحبا")
    assert await grace.page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    width = grace.page.viewport_size["width"]  # type: ignore[index]  # it has one
    text, title = [
        await place.bounding_box() for place in (grace.message("مرحبا").locator(".text"), grace.part("title"))
    ]
    assert text
    assert title
    assert all(at["x"] + at["width"] > width / 2 for at in (text, title))
    for button in ("", "moderation-button"):
        if button:
            await grace.part(button).click()
            await expect(grace.page.locator("dialog[open]")).to_be_visible()
        assert await grace.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_an_element_speaks_the_language_of_its_page(host: Host, visit: ClientSession) -> None:
    """The text around the element says the language; its own attribute says another, and can change."""
    markup = '<section lang="de-AT"><pychat-room src="/chat/" name="Ada"></pychat-room></section>'
    page = await visit(host.page(markup))
    window = box(page)
    field = window.part("search-button")
    await expect(field).to_have_attribute("aria-label", re.compile("Such"))
    await page.evaluate("document.querySelector('pychat-room').language = 'fr'")
    await expect(field).to_have_attribute("aria-label", re.compile("Recherch"))
    await expect(window.root.locator("[data-pychat]")).to_have_attribute("lang", "fr")
