"""A real browser and a real server. Nobody's console may complain: each window is checked when its test ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from pychat import Chat, ChatRoom
from pychat.web.assets import Assets
from tests.browser.chromium import chromium
from tests.browser.host import Host
from tests.browser.server import Server
from tests.browser.window import Window


class Open(Protocol):
    """Opens a window; `name` takes a name too. Without `context`, it is another person's browser."""

    def __call__(
        self, name: str | None = None, *, url: str = "", context: BrowserContext | None = None, **options: Any
    ) -> Awaitable[Window]:
        """Open it."""


class Place(Protocol):
    """Starts a web site, with a chat of these rooms at `/chat/` if there are any."""

    def __call__(self, *rooms: ChatRoom | Chat, **options: Any) -> Awaitable[Host]:
        """Start it."""


class ClientSession(Protocol):
    """Opens a page in a browser of one's own. What holds one of `expected` may stand on its console."""

    def __call__(self, url: str, *expected: str, **options: Any) -> Awaitable[Page]:
        """Open it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests of this folder on one event loop: the browser, which is slow to start, lives on it."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for all tests."""
    assert not Assets().dev, "these tests look at the bundled page: run `npm ci --ignore-scripts`, and they bundle it"
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Callable[[Server], Awaitable[Server]]]:
    """Start a server of one's own making."""
    started = []

    async def start(server: Server) -> Server:
        started.append(server)
        await server.start()
        return server

    yield start
    for server in started:
        await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def server(serve: Callable[[Server], Awaitable[Server]]) -> Server:
    """One room, “The lobby”, that keeps its log in memory."""
    return await serve(Server())


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser: Browser, server: Server) -> AsyncIterator[Open]:
    """Open windows; afterwards nothing unexpected may stand on their consoles."""
    windows: list[Window] = []
    contexts: list[BrowserContext] = []
    expect.set_options(timeout=10_000)

    async def open_window(
        name: str | None = None, *, url: str = "", context: BrowserContext | None = None, **options: Any
    ) -> Window:
        if context is None:
            context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            contexts.append(context)
        window = Window(await context.new_page(), url or server.url)
        windows.append(window)
        await window.open()
        if name is not None:
            await window.join(name)
        return window

    yield open_window
    complaints = [window.unexpected(server_was_away=server.went_away) for window in windows]
    for context in contexts:
        await context.close()
    assert [[] for _ in windows] == complaints


@pytest_asyncio.fixture(loop_scope="session")
async def place() -> AsyncIterator[Place]:
    """Start web sites."""
    hosts: list[Host] = []

    async def start(*rooms: ChatRoom | Chat, **options: Any) -> Host:
        hosts.append(Host(*rooms, **options))
        return await hosts[-1].start()

    yield start
    for host in hosts:
        await host.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def host(place: Place) -> Host:
    """A web site with a chat of two rooms at `/chat/`."""
    return await place(ChatRoom("lobby", title="The lobby"), ChatRoom("den", title="The den"))


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, place: Place, serve: object) -> AsyncIterator[ClientSession]:
    """Open pages in a browser of one's own; afterwards their consoles hold what was `expected`, and no more."""
    del place, serve  # servers go after the pages that would miss them
    expect.set_options(timeout=10_000)
    contexts = []
    consoles: list[tuple[tuple[str, ...], list[str]]] = []

    async def open_page(url: str, *expected: str, **options: Any) -> Page:
        context = await browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **options})
        contexts.append(context)
        page = await context.new_page()
        said: list[str] = []
        consoles.append((expected, said))

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                said.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto(url)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    for expected, said in consoles:
        assert [] == [text for text in said if not any(part in text for part in expected)]
