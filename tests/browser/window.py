"""A browser window at the chat page, in the words of a person who uses it."""

from __future__ import annotations

import re

from playwright.async_api import ConsoleMessage, Locator, Page, WebSocketRoute, expect

__all__ = ["Window"]

# What a browser writes by itself when a server is away.
_NETWORK = ("WebSocket connection to", "WebSocket is already in CLOSING", "net::ERR_", "Failed to load resource")


class Window:
    """One page, and what its console said; with `room`, one of the boxes `<pychat-room>` on it."""

    def __init__(self, page: Page, url: str, room: str = "") -> None:
        self.page = page
        self.root = page.locator(room) if room else page
        self.url = url
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self) -> Window:
        """Load the page, and wait until it is live."""
        await self.page.goto(self.url)
        await self.live()
        return self

    async def lose(self, command: str) -> None:
        """Load the page again; its connection will break, once, at the first `command` that it sends."""
        lost: list[str | bytes] = []

        def tap(route: WebSocketRoute) -> None:
            upstream = route.connect_to_server()

            async def said(message: str | bytes) -> None:
                if not lost and f'["{command}"' in str(message):
                    lost.append(message)
                    await upstream.close()
                    await route.close()
                else:
                    upstream.send(message)

            route.on_message(said)

        await self.page.route_web_socket(re.compile("/socket.io/"), tap)
        await self.reload()
        await self.live()

    async def reload(self) -> None:
        """Load the page again, whether there is a connection or not."""
        await self.page.reload()

    async def live(self) -> None:
        """Wait until the connection is up."""
        await self.is_state("live")

    async def is_state(self, state: str) -> None:
        """Wait until the connection is in that state."""
        await expect(self.part("pill")).to_have_attribute("data-state", state, timeout=15_000)

    async def join(self, name: str) -> Window:
        """Take a name."""
        await self.part("name-input").fill(name)
        await self.part("name-button").click()
        await expect(self.part("composer")).to_be_visible()
        return self

    async def say(self, text: str) -> None:
        """Write, and press Enter."""
        await self.part("text").fill(text)
        await self.part("text").press("Enter")

    async def do(self, text: str, action: str) -> None:
        """Choose an action of the message that says exactly `text`; without one, only show them.

        The mouse has a bar and a menu, a finger has a sheet.
        """
        if await self.page.evaluate("matchMedia('(hover: none)').matches"):
            await self.hold(text)
            if action not in ("", "more"):
                await self.part(f"message-{action}").tap()
            return
        await self.message(text).locator(".text").hover()
        await expect(self.part("message-actions")).to_be_visible()
        if action in ("react", "reply", "more"):
            await self.part(f"action-{action}").click()
        elif action:
            await self.part("action-more").click()
            await self.part(f"message-{action}").click()

    async def hold(self, text: str) -> None:
        """Lay a finger on the message `text` until its sheet opens, and lift it."""
        await self.message(text).scroll_into_view_if_needed()
        box = await self.message(text).locator(".text").bounding_box()
        assert box is not None
        finger = [{"x": box["x"] + 12, "y": box["y"] + box["height"] / 2}]
        devtools = await self.page.context.new_cdp_session(self.page)
        await devtools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": finger})
        await expect(self.part("message-menu")).to_be_visible()
        await devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await expect(self.part("message-menu")).to_be_visible()

    async def rename(self, name: str) -> None:
        """Change the name in the dialog; it stays open if the room refuses."""
        await self.part("me-button").click()
        await self.part("rename-input").fill(name)
        await self.part("rename-button").click()

    def part(self, name: str) -> Locator:
        """A piece of the page by its `data-part`."""
        return self.root.locator(f'[data-part="{name}"]')

    def message(self, text: str) -> Locator:
        """The line of the message that says exactly `text`."""
        exactly = self.page.locator(".text").get_by_text(text, exact=True)
        return self.root.locator(".message").filter(has=exactly)

    @property
    def messages(self) -> Locator:
        """The texts of all messages."""
        return self.root.locator(".message .text")

    async def try_now(self) -> None:
        """Press the button that connects at once; one that is gone is no loss, for the page has connected by itself."""
        await self.part("banner-button").evaluate("button => button.click()")

    async def sees(self, *texts: str) -> None:
        """Wait until the messages are exactly these, in this order."""
        await expect(self.messages).to_have_text(list(texts), timeout=15_000)

    async def has_sent(self, text: str) -> None:
        """Wait until the own message `text` is shown as sent."""
        await expect(self.message(text)).to_have_attribute("data-state", "sent", timeout=15_000)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def unexpected(self, *, server_was_away: bool) -> list[str]:
        """What stands on the console and should not."""
        return [said for said in self.complaints if not (server_was_away and said.startswith(_NETWORK))]
