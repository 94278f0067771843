"""Moderators keep order with nothing but the page: menus on people and messages, the panel, and what everybody sees of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

import pychat
from pychat import ChatRoom, User
from tests.browser.conftest import ClientSession, Place
from tests.browser.host import Host, box
from tests.browser.test_looks import CONTRASTS
from tests.browser.test_users import enter
from tests.browser.window import Window

USERS = {
    "grace": User("g", "Grace", roles=("owner",)),
    "mod": User("m", "Mod", roles=("moderator",)),
    "ada": User("a", "Ada"),
}
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><b>x</b>"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def authenticate(request: pychat.Request) -> User | None:
    """Whoever has a session is known; others are guests."""
    return USERS.get(request.cookies.get("session", ""))


class Site:
    """A room with an owner, a moderator, a member and guests."""

    def __init__(self, host: Host, room: ChatRoom, visit: ClientSession) -> None:
        self.host, self.room, self._visit = host, room, visit

    async def user(self, session: str, **options: object) -> Window:
        """A browser of somebody with a login."""
        window = await enter(self._visit, f"{self.host.url}/chat/", session)
        if options:
            await window.page.set_viewport_size(options["viewport"])  # type: ignore[arg-type]
        await expect(window.part("composer")).to_be_visible()
        return window

    async def guest(self, name: str) -> Window:
        """A browser of a guest, who takes a name."""
        return await (await self.stranger()).join(name)

    async def stranger(self, *expected: str) -> Window:
        """A browser of somebody without a name. What holds one of `expected` may stand on its console."""
        return Window(await self._visit(f"{self.host.url}/chat/", *expected), f"{self.host.url}/chat/")


@pytest_asyncio.fixture(loop_scope="session")
async def site(place: Place, visit: ClientSession) -> AsyncIterator[Site]:
    """The site, without anybody."""
    room = ChatRoom("lobby", title="The lobby")
    yield Site(await place(room, authenticate=authenticate), room, visit)


def person(window: Window, name: str) -> Locator:
    """The row of somebody in the list of people."""
    return window.root.locator(".person", has_text=name)


def card(window: Window) -> Locator:
    """The question that is open."""
    return window.root.locator("dialog.card[open]")


async def choose(window: Window, name: str, action: str) -> Locator:
    """Open the menu of somebody in the list, choose an action, and return its card."""
    await person(window, name).click()
    await window.root.get_by_role("button", name=action).click()
    return card(window)


async def open_panel(window: Window, tab: str) -> Locator:
    """Open a part of the panel."""
    if not await window.root.locator(".order-sheet[open]").count():
        await window.part("moderation-button").click()
    await window.root.get_by_role("tab", name=tab).click()
    return window.root.get_by_role("tabpanel", name=tab)


async def more(window: Window, text: str, item: str) -> None:
    """Choose an item of the menu of a message."""
    await window.do(text, "more")
    await window.root.locator("dialog.menu[open]").get_by_role("button", name=item).click()


async def test_only_moderators_have_the_tools(site: Site) -> None:
    """Others neither see a button of moderators nor load their scripts."""
    grace, ada = await site.user("grace"), await site.user("ada")
    await expect(grace.part("moderation-button")).to_be_visible()
    for part in ("moderation-button", "about-edit"):
        await expect(ada.part(part)).to_be_hidden()
    await person(ada, "Grace").click()
    await expect(ada.part("person-mention")).to_be_visible()
    await expect(ada.part("person-order")).to_be_hidden()
    loaded = "performance.getEntriesByType('resource').map(one => one.name).filter(name => name.includes('/js/moderation/')).length"
    assert await ada.page.evaluate(loaded) == 0


async def test_a_ban_ends_it_at_once(site: Site) -> None:
    """The person is out with the reason and no way back, their messages are gone, and the moderator can undo it."""
    grace, eve, ada = await site.user("grace"), await site.guest("Eve"), await site.user("ada")
    await eve.say("spam")
    await ada.sees("spam")
    ask = await choose(grace, "Eve", "Ban…")
    await ask.get_by_role("radio", name="For ever").check()
    await ask.get_by_label("Reason").fill("advertising")
    await ask.get_by_role("button", name="Ban", exact=True).click()
    await expect(eve.part("banner-text")).to_contain_text("banned")
    await expect(eve.part("banner-text")).to_contain_text("advertising")
    await expect(eve.part("banner-button")).to_be_hidden()
    await expect(eve.part("composer")).to_be_hidden()
    await ada.sees("Message deleted")
    await expect(person(ada, "Eve")).to_have_count(0)
    await eve.page.reload()
    await expect(eve.part("barred-text")).to_contain_text("advertising")
    await expect(eve.part("barred").get_by_role("button")).to_have_count(0)
    await expect(grace.part("toast-text")).to_contain_text("is banned for ever")
    await grace.part("toast-undo").click()
    await expect(grace.part("toast-text")).to_have_text("Undone.")
    await eve.page.reload()
    await eve.live()


async def test_a_removed_person_waits_a_minute(site: Site) -> None:
    """The page leads nobody back before the time: there is no button, and a reload shows the reason."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    ask = await choose(grace, "Eve", "Remove…")
    await ask.get_by_label("Reason").fill("calm down")
    await ask.get_by_role("button", name="Remove").click()
    await expect(eve.part("banner-text")).to_contain_text("calm down")
    await expect(eve.part("banner-text")).to_have_text(re.compile(r"at \d\d:\d\d"))
    await expect(eve.part("banner-button")).to_be_hidden()
    await eve.page.reload()
    await expect(eve.part("barred-text")).to_contain_text("calm down")
    await expect(eve.part("barred-again")).to_be_hidden()


async def test_the_time_of_a_removed_person_ends(site: Site) -> None:
    """When it is over, a button leads back in, without a reload."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    await eve.page.clock.install()
    ask = await choose(grace, "Eve", "Remove…")
    await ask.get_by_role("button", name="Remove").click()
    await expect(eve.part("banner-button")).to_be_hidden()
    await expect(eve.part("banner-text")).to_contain_text("removed")
    await eve.page.clock.fast_forward(61_000)
    await expect(eve.part("banner-button")).to_have_text("Enter again")
    panel = await open_panel(grace, "People")
    await panel.get_by_role("button", name="End ban").click()
    await expect(panel.get_by_text("Nobody is banned or muted.")).to_be_visible()
    await eve.part("banner-button").click()
    await expect(eve.part("composer")).to_be_visible()


async def test_a_mute_says_why_and_until_when(site: Site) -> None:
    """The reason stands where the message box was; the panel shows who did it, and ends it."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    ask = await choose(grace, "Eve", "Mute…")
    await ask.get_by_label("Reason").fill("caps")
    await ask.get_by_role("button", name="Mute").click()
    await expect(eve.part("read-only-text")).to_have_text(re.compile(r"^You are muted until .*\d\d:\d\d: caps$"))
    await expect(eve.part("composer")).to_be_hidden()
    panel = await open_panel(grace, "People")
    await expect(panel.get_by_role("listitem").filter(has_text="Eve").first).to_contain_text("by Grace: caps")
    await panel.get_by_role("button", name="End mute").click()
    await expect(eve.part("composer")).to_be_visible()


async def test_all_messages_of_somebody_go_at_once(site: Site) -> None:
    """“Delete messages” asks for the time, and says how many there were."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    for text in ("one", "two", "three"):
        await eve.say(text)
        await eve.has_sent(text)
    ask = await choose(grace, "Eve", "Delete messages…")
    await ask.get_by_role("button", name="Delete").click()
    await expect(grace.part("toast-text")).to_contain_text("3 messages of")
    await expect(eve.root.locator(".message .text:visible")).to_have_text(["3 messages deleted"])


async def test_what_was_deleted_takes_one_line(site: Site) -> None:
    """Deleted messages in a row are counted in one line, which keys and a quote reach; what is not deleted stays."""
    grace, eve, ada = await site.user("grace"), await site.guest("Eve"), await site.user("ada")
    for text in ("one", "two", "three"):
        await eve.say(text)
        await eve.has_sent(text)
    await ada.message("three").hover()
    await ada.message("three").get_by_role("button", name="Reply").click()
    await ada.say("Stop it")
    await eve.say("four")
    await eve.has_sent("four")
    ask = await choose(grace, "Eve", "Delete messages…")
    await ask.get_by_role("button", name="Delete").click()
    seen = ada.root.locator(".message .text:visible")
    await expect(seen).to_have_text(["3 messages deleted", "Stop it", "Message deleted"])
    await ada.message("Stop it").locator(".quote").click()
    first = ada.message("3 messages deleted")
    await expect(first).to_be_focused()
    await first.press("ArrowDown")
    await expect(ada.message("Stop it")).to_be_focused()
    await ada.page.reload()
    await expect(seen).to_have_text(["3 messages deleted", "Stop it", "Message deleted"])


async def test_the_address_is_a_choice(place: Place, visit: ClientSession) -> None:
    """Without a choice, an address that others have stays free, and the panel says so; “Yes” includes it."""
    room = ChatRoom("lobby")
    site = Site(await place(room, authenticate=authenticate, trusted_proxies="127.0.0.1"), room, visit)
    school = {"extra_http_headers": {"X-Forwarded-For": "203.0.113.7"}}
    url = f"{site.host.url}/chat/"
    grace = await site.user("grace")
    eve, ben = [await Window(await visit(url, **school), url).join(name) for name in ("Eve", "Ben")]
    ask = await choose(grace, "Eve", "Mute…")
    await ask.get_by_role("button", name="Mute").click()
    await expect(eve.part("read-only-text")).to_contain_text("You are muted")
    panel = await open_panel(grace, "People")
    await expect(panel.get_by_role("listitem").filter(has_text="Eve")).to_contain_text("but not the address")
    await panel.get_by_role("button", name="End mute").click()
    await expect(eve.part("composer")).to_be_visible()
    await grace.page.keyboard.press("Escape")
    ask = await choose(grace, "Eve", "Mute…")
    await ask.get_by_role("radio", name="Yes All guests").check()
    await ask.get_by_role("button", name="Mute").click()
    await expect(ben.part("read-only-text")).to_contain_text("You are muted")
    panel = await open_panel(grace, "People")
    await expect(panel.get_by_role("listitem").filter(has_text="Eve")).to_contain_text("and the address 203.0.113.7")


async def test_roles_are_given_and_seen(site: Site) -> None:
    """A new moderator has the badge and the tools at once, but no actions on those above."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    ask = await choose(grace, "Eve", "Give a role…")
    await ask.get_by_role("radio", name="Moderator Keeps order").check()
    await ask.get_by_role("button", name="Give").click()
    await expect(person(grace, "Eve").locator(".role")).to_have_text(["moderator"])
    await expect(eve.part("moderation-button")).to_be_visible()
    await person(eve, "Grace").click()
    await expect(eve.part("person-order")).to_be_hidden()


async def test_messages_are_pinned(site: Site) -> None:
    """A pinned message stands above the conversation for everybody and leads to it; a deleted one shows no text."""
    grace, ada = await site.user("grace"), await site.user("ada")
    await grace.say("the rules")
    await ada.sees("the rules")
    await expect(ada.part("pins")).to_be_hidden()
    await more(grace, "the rules", "Pin")
    await expect(ada.part("pin-list")).to_contain_text("Grace the rules")
    await expect(ada.root.get_by_role("button", name="Unpin")).to_have_count(0)
    await ada.part("pin-list").get_by_role("button").click()
    await expect(ada.message("the rules")).to_be_focused()
    await grace.root.get_by_role("button", name="Unpin").click()
    await expect(ada.part("pins")).to_be_hidden()


async def test_title_and_topic_change_for_everybody(site: Site) -> None:
    """A moderator edits them in the header; everybody sees them at once, also in the tab and after a reload."""
    grace, ada = await site.user("grace"), await site.user("ada")
    await grace.part("about-edit").click()
    await card(grace).get_by_label("Title").fill("The den")
    await card(grace).get_by_label("Topic").fill("Foxes")
    await card(grace).get_by_role("button", name="Save").click()
    for _ in range(2):
        await expect(ada.part("title")).to_have_text("The den")
        await expect(ada.part("topic")).to_have_text("Foxes")
        await expect(ada.page).to_have_title("The den")
        await ada.page.reload()


async def test_slow_mode_counts_down(site: Site) -> None:
    """Beside the message box stands how long one has to wait; the text stays in the box; moderators do not wait."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    panel = await open_panel(grace, "Settings")
    await panel.get_by_role("radio", name="1 hour", exact=True).check()
    await expect(eve.part("slow-text")).to_have_text("Slow mode: 60 min")
    await eve.say("first")
    await eve.has_sent("first")
    await expect(eve.part("slow-text")).to_have_text(re.compile(r"^Next message in \d+ min$"))
    await eve.say("second")
    await expect(eve.part("say-error")).to_contain_text("Slow mode is on.")
    await expect(eve.part("text")).to_have_value("second")
    await expect(eve.part("send")).to_be_disabled()
    await panel.get_by_role("radio", name="Off").check()
    await expect(eve.part("send")).to_be_enabled()
    await eve.part("send").click()
    await eve.has_sent("second")


async def test_who_may_write_is_told(site: Site) -> None:
    """With “members”, a guest reads why there is no message box, and a member writes on."""
    grace, eve, ada = await site.user("grace"), await site.guest("Eve"), await site.user("ada")
    panel = await open_panel(grace, "Settings")
    await panel.get_by_role("radio", name="Members Guests only read").check()
    await expect(eve.part("read-only-text")).to_have_text("Only members can write now.")
    await ada.say("still here")
    await ada.has_sent("still here")
    await panel.get_by_role("radio", name="Moderators Everybody else only reads").check()
    await expect(ada.part("read-only-text")).to_have_text("Only moderators can write now.")
    await panel.get_by_role("group", name="Who may write").get_by_role("radio", name="Everybody", exact=True).check()
    for window in (eve, ada):
        await expect(window.part("composer")).to_be_visible()


async def test_the_log_says_who_did_what(site: Site) -> None:
    """Who, whom, why and when, the newest first."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    await eve.say("spam")
    ask = await choose(grace, "Eve", "Mute…")
    await ask.get_by_label("Reason").fill("caps")
    await ask.get_by_role("button", name="Mute").click()
    panel = await open_panel(grace, "Settings")
    await panel.get_by_role("radio", name="30 s").check()
    panel = await open_panel(grace, "Log")
    await expect(panel.get_by_role("listitem").first).to_contain_text("Grace changed the settings: slow mode 30 s")
    await expect(panel.get_by_role("listitem").nth(1)).to_contain_text("Grace muted Eve until")
    await expect(panel.get_by_role("listitem").nth(1)).to_contain_text("caps")


async def test_a_raid_is_swept_out(site: Site) -> None:
    """One button takes out what all guests wrote lately, after a question; what people with a login wrote stays."""
    grace, ada = await site.user("grace"), await site.user("ada")
    await ada.say("hello")
    await ada.has_sent("hello")
    for name in ("Eve", "Mallory"):
        guest = await site.guest(name)
        await guest.say(f"spam of {name}")
        await guest.has_sent(f"spam of {name}")
    panel = await open_panel(grace, "Settings")
    await panel.get_by_role("button", name="Delete messages of all guests…").click()
    question = grace.root.get_by_role("dialog", name="Delete messages of all guests?")
    await question.get_by_role("button", name="Delete").click()
    await expect(grace.root.get_by_text("2 messages were deleted.")).to_be_visible()
    await expect(ada.root.get_by_text("spam of")).to_have_count(0)
    await expect(ada.root.get_by_text("hello", exact=True)).to_be_visible()
    panel = await open_panel(grace, "Log")
    await expect(panel.get_by_role("listitem").first).to_contain_text("Grace deleted messages of all guests (2)")


async def test_everything_by_keyboard(site: Site) -> None:
    """Arrows move in a menu and between the parts of the panel; Escape gives the focus back to where it was."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    await eve.say("hi")
    await grace.sees("hi")
    keys = grace.page.keyboard
    await person(grace, "Eve").focus()
    await keys.press("Enter")
    await keys.press("End")
    await keys.press("ArrowUp")
    await expect(grace.root.get_by_role("button", name="Give a role…")).to_be_focused()
    await keys.press("Enter")
    await expect(card(grace)).to_be_visible()
    await keys.press("Escape")
    await expect(card(grace)).to_have_count(0)
    await expect(person(grace, "Eve")).to_be_focused()
    await grace.part("moderation-button").focus()
    await keys.press("Enter")
    await grace.root.get_by_role("tab", name="Queue").focus()
    await keys.press("ArrowRight")
    await expect(grace.root.get_by_role("tab", name="People")).to_be_focused()
    await expect(grace.root.get_by_role("tabpanel", name="People")).to_be_visible()
    await keys.press("Escape")
    await expect(grace.part("moderation-button")).to_be_focused()
    await grace.message("hi").focus()
    await grace.part("action-more").focus()
    await keys.press("Enter")
    await keys.press("Escape")
    await expect(grace.part("action-more")).to_be_focused()


async def test_a_thumb_finds_everything(site: Site, visit: ClientSession) -> None:
    """On a phone each button of the menus, cards and the panel is 44 px high at least, and nothing scrolls sideways."""
    eve = await site.guest("Eve")
    await eve.say("hi")
    grace = Window(await visit(f"{site.host.url}/chat/", **PHONE, storage_state=session(site, "grace")), "")
    await grace.sees("hi")
    await grace.hold("hi")
    await small_targets(grace, "dialog.menu[open]")
    await grace.root.get_by_role("button", name="Moderate Eve").tap()
    await small_targets(grace, "dialog.menu[open]")
    await grace.root.get_by_role("button", name="Ban…").tap()
    await expect(card(grace)).to_be_visible()
    await small_targets(grace, "dialog.card[open]")
    await card(grace).get_by_role("button", name="Cancel").tap()
    for tab in ("People", "Settings", "Log", "Queue"):
        await open_panel(grace, tab)
        await small_targets(grace, ".order-sheet")
    assert await grace.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_tap_on_a_name_opens_the_menu(site: Site, visit: ClientSession) -> None:
    """On a phone, a tap on the name above a message opens the menu of the person, and not that of the message."""
    eve = await site.guest("Eve")
    await eve.say("hi")
    grace = Window(await visit(f"{site.host.url}/chat/", **PHONE, storage_state=session(site, "grace")), "")
    await grace.sees("hi")
    await grace.message("hi").locator(".who").tap()
    await expect(grace.root.get_by_role("button", name="Ban…")).to_be_visible()
    await expect(grace.part("message-menu")).to_be_hidden()


async def test_tools_that_do_not_load_say_so(site: Site, visit: ClientSession) -> None:
    """If the scripts of moderators or of reports are gone, as on a page older than its server, the button says what to do."""
    eve = await site.guest("Eve")
    await eve.say("hi")
    grace = Window(await visit("about:blank", "Failed to load", storage_state=session(site, "grace")), "")
    await grace.page.route(re.compile(r"/(tools|report)(-\w+)?\.js"), lambda route: route.fulfill(status=404))
    await grace.page.goto(f"{site.host.url}/chat/")
    await grace.sees("hi")
    await grace.part("moderation-button").click()
    await expect(grace.part("toast-text")).to_have_text("This could not be loaded. Reload the page.")
    await expect(grace.part("toast-text")).to_be_hidden(timeout=20_000)
    await more(grace, "hi", "Report")
    await expect(grace.part("toast-text")).to_have_text("This could not be loaded. Reload the page.")


async def test_the_people_do_not_cover_the_reason(site: Site, visit: ClientSession) -> None:
    """Somebody who is banned while the list of people is open on a phone sees the reason, and not an empty list."""
    eve = await Window(await visit(f"{site.host.url}/chat/", **PHONE), "").join("Eve")
    await eve.part("people-button").tap()
    await expect(eve.part("people-dialog")).to_be_visible()
    member = next(iter(site.room.members))
    await site.room.moderation.ban(member, reason="advertising")
    await expect(eve.part("banner-text")).to_contain_text("advertising")
    await expect(eve.part("people-dialog")).to_be_hidden()


async def test_undo_is_in_reach_over_the_people_of_a_phone(site: Site, visit: ClientSession) -> None:
    """After an action on somebody in the list of people, the line with “Undo” is above the list and can be tapped."""
    eve = await site.guest("Eve")
    grace = Window(await visit(f"{site.host.url}/chat/", **PHONE, storage_state=session(site, "grace")), "")
    await grace.part("people-button").tap()
    await person(grace, "Eve").tap()
    await grace.root.get_by_role("button", name="Mute…").tap()
    await card(grace).get_by_role("button", name="Mute").tap()
    await expect(eve.part("read-only-text")).to_contain_text("You are muted")
    await grace.part("toast-undo").tap()
    await expect(grace.part("toast-text")).to_have_text("Undone.")
    await expect(eve.part("composer")).to_be_visible()


def session(site: Site, name: str) -> dict[str, object]:
    """The cookies of a login."""
    return {"cookies": [{"name": "session", "value": name, "url": site.host.url}], "origins": []}


async def small_targets(window: Window, where: str) -> None:
    """Fail if a control there is lower than a thumb is wide."""
    small = await window.page.locator(where).evaluate_all(
        """places => places.flatMap(place => [...place.querySelectorAll("button, a, input:not([type=radio], [type=checkbox]), label:has(input)")])
          .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
          .map(one => one.outerHTML)"""
    )
    assert [] == small


async def test_the_element_has_it_too(site: Site, visit: ClientSession) -> None:
    """In a box on a page of its own, a moderator mutes somebody and opens the panel."""
    url = site.host.page('<pychat-room src="/chat/"></pychat-room>')
    eve = await site.guest("Eve")
    grace = box(await visit(url, storage_state=session(site, "grace")))
    await expect(grace.part("composer")).to_be_visible()
    await eve.say("hi")
    await grace.message("hi").locator(".who").click()
    await grace.root.get_by_role("button", name="Mute…").click()
    await card(grace).get_by_role("button", name="Mute").click()
    await expect(eve.part("read-only-text")).to_contain_text("You are muted")
    panel = await open_panel(grace, "People")
    await expect(panel).to_contain_text("Eve")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_tools_can_be_read(site: Site, visit: ClientSession, scheme: str) -> None:
    """All words of menus, cards and the panel have a contrast of 4.5:1 at least, in both themes; 320 pixels are enough."""
    eve = await site.guest("Eve")
    await eve.say("hi")
    grace = Window(await visit(f"{site.host.url}/chat/", color_scheme=scheme, storage_state=session(site, "grace")), "")
    await grace.sees("hi")
    await more(grace, "hi", "Pin")
    await expect(grace.part("pins")).to_be_visible()
    ask = await choose(grace, "Eve", "Ban…")
    await readable(grace)
    await ask.get_by_role("button", name="Ban", exact=True).click()
    await expect(grace.part("toast-text")).to_be_visible()
    for tab in ("Queue", "People", "Settings", "Log"):
        await open_panel(grace, tab)
        await readable(grace)
    await grace.page.set_viewport_size({"width": 320, "height": 600})
    await open_panel(grace, "Settings")
    assert await grace.root.get_by_role("tabpanel", name="Settings").evaluate(
        "one => one.scrollWidth <= one.clientWidth"
    )
    await grace.page.keyboard.press("Escape")
    assert await grace.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    width = await grace.part("title").evaluate("one => one.clientWidth")
    assert width >= 60


async def readable(window: Window) -> None:
    """Fail if there are words of low contrast."""
    ratios: dict[str, float] = await window.page.evaluate(CONTRASTS)
    assert {} == {name: ratio for name, ratio in ratios.items() if ratio < 4.5}


async def test_a_login_that_ends_says_so(place: Place, visit: ClientSession) -> None:
    """The page names the fact, and leads to the login."""
    known = {"ada": User("a", "Ada")}
    ended = asyncio.Event()

    def authenticate(request: pychat.Request) -> User | None:
        if ended.is_set():
            return None
        return known.get(request.cookies.get("session", ""))

    host = await place(ChatRoom("lobby"), authenticate=authenticate, revalidate=1)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await expect(ada.part("composer")).to_be_visible()
    ended.set()
    await expect(ada.part("banner-text")).to_contain_text("Your login has ended.")
    await expect(ada.part("banner-button")).to_have_text("Log in again")
    await expect(ada.part("composer")).to_be_hidden()
