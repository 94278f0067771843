"""People who are outside: a password, an invitation, a question to the moderators, a check, and a closed room."""

from __future__ import annotations

import re

import pytest_asyncio
from playwright.async_api import Locator, expect

from pychat import ChatRoom
from tests.browser.conftest import ClientSession, Place
from tests.browser.host import box
from tests.browser.test_moderation import Site, authenticate, card, open_panel
from tests.browser.window import Window

WRONG = "This is not the password"


@pytest_asyncio.fixture(loop_scope="session")
async def site(place: Place, visit: ClientSession) -> Site:
    """A room with an owner; nobody is there."""
    room = ChatRoom("lobby", title="The lobby")
    return Site(await place(room, authenticate=authenticate), room, visit)


def entry(window: Window, choice: str) -> Locator:
    """One of the choices “who may come in”."""
    group = window.root.get_by_role("group", name="Who may come in")
    return group.get_by_role("radio", name=re.compile(f"^{choice}"))


async def test_a_password_lets_in(site: Site) -> None:
    """A wrong one is refused in words, the right one leads in, and a reload asks no more."""
    grace = await site.user("grace")
    panel = await open_panel(grace, "Settings")
    await panel.get_by_label("New password").fill("open sesame")
    await panel.get_by_role("button", name="Set password").click()
    await expect(panel.get_by_text("Guests need the password, or an invitation.")).to_be_visible()
    eve = await site.stranger("403")  # a refused request stands on the console
    await expect(eve.part("barred-title")).to_have_text("This room is not open to everyone")
    field = eve.part("entry").get_by_label("Password")
    await expect(field).to_be_focused()
    await field.fill("wrong")
    await field.press("Enter")
    await expect(eve.part("entry").get_by_role("alert")).to_contain_text(WRONG)
    await expect(field).to_have_value("")
    await field.fill("open sesame")
    await field.press("Enter")
    await expect(eve.part("nickname-form")).to_be_visible()
    await eve.join("Eve")
    await eve.page.reload()
    await expect(eve.part("composer")).to_be_visible()
    await panel.get_by_role("button", name="Remove password").click()
    await expect(panel.get_by_text("Guests need no password.")).to_be_visible()


async def test_an_invitation_lets_in_once(site: Site) -> None:
    """The link works for one person, is in no request and not in the address bar, and does not work for the next."""
    grace = await site.user("grace")
    panel = await open_panel(grace, "Settings")
    await entry(grace, "Members").check()
    await panel.get_by_role("button", name="New invitation…").click()
    await card(grace).get_by_role("button", name="Make a link").click()
    link = await panel.get_by_label("Invitation link").input_value()
    token = link.split("#invite=")[1]
    await expect(panel.get_by_text("1 person")).to_be_visible()
    asked: list[str] = []
    ben = await site.stranger()
    ben.page.on("request", lambda request: asked.append(request.url))
    await expect(ben.part("barred-title")).to_have_text("This room is not open to everyone")
    await ben.page.goto("about:blank")
    await ben.page.goto(link)
    await expect(ben.part("nickname-form")).to_be_visible()
    assert "#" not in ben.page.url
    assert not any(token in url for url in asked)
    await ben.join("Ben")
    await open_panel(grace, "Settings")
    await expect(panel.get_by_text("1 person")).to_have_count(0)
    mallory = await site.stranger("403")
    await expect(mallory.part("entry")).to_contain_text("If you have an invitation")
    await mallory.page.evaluate("token => { location.hash = `invite=${token}` }", token)
    await expect(mallory.part("toast-text")).to_contain_text("invitation")
    assert "#" not in mallory.page.url
    await expect(mallory.part("composer")).to_be_hidden()


async def test_a_moderator_lets_in(site: Site) -> None:
    """Whoever asks waits on the page, and comes in with the name when a moderator says yes; a no is told with its reason."""
    grace = await site.user("grace")
    await open_panel(grace, "Settings")
    await entry(grace, "Those whom a moderator lets in").check()
    nadia, eve = await site.stranger(), await site.stranger("403")
    for window, name in ((nadia, "Nadia"), (eve, "Eve")):
        place = window.part("entry")
        await place.get_by_label("Your name").fill(name)
        await place.get_by_label("A word to the moderators").fill("<i>please</i>")
        await place.get_by_role("button", name="Ask to come in").click()
        await expect(place.get_by_role("status")).to_contain_text("A moderator has your question.")
    await nadia.page.reload()
    await expect(nadia.part("entry").get_by_role("status")).to_contain_text("A moderator has your question.")
    await expect(grace.part("moderation-badge")).to_have_text("2")
    panel = await open_panel(grace, "Queue")
    await expect(panel).to_contain_text("<i>please</i>")
    await panel.get_by_role("listitem").filter(has_text="Nadia").get_by_role("button", name="Let in").click()
    await expect(nadia.part("nickname-form")).to_be_visible()
    await expect(nadia.part("name-input")).to_have_value("Nadia")
    await panel.get_by_role("button", name="Refuse").click()
    await card(grace).get_by_label("Reason").fill("members' evening")
    await card(grace).get_by_role("button", name="Refuse").click()
    await expect(eve.part("entry").get_by_role("alert")).to_contain_text("members' evening")


async def test_a_check_opens_the_room_by_itself(site: Site) -> None:
    """The browser solves it, and the room opens; a reload asks for it no more. It can be cancelled, and begun again."""
    grace = await site.user("grace")
    panel = await open_panel(grace, "Settings")
    await panel.get_by_label("Check guests before they enter").check()
    eve = await site.stranger()
    await expect(eve.part("nickname-form")).to_be_visible()
    await eve.join("Eve")
    await eve.page.reload()
    await expect(eve.part("composer")).to_be_visible()
    mallory = await site.stranger()
    await mallory.page.context.clear_cookies()
    await mallory.page.evaluate("localStorage.clear()")
    await mallory.page.route(re.compile(r"/challenge$"), lambda route: None)
    await mallory.page.reload()
    await expect(mallory.part("barred-title")).to_have_text("A short check before you enter")
    await expect(mallory.part("entry").get_by_role("progressbar")).to_be_visible()
    await mallory.part("entry").get_by_role("button", name="Cancel").click()
    await mallory.page.unroute_all(behavior="ignoreErrors")
    await mallory.part("entry").get_by_role("button", name="Try again").click()
    await expect(mallory.part("nickname-form")).to_be_visible()


async def test_the_owners_link(place: Place, visit: ClientSession) -> None:
    """Whoever opens it is the owner, also after a reload; the token is in no request's address and not in the address bar."""
    token = "a-long-token-of-the-owner"
    host = await place(ChatRoom("lobby"), owner_token=token)
    page = await visit("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{host.url}/chat/#owner={token}")
    ada = await Window(page, "").join("Ada")
    assert page.url == f"{host.url}/chat/"
    assert not any(token in url for url in asked)
    for _ in range(2):
        await expect(ada.part("moderation-button")).to_be_visible()
        await expect(ada.root.locator(".person .role")).to_have_text(["owner"])
        await page.reload()
    eve = Window(await visit(f"{host.url}/chat/#owner=wrong", "403"), "")
    await expect(eve.part("toast-text")).to_contain_text("owner")
    await eve.join("Eve")
    await expect(eve.part("moderation-button")).to_be_hidden()


async def test_the_element_asks_for_a_password_too(site: Site, visit: ClientSession) -> None:
    """In a box on a page of its own the same forms lead in, and the browser remembers it."""
    grace = await site.user("grace")
    panel = await open_panel(grace, "Settings")
    await panel.get_by_label("New password").fill("open sesame")
    await panel.get_by_role("button", name="Set password").click()
    await expect(panel.get_by_text("Guests need the password, or an invitation.")).to_be_visible()
    eve = box(await visit(site.host.page('<pychat-room src="/chat/"></pychat-room>')))
    await eve.part("entry").get_by_label("Password").fill("open sesame")
    await eve.part("entry").get_by_role("button", name="Enter").click()
    await expect(eve.part("nickname-form")).to_be_visible()
    await eve.join("Eve")
    await eve.page.reload()
    await expect(eve.part("composer")).to_be_visible()


async def test_a_closed_room_says_so(site: Site) -> None:
    """Everybody but moderators is put out, is told so, and comes back by a button when it is open again."""
    grace, eve = await site.user("grace"), await site.guest("Eve")
    await open_panel(grace, "Settings")
    await entry(grace, "Moderators").check()
    await expect(eve.part("banner-text")).to_contain_text("closed")
    await expect(eve.part("banner-button")).to_have_text("Try again")
    await expect(eve.part("composer")).to_be_hidden()
    await eve.part("banner-button").click()
    await expect(eve.part("banner-text")).to_contain_text("closed")
    await entry(grace, "Everybody").check()
    await expect(entry(grace, "Everybody")).to_be_checked()
    await eve.part("banner-button").click()
    await expect(eve.part("composer")).to_be_visible()


async def test_who_finds_a_closed_room_tries_again(site: Site) -> None:
    """Somebody who opens the page of a closed room has a button, which leads in when the room is open again."""
    await site.room.moderation.set(entry="closed")
    eve = await site.stranger()
    again = eve.part("barred-again")
    await expect(again).to_have_text("Try again")
    await again.click()
    await expect(eve.part("barred-text")).to_contain_text("closed")
    await site.room.moderation.set(entry="open")
    await again.click()
    await eve.join("Eve")
