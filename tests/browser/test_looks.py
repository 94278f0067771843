"""The page fits: any width, light and dark, any eye, and without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window

PHONE = {"width": 390, "height": 844}

# Colours as the browser mixes them, so that oklch() and transparency count. WCAG 2.2, relative luminance.
CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const mixed = (...layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    const seen = element.checkVisibility({visibilityProperty: true, opacityProperty: true});
    if (!node.textContent.trim() || !seen) continue;
    if (element.closest(":disabled, .hidden, template, script, style, .gutter")) continue;
    const layers = [];
    for (let up = element; up; up = up.parentElement) layers.unshift(getComputedStyle(up).backgroundColor);
    const behind = mixed("white", ...layers);
    const front = mixed("white", ...layers, getComputedStyle(element).color);
    const [low, high] = [luminance(behind), luminance(front)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    const name = element.className || element.dataset.part || element.tagName;
    found[name] = Math.min(found[name] ?? 21, Math.round(ratio * 100) / 100);
  }
  return found;
}"""


async def _no_sideways(window: Window) -> None:
    assert await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await window.part("scroll").evaluate("view => view.scrollWidth <= view.clientWidth")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_nothing_scrolls_sideways(opened: Open, server: Server, width: int) -> None:
    """From the narrowest phone to a desktop, no text or name however long pushes the page wider than the window."""
    await server.room.post("W" * 500, author="Ben" + "W" * 29)
    await server.room.post("https://example.com/" + "x" * 300, author="Grace")
    await server.room.post("مرحبا " * 40, author="أحمد")
    ada = await opened(viewport={"width": width, "height": 700})
    await expect(ada.messages).to_have_count(3)
    await _no_sideways(ada)
    await ada.join("A" + "W" * 31)
    await ada.say("Q" * 400)
    await ada.has_sent("Q" * 400)
    await _no_sideways(ada)


@pytest.mark.parametrize("width", [390, 800, 1280])
async def test_a_bubble_is_as_wide_as_its_text(opened: Open, server: Server, width: int) -> None:
    """A few words stand on one line; only what is too long for the column breaks, own messages too."""
    ada = await opened("Ada", viewport={"width": width, "height": 700})
    await server.room.post("Just a few words", author="Ben")
    await ada.say("Mine are as many")
    await ada.has_sent("Mine are as many")
    for text in ("Just a few words", "Mine are as many"):
        assert await ada.message(text).locator(".text").evaluate("one => one.clientHeight") < 40


async def test_a_phone_has_people_in_a_sheet(opened: Open) -> None:
    """At phone width the list of people opens over the page from the counter, and Escape or a tap closes it."""
    ada = await opened("Ada", viewport=PHONE, has_touch=True, is_mobile=True)
    button, people = ada.part("people-button"), ada.part("people")
    await expect(button).to_have_accessible_name("1 person here")
    await expect(people).to_be_hidden()
    await button.tap()
    await expect(people).to_be_visible()
    await expect(ada.page.locator(".person-name")).to_have_text(["Ada"])
    await ada.part("panel-close").tap()
    await expect(people).to_be_hidden()
    await button.tap()
    await ada.page.touchscreen.tap(10, 400)
    await expect(people).to_be_hidden()


async def test_a_phone_does_not_zoom_or_hide_the_message_box(opened: Open) -> None:
    """Fields are written in 16 px, below which phones zoom in; the box stays in sight when the keyboard comes up."""
    ada = await opened(viewport=PHONE, has_touch=True, is_mobile=True)
    sizes = "fields => fields.map(field => parseFloat(getComputedStyle(field).fontSize))"
    assert min(await ada.page.locator("input, textarea").evaluate_all(sizes)) >= 16
    await ada.join("Ada")
    await ada.page.set_viewport_size({"width": 390, "height": 420})
    await expect(ada.part("send")).to_be_in_viewport(ratio=1)
    await expect(ada.part("text")).to_be_in_viewport(ratio=1)


async def test_the_theme_follows_the_system_until_chosen(opened: Open) -> None:
    """Dark where the system is dark; a choice of one's own is remembered; back at the system's, it follows again."""
    ada = await opened(color_scheme="dark")
    root, button = ada.page.locator("html"), ada.part("theme-button")
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await ada.page.emulate_media(color_scheme="light")
    await expect(root).to_have_attribute("data-theme", "light")
    await button.click()
    await expect(root).to_have_attribute("data-theme", "dark")
    await ada.reload()
    await expect(root).to_have_attribute("data-theme", "dark")
    await button.click()
    await expect(root).to_have_attribute("data-theme", "light")
    await ada.page.emulate_media(color_scheme="dark")
    await expect(root).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_can_be_read(opened: Open, server: Server, scheme: str) -> None:
    """Every text has a contrast of 4.5 to 1 or more in both themes (WCAG AA), each author's colour included."""
    for number in range(40):
        await server.room.post(f"line {number} https://example.com", author=f"Author {number}")
    ada = await opened("Ada", color_scheme=scheme)
    await opened("Ben")
    await ada.say("mine https://example.com")
    await ada.has_sent("mine https://example.com")
    for text in ("line 39 https://example.com", "mine https://example.com"):
        await ada.do(text, "react")
        await ada.page.get_by_role("button", name="Fire").click()
        await ada.do(text, "reply")
        await ada.say(f"answer to {text}")
        await ada.has_sent(f"answer to {text}")
    await ada.part("text").press("ArrowUp")
    await ada.say("edited")
    await expect(ada.message("edited").locator(".edited")).to_be_visible()
    await ada.say("deleted")
    await ada.has_sent("deleted")
    await ada.do("deleted", "delete")
    await ada.part("confirm-yes").click()
    await expect(ada.message("Message deleted")).to_be_visible()
    await ada.do("edited", "delete")
    await ada.part("text").fill("x" * 2100)
    await server.stop()
    await expect(ada.part("banner")).to_be_visible()
    await ada.page.evaluate(
        """Promise.all(document.getAnimations()
          .map(one => one.effect.getComputedTiming().iterations === Infinity || one.finished))"""
    )
    contrasts = await ada.page.evaluate(CONTRASTS)
    assert len(contrasts) > 12
    assert {} == {name: ratio for name, ratio in contrasts.items() if ratio < 4.5}


async def test_a_person_without_a_mouse_can_do_everything(opened: Open) -> None:
    """Join, write, send, change name and theme: with Tab, Enter and Escape alone, the focus always in sight."""
    ada = await opened()
    keys = ada.page.keyboard
    await expect(ada.part("name-input")).to_be_focused()
    await keys.type("Ada")
    await keys.press("Enter")
    await expect(ada.part("text")).to_be_focused()
    await keys.type("by keys")
    await keys.press("Tab")
    await expect(ada.part("emoji-button")).to_be_focused()
    await keys.press("Tab")
    await expect(ada.part("send")).to_be_focused()
    await keys.press("Enter")
    await ada.has_sent("by keys")
    await ada.page.locator("h1").click()
    await keys.press("Tab")
    await expect(ada.part("search-button")).to_be_focused()
    await keys.press("Tab")
    await expect(ada.part("theme-button")).to_be_focused()
    assert await ada.part("theme-button").evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    await keys.press("Enter")
    await expect(ada.page.locator("html")).to_have_attribute("data-theme", "dark")
    await keys.press("Tab")
    await expect(ada.part("me-button")).to_be_focused()
    await keys.press("Enter")
    await expect(ada.part("rename-input")).to_be_focused()
    await keys.press("Escape")
    await expect(ada.part("rename-dialog")).to_be_hidden()
    await expect(ada.part("me-button")).to_be_focused()
    await keys.press("Enter")
    await keys.type("Countess")
    await keys.press("Enter")
    await expect(ada.part("me-name")).to_have_text("Countess")


async def test_a_screen_reader_is_told_what_is_what(opened: Open, server: Server) -> None:
    """New messages of others are told once, many as a number; nothing that is old, one's own or deleted. All has a name."""
    await server.room.post("old", author="Ben")
    ada = await opened("Ada")
    await ada.say("hello")
    told = ada.page.get_by_role("log")
    await expect(told).to_have_attribute("aria-live", "polite")
    assert not await ada.part("messages").evaluate("list => list.closest('[aria-live], [role=log], [role=status]')")
    await ada.has_sent("hello")
    one = await server.room.post("one", author="Ben")
    await expect(told).to_have_text("Ben: one")
    await server.room.delete(one.seq)
    await expect(told).to_have_text("")
    for number in range(4):
        await server.room.post(f"line {number}", author="Ben")
    await expect(told).to_have_text("4 new messages")
    await expect(ada.page.get_by_role("textbox", name="Message")).to_be_visible()
    await expect(ada.page.get_by_role("button", name="Send")).to_be_visible()
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text("The lobby")
    await expect(ada.part("me-button")).to_have_accessible_name("Ada Change name")
    await expect(ada.message("hello").locator(".delivery-state")).to_have_count(0)
    unnamed = await ada.page.evaluate(
        """[...document.querySelectorAll("button, input, textarea")]
          .filter(one => !(one.textContent.trim() || one.ariaLabel || one.labels?.length)).map(one => one.outerHTML)"""
    )
    assert [] == unnamed


async def test_stillness_is_respected(opened: Open) -> None:
    """Where the system asks for less motion, nothing moves."""
    ada = await opened("Ada", reduced_motion="reduce")
    await ada.say("hello")
    assert await ada.page.evaluate("document.getAnimations().length") == 0


async def test_right_to_left_text_stands_right(opened: Open, server: Server) -> None:
    """Hebrew and Arabic run from right to left in their own message, and turn nothing else around."""
    ada = await opened("Ada")
    await server.room.post("שלום, world!", author="שרה")
    await server.room.post("plain", author="Ben")
    direction = "one => getComputedStyle(one).direction"
    assert await ada.message("שלום, world!").locator(".text").evaluate(direction) == "rtl"
    assert await ada.message("plain").locator(".text").evaluate(direction) == "ltr"
    await expect(ada.message("שלום, world!")).not_to_have_class(re.compile("own"))
