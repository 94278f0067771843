"""The list of rooms, and going from one to another."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, ViewportSize, expect

from pychat import ChatRoom
from pychat.domain.errors import Close
from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window

PHONE: ViewportSize = {"width": 390, "height": 844}
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def several(serve: Callable[[Server], Awaitable[Server]]) -> Server:
    """Three rooms: “The lobby”, “Tea” and “Coffee”."""
    return await serve(
        Server(ChatRoom("lobby", title="The lobby"), ChatRoom("tea", title="Tea"), ChatRoom("coffee", title="Coffee"))
    )


def link(window: Window, title: str) -> Locator:
    """The row of a room in the list."""
    return window.page.locator("a.room-link", has_text=title)


async def test_another_room_needs_no_reload(opened: Open, several: Server) -> None:
    """A click in the list shows another room at its own address; back and forward go the same way."""
    ada = await opened("Ada", url=several.url)
    await ada.page.evaluate("window.before = true")
    await ada.say("in the lobby")
    await ada.has_sent("in the lobby")
    await link(ada, "Tea").click()
    await expect(ada.page).to_have_url(f"{several.url}rooms/tea")
    await expect(ada.page.locator("h1")).to_have_text("Tea")
    await expect(ada.page).to_have_title("Tea")
    await expect(link(ada, "Tea")).to_have_attribute("aria-current", "page")
    await expect(link(ada, "The lobby")).not_to_have_attribute("aria-current", "page")
    await expect(ada.part("text")).to_be_focused()
    await ada.say("in tea")
    await ada.has_sent("in tea")
    await ada.sees("in tea")
    await ada.page.go_back()
    await expect(ada.page.locator("h1")).to_have_text("The lobby")
    await ada.sees("in the lobby")
    await ada.page.go_forward()
    await ada.sees("in tea")
    assert await ada.page.evaluate("window.before")
    await ada.reload()
    await ada.sees("in tea")
    assert ["in tea"] == [message.text for message in await several.rooms[1].history()]


async def test_a_room_is_as_it_was_left(opened: Open, several: Server) -> None:
    """Words that were not sent, the place where somebody reads, and what was said meanwhile: all there on coming back."""
    for number in range(60):
        await several.room.post(f"line {number}", author="Ben")
    ada = await opened("Ada", url=several.url)
    await ada.part("text").fill("half a thought")
    await ada.message("line 59").hover()
    await ada.page.mouse.wheel(0, -900)
    await expect(ada.part("latest")).to_be_visible()
    place = await ada.message("line 40").evaluate("one => one.getBoundingClientRect().top")
    await link(ada, "Tea").click()
    await expect(ada.part("text")).to_have_value("")
    await ada.part("text").fill("another one")
    await several.room.post("meanwhile", author="Ben")
    await link(ada, "The lobby").click()
    await expect(ada.part("text")).to_have_value("half a thought")
    await expect(ada.message("meanwhile")).to_have_count(1)
    await expect(ada.part("latest")).to_have_text("1 new message")
    assert abs(await ada.message("line 40").evaluate("one => one.getBoundingClientRect().top") - place) < 3
    await link(ada, "Tea").click()
    await expect(ada.part("text")).to_have_value("another one")
    await ada.reload()
    await expect(ada.part("text")).to_have_value("another one")


async def test_one_name_serves_in_all_rooms(opened: Open, several: Server) -> None:
    """A name is asked for once; changing it changes it wherever one is."""
    ada, ben = await opened("Ada", url=several.url), await opened("Ben", url=several.url)
    await link(ada, "Tea").click()
    await expect(ada.part("me-name")).to_have_text("Ada")
    await ada.rename("Countess")
    await link(ada, "The lobby").click()
    await expect(ada.part("me-name")).to_have_text("Countess")
    await expect(ben.page.locator(".person-name")).to_have_text(["Ben", "Countess"])


async def test_a_single_room_has_no_list(opened: Open) -> None:
    """Where there is one room, nothing speaks of others."""
    ada = await opened("Ada")
    await expect(ada.part("rooms")).to_be_hidden()
    await expect(ada.part("rooms-button")).to_be_hidden()
    await ada.page.set_viewport_size(PHONE)
    await expect(ada.part("rooms-button")).to_be_hidden()


async def test_a_phone_has_rooms_in_a_drawer(opened: Open, several: Server) -> None:
    """A button opens the list over the page; a tap on a room shows it, Escape or a tap beside the list closes it."""
    ada = await opened("Ada", url=several.url, viewport=PHONE, has_touch=True, is_mobile=True)
    await expect(link(ada, "Tea")).to_be_hidden()
    await ada.part("rooms-button").tap()
    await expect(ada.page.get_by_role("dialog", name="Rooms")).to_be_visible()
    await ada.page.touchscreen.tap(380, 400)
    await expect(link(ada, "Tea")).to_be_hidden()
    await ada.part("rooms-button").tap()
    await link(ada, "Tea").tap()
    await expect(ada.page.locator("h1")).to_have_text("Tea")
    await expect(link(ada, "Tea")).to_be_hidden()
    await ada.part("rooms-button").tap()
    await ada.part("rooms-close").tap()
    await expect(link(ada, "Tea")).to_be_hidden()
    await ada.page.set_viewport_size({"width": 1280, "height": 800})
    await expect(link(ada, "Tea")).to_be_visible()


async def test_the_list_can_be_used_by_keys(opened: Open, several: Server) -> None:
    """Arrow keys move between rooms, Enter shows one and goes on to the message box."""
    ada = await opened("Ada", url=several.url)
    await link(ada, "Coffee").focus()
    await ada.page.keyboard.press("ArrowDown")
    await expect(link(ada, "Tea")).to_be_focused()
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.locator("h1")).to_have_text("Tea")
    await expect(ada.part("text")).to_be_focused()
    await expect(ada.page.get_by_role("navigation", name="Rooms")).to_be_visible()


async def test_among_many_rooms_there_is_a_field_to_find_one(
    opened: Open, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """From a dozen rooms on, a few letters leave the rooms that have them; Enter shows the first."""
    rooms = [ChatRoom(f"room-{number}", title=f"Project {number}") for number in range(20)]
    server = await serve(Server(*rooms))
    ada = await opened("Ada", url=server.url)
    await expect(ada.page.locator("a.room-link .room-name")).to_have_text([f"Project {number}" for number in range(20)])
    await ada.part("rooms-filter").fill("T 17")
    await expect(ada.page.locator("a.room-link")).to_have_count(1)
    await ada.part("rooms-filter").fill("nothing of the kind")
    await expect(ada.part("rooms-none")).to_have_text("No room of that name.")
    await ada.part("rooms-filter").fill("17")
    await ada.part("rooms-filter").press("Enter")
    await expect(ada.page.locator("h1")).to_have_text("Project 17")


async def test_who_loses_a_room_is_told_and_shown_the_way_out(opened: Open, several: Server) -> None:
    """A room that is deleted, or that one may not read any more, shows nothing of itself, and a button to another room."""
    await several.room.post("a secret", author="Ben")
    for name, close, told in (
        ("Ada", Close.DELETED, "This room was deleted"),
        ("Grace", Close.NO_ACCESS, "You cannot read this room any more"),
    ):
        ada = await opened(name, url=several.url)
        await ada.sees("a secret")
        several.room.dismiss(close)
        await expect(ada.page.get_by_role("heading", name=told)).to_be_visible()
        await ada.sees()
        for part in ("composer", "empty", "banner", "origin", "pill", "barred-text"):
            await expect(ada.part(part)).to_be_hidden()
        await ada.page.get_by_role("button", name="Go to Coffee").click()
        await expect(ada.page.locator("h1")).to_have_text("Coffee")
        await expect(ada.part("composer")).to_be_visible()
        await ada.live()


async def test_a_room_that_is_not_there_says_so(opened: Open, several: Server) -> None:
    """Going back to a room that is gone shows that there is no such room, and the way to another one."""
    ada = await opened("Ada", url=several.url)
    await ada.page.evaluate("history.pushState(null, '', './rooms/nowhere'); history.pushState(null, '', './')")
    await ada.page.go_back()
    await expect(ada.page.get_by_role("heading", name="There is no such room")).to_be_visible()
    for part in ("composer", "barred-text", "side"):
        await expect(ada.part(part)).to_be_hidden()
    await ada.page.get_by_role("button", name="Go to The lobby").click()
    await expect(ada.page.locator("h1")).to_have_text("The lobby")
    await expect(ada.part("side")).to_be_visible()
    await expect(ada.page.locator(".person", has_text="Ada")).to_be_visible()


async def test_a_name_that_no_room_can_have_is_explained(opened: Open, several: Server) -> None:
    """The page says which characters a name may have."""
    ada = await opened("Ada", url=several.url)
    await ada.page.evaluate("history.pushState(null, '', './rooms/Not a Room!'); history.pushState(null, '', './')")
    await ada.page.go_back()
    await expect(ada.page.get_by_role("heading", name="There is no such room")).to_be_visible()
    await expect(ada.part("barred-text")).to_be_visible()
    await expect(ada.part("barred-text")).to_contain_text("1-64 of the characters A-Z a-z 0-9 . _ -")


async def test_a_line_stands_where_reading_stopped(opened: Open) -> None:
    """What comes while the window is hidden or has no focus is below a line, counted in the title, and read on return."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ben.say("before")
    await ada.sees("before")
    await expect(ada.page.locator(".new-line")).to_have_count(0)
    for away, back in ((HIDE + "", None), ("document.hasFocus = () => false", "document.hasFocus = () => true")):
        await ada.page.evaluate(away, *([True] if back is None else []))
        await ben.say("one")
        await ben.say("two")
        await expect(ada.page).to_have_title("(2) The lobby")
        await expect(ada.page.locator(".new-line")).to_have_count(1)
        following = ada.page.locator(".new-line + .message .text")
        await expect(following).to_have_text("one")
        await (ada.page.evaluate(HIDE, False) if back is None else ada.page.evaluate(back))
        await ada.page.evaluate("dispatchEvent(new Event('focus'))")
        await expect(ada.page).to_have_title("The lobby")
        await expect(ada.page.locator(".new-line")).to_have_count(1)
        await ada.say("read it")
        await expect(ada.page.locator(".new-line")).to_have_count(0)


async def test_what_is_below_the_screen_is_not_read(opened: Open, server: Server) -> None:
    """A message counts as unread until it was scrolled into view."""
    for number in range(60):
        await server.room.post(f"line {number}", author="Ben")
    ada = await opened("Ada")
    await ada.message("line 59").hover()
    await ada.page.mouse.wheel(0, -2000)
    await expect(ada.part("latest")).to_be_visible()
    await server.room.post("below", author="Ben")
    await expect(ada.page).to_have_title("(1) The lobby")
    await ada.part("latest").click()
    await expect(ada.page).to_have_title("The lobby")


@pytest.mark.parametrize("touch", [False, True], ids=["keys", "touch"])
async def test_a_name_after_an_at_is_completed(opened: Open, touch: bool) -> None:
    """A few letters after @ offer the people who are here; arrows and Enter, or a tap, put the name in, and nothing is sent."""
    options: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if touch else {}
    for name in ("Grace Hopper", "Grant", "Ben"):
        await opened(name)
    ada = await opened("Ada", **options)
    await ada.part("text").press_sequentially("hi @gra")
    choices = ada.page.get_by_role("option")
    await expect(choices).to_have_text([re.compile("Grace Hopper"), re.compile("Grant")])
    if touch:
        await choices.nth(1).tap()
    else:
        await expect(ada.part("text")).to_have_attribute("aria-activedescendant", "pychat-mention-0")
        await ada.part("text").press("ArrowDown")
        await expect(choices.nth(1)).to_have_attribute("aria-selected", "true")
        await ada.part("text").press("Enter")
    await expect(ada.part("text")).to_have_value("hi @Grant ")
    await expect(ada.part("text")).to_be_focused()
    await expect(choices).to_have_count(0)
    await ada.part("text").press_sequentially("and @")
    await expect(choices).to_have_count(4)
    await ada.part("text").press("Escape")
    await expect(choices).to_have_count(0)
    await ada.part("text").press("Enter")
    await ada.has_sent("hi @Grant and @")


async def test_mentions_are_marked(opened: Open) -> None:
    """Who is named reads it in another colour, the own name most of all; the same words without a mention stay plain."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await opened("Grace")
    await expect(ada.page.locator(".person", has_text="Grace")).to_be_visible()
    words = "@Ada and @Grace, see ada@example.org"
    await ben.say(words)
    line = ada.message(words)
    await expect(line).to_have_class(re.compile("mentions-me"))
    await expect(line.locator(".mention")).to_have_text(["@Ada", "@Grace"])
    await expect(line.locator(".mention.mine")).to_have_text(["@Ada"])
    own = ben.message(words)
    await expect(own).not_to_have_class(re.compile("mentions-me"))
    await ben.say("nobody is @Adam")
    await expect(ada.message("nobody is @Adam").locator(".mention")).to_have_count(0)


async def test_a_mention_is_marked_once_its_name_is_known(opened: Open) -> None:
    """A message that mentions somebody who was away is marked when they come."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await expect(ben.page.locator(".person", has_text="Ada")).to_be_visible()
    await ben.say("@Ada, hello")
    await ada.sees("@Ada, hello")
    await ada.page.close()
    await expect(ben.page.locator(".person", has_text="Ada")).to_have_count(0)
    late = await opened("Cleo")
    await expect(late.message("@Ada, hello").locator(".mention")).to_have_count(0)
    await opened(context=ada.page.context)
    await expect(late.message("@Ada, hello").locator(".mention")).to_have_text(["@Ada"])


async def test_a_person_can_be_mentioned_from_the_list_and_from_a_message(opened: Open) -> None:
    """A click on a name opens what can be done about the person, by mouse and by keys; Escape goes back."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ben.say("hello")
    await ada.message("hello").locator(".who").click()
    await expect(ada.page.get_by_role("dialog", name="Ben")).to_be_visible()
    await ada.page.get_by_role("button", name="Mention").click()
    await expect(ada.part("text")).to_have_value("@Ben ")
    await ada.part("text").fill("")
    row = ada.page.locator(".person", has_text="Ben")
    await row.focus()
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("dialog", name="Ben")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(row).to_be_focused()
    await expect(ada.page.locator(".person", has_text="Ada")).to_be_disabled()
    await ada.part("text").press("Shift+Tab")
    for key in ("ArrowRight", "End", "Enter"):
        await ada.page.keyboard.press(key)
    await expect(ada.page.get_by_role("dialog", name="Ben")).to_be_visible()
