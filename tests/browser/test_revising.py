"""Messages have a life: they are answered, changed, taken back, and met with an emoji."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window

PHONE = {"width": 390, "height": 844}


def _reactions(window: Window, text: str) -> Locator:
    return window.message(text).locator(".reaction")


async def test_a_reply_quotes_and_leads_to_what_it_answers(opened: Open, server: Server) -> None:
    """Everyone sees what a message answers; a click on the quote shows the original, even if it is not loaded."""
    await server.room.post("the question", author="Ben")
    ada = await opened("Ada")
    await ada.do("the question", "reply")
    await expect(ada.part("context")).to_contain_text("Replying to \u2068Ben\u2069")
    await expect(ada.part("text")).to_be_focused()
    await ada.say("the answer")
    await expect(ada.part("context")).to_be_hidden()
    await expect(ada.message("the answer").locator(".quote")).to_contain_text("the question")
    for number in range(70):
        await server.room.post(f"line {number}", author="Ben")
    await server.room.post("last", author="Ben")
    late = await opened("Cleo")
    await expect(late.messages).to_have_count(50)
    await expect(late.message("the question")).to_have_count(0)
    await late.part("scroll").hover()
    await late.page.mouse.wheel(0, -100_000)
    await late.message("the answer").locator(".quote").click()
    await expect(late.message("the question")).to_be_in_viewport()
    await expect(late.message("the question")).to_be_focused()


async def test_a_reply_can_be_called_off(opened: Open, server: Server) -> None:
    """Escape, or the cross, ends answering; what was written stays."""
    await server.room.post("hello", author="Ben")
    ada = await opened("Ada")
    for how in ("key", "button"):
        await ada.do("hello", "reply")
        await ada.part("text").fill("hm")
        await (ada.part("text").press("Escape") if how == "key" else ada.part("context-cancel").click())
        await expect(ada.part("context")).to_be_hidden()
        await expect(ada.part("text")).to_have_value("hm")


async def test_ones_own_message_can_be_changed(opened: Open) -> None:
    """Edited in the message box, everyone sees the new words and that they are new; the draft comes back."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("helo")
    await ada.has_sent("helo")
    await ada.part("text").fill("a draft")
    await ada.do("helo", "edit")
    await expect(ada.part("text")).to_have_value("helo")
    await ada.say("hello")
    for window in (ada, ben):
        await window.sees("hello")
        await expect(window.message("hello").locator(".edited")).to_be_visible()
        await expect(window.message("hello").locator(".edited")).to_have_attribute("title", re.compile("^Edited .*20"))
    await expect(ada.part("text")).to_have_value("a draft")
    await ben.message("hello").locator(".text").hover()
    await expect(ben.part("action-reply")).to_be_visible()
    await ben.part("action-more").click()
    await expect(ben.part("message-report")).to_be_visible()
    await expect(ben.part("message-edit")).to_be_hidden()
    await expect(ben.part("message-delete")).to_be_hidden()


async def test_arrow_up_edits_the_last_own_message(opened: Open, server: Server) -> None:
    """In an empty box, arrow up takes the newest message of one's own; Escape leaves it as it was."""
    ada = await opened("Ada")
    await ada.say("first")
    await ada.say("second")
    await ada.has_sent("second")
    await server.room.post("not mine", author="Ben")
    await ada.part("text").press("ArrowUp")
    await expect(ada.part("text")).to_have_value("second")
    await ada.part("text").fill("never mind")
    await ada.part("text").press("Escape")
    await expect(ada.part("text")).to_have_value("")
    await ada.part("text").press("ArrowUp")
    await ada.say("third")
    await ada.sees("first", "third", "not mine")


async def test_an_edit_that_fails_is_not_lost(opened: Open) -> None:
    """The reason stands below the box, which holds the new words for another try."""
    ada = await opened("Ada")
    await ada.lose("edit")
    await ada.say("fine")
    await ada.has_sent("fine")
    await ada.do("fine", "edit")
    await ada.say("better")
    await expect(ada.part("say-error")).not_to_be_empty()
    await expect(ada.part("text")).to_have_value("better")
    await ada.live()
    await expect(ada.part("context")).to_contain_text("Editing")
    await expect(ada.part("composer")).to_be_visible()
    await ada.part("text").press("Enter")
    await ada.sees("better")


async def test_a_deleted_message_leaves_a_mark(opened: Open) -> None:
    """Deleting asks once, in the menu of the message; then nobody can read it, not in a quote either, nor do more with it."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("oops")
    await ada.has_sent("oops")
    await ben.do("oops", "reply")
    await ben.say("what?")
    await ben.has_sent("what?")
    await ada.do("oops", "delete")
    await expect(ada.part("confirm-yes")).to_be_focused()
    await ada.part("confirm-no").click()
    await expect(ada.part("message-delete")).to_be_focused()
    await ada.part("message-delete").click()
    await ada.part("confirm-yes").click()
    late = await opened()
    for window in (ada, ben, late):
        await window.sees("Message deleted", "what?")
        await expect(window.message("what?").locator(".quote-text")).to_have_text("Message deleted")
    await ada.message("Message deleted").hover()
    await expect(ada.part("message-actions")).to_have_count(0)


async def test_reactions_are_counted_and_toggled(opened: Open) -> None:
    """An emoji from the picker stands below the message with its count; a click on it joins in, another leaves."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("cake!")
    await ben.sees("cake!")
    await ben.do("cake!", "react")
    await ben.page.get_by_role("button", name="Party").click()
    await expect(_reactions(ada, "cake!")).to_have_accessible_name("🎉 1: Ben")
    await expect(_reactions(ben, "cake!")).to_have_attribute("aria-pressed", "true")
    await expect(_reactions(ada, "cake!")).to_have_attribute("aria-pressed", "false")
    await _reactions(ada, "cake!").click()
    await expect(_reactions(ben, "cake!")).to_have_accessible_name("🎉 2: You, Ada")
    late = await opened()
    await expect(_reactions(late, "cake!").locator(".count")).to_have_text("2")
    await expect(_reactions(late, "cake!")).to_be_disabled()
    for window in (ada, ben):
        await _reactions(window, "cake!").click()
    await expect(_reactions(late, "cake!")).to_have_count(0)


async def test_the_bar_follows_the_mouse(opened: Open, server: Server) -> None:
    """After something was done with one message, the bar comes to the next that is pointed at."""
    await server.room.post("one", author="Ben")
    await server.room.post("two", author="Ben")
    ada = await opened("Ada")
    for text in ("one", "two"):
        await ada.do(text, "react")
        await ada.page.get_by_role("button", name="Fire", exact=True).click()
        await expect(_reactions(ada, text)).to_have_accessible_name("🔥 1: You")
    await ada.message("two").locator(".text").hover()
    await ada.part("action-recent").get_by_role("button", name="React with 🔥").click()
    await expect(_reactions(ada, "two")).to_have_count(0)
    assert await ada.page.evaluate("document.activeElement !== document.body")


async def test_any_emoji_of_the_keyboard_will_do(opened: Open, server: Server) -> None:
    """What the picker does not show can be typed; what is no emoji is refused in words, beside what was typed."""
    await server.room.post("cake!", author="Ben")
    ada = await opened("Ada")
    await ada.do("cake!", "react")
    await ada.part("picker-other").fill("🦄")
    await ada.part("picker-other").press("Enter")
    await expect(_reactions(ada, "cake!")).to_have_accessible_name("🦄 1: You")
    await ada.do("cake!", "react")
    await ada.part("picker-other").fill("abc")
    await ada.part("picker-other").press("Enter")
    await expect(ada.part("picker-error")).to_contain_text("emoji")
    await expect(ada.part("picker-other")).to_be_focused()


async def test_everything_without_a_mouse(opened: Open, server: Server) -> None:
    """The log is one Tab stop: arrows lead to other messages, into what can be done and out; what is typed is written."""
    await server.room.post("above https://example.com", author="Ben")
    ada = await opened("Ada")
    await ada.say("mine")
    await ada.has_sent("mine")
    keys = ada.page.keyboard
    await keys.press("Shift+Tab")
    await expect(ada.message("mine")).to_be_focused()
    await keys.press("ArrowUp")
    await expect(ada.message("above https://example.com")).to_be_focused()
    recent = ada.part("action-recent").get_by_role("button")
    await keys.press("ArrowRight")
    await expect(recent.first).to_be_focused()
    await keys.press("Enter")
    await expect(_reactions(ada, "above https://example.com")).to_have_accessible_name("👍 1: You")
    await expect(recent.first).to_be_focused()
    for _ in range(3):
        await keys.press("ArrowRight")
    await expect(ada.part("action-react")).to_be_focused()
    await keys.press("Enter")
    await expect(ada.page.get_by_role("button", name="Thumbs up")).to_be_focused()
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(_reactions(ada, "above https://example.com")).to_have_count(2)
    await expect(ada.part("action-react")).to_be_focused()
    await keys.press("ArrowRight")
    await expect(ada.part("action-reply")).to_be_focused()
    for part in ("action-more", None, "link"):
        await keys.press("ArrowRight")
        if part:
            await expect(ada.part(part) if part != "link" else ada.root.locator(".text a")).to_be_focused()
    await keys.press("Escape")
    await expect(ada.message("above https://example.com")).to_be_focused()
    await keys.press("End")
    await expect(ada.message("mine")).to_be_focused()
    await keys.press("Home")
    await expect(ada.message("above https://example.com")).to_be_focused()
    await keys.press("Tab")
    await expect(ada.part("text")).to_be_focused()
    await keys.press("Shift+Tab")
    await expect(ada.message("above https://example.com")).to_be_focused()
    await keys.press("ArrowDown")
    await keys.press("ArrowRight")
    await keys.press("End")
    await expect(ada.part("action-more")).to_be_focused()
    await keys.press("Enter")
    await keys.press("End")
    await expect(ada.part("message-delete")).to_be_focused()
    await keys.press("Enter")
    await keys.press("Escape")
    await expect(ada.part("message-delete")).to_be_focused()
    await keys.press("Enter")
    await keys.press("Enter")
    await ada.sees("above https://example.com", "Message deleted")
    await expect(ada.message("Message deleted")).to_be_focused()
    await keys.type("typed")
    await expect(ada.part("text")).to_have_value("typed")


async def test_on_a_phone_a_long_press_shows_what_can_be_done(opened: Open, server: Server) -> None:
    """A tap does nothing; a long press opens a sheet, large enough for fingers and within the screen; scrolling does not."""
    for number in range(30):
        await server.room.post(f"hi {number}", author="Ben")
    ada = await opened("Ada", viewport=PHONE, has_touch=True, is_mobile=True)
    await ada.say("ho")
    await ada.has_sent("ho")
    await ada.message("ho").locator(".text").tap()
    await expect(ada.part("message-actions")).to_have_count(0)
    for text in ("hi 29", "ho"):
        await ada.hold(text)
        await expect(ada.part("message-reply")).to_be_in_viewport(ratio=1)
        sizes = "all => all.filter(one => one.checkVisibility()).map(one => [one.clientWidth, one.clientHeight])"
        for width, height in await ada.part("message-menu").locator("button").evaluate_all(sizes):
            assert min(width, height) >= 48
        await ada.page.touchscreen.tap(200, 20)
        await expect(ada.part("message-menu")).to_be_hidden()
    scrolled = await ada.message("ho").evaluate(
        """async row => {
          const touch = (type, clientY) => row.dispatchEvent(
            new PointerEvent(type, {bubbles: true, pointerType: "touch", isPrimary: true, clientX: 50, clientY}));
          touch("pointerdown", 300);
          touch("pointermove", 280);
          await new Promise(resolve => setTimeout(resolve, 600));
          touch("pointerup", 280);
          return !document.querySelector("[data-part=message-menu]").open;
        }"""
    )
    assert scrolled
    await ada.hold("ho")
    await ada.part("message-emoji").get_by_role("button").nth(1).tap()
    await expect(_reactions(ada, "ho")).to_have_accessible_name("❤️ 1: You")
    await expect(ada.part("message-menu")).to_be_hidden()
    assert await ada.part("scroll").evaluate("view => view.scrollWidth <= view.clientWidth")


async def test_what_was_changed_meanwhile_is_told_after_a_drop(opened: Open, server: Server) -> None:
    """Who comes back after a drop sees edits, reactions and deletions of what is on the page already."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("one")
    await ada.say("two")
    await ben.sees("one", "two")
    server.went_away = True
    await ben.page.context.set_offline(True)
    await ada.do("one", "edit")
    await ada.say("uno")
    await ada.do("two", "delete")
    await ada.part("confirm-yes").click()
    await ada.sees("uno", "Message deleted")
    await ben.page.context.set_offline(False)
    await ben.sees("uno", "Message deleted")
