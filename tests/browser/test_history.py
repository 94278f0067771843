"""What was said before: fetched as one reads upwards, without moving what is read."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window


async def _fill(server: Server, count: int) -> None:
    for number in range(count):
        await server.room.post(f"line {number}", author="Ben")


async def _at_top(window: Window) -> None:
    await window.part("scroll").hover()
    await window.page.mouse.wheel(0, -100_000)


async def test_reading_upwards_leads_to_the_beginning(opened: Open, server: Server) -> None:
    """Older messages come by themselves, page by page, each once and in order; the beginning is marked as such."""
    await _fill(server, 170)
    ada = await opened("Ada")
    await expect(ada.messages).to_have_count(50)
    await expect(ada.part("origin")).to_be_hidden()
    for count in (100, 150, 170):
        await _at_top(ada)
        await expect(ada.messages).to_have_count(count)
    await ada.sees(*(f"line {number}" for number in range(170)))
    await expect(ada.part("origin")).to_be_visible()
    await expect(ada.page.locator(".gap")).to_have_count(0)


async def test_what_is_read_stays_where_it_is(opened: Open, server: Server) -> None:
    """While older messages come above, and reactions grow above, the words in sight do not move by a pixel."""
    await _fill(server, 120)
    ada = await opened("Ada")
    await expect(ada.messages).to_have_count(50)
    moved = await ada.page.evaluate(
        """async () => {
          const view = document.querySelector("[data-part=scroll]");
          view.scrollTop = 300;
          await new Promise(requestAnimationFrame);
          const lines = [...document.querySelectorAll(".message")];
          const seen = lines.find(line => line.getBoundingClientRect().top > view.getBoundingClientRect().top + 60);
          const top = () => seen.querySelector(".text").getBoundingClientRect().top;
          const before = top();
          await new Promise(resolve => new MutationObserver((_, it) => {
            if (document.querySelectorAll(".message").length > 50) { it.disconnect(); resolve(); }
          }).observe(document.querySelector(".messages"), {childList: true}));
          await new Promise(requestAnimationFrame);
          return Math.abs(top() - before);
        }"""
    )
    assert moved < 1


async def test_a_short_conversation_has_its_beginning_in_sight(opened: Open, server: Server) -> None:
    """Where nothing older is, nothing is offered or asked for."""
    await _fill(server, 3)
    ada = await opened("Ada")
    await ada.sees("line 0", "line 1", "line 2")
    await expect(ada.part("origin")).to_be_visible()
    await expect(ada.page.locator(".gap")).to_have_count(0)


async def test_older_messages_come_after_a_drop_too(opened: Open, server: Server) -> None:
    """A page of older messages that was lost with the connection is asked for again when that is back."""
    await _fill(server, 120)
    ada = await opened("Ada")
    await ada.lose("history")
    await expect(ada.messages).to_have_count(50)
    await _at_top(ada)
    await expect(ada.messages).to_have_count(100)
    await expect(ada.message("line 20")).to_have_count(1)


async def test_without_a_connection_older_messages_wait(opened: Open, server: Server) -> None:
    """What cannot come is offered by a button."""
    await _fill(server, 120)
    ada = await opened("Ada")
    await expect(ada.messages).to_have_count(50)
    await server.stop()
    await ada.is_state("reconnecting")
    await _at_top(ada)
    await expect(ada.page.get_by_role("button", name="Show older messages")).to_be_visible()


async def test_after_a_long_way_up_the_page_is_small_again(opened: Open, server: Server) -> None:
    """Who returns to the newest message leaves no more lines behind than a page keeps; they can be had again."""
    await _fill(server, 800)
    ada = await opened("Ada")
    await ada.page.evaluate(
        """async () => {
          const view = document.querySelector("[data-part=scroll]");
          while (document.querySelectorAll(".message").length < 800) {
            view.scrollTop = 0;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    await expect(ada.part("origin")).to_be_visible()
    await ada.part("latest").click()
    await server.room.post("newest", author="Ben")
    await expect(ada.message("newest")).to_be_in_viewport()
    assert await ada.messages.count() <= 150
    await expect(ada.part("origin")).to_be_hidden()
    await ada.page.evaluate(
        """async () => {
          const view = document.querySelector("[data-part=scroll]");
          while (document.querySelectorAll(".message").length < 801) {
            view.scrollTop = 0;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    await ada.sees(*(f"line {number}" for number in range(800)), "newest")


async def test_a_message_can_be_linked_and_copied(opened: Open, server: Server) -> None:
    """A link to a message shows it, however old; text, link and a selection can be copied; a long text is collapsed."""
    await _fill(server, 120)
    await server.room.post("\n".join(map(str, range(60))), author="Ada Lovelace")
    ada = await opened("Ada", url=f"{server.url}#m5", permissions=["clipboard-read", "clipboard-write"])
    await expect(ada.message("line 4")).to_be_in_viewport()
    await expect(ada.message("line 4")).to_have_id("m5")
    await ada.page.evaluate("location.hash = '#m111'")
    await expect(ada.message("line 110")).to_be_in_viewport()
    await ada.page.evaluate("location.hash = '#m999'")
    await expect(ada.part("toast")).to_contain_text("does not exist")
    clipboard = "navigator.clipboard.readText()"
    await ada.do("line 110", "link")
    await expect(ada.part("toast-text")).to_have_text("Link copied.")
    assert f"{server.url}#m111" == await ada.page.evaluate(clipboard)
    await ada.do("line 110", "copy")
    await expect(ada.part("toast-text")).to_have_text("Text copied.")
    assert await ada.page.evaluate(clipboard) == "line 110"
    time = await ada.message("line 110").locator("time").inner_text()
    await ada.page.evaluate(
        """() => {
          const text = (seq) => document.querySelector(`#m${seq} .text`).firstChild;
          getSelection().setBaseAndExtent(text(110), 5, text(112), 4);
        }"""
    )
    await ada.page.keyboard.press("Control+c")
    lines = (await ada.page.evaluate(clipboard)).split("\n")
    assert [line.split(" ", 1)[1] for line in lines] == ["Ben: 109", "Ben: line 110", "Ben: line"]
    assert time in lines[1]
    long = ada.page.locator("#m121")
    more = long.locator(".show-more")
    short = await long.evaluate("one => one.clientHeight")
    await expect(more).to_have_text("Show more")
    await more.click()
    await expect(more).to_have_text("Show less")
    assert await long.evaluate("one => one.clientHeight") > 2 * short


async def test_all_messages_are_printed(opened: Open, server: Server) -> None:
    """Not one cut-off page of them: all that are loaded, on as many pages as it takes, without buttons."""
    await _fill(server, 240)
    ada = await opened("Ada")
    for count in (100, 150):
        await _at_top(ada)
        await expect(ada.messages).to_have_count(count)
    await _at_top(ada)
    await expect(ada.part("messages")).to_contain_text("line 40")
    await ada.part("latest").click()
    await expect(ada.messages).to_have_count(150)
    await ada.page.emulate_media(media="print")
    await ada.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(ada.messages).to_have_count(200)
    assert await ada.page.evaluate("document.documentElement.scrollHeight > 3000")
    for part in ("composer", "rooms", "people-button", "search-button"):
        await expect(ada.part(part)).to_be_hidden()
    pages = (await ada.page.pdf()).count(b"/Type /Page\n")
    assert pages > 3
    await ada.page.evaluate("dispatchEvent(new Event('afterprint'))")
    await expect(ada.messages).to_have_count(150)
