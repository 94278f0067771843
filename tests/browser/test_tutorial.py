"""The pages of 2013, in a real browser, with today's Socket.IO script as the server hands it out."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.server import Server

_PAGE = (Path(__file__).parent / "tutorial.html").read_text("utf-8")


async def visit(browser: Browser, server: Server, client: str = "") -> Page:
    """Open the tutorial's page as if the chat's own server served it, as it did in 2013."""
    page = await browser.new_page()
    await page.route("**/tutorial", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
    await page.goto(f"{server.url}tutorial{client}")
    return page


async def take(page: Page, name: str) -> None:
    """Take a name."""
    await page.locator("#pseudo").fill(name)
    await page.locator("#pseudo").press("Enter")


async def write(page: Page, text: str) -> None:
    """Send a message."""
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def test_the_tutorials_page_runs_unchanged(browser: Browser, server: Server) -> None:
    """Names, messages to everyone else, one's own shown as “Me”, and the counter."""
    ada, bob = await visit(browser, server), await visit(browser, server)
    await expect(ada.locator("#count")).to_have_text("2")
    await expect(bob.locator("#count")).to_have_text("2")
    await take(ada, "Ada")
    await take(bob, "Bob")
    await write(ada, "hello <b>Bob</b>")
    await expect(bob.locator("#log p")).to_have_text(["Ada: hello <b>Bob</b>"])
    await write(bob, "hello Ada")
    await expect(ada.locator("#log p")).to_have_text(["Me: hello <b>Bob</b>", "Bob: hello Ada"])
    await bob.close()
    await expect(ada.locator("#count")).to_have_text("1")
    await ada.close()


async def test_the_later_page_gets_one_answer_for_each_name(browser: Browser, server: Server) -> None:
    """A taken or reserved name is told, once each; a free one opens the message box."""
    ada, bob = await visit(browser, server, "#later"), await visit(browser, server, "#later")
    await take(ada, "Ada")
    await expect(ada.locator("#writing")).to_be_visible()
    for name in ("ada", "admin", "Bob"):
        await take(bob, name)
        if name != "Bob":
            await expect(bob.locator("#problem")).to_have_text("That name is taken.")
            await bob.evaluate("document.getElementById('problem').textContent = ''")
    await expect(bob.locator("#writing")).to_be_visible()
    assert await bob.evaluate("document.body.dataset.statuses") == "error error ok "
    await write(bob, "hi")
    await expect(ada.locator("#log p")).to_have_text(["Bob: hi"])
    await ada.close()
    await bob.close()


async def test_the_old_page_and_the_new_one_share_a_room(browser: Browser, server: Server, opened) -> None:
    """Whoever uses which page, everyone hears everyone."""
    new = await opened("Ada")
    old = await visit(browser, server)
    await take(old, "Bob")
    await write(old, "from 2013")
    await new.sees("from 2013")
    await new.say("from today")
    await expect(old.locator("#log p")).to_have_text(["Me: from 2013", "Ada: from today"])
    await old.close()


async def test_the_old_page_comes_back_after_a_restart(browser: Browser, server: Server) -> None:
    """It reconnects by itself, and counts again."""
    page = await visit(browser, server)
    await expect(page.locator("#count")).to_have_text("1")
    await page.evaluate("document.getElementById('count').textContent = ''")
    await server.restart()
    await expect(page.locator("#count")).to_have_text("1", timeout=15_000)
    await page.close()
