"""A browser without scripts: it has cookies, follows redirects, and sends forms."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp

__all__ = ["Form", "Page", "PlainBrowser"]


class Form:
    """A form of a page."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}


class Page(HTMLParser):
    """A page: its forms, links and words."""

    def __init__(self, url: str, status: int, headers: Any, html: str) -> None:
        super().__init__()
        self.url, self.status, self.headers, self.html = url, status, headers, html
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words = ""
        self._within: list[str] = []
        self._href: str | None = None
        self._textarea: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        """Note forms, fields and links."""
        found = dict(attributes)
        if tag == "form":
            self.forms.append(Form(urljoin(self.url, found.get("action", ""))))
        elif tag in ("input", "button") and found.get("name") and self.forms:
            self.forms[-1].fields[found["name"]] = found.get("value") or ""
        elif tag == "textarea" and "name" in found:
            self._textarea = found["name"]
            self.forms[-1].fields[self._textarea] = ""
        elif tag == "a" and "href" in found:
            self._href = urljoin(self.url, found["href"])

    def handle_endtag(self, tag: str) -> None:
        """End of a field or a link."""
        if tag == "textarea" and self._textarea is not None:
            fields = self.forms[-1].fields
            fields[self._textarea] = fields[self._textarea].removeprefix("\n")
            self._textarea = None
        elif tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        """Note words."""
        if self._textarea is not None:
            self.forms[-1].fields[self._textarea] += data
            return
        self.words += data
        if self._href is not None:
            self.links[data.strip()] = self._href

    @property
    def text(self) -> str:
        """The words, with single spaces."""
        return " ".join(self.words.split())


class PlainBrowser:
    """One person with a browser that runs no scripts."""

    def __init__(self, http: aiohttp.ClientSession | None = None) -> None:
        self.http = http or aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def open(self, url: str, **headers: str) -> Page:
        """Load a page."""
        async with self.http.get(url, headers={"Accept": "text/html,*/*;q=0.8", **headers}) as response:
            return Page(str(response.url), response.status, response.headers, await response.text())

    async def send(self, page: Page, fields: dict[str, str], *, form: int = 0, **headers: str) -> Page:
        """Send a form of a page, with what was written into it; the page that it leads to."""
        chosen = page.forms[form]
        origin = "/".join(page.url.split("/")[:3])
        sent = {"Origin": origin, **headers}
        sent = {name: value for name, value in sent.items() if value}
        async with self.http.post(chosen.action, data={**chosen.fields, **fields}, headers=sent) as response:
            return Page(str(response.url), response.status, response.headers, await response.text())

    async def until(self, url: str, words: str) -> Page:
        """Load a page again until it has these words."""
        async with asyncio.timeout(20):
            while words not in (page := await self.open(url)).text:
                await asyncio.sleep(0.05)
        return page
