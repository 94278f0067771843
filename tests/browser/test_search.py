"""Finding again what was said."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window


def _hits(window: Window) -> Locator:
    return window.page.locator(".hit .found-text")


async def _fill(server: Server) -> None:
    await server.room.post("The Needle in the hay", author="Grace")
    for number in range(150):
        await server.room.post(f"hay number {number}", author="Ben")


async def test_words_are_found_and_marked(opened: Open, server: Server) -> None:
    """All words must be in a message, in any case; results tell who and when, newest first, with the words marked."""
    await _fill(server)
    await server.room.post("<b>needle</b> again, no straw", author="Ben")
    ada = await opened("Ada")
    await ada.part("search-button").click()
    await ada.part("finder-input").fill("NEEDLE")
    await expect(_hits(ada)).to_have_text(["<b>needle</b> again, no straw", "The Needle in the hay"])
    await expect(ada.page.locator(".hit mark")).to_have_text(["needle", "Needle"])
    await expect(ada.page.locator(".hit .author")).to_have_text(["Ben", "Grace"])
    await ada.part("finder-input").fill("needle hay")
    await expect(_hits(ada)).to_have_text(["The Needle in the hay"])
    await ada.part("finder-input").fill("nothing like it")
    await expect(ada.part("finder-note")).to_contain_text("Nothing found")
    await expect(_hits(ada)).to_have_count(0)


async def test_a_result_leads_to_its_place(opened: Open, server: Server) -> None:
    """Enter shows the message among its neighbours though it was not loaded; what is between can be had by reading on."""
    await _fill(server)
    ada = await opened("Ada")
    await expect(ada.message("The Needle in the hay")).to_have_count(0)
    await ada.page.keyboard.press("Control+k")
    await expect(ada.part("finder-input")).to_be_focused()
    await ada.page.keyboard.type("needle")
    await expect(_hits(ada)).to_have_count(1)
    await ada.page.keyboard.press("Enter")
    await expect(ada.part("finder")).to_be_hidden()
    await expect(ada.message("The Needle in the hay")).to_be_in_viewport()
    await expect(ada.message("The Needle in the hay")).to_be_focused()
    await expect(ada.message("hay number 0")).to_be_in_viewport()
    await ada.part("scroll").evaluate(
        """async view => {
          while (document.querySelector(".gap") || document.querySelectorAll(".message").length < 151) {
            view.scrollTop += 400;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    await ada.sees("The Needle in the hay", *(f"hay number {number}" for number in range(150)))


async def test_more_results_can_be_had(opened: Open, server: Server) -> None:
    """Where there are many, older ones come on demand."""
    await _fill(server)
    ada = await opened("Ada")
    await ada.page.locator("h1").click()
    await ada.page.keyboard.press("/")
    await ada.part("finder-input").fill("hay number")
    await expect(_hits(ada)).to_have_count(20)
    await expect(ada.part("finder-note")).to_have_text("20 or more found")
    await ada.part("finder-more").click()
    await expect(_hits(ada)).to_have_count(40)
    await expect(_hits(ada).nth(20)).to_have_text("hay number 129")
    await expect(ada.page.locator(".hit button").nth(20)).to_be_focused()


async def test_searching_by_keys_alone(opened: Open, server: Server) -> None:
    """Arrows walk through the results and back into the field; Escape closes, and one is where one was."""
    await _fill(server)
    ada = await opened("Ada")
    await expect(ada.part("text")).to_be_focused()
    keys = ada.page.keyboard
    await keys.press("Control+k")
    await keys.type("number 14")
    await expect(_hits(ada).first).to_have_text("hay number 149")
    await keys.press("ArrowDown")
    await keys.press("ArrowDown")
    await expect(ada.page.locator(".hit button").nth(1)).to_be_focused()
    await keys.press("ArrowUp")
    await keys.press("ArrowUp")
    await expect(ada.part("finder-input")).to_be_focused()
    await keys.press("Escape")
    await expect(ada.part("finder")).to_be_hidden()
    await expect(ada.part("text")).to_be_focused()
    await keys.type("/")
    await expect(ada.part("text")).to_have_value("/")


async def test_a_search_is_narrowed(opened: Open, server: Server) -> None:
    """By author and by days, typed or in fields; the words alone are marked in what is found."""
    await server.room.post("tea at noon", author="Grace Hopper")
    await server.room.post("tea, rather late", author="Ben")
    ada = await opened("Ada")
    await ada.part("search-button").click()
    await ada.part("finder-input").fill("tea from:grace")
    await expect(_hits(ada)).to_have_text(["tea at noon"])
    await expect(ada.page.locator(".hit mark")).to_have_text(["tea"])
    await ada.part("finder-input").fill("tea")
    await expect(_hits(ada)).to_have_count(2)
    await ada.page.locator(".finder-filters summary").click()
    await ada.part("finder-from").fill("ben")
    await expect(_hits(ada)).to_have_text(["tea, rather late"])
    await ada.part("finder-after").fill("2020-01-01")
    await ada.part("finder-before").fill("2020-01-31")
    await expect(ada.part("finder-note")).to_contain_text("Nothing found")
    await ada.part("finder-before").fill("")
    await expect(_hits(ada)).to_have_text(["tea, rather late"])
