"""People talk: names, messages, who is here, who is typing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from pychat import ChatRoom, Refused
from pychat.domain.limits import Limits
from tests.browser.conftest import Open
from tests.browser.server import Server


async def test_two_people_talk_both_ways(opened: Open) -> None:
    """What one says, the other reads, with the author's name; the author's own stands apart, and is marked as sent."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("Hello Ben")
    await ben.sees("Hello Ben")
    await ben.say("Hello Ada")
    await ada.sees("Hello Ben", "Hello Ada")
    await expect(ben.message("Hello Ben").locator(".author")).to_have_text("Ada")
    await expect(ada.message("Hello Ben")).to_have_class(re.compile(r"\bown\b"))
    await expect(ada.message("Hello Ada")).not_to_have_class(re.compile(r"\bown\b"))
    await ada.has_sent("Hello Ben")


async def test_what_people_do(opened: Open) -> None:
    """`/me waves` is read as “Ada waves” by everyone, its author too; an edit may make a saying of it."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("/me waves at <b>Ben</b>")
    for window in (ada, ben):
        await window.sees("Ada waves at <b>Ben</b>")
        await expect(window.root.locator(".message")).to_have_class(re.compile(r"\baction\b"))
        await expect(window.root.locator(".message .actor")).to_have_text("Ada")
    await ada.part("text").press("ArrowUp")
    await expect(ada.part("text")).to_have_value("/me waves at <b>Ben</b>")
    await ada.say("Ada waves at <b>Ben</b>")
    await expect(ben.root.locator(".message .edited")).to_be_visible()
    await ben.sees("Ada waves at <b>Ben</b>")
    await expect(ben.root.locator(".message .actor")).to_have_count(0)


async def test_a_guest_reads_along_and_is_asked_for_a_name(opened: Open) -> None:
    """Without a name one reads everything; the place of the message box holds the form for the name."""
    ada = await opened("Ada")
    await ada.say("Hello")
    guest = await opened()
    await guest.sees("Hello")
    await expect(guest.part("nickname-form")).to_be_visible()
    await expect(guest.part("composer")).to_be_hidden()
    await expect(guest.part("name-button")).to_be_disabled()
    await guest.part("name-input").fill("  ")
    await expect(guest.part("name-button")).to_be_disabled()
    await guest.join("Grace")
    await expect(guest.part("text")).to_be_focused()


async def test_a_name_that_is_taken_is_refused_beside_it(opened: Open) -> None:
    """The refusal stands below the field, tells why, and the next try with another name works."""
    await opened("Ada")
    other = await opened()
    await other.part("name-input").fill("Ada")
    await other.part("name-input").press("Enter")
    await expect(other.part("name-error")).to_be_visible()
    await expect(other.part("name-error")).not_to_be_empty()
    await expect(other.part("name-input")).to_have_attribute("aria-invalid", "true")
    await expect(other.part("name-input")).to_be_focused()
    await other.part("name-input").fill("Ada L")
    await expect(other.part("name-error")).to_be_hidden()
    await other.join("Ada L")


async def test_changing_the_name(opened: Open) -> None:
    """A new name is seen by everyone, what was written before stays one's own, and the old name is free again."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("before")
    await ben.sees("before")
    await ada.rename("Ben")
    await expect(ada.part("rename-error")).to_be_visible()
    await ada.part("rename-input").fill("Countess")
    await ada.part("rename-button").click()
    await expect(ada.part("rename-dialog")).to_be_hidden()
    await expect(ada.part("me-name")).to_have_text("Countess")
    await expect(ben.part("people")).to_contain_text("Countess")
    await expect(ben.page.locator(".notice").last).to_contain_text("is now")
    await expect(ada.message("before")).to_have_class(re.compile(r"\bown\b"))
    await opened("Ada")


async def test_the_counter_and_the_list_follow_who_is_here(opened: Open) -> None:
    """Everyone connected is counted; those with a name are listed, oneself first; a reader without one is a guest."""
    zoe = await opened("Zoe")
    await expect(zoe.part("panel-count")).to_have_text("1")
    ada = await opened("Ada")
    guest = await opened()
    await expect(zoe.part("panel-count")).to_have_text("3")
    await expect(zoe.page.locator(".person-name")).to_have_text(["Zoe", "Ada"])
    await expect(ada.page.locator(".person-name")).to_have_text(["Ada", "Zoe"])
    await expect(zoe.part("guests")).to_have_text("1 guest is reading.")
    await guest.page.close()
    await ada.page.close()
    await expect(zoe.part("panel-count")).to_have_text("1")
    await expect(zoe.page.locator(".person-name")).to_have_text(["Zoe"])


async def test_in_a_crowd_names_are_asked_for(opened: Open, serve: Callable[[Server], Awaitable[Server]]) -> None:
    """Where a room has so many people that it counts them only, the list still tells who is here."""
    crowded = await serve(Server(ChatRoom("crowd", limits=Limits(listed=1))))
    ada = await opened("Ada", url=crowded.url)
    await opened("Ben", url=crowded.url)
    await expect(ada.part("panel-count")).to_have_text("2")
    await expect(ada.page.locator(".person-name")).to_have_text(["Ada", "Ben"])


async def test_coming_and_going_is_told_quietly(opened: Open) -> None:
    """One line tells who joined; it is no message, and in no region that a screen reader reads aloud."""
    zoe = await opened("Zoe")
    await zoe.say("hello")
    await opened("Ada")
    notice = zoe.page.locator(".notice")
    await expect(notice).to_have_text("\u2068Ada\u2069 joined")
    assert not await notice.evaluate("one => one.closest('[aria-live], [role=log], [role=status], [role=alert]')")
    await expect(notice).to_have_count(1)


async def test_ones_own_joining_is_no_news(opened: Open) -> None:
    """Nobody is told that they came themselves."""
    zoe = await opened("Zoe")
    await zoe.say("hello")
    await zoe.has_sent("hello")
    await expect(zoe.page.locator(".notice")).to_have_count(0)


async def test_typing_is_shown_and_ends_with_the_message(opened: Open) -> None:
    """While somebody writes, the others see it; the message, or an emptied box, ends it. The writer sees nothing."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.part("text").press_sequentially("Hel")
    await expect(ben.part("typing-text")).to_have_text("\u2068Ada\u2069 is typing")
    await expect(ben.part("typing")).to_be_visible()
    await expect(ada.part("typing")).to_be_hidden()
    await ada.part("text").press("Enter")
    await expect(ben.part("typing")).to_be_hidden()
    await ada.part("text").fill("x")
    await expect(ben.part("typing")).to_be_visible()
    await ada.part("text").fill("")
    await expect(ben.part("typing")).to_be_hidden()


async def test_a_reload_brings_the_same_person_back(opened: Open) -> None:
    """After a reload nobody is asked for a name again, and one's messages are still one's own."""
    ada = await opened("Ada")
    await ada.say("mine")
    await ada.has_sent("mine")
    await ada.reload()
    await ada.live()
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.message("mine")).to_have_class(re.compile(r"\bown\b"))
    await ada.say("again")
    await ada.has_sent("again")
    await ada.sees("mine", "again")


async def test_two_tabs_are_one_person(opened: Open, server: Server) -> None:
    """A second tab of the same browser is the same member, unasked; each shows what the other sends as its own."""
    first = await opened("Ada")
    second = await opened(context=first.page.context)
    await expect(second.part("composer")).to_be_visible()
    await second.say("from the second")
    await first.sees("from the second")
    await expect(first.message("from the second")).to_have_class(re.compile(r"\bown\b"))
    await first.say("from the first")
    await second.sees("from the second", "from the first")
    assert ["Ada"] == [member.name for member in server.room.members]
    await second.rename("Ada Two")
    await expect(first.part("me-name")).to_have_text("Ada Two")


async def test_a_refused_message_says_why_and_can_be_sent_again(opened: Open, server: Server) -> None:
    """What the room refuses stays, with the reason, for a second try or to be thrown away; the rest goes on."""

    @server.room.on("message")
    def polite(message: object) -> None:
        if "SHOUT" in str(message) and not allowed:
            raise Refused("shouting", "Please lower your voice.")

    allowed: list[bool] = []
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("SHOUT one")
    await ada.say("SHOUT two")
    await ada.say("quiet")
    await ben.sees("quiet")
    failed = ada.message("SHOUT one")
    await expect(failed.locator(".send-error-text")).to_have_text("Not sent. Please lower your voice.")
    await ada.message("SHOUT two").locator(".discard").click()
    await expect(ada.message("SHOUT two")).to_have_count(0)
    allowed.append(True)
    await failed.locator(".retry").click()
    await ben.sees("quiet", "SHOUT one")
    await ada.has_sent("SHOUT one")


async def test_a_refused_message_is_still_there_after_a_reload(opened: Open, server: Server) -> None:
    """A reload loses neither a refused message nor its reason."""

    @server.room.on("message")
    def never(_message: object) -> None:
        raise Refused("closed", "This room is closed today.")

    ada = await opened("Ada")
    await ada.say("Hello?")
    await expect(ada.message("Hello?")).to_have_attribute("data-state", "failed")
    await ada.reload()
    await ada.live()
    await expect(ada.message("Hello?").locator(".send-error-text")).to_have_text("Not sent. This room is closed today.")


async def test_messages_of_one_author_stand_together(opened: Open) -> None:
    """Only the first of a group shows name and face; another's message between them starts a new group."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("one")
    await ada.say("two")
    await ben.sees("one", "two")
    await ben.say("three")
    await ada.sees("one", "two", "three")
    await ada.say("four")
    await ben.sees("one", "two", "three", "four")
    first = re.compile(r"\bfirst\b")
    await expect(ben.message("one")).to_have_class(first)
    await expect(ben.message("two")).not_to_have_class(first)
    await expect(ben.message("two").locator(".avatar, .author")).to_have_count(0)
    await expect(ben.message("four")).to_have_class(first)
    sizes = "rows => rows.map(row => row.querySelectorAll('*').length + 1)"
    assert [7, 3, 7, 7] == await ben.root.locator(".message").evaluate_all(sizes)


async def test_times_are_those_of_the_clock_and_exact(opened: Open) -> None:
    """A message has the time of the reader's clock; the exact one is there on hover, for machines and for screen readers."""
    ada = await opened("Ada", timezone_id="Asia/Tokyo", locale="de-DE")
    await ada.say("tick")
    time = ada.message("tick").locator("time")
    await expect(time).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$"))
    stamp = datetime.fromisoformat(await time.get_attribute("datetime") or "").astimezone(ZoneInfo("Asia/Tokyo"))
    await expect(time).to_have_text(f"{stamp:%H:%M}")
    await time.hover()
    await expect(time).to_have_attribute("title", re.compile(f"{stamp:%M:%S}"))
    await ada.part("text").press("Shift+Tab")
    await expect(ada.message("tick")).to_have_accessible_name(re.compile(f"^Du, .*{stamp:%M:%S}.*, tick$"))


async def test_unread_messages_are_counted_in_the_title(opened: Open) -> None:
    """While the page is hidden, what others say is counted in the tab's title; looking at it clears the count."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await expect(ada.page).to_have_title("The lobby")
    hide = """hidden => {
      Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await ada.page.evaluate(hide, True)
    await ben.say("one")
    await ben.say("two")
    await expect(ada.page).to_have_title("(2) The lobby")
    await ada.page.evaluate(hide, False)
    await expect(ada.page).to_have_title("The lobby")


async def test_an_empty_room_says_how_to_fill_it(opened: Open) -> None:
    """Who comes first gets the address to send to others, ready to copy; the first message puts it away."""
    ada = await opened("Ada", permissions=["clipboard-read", "clipboard-write"])
    await expect(ada.part("empty")).to_be_visible()
    await expect(ada.part("share-address")).to_have_value(ada.url)
    await ada.part("share-button").click()
    await expect(ada.part("share-button")).to_have_text("Copied")
    assert ada.url == await ada.page.evaluate("navigator.clipboard.readText()")
    await ada.say("first")
    await expect(ada.part("empty")).to_be_hidden()
    await expect(ada.part("origin")).to_be_visible()
