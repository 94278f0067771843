"""The conversation follows its end, and leaves those alone who read further up."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window

FROM_END = "view => view.scrollHeight - view.clientHeight - view.scrollTop"


async def _fill(server: Server, count: int = 40) -> None:
    for number in range(count):
        await server.room.post(f"line {number}", author="Ben")


async def _at_end(window: Window) -> None:
    await window.page.wait_for_function(
        "() => { const view = document.querySelector('[data-part=scroll]');"
        " return view.scrollHeight > view.clientHeight"
        " && view.scrollHeight - view.clientHeight - view.scrollTop < 2; }"
    )


async def test_new_messages_are_followed(opened: Open, server: Server) -> None:
    """At the end one stays at the end, whatever comes and however the window changes."""
    await _fill(server)
    ada = await opened("Ada")
    await _at_end(ada)
    await server.room.post("a long one\n" * 12, author="Ben")
    await expect(ada.messages).to_have_count(41)
    await _at_end(ada)
    await ada.page.set_viewport_size({"width": 500, "height": 420})
    await _at_end(ada)
    await ada.part("text").fill("\n" * 5 + "x")
    await _at_end(ada)


async def test_a_reader_further_up_is_not_moved(opened: Open, server: Server) -> None:
    """Who reads further up keeps their place; a button counts what is new, and leads there."""
    await _fill(server)
    ada = await opened("Ada")
    await _at_end(ada)
    view, latest = ada.part("scroll"), ada.part("latest")
    await expect(latest).to_be_hidden()
    await view.hover()
    await ada.page.mouse.wheel(0, -600)
    await expect(latest).to_be_visible()
    await expect(latest).to_have_attribute("aria-label", "To the newest message")
    line = await ada.message("line 20").bounding_box()
    for number in range(3):
        await server.room.post(f"new {number}", author="Ben")
    await expect(latest).to_have_text("3 new messages")
    assert line == await ada.message("line 20").bounding_box()
    await latest.click()
    await _at_end(ada)
    await expect(latest).to_be_hidden()
    await expect(ada.message("new 2")).to_be_in_viewport()


async def test_scrolling_back_to_the_end_follows_again(opened: Open, server: Server) -> None:
    """Who scrolls down again by themselves is at the end as if they had never left."""
    await _fill(server)
    ada = await opened("Ada")
    await _at_end(ada)
    await ada.part("scroll").hover()
    await ada.page.mouse.wheel(0, -600)
    await expect(ada.part("latest")).to_be_visible()
    await ada.page.mouse.wheel(0, 5000)
    await expect(ada.part("latest")).to_be_hidden()
    await server.room.post("newest", author="Ben")
    await expect(ada.message("newest")).to_be_in_viewport()


async def test_ones_own_message_leads_to_the_end(opened: Open, server: Server) -> None:
    """Who says something wants to see it stand there."""
    await _fill(server)
    ada = await opened("Ada")
    await _at_end(ada)
    await ada.part("scroll").hover()
    await ada.page.mouse.wheel(0, -900)
    await expect(ada.part("latest")).to_be_visible()
    await ada.say("mine")
    await expect(ada.message("mine")).to_be_in_viewport()
    await _at_end(ada)


async def test_a_long_evening_does_not_fill_the_page(opened: Open, server: Server) -> None:
    """A page that is left open keeps the newest messages only, so that it stays quick."""
    ada = await opened("Ada")
    await _fill(server, 900)
    await expect(ada.message("line 899")).to_be_visible()
    assert await ada.messages.count() <= 150
    await _at_end(ada)


async def test_a_button_leads_up_to_what_is_new(opened: Open, server: Server) -> None:
    """Who comes back to more than fits the view is told how much is new above, and gets to its beginning."""
    await _fill(server, 3)
    ada = await opened("Ada")
    await ada.sees("line 0", "line 1", "line 2")
    await ada.page.evaluate("document.hasFocus = () => false")
    await _fill(server, 60)
    await expect(ada.messages).to_have_count(63)
    await expect(ada.part("unread")).to_have_text("60 new messages above")
    await ada.page.evaluate("document.hasFocus = () => true")
    await ada.part("unread").click()
    await expect(ada.page.locator(".new-line")).to_be_in_viewport()
    await expect(ada.part("unread")).to_be_hidden()


async def test_the_focus_is_not_lost_while_messages_pour_in(opened: Open, server: Server) -> None:
    """A message keeps the focus though others have taken its place in the document; the arrows lead to its neighbours."""
    await server.room.post("first", author="Ben")
    ada = await opened("Ada")
    await ada.part("text").press("Shift+Tab")
    await expect(ada.message("first")).to_be_focused()
    await _fill(server, 300)
    await expect(ada.message("line 299")).to_be_visible()
    await expect(ada.message("first")).to_be_focused()
    await ada.page.keyboard.press("ArrowDown")
    await expect(ada.message("line 0")).to_be_focused()
    await _fill(server, 700)
    await expect(ada.part("latest")).to_be_visible()
    assert await ada.page.evaluate("document.activeElement.matches('.message')")
    await ada.page.keyboard.press("Escape")
    await expect(ada.part("text")).to_be_focused()
