"""Draws the states of the page that a person meets, in light, dark, on a phone and from right to left.

`make screenshots` writes a picture of each into build/screenshots, for people to look at.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, expect

from pychat import Limits, Message, Refused, User
from pychat.testing import Actor
from pychat.testing import Chat as Stage
from tests.browser.chromium import chromium
from tests.browser.host import Host
from tests.browser.window import Window

OUT = Path("build/screenshots")
VARIANTS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 800},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
    "rtl": {"viewport": {"width": 1280, "height": 800}, "locale": "ar"},
}
CODE = """Here is the fix:
```python
async def deliver(room, message):
    for member in room.members:
        await member.send(message)  # one write each
    return len(room.members)
```
Run `pytest -q` before you **push**, _please_."""
USERS = {"grace": User("g", "Grace Hopper", roles=("owner",))}
TALK = [
    ("Grace Hopper", "Morning, everyone. The build of last night is green."),
    ("Grace Hopper", "I moved the deployment to 11:00, so that Ben can watch it."),
    ("Ben", "Thanks! I will be there."),
    ("Katherine", "Has somebody looked at https://example.com/issues/4711 since yesterday?"),
    ("Ben", "Yes. It is the cache again: the first request after a restart takes four seconds, all others are fine."),
    ("Ben", "I have a branch that warms it up."),
    ("Katherine", "Great, send it over and I review it right now."),
    ("Dorothy", "Lunch at 12:30? The new place around the corner has soup."),
    ("Grace Hopper", "Count me in 🍲"),
]


class State:
    """What a picture shows: a room with people, and the window of Ada."""

    def __init__(self, stage: Stage, variant: str, browser: Browser) -> None:
        self.stage, self.variant, self._browser = stage, variant, browser
        self.room = stage.room("lobby", title="The lobby", limits=Limits())
        others = [stage.room(name, title=title) for name, title in (("deploys", "Deployments"), ("random", "Random"))]
        self.host = Host(self.room, *others, authenticate=lambda request: USERS.get(request.cookies.get("session", "")))
        self.phone = variant == "phone"
        self._context: BrowserContext | None = None
        self._people: dict[str, Actor] = {}

    async def window(self, name: str | None = "Ada", session: str = "") -> Window:
        """Open the page, and join as `name`."""
        url = f"{self.host.url}/chat/"
        state = {"cookies": [{"name": "session", "value": session, "url": url}], "origins": []}
        options = {"timezone_id": "UTC", "reduced_motion": "reduce", "storage_state": state, **VARIANTS[self.variant]}
        self._context = await self._browser.new_context(**options)
        window = Window(await self._context.new_page(), url)
        await window.open()
        if self.variant == "rtl":  # also as long as there are no Arabic words
            turn = "for (const one of document.querySelectorAll('html, .frame')) one.dir = 'rtl'"
            await window.page.evaluate(turn)
        if name and not session:
            await window.join(name)
        return window

    async def say(self, *lines: tuple[str, str], pause: float = 40) -> None:
        """Let people say these."""
        for author, text in lines:
            self.stage.clock.move(pause)
            await (await self.person(author)).says(text)

    async def person(self, name: str) -> Actor:
        """Somebody who is here."""
        if name not in self._people:
            self._people[name] = await self.stage.person(self.room, name)
        return self._people[name]

    async def reply(self, author: str, text: str, to: int) -> int:
        """Let somebody answer; return the number of the answer."""
        return (await (await self.person(author)).says(text, reply_to=to)).seq

    async def talk(self) -> None:
        """Let people be here, and talk."""
        await self.say(*TALK[:3])
        self.stage.clock.move(1500)
        await self.say(*TALK[3:7])
        self.stage.clock.move(3000)
        await self.say(*TALK[7:])

    async def close(self) -> None:
        """End all of it."""
        if self._context:
            await self._context.close()
        await self.host.stop()


async def empty(state: State) -> Window:
    """An empty room."""
    return await state.window()


async def naming(state: State) -> Window:
    """Before one has a name."""
    await state.talk()
    return await state.window(None)


async def full(state: State) -> Window:
    """A conversation."""
    await state.talk()
    window = await state.window()
    await window.say("Soup it is. I bring the good spoons.")
    await window.has_sent("Soup it is. I bring the good spoons.")
    await window.say("See you there")
    return window


async def quotes(state: State) -> Window:
    """Replies to replies, with the action bar."""
    await state.talk()
    await state.say(("Katherine", "Which way do we go with the cache?"))
    seq = await state.reply("Ben", "Warm it up at the start.", 10)
    await state.reply("Dorothy", "And if the start takes longer than the health check allows?", seq)
    window = await state.window()
    if not state.phone:
        await window.do("And if the start takes longer than the health check allows?", "reply")
    await window.say(
        "Then it answers from the old one for a minute, and swaps when the new one is ready. Nobody waits."
    )
    await expect(window.messages).to_have_count(13)
    await state.reply("Grace Hopper", "That is the way.", 13)
    return window


async def code(state: State) -> Window:
    """Code, quotes and lists."""
    await state.talk()
    await state.say(("Ben", CODE), ("Ben", "> Who tests it?\nI do.\n- on Linux\n- on a Mac"))
    return await state.window()


async def long_words(state: State) -> Window:
    """Words, addresses and messages that are too long."""
    await state.say(("Ben", "W" * 300), ("Grace Hopper", "https://example.com/" + "a-very-long-path/" * 20))
    await state.say(
        ("Grace Hopper", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft")
    )
    await state.say(("Dorothy", "A long message. " * 120))
    return await state.window()


async def emoji(state: State) -> Window:
    """Messages of emoji."""
    await state.talk()
    await state.say(("Ben", "🎉"), ("Katherine", "👩‍👩‍👧‍👦🏳️‍🌈🇳🇿"), ("Dorothy", "A 🍲 for everybody, with 🥖 and 🧈"))
    return await state.window()


async def reactions(state: State) -> Window:
    """Reactions, one of them one's own."""
    await state.say(*TALK[:5])
    people = [await state.person(name) for name in ("Grace Hopper", "Ben", "Katherine")]
    for person, emojis in zip(people, ("👍🎉❤", "👍🎉", "👍😂"), strict=True):
        for one in emojis:
            await person.reacts(3, one)
            await person.reacts(4, one)
    window = await state.window()
    await window.root.locator(".reaction").first.click()
    await window.message(TALK[3][1]).locator(".text").hover() if not state.phone else None
    return window


async def mention(state: State) -> Window:
    """A message that mentions one."""
    await state.talk()
    window = await state.window()
    await state.say(("Ben", "@Ada can you have a look at the graphs?"), ("Ben", "They are on the wall."))
    await expect(window.root.locator(".mentions-me")).to_be_visible()
    return window


async def unread_line(state: State) -> Window:
    """What came while one was away."""
    await state.talk()
    window = await state.window()
    await window.say("Back in a minute")
    await window.has_sent("Back in a minute")
    other = await window.page.context.new_page()
    await other.bring_to_front()
    await window.page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true}); document.hasFocus = () => false; document.dispatchEvent(new Event('visibilitychange')); window.dispatchEvent(new Event('blur'))"
    )
    await state.say(*[("Ben", f"Step {number} of 20 is done.") for number in range(1, 21)])
    await asyncio.sleep(1)
    await window.page.bring_to_front()
    await window.page.evaluate("delete document.hidden")
    return window


async def failed(state: State) -> Window:
    """Messages that were refused."""
    await state.talk()
    window = await state.window()

    @state.room.on("message")
    async def refuse(message: Message) -> None:
        if "cheap" in message.text:
            raise Refused("language", "Please write this in other words.")

    await window.say("Cheap watches for everybody, so cheap!")
    await expect(window.root.locator(".send-error")).to_be_visible()
    await window.say("Sorry, I take that back.")
    return window


async def offline(state: State) -> Window:
    """Without a connection."""
    await state.talk()
    window = await state.window()
    await state.host.stop()
    await window.is_state("reconnecting")
    await window.say("Does this get through?")
    await expect(window.part("banner")).to_be_visible()
    return window


async def kicked(state: State) -> Window:
    """Removed by a moderator."""
    await state.talk()
    window = await state.window()
    member = next(one for one in state.room.members if one.name == "Ada")
    await state.room.moderation.kick(member, seconds=600, reason="Please calm down first.")
    await expect(window.part("pill")).not_to_have_attribute("data-state", "live")
    return window


async def banned(state: State) -> Window:
    """Banned."""
    await state.talk()
    window = await state.window()
    member = next(one for one in state.room.members if one.name == "Ada")
    await state.room.moderation.ban(member, reason="Advertising", address=False)
    await expect(window.part("pill")).not_to_have_attribute("data-state", "live")
    await window.reload()
    await asyncio.sleep(1)
    return window


async def slow_mode(state: State) -> Window:
    """Slow mode."""
    await state.talk()
    window = await state.window()
    await state.room.moderation.set(slow=60)
    await window.say("Once a minute")
    await window.say("Twice is too often")
    await expect(window.part("say-error")).to_be_visible()
    return window


async def moderation(state: State) -> Window:
    """The panel of moderators, a topic and a pinned message."""
    await state.talk()
    reporter = await state.person("Eve")
    await state.room.moderation.report(4, "An advertisement", by=reporter.member)
    await state.room.moderation.set(topic="Builds, deployments and soup")
    await state.room.moderation.pin(2)
    window = await state.window(session="grace")
    await window.part("moderation-button").click()
    await expect(window.root.locator(".order-sheet[open] .order-row").first).to_be_visible()
    return window


async def settings(state: State) -> Window:
    """The settings."""
    await state.talk()
    window = await state.window()
    if await window.part("settings-button").count():
        await window.part("settings-button").click()
        await expect(window.page.locator("dialog[open]")).to_be_visible()
    return window


async def search(state: State) -> Window:
    """Search."""
    await state.talk()
    window = await state.window()
    await window.part("search-button").click()
    await window.part("finder-input").fill("the")
    await expect(window.part("found").locator("li").first).to_be_visible()
    return window


async def people_menu(state: State) -> Window:
    """The menu of a person."""
    await state.talk()
    window = await state.window()
    if state.phone:
        await window.part("people-button").click()
    await window.root.locator(".person", has_text="Ben").click()
    return window


async def message_menu(state: State) -> Window:
    """The menu of a message; on a phone the sheet of a long press."""
    await state.talk()
    window = await state.window()
    text = TALK[4][1]
    await (window.hold(text) if state.phone else window.do(text, "more"))
    return window


async def long_names(state: State) -> Window:
    """Names as long as allowed."""
    names = [
        "Wolfeschlegelsteinhausenberger" + "Wo",
        "A" * 32,
        "Ada Lovelace Countess of England",
        "i",
        "漢字の名前はここにあります",
    ]
    await state.say(*[(name, "My name is what it is, and I like it.") for name in names])
    return await state.window("Maximiliane Friederike Karoline")


async def arabic(state: State) -> Window:
    """Arabic and Hebrew."""
    await state.say(("أحمد", "مرحبا بالجميع، كيف حالكم اليوم؟"), ("أحمد", "سنبدأ الاجتماع الساعة 14:30 في room 5."))
    await state.say(("שרה", "שלום! אני מגיעה בעוד חמש דקות."), ("Ben", "See you there, אני בא גם."))
    await state.say(("أحمد", "هل نحتاج إلى القهوة؟"))
    await state.reply("Ben", "نعم!", 5)
    window = await state.window("آدا")
    await window.say("أنا أحضرها ☕")
    return window


STATES: list[Callable[[State], Awaitable[Window]]] = [
    empty, naming, full, quotes, code, long_words, emoji, reactions, mention, unread_line, failed, offline, kicked, banned,
    slow_mode, moderation, settings, search, people_menu, message_menu, long_names, arabic,
]  # fmt: skip


async def draw(browser: Browser, build: Callable[[State], Awaitable[Window]], variant: str) -> Path | None:
    """Take one picture."""
    path = OUT / f"{build.__name__}-{variant}.png"
    with Stage() as stage:
        morning = dt.datetime.now(dt.UTC).replace(hour=9, minute=2, second=0, microsecond=0)
        stage.clock.set_date(morning.timestamp())
        state = State(stage, variant, browser)
        await state.host.start()
        try:
            window = await build(state)
            await asyncio.sleep(0.8)  # what appears, has appeared
            await window.page.screenshot(path=path)
        except Exception as error:
            print(f"{path.stem}: {type(error).__name__}: {str(error)[:300]}")  # noqa: T201 -- a tool
            return None
        finally:
            await state.close()
    return path


async def main(wanted: list[str]) -> None:
    """Draw all states, or those whose names match."""
    OUT.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=6_000)
    async with chromium() as browser:
        for build in STATES:
            for variant in VARIANTS:
                if not wanted or any(re.fullmatch(one, f"{build.__name__}-{variant}") for one in wanted):
                    await draw(browser, build, variant)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
