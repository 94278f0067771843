"""Messages have a life: they are answered, changed, taken back, and met with an emoji."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window

PHONE = {"width": 390, "height": 844}


async def _do(window: Window, text: str, action: str) -> None:
    await window.message(text).locator(".text").hover()
    await window.part(f"action-{action}").click()


def _reactions(window: Window, text: str) -> Locator:
    return window.message(text).locator(".reaction")


async def test_a_reply_quotes_and_leads_to_what_it_answers(opened: Open, server: Server) -> None:
    """Everyone sees what a message answers; a click on the quote shows the original, even if it is not loaded."""
    await server.room.post("the question", author="Ben")
    ada = await opened("Ada")
    await _do(ada, "the question", "reply")
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
        await _do(ada, "hello", "reply")
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
    await _do(ada, "helo", "edit")
    await expect(ada.part("text")).to_have_value("helo")
    await ada.say("hello")
    for window in (ada, ben):
        await window.sees("hello")
        await expect(window.message("hello").locator(".edited")).to_be_visible()
        await expect(window.message("hello").locator(".edited")).to_have_attribute("title", re.compile("^Edited .*20"))
    await expect(ada.part("text")).to_have_value("a draft")
    await ben.message("hello").locator(".text").hover()
    await expect(ben.part("action-reply")).to_be_visible()
    await expect(ben.part("action-edit")).to_be_hidden()
    await expect(ben.part("action-delete")).to_be_hidden()


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
    await _do(ada, "fine", "edit")
    await ada.say("better")
    await expect(ada.part("say-error")).not_to_be_empty()
    await expect(ada.part("text")).to_have_value("better")
    await ada.live()
    await expect(ada.part("context")).to_contain_text("Editing")
    await expect(ada.part("composer")).to_be_visible()
    await ada.part("text").press("Enter")
    await ada.sees("better")


async def test_a_deleted_message_leaves_a_mark(opened: Open) -> None:
    """Deleting asks once, by the message itself; then nobody can read it, not in a quote either, nor do more with it."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("oops")
    await ada.has_sent("oops")
    await _do(ben, "oops", "reply")
    await ben.say("what?")
    await ben.has_sent("what?")
    await _do(ada, "oops", "delete")
    await expect(ada.part("confirm-yes")).to_be_focused()
    await ada.part("confirm-no").click()
    await ada.part("action-delete").click()
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
    await _do(ben, "cake!", "react")
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
        await _do(ada, text, "react")
        await ada.page.get_by_role("button", name="Fire").click()
        await expect(_reactions(ada, text)).to_have_accessible_name("🔥 1: You")


async def test_any_emoji_of_the_keyboard_will_do(opened: Open, server: Server) -> None:
    """What the picker does not show can be typed; what is no emoji is refused in words."""
    await server.room.post("cake!", author="Ben")
    ada = await opened("Ada")
    await _do(ada, "cake!", "react")
    await ada.part("picker-other").fill("🦄")
    await ada.part("picker-other").press("Enter")
    await expect(_reactions(ada, "cake!")).to_have_accessible_name("🦄 1: You")
    await _do(ada, "cake!", "react")
    await ada.part("picker-other").fill("abc")
    await ada.part("picker-other").press("Enter")
    await expect(ada.part("say-error")).to_contain_text("emoji")


async def test_everything_without_a_mouse(opened: Open, server: Server) -> None:
    """From the message box, Shift+Tab leads to the newest message, arrows to others, Tab to what can be done."""
    await server.room.post("above", author="Ben")
    ada = await opened("Ada")
    await ada.say("mine")
    await ada.has_sent("mine")
    keys = ada.page.keyboard
    await keys.press("Shift+Tab")
    await expect(ada.message("mine")).to_be_focused()
    await keys.press("ArrowUp")
    await expect(ada.message("above")).to_be_focused()
    await keys.press("Tab")
    await expect(ada.part("action-react")).to_be_focused()
    await keys.press("Enter")
    await expect(ada.page.get_by_role("button", name="Thumbs up")).to_be_focused()
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(_reactions(ada, "above")).to_have_accessible_name("❤️ 1: You")
    await expect(ada.part("action-react")).to_be_focused()
    await keys.press("Escape")
    await expect(ada.message("above")).to_be_focused()
    await keys.press("ArrowDown")
    for action in ("react", "reply", "edit", "delete"):
        await keys.press("Tab")
        await expect(ada.part(f"action-{action}")).to_be_focused()
    await keys.press("Enter")
    await keys.press("Escape")
    await expect(ada.part("action-delete")).to_be_focused()
    await keys.press("Enter")
    await keys.press("Enter")
    await ada.sees("above", "Message deleted")


async def test_on_a_phone_a_tap_shows_what_can_be_done(opened: Open, server: Server) -> None:
    """A tap on a message brings the bar, large enough for fingers and within the screen."""
    await server.room.post("hi", author="Ben")
    ada = await opened("Ada", viewport=PHONE, has_touch=True, is_mobile=True)
    await ada.say("ho")
    await ada.has_sent("ho")
    for text in ("hi", "ho"):
        await ada.message(text).locator(".text").tap()
        await expect(ada.part("action-react")).to_be_in_viewport(ratio=1)
        box = await ada.part("message-actions").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert await ada.part("action-react").evaluate("one => one.clientHeight") >= 44
    await ada.part("action-react").tap()
    await ada.page.get_by_role("button", name="Fire").tap()
    await expect(_reactions(ada, "ho")).to_have_accessible_name("🔥 1: You")
    assert await ada.part("scroll").evaluate("view => view.scrollWidth <= view.clientWidth")


async def test_what_was_changed_meanwhile_is_told_after_a_drop(opened: Open, server: Server) -> None:
    """Who comes back after a drop sees edits, reactions and deletions of what is on the page already."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("one")
    await ada.say("two")
    await ben.sees("one", "two")
    server.went_away = True
    await ben.page.context.set_offline(True)
    await _do(ada, "one", "edit")
    await ada.say("uno")
    await _do(ada, "two", "delete")
    await ada.part("confirm-yes").click()
    await ada.sees("uno", "Message deleted")
    await ben.page.context.set_offline(False)
    await ben.sees("uno", "Message deleted")
