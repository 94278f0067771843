"""What a first visit costs stays in its budget; `make size` prints what it is made of."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Browser, Route, expect

from tests.browser.cold_load import cold_load
from tests.browser.conftest import ClientSession, Open
from tests.browser.server import Server
from tests.browser.window import Window

MAX_REQUESTS = 10
MAX_WIRE_BYTES = 72_500


async def test_a_first_visit_is_small(browser: Browser, server: Server) -> None:
    """Few requests and bytes, and all of what it needs at once is asked for by the page itself."""
    load = await cold_load(browser, server.url)
    assert len(load.answers) <= MAX_REQUESTS, sorted(answer.path for answer in load.answers)
    assert load.wire_bytes <= MAX_WIRE_BYTES, sorted((answer.wire_bytes, answer.path) for answer in load.answers)


async def test_sources_are_served_one_by_one(serve, opened: Open) -> None:
    """With `dev`, the page runs from its sources, whose names stand in a debugger; it keeps nothing for later visits."""
    server = await serve(Server(dev=True))
    ada = await opened("Ada", url=server.url)
    await ada.say("from the **sources**")
    await ada.has_sent("from the sources")
    loaded = await ada.page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)")
    assert any(path.endswith("/js/view/composer.js") for path in loaded)
    assert any(path.endswith("/css/tokens.css") for path in loaded)
    assert await ada.page.evaluate("navigator.serviceWorker.getRegistration().then(one => !one)")


async def test_what_comes_later_loses_no_word(server: Server, visit: ClientSession) -> None:
    """What is not loaded says so and is loaded at the next click; what is typed while it comes is not lost."""
    ada = Window(await visit(server.url, "Failed to load"), "")
    await ada.live()
    await ada.page.route(re.compile(r"/taking-part(-\w+)?\.js"), lambda route: route.abort())
    await ada.part("name-input").fill("Ada")
    await ada.part("name-button").click()
    await expect(ada.part("toast-text")).to_contain_text("could not be loaded")
    await ada.page.unroute_all()
    await ada.part("toast").get_by_role("button", name="Try again").click()
    await expect(ada.part("text")).to_be_focused()
    await ada.say("the needle")
    await ada.has_sent("the needle")
    may = asyncio.Event()

    async def wait(route: Route) -> None:
        await may.wait()
        await route.continue_()

    await ada.page.route(re.compile(r"/finder(-\w+)?\.js"), wait)
    await ada.page.keyboard.press("Control+k")
    await ada.page.keyboard.type("needle")
    may.set()
    await expect(ada.part("found")).to_contain_text("the needle")
    await ada.page.keyboard.press("Escape")
    await expect(ada.part("text")).to_have_value("")
