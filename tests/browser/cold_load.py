"""What a first visit costs: the requests and bytes on the wire, and when the page can be used. `make size` prints it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, expect

from tests.browser.chromium import chromium
from tests.browser.server import Server

__all__ = ["Load", "Loaded", "cold_load"]


@dataclass
class Loaded:
    """One answer."""

    path: str
    #: On the wire: head and compressed body.
    wire_bytes: int = 0


@dataclass(frozen=True)
class Load:
    """A page that was loaded by a browser that had nothing of it."""

    answers: list[Loaded]
    #: From the navigation until somebody can type their name.
    usable_ms: float

    @property
    def wire_bytes(self) -> int:
        """All of them."""
        return sum(answer.wire_bytes for answer in self.answers)


_USABLE = """new Promise((resolve) => {
  const look = () => document.querySelector("[data-part=name-input]")?.checkVisibility() ? resolve(performance.now()) : setTimeout(look, 5);
  look();
})"""


async def cold_load(browser: Browser, url: str) -> Load:
    """Open the page for the first time, and wait until nothing more comes."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    answers: dict[str, Loaded] = {}

    def asked(event: dict[str, Any]) -> None:
        address = urlsplit(event["request"]["url"])
        if address.scheme in ("http", "https"):
            answers.setdefault(event["requestId"], Loaded(address.path))

    def came(event: dict[str, Any]) -> None:
        if event["requestId"] in answers:
            answers[event["requestId"]].wire_bytes = event["encodedDataLength"]

    def opened(event: dict[str, Any]) -> None:
        answers[event["requestId"]] = Loaded(urlsplit(event["url"]).path)

    devtools.on("Network.requestWillBeSent", asked)
    devtools.on("Network.loadingFinished", came)
    devtools.on("Network.webSocketCreated", opened)
    await devtools.send("Network.enable")
    await page.goto(url)
    usable = await page.evaluate(_USABLE)
    await expect(page.locator("[data-part=name-input]").first).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await context.close()
    return Load(list(answers.values()), usable)


async def _print() -> None:
    server = Server()
    await server.start()
    try:
        async with chromium() as browser:
            await cold_load(browser, server.url)  # the first page of a browser pays for its start
            load = await cold_load(browser, server.url)
    finally:
        await server.stop()
    for answer in sorted(load.answers, key=lambda one: -one.wire_bytes):
        print(f"{answer.wire_bytes:8,}  {answer.path}")  # noqa: T201  # its purpose
    print(f"{load.wire_bytes:8,}  bytes in {len(load.answers)} requests; usable after {load.usable_ms:.0f} ms")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_print())
