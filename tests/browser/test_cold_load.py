"""What a first visit costs stays in its budget; `make size` prints what it is made of."""

from __future__ import annotations

from playwright.async_api import Browser

from tests.browser.cold_load import cold_load
from tests.browser.server import Server

MAX_REQUESTS = 10
MAX_WIRE_BYTES = 82_000


async def test_a_first_visit_is_small(browser: Browser, server: Server) -> None:
    """Few requests and bytes, and all of what it needs at once is asked for by the page itself."""
    load = await cold_load(browser, server.url)
    assert len(load.answers) <= MAX_REQUESTS, sorted(answer.path for answer in load.answers)
    assert load.wire_bytes <= MAX_WIRE_BYTES, sorted((answer.wire_bytes, answer.path) for answer in load.answers)
