"""What a first visit costs stays in its budget; `make size` prints what it is made of."""

from __future__ import annotations

from playwright.async_api import Browser

from tests.browser.cold_load import cold_load
from tests.browser.conftest import Open
from tests.browser.server import Server

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
