"""The states of the page that people meet, each by a name: for looking at them, and for checking all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

import pychat
from pychat import Chat, ChatRoom, Refused, User
from tests.browser.host import Host, box
from tests.browser.window import Window

__all__ = ["STATES", "Stage", "State", "stage"]

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LANDSCAPE: dict[str, Any] = {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True}
SHORT: dict[str, Any] = {"viewport": {"width": 1280, "height": 320}}
ZOOMED: dict[str, Any] = {"viewport": {"width": 320, "height": 256}}
ARABIC: dict[str, Any] = {"locale": "ar"}

_USERS = {
    "grace": User("g", "Grace", roles=("owner",)),
    "ada": User("a", "Ada"),
    "eve": User("e", "Eve"),
}


def _authenticate(request: pychat.Request) -> User | None:
    session = request.cookies.get("session", "")
    if session == "banned":
        raise Refused("banned", "You are banned here. Write to https://example.org/appeal")
    return _USERS.get(session)


class Stage:
    """A chat where something was said, and the browser that looks at it."""

    def __init__(self, browser: Browser, host: Host, *rooms: ChatRoom) -> None:
        self._browser = browser
        self.host = host
        self.lobby, self.quiet = rooms
        self._contexts: list[BrowserContext] = []
        self._spoken = 0

    async def page(self, path: str = "/chat/", session: str = "", **options: Any) -> Page:
        """Open a page in a browser of somebody with that session."""
        url = path if path.startswith("http") else f"{self.host.url}{path}"
        options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        context = await self._browser.new_context(**options)
        self._contexts.append(context)
        if session:
            await context.add_cookies([{"name": "session", "value": session, "url": self.host.url}])
        page = await context.new_page()
        await page.goto(url)
        return page

    async def window(self, session: str = "ada", path: str = "/chat/", **options: Any) -> Window:
        """Open the page, and wait until one can write."""
        window = Window(await self.page(path, session, **options), "")
        await expect(window.part("composer")).to_be_visible(timeout=15_000)
        return window

    async def speak(self, window: Window) -> str:
        """Say something in the window that nobody has said; return it."""
        self._spoken += 1
        text = f"Mine, number {self._spoken}"
        await window.say(text)
        await window.has_sent(text)
        return text

    async def clear(self) -> None:
        """Close all browsers of this state."""
        for context in self._contexts:
            await context.close()
        self._contexts.clear()

    async def fill(self) -> None:
        """Say something of each kind."""
        first = await self.lobby.post("Good morning, see https://example.com/a?b=c and `code`", author="Ben")
        await self.lobby.post(
            "**Bold**, _italics_, ~~gone~~\n> quoted\n- one\n- two\n```js\nlet a = 1;\n```", author="Ben"
        )
        await self.lobby.post("An answer for @Ada", author="Cem", reply_to=first.seq)
        await self.lobby.post("/me waves", author="Dora")
        await self.lobby.post("🎉", author="Dora")
        await self.lobby.post("A long message. " * 100, author="Ben")
        await self.lobby.post("مرحبا بالجميع", author="أحمد")
        gone = await self.lobby.post("gone", author="Cem")
        await self.lobby.delete(gone.seq)
        edited = await self.lobby.post("edited", author="Cem")
        await self.lobby.edit(edited.seq, "Edited later")


Play = Callable[[Stage, dict[str, Any]], Awaitable[Page]]


@dataclass(frozen=True)
class State:
    """How a state is reached, and in what kind of browser."""

    play: Play
    options: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    """Start the chat."""
    rooms = ChatRoom("lobby", title="The lobby"), ChatRoom("quiet", title="A quiet room")
    host = await Host(Chat(*rooms, authenticate=_authenticate)).start()
    it = Stage(browser, host, *rooms)
    await it.fill()
    yield it
    await it.clear()
    await host.stop()


async def _guest(at: Stage, options: dict[str, Any]) -> Page:
    page = await at.page(**options)
    await expect(Window(page, "").part("nickname-form")).to_be_visible()
    return page


async def _name_refused(at: Stage, options: dict[str, Any]) -> Page:
    await at.window("grace")
    window = Window(await at.page(**options), "")
    await window.part("name-input").fill("Grace")
    await window.part("name-input").press("Enter")
    await expect(window.part("name-error")).to_be_visible()
    return window.page


async def _room(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await at.speak(window)
    return window.page


async def _empty(at: Stage, options: dict[str, Any]) -> Page:
    return (await at.window(path="/chat/rooms/quiet", **options)).page


async def _banned(at: Stage, options: dict[str, Any]) -> Page:
    window = Window(await at.page(session="banned", **options), "")
    await expect(window.part("barred-title")).to_be_visible()
    return window.page


async def _kicked(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window("eve", **options)
    eve = next(member for member in at.lobby.members if member.name == "Eve")
    await at.lobby.kick(eve.id, "calm down")
    await expect(window.part("banner-text")).to_contain_text("calm down")
    return window.page


async def _offline(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.page.context.set_offline(True)
    await window.page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(window.part("banner")).to_be_visible(timeout=30_000)
    await window.part("text").fill("later")
    await window.part("text").press("Enter")
    return window.page


def _opens(button: str) -> Play:
    async def play(at: Stage, options: dict[str, Any]) -> Page:
        window = await at.window(**options)
        await window.part(button).locator("visible=true").first.click()
        await expect(window.root.locator("dialog[open]")).to_be_visible()
        return window.page

    return play


async def _help(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.part("scroll").focus()
    await window.page.keyboard.press("?")
    await expect(window.root.locator("dialog[open]")).to_be_visible()
    return window.page


async def _sheet(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.do(await at.speak(window), "")
    return window.page


async def _contrast(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.page.evaluate("localStorage.setItem('pychat:preferences', JSON.stringify({theme: 'contrast'}))")
    await window.page.reload()
    await expect(window.root.locator("[data-theme=contrast]")).to_have_count(1)
    await at.speak(window)
    return window.page


async def _actions(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.do(await at.speak(window), "")
    return window.page


async def _reactions(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.do(await at.speak(window), "react")
    await expect(window.part("picker")).to_be_visible()
    return window.page


async def _menu(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window("grace", **options)
    await window.do("Edited later", "more")
    await expect(window.part("message-menu")).to_be_visible()
    return window.page


async def _person(at: Stage, options: dict[str, Any]) -> Page:
    await at.window("eve")
    window = await at.window("grace", **options)
    await window.root.locator(".person", has_text="Eve").click()
    await expect(window.part("person-menu")).to_be_visible()
    return window.page


async def _found(at: Stage, options: dict[str, Any]) -> Page:
    window = await at.window(**options)
    await window.part("search-button").click()
    await window.part("finder-input").fill("long")
    await window.part("finder-input").press("Enter")
    await expect(window.part("found").locator("li").first).to_be_visible()
    return window.page


def _panel(tab: int) -> Play:
    async def play(at: Stage, options: dict[str, Any]) -> Page:
        window = await at.window("grace", **options)
        await window.part("moderation-button").click()
        await window.root.get_by_role("tab").nth(tab).click()
        await expect(window.root.get_by_role("tabpanel").locator("visible=true").first).to_be_visible()
        return window.page

    return play


async def _box(at: Stage, options: dict[str, Any]) -> Page:
    around = '<main><h1>Ours</h1><pychat-room src="/chat/" room="lobby" style="width:320px;height:500px"></pychat-room></main>'
    page = await at.page(at.host.page(around), "ada", **options)
    await expect(box(page).part("composer")).to_be_visible()
    return page


def _plain(path: str) -> Play:
    async def play(at: Stage, options: dict[str, Any]) -> Page:
        return await at.page(path, **options)

    return play


STATES: dict[str, State] = {
    "guest": State(_guest),
    "guest, phone": State(_guest, PHONE),
    "guest, landscape phone": State(_guest, LANDSCAPE),
    "guest, short window": State(_guest, SHORT),
    "name refused": State(_name_refused),
    "room": State(_room),
    "room, dark": State(_room, {"color_scheme": "dark"}),
    "room, contrast": State(_contrast),
    "room, forced colours": State(_room, {"forced_colors": "active"}),
    "room, phone": State(_room, PHONE),
    "room, landscape phone": State(_room, LANDSCAPE),
    "room, short window": State(_room, SHORT),
    "room, 400% zoom": State(_room, ZOOMED),
    "room, Arabic": State(_room, ARABIC),
    "room, Arabic, phone": State(_room, {**PHONE, **ARABIC}),
    "empty": State(_empty),
    "empty, phone": State(_empty, PHONE),
    "refused": State(_banned),
    "kicked": State(_kicked),
    "offline": State(_offline),
    "actions of a message": State(_actions),
    "reactions": State(_reactions),
    "menu of a message": State(_menu),
    "menu of a person": State(_person),
    "search": State(_found),
    "search, phone": State(_found, PHONE),
    "settings": State(_opens("settings-button")),
    "settings, Arabic, phone": State(_opens("settings-button"), {**PHONE, **ARABIC}),
    "settings, landscape phone": State(_opens("settings-button"), LANDSCAPE),
    "keys": State(_help),
    "sheet of a message, phone": State(_sheet, PHONE),
    "sheet of a message, landscape phone": State(_sheet, LANDSCAPE),
    "rooms, phone": State(_opens("rooms-button"), PHONE),
    "people, phone": State(_opens("people-button"), PHONE),
    "people, landscape phone": State(_opens("people-button"), LANDSCAPE),
    "moderation: queue": State(_panel(0), {}),
    "moderation: settings": State(_panel(2), {}),
    "moderation: log": State(_panel(3), {}),
    "moderation, dark, phone": State(_panel(0), {**PHONE, "color_scheme": "dark"}),
    "element": State(_box),
    "no such room": State(_plain("/chat/nowhere/at/all")),
    "without JavaScript": State(_plain("/chat/plain?room=lobby")),
    "without JavaScript, dark, phone": State(_plain("/chat/plain?room=lobby"), {**PHONE, "color_scheme": "dark"}),
}
