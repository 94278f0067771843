"""A web site that is not pychat's, whose pages hold a room: on the same address as the chat, or on another."""

from __future__ import annotations

from aiohttp import web
from playwright.async_api import Page

import pychat
from pychat import Chat, ChatRoom
from tests.browser.window import Window

__all__ = ["STRICT", "Host", "box"]

# What a page of ours would not do to people, and CSP and Trusted Types forbid.
STRICT = "default-src 'none'; img-src data:; script-src {0}; connect-src {0} {1}; require-trusted-types-for 'script'; trusted-types 'none'"


class Host:
    """Pages with any markup, at `/NAME`; with `rooms`, the chat is mounted at `/chat/`."""

    def __init__(self, *rooms: ChatRoom | Chat, **options: object) -> None:
        self._pages: dict[str, tuple[str, dict[str, str]]] = {}
        self._app = web.Application()
        if rooms:
            self._app.add_subapp("/chat/", pychat.aiohttp_app(*rooms, **options))  # type: ignore[arg-type]  # passed on
        self._app.router.add_get("/{name}", self._page)
        self._runner = web.AppRunner(self._app, handle_signals=False, access_log=None, shutdown_timeout=0.2)
        self.url = ""

    async def start(self) -> Host:
        """Listen on a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()

    def page(self, body: str, *, script: str = "/chat/pychat-room.js", head: str = "", **headers: str) -> str:
        """Put a page up; return its address. `headers` have `_` for `-`."""
        name = f"page{len(self._pages)}"
        tag = f'<script type="module" src="{script}"></script>' if script else ""
        html = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
            f"<title>Host</title>{head}{tag}</head><body>{body}</body></html>"
        )
        self._pages[name] = html, {key.replace("_", "-"): value for key, value in headers.items()}
        return f"{self.url}/{name}"

    async def _page(self, request: web.Request) -> web.Response:
        html, headers = self._pages[request.match_info["name"]]
        return web.Response(text=html, content_type="text/html", headers=headers)


def box(page: Page, which: str = "pychat-room") -> Window:
    """The words of a person, for one of the boxes."""
    return Window(page, page.url, which)
