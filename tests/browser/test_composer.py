"""The message box: keys, limits, growing, drafts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from pychat import ChatRoom
from pychat.domain.limits import Limits
from tests.browser.conftest import Open
from tests.browser.server import Server


async def test_enter_sends_and_shift_enter_breaks_the_line(opened: Open) -> None:
    """Enter sends and empties the box; Shift+Enter starts a new line, which arrives as one."""
    ada, ben = await opened("Ada"), await opened("Ben")
    box = ada.part("text")
    await box.press_sequentially("one")
    await box.press("Shift+Enter")
    await box.press_sequentially("two")
    await expect(box).to_have_value("one\ntwo")
    await box.press("Enter")
    await expect(box).to_have_value("")
    await expect(ben.messages).to_have_count(1)
    assert await ben.messages.first.inner_text() == "one\ntwo"


async def test_enter_that_ends_a_composition_does_not_send(opened: Open) -> None:
    """While an input method composes a word, Enter belongs to it."""
    ada = await opened("Ada")
    await ada.part("text").fill("にほん")
    await ada.part("text").evaluate(
        """box => {
          box.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true}));
          box.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", keyCode: 229, bubbles: true}));
        }"""
    )
    await expect(ada.part("text")).to_have_value("にほん")
    await ada.part("text").press("Enter")
    await ada.sees("にほん")


async def test_nothing_to_send_cannot_be_sent(opened: Open) -> None:
    """The button is off for an empty box and for white space, and neither is sent by Enter."""
    ada = await opened("Ada")
    send = ada.part("send")
    await expect(send).to_be_disabled()
    await ada.part("text").fill("  \n ")
    await expect(send).to_be_disabled()
    await ada.part("text").press("Enter")
    await expect(ada.messages).to_have_count(0)
    await ada.part("text").fill("x")
    await expect(send).to_be_enabled()
    await send.click()
    await ada.sees("x")
    await expect(send).to_be_disabled()
    await expect(ada.part("text")).to_be_focused()


async def test_the_room_tells_how_long_a_message_may_be(
    opened: Open, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """Near the room's own limit what is left is counted, as people count characters; past it nothing is cut or sent."""
    short = await serve(Server(ChatRoom("short", limits=Limits(text=300))))
    ada = await opened("Ada", url=short.url)
    box, counter, send = ada.part("text"), ada.part("counter"), ada.part("send")
    await box.fill("x" * 99)
    await expect(counter).to_be_hidden()
    await box.fill("x" * 250)
    await expect(counter).to_have_text("50 left")
    await box.fill("😀" * 300)
    await expect(counter).to_have_text("0 left")
    await expect(send).to_be_enabled()
    await box.fill("x" * 307)
    await expect(counter).to_have_text("7 too many")
    await expect(send).to_be_disabled()
    await box.press("Enter")
    await expect(box).to_have_value("x" * 307)
    await box.fill("😀" * 300)
    await box.press("Enter")
    await ada.has_sent("😀" * 300)


async def test_the_box_grows_and_shrinks_with_its_text(opened: Open) -> None:
    """It is as high as what is written, up to a third of the page, and low again when that is sent."""
    ada = await opened("Ada")
    box = ada.part("text")
    low = await box.evaluate("box => box.clientHeight")
    await box.fill("\n".join("lines"))
    assert await box.evaluate("box => box.clientHeight") > 2 * low
    await box.fill("\n" * 100 + "x")
    assert await box.evaluate("box => box.clientHeight") < 320
    await box.press("Enter")
    await expect(box).to_have_value("")
    assert low == await box.evaluate("box => box.clientHeight")


async def test_a_draft_survives_a_reload(opened: Open) -> None:
    """What stands in the box unsent is still there after a reload."""
    ada = await opened("Ada")
    await ada.part("text").fill("half a sen")
    await ada.reload()
    await ada.live()
    await expect(ada.part("text")).to_have_value("half a sen")
    await expect(ada.part("send")).to_be_enabled()


async def test_a_flood_waits_and_keeps_its_order(opened: Open, serve: Callable[[Server], Awaitable[Server]]) -> None:
    """Who writes faster than the room allows loses nothing: the rest waits, says so, and arrives in order."""
    strict = await serve(Server(ChatRoom("strict", limits=Limits(rate=4, burst=3))))
    ada = await opened("Ada", url=strict.url)
    texts = [f"message {number}" for number in range(6)]
    box = ada.part("text")
    for text in texts:
        # Not typed: each keystroke may tell that somebody types, which the limit counts too.
        await box.evaluate("(box, text) => { box.value = text; }", text)
        await box.dispatch_event("input")
        await box.press("Enter")
    await expect(ada.page.locator('.message[data-state="sent"]')).to_have_count(6, timeout=20_000)
    await ada.sees(*texts)
    assert texts == [message.text for message in await strict.room.history()]
    await expect(ada.message(texts[-1]).locator(".send-error")).to_be_hidden()
    await expect(ada.message(texts[0])).to_have_class(re.compile("own"))


async def test_nothing_moves_while_nobody_writes(opened: Open) -> None:
    """The dots of those who write move only while they are shown: the page draws no frames for nothing."""
    ada, ben = await opened("Ada"), await opened("Ben")
    moving = "document.getAnimations().filter((one) => one.effect.getTiming().iterations === Infinity).length"
    assert await ada.page.evaluate(moving) == 0
    await ben.part("text").press_sequentially("x")
    await expect(ada.part("typing")).to_have_class(re.compile(r"\bon\b"))
    assert await ada.page.evaluate(moving) == 3
