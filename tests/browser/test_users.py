"""People whom the application knows by a login of its own, on the page and in a box on a page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

import pychat
from pychat import ChatRoom, Refused, User
from tests.browser.conftest import ClientSession, Place
from tests.browser.host import box
from tests.browser.server import Server
from tests.browser.window import Window

USERS = {
    "ada": User("1", "Ada"),
    "mod": User("2", "Grace", roles=("moderator",)),
    "many": User("5", "Katherine", roles=("moderator", "a rather long name of a role", "<b>orbit</b>")),
    "free": User("3", "Barbara", name_fixed=False),
    "nameless": User("4"),
}


def authenticate(request: pychat.Request) -> User | None:
    """Whoever has a session is known; the banned stay out; others are guests."""
    session = request.cookies.get("session", "")
    if session == "banned":
        raise Refused("banned", "You are banned here. Write to https://example.org/appeal")
    return USERS.get(session)


async def enter(visit: ClientSession, url: str, session: str, *expected: str, element: bool = False) -> Window:
    """Open a page with that session."""
    cookies = {"cookies": [{"name": "session", "value": session, "url": url}], "origins": []}
    page = await visit(url, *expected, storage_state=cookies)
    return box(page) if element else Window(page, url)


@pytest.mark.parametrize("element", [False, True], ids=["page", "box"])
async def test_who_is_logged_in_is_not_asked_for_a_name(place: Place, visit: ClientSession, element: bool) -> None:
    """The name of the login is there at once, also after a reload, and cannot be changed where it is fixed."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    url = host.page('<pychat-room src="/chat/"></pychat-room>') if element else f"{host.url}/chat/"
    ada = await enter(visit, url, "ada", element=element)
    for _ in range(2):
        await expect(ada.part("me-name")).to_have_text("Ada")
        await expect(ada.part("me-button")).to_be_disabled()
        await expect(ada.part("me-button")).to_have_accessible_name("Ada")
        await expect(ada.part("nickname-form")).to_be_hidden()
        await ada.page.reload()
    await ada.say("hi")
    await ada.has_sent("hi")
    await ada.page.reload()
    await expect(ada.message("hi")).to_have_class(re.compile(r"\bown\b"))


async def test_who_may_choose_is_let(place: Place, visit: ClientSession) -> None:
    """A name that is not fixed can be changed; a login without a name picks one, and has it again."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    barbara = await enter(visit, f"{host.url}/chat/", "free")
    await expect(barbara.part("me-name")).to_have_text("Barbara")
    await barbara.rename("Countess")
    await expect(barbara.part("me-name")).to_have_text("Countess")
    nameless = await enter(visit, f"{host.url}/chat/", "nameless")
    await nameless.join("Linus")
    await nameless.say("hi")
    await nameless.has_sent("hi")


async def test_a_moderator_takes_back_what_others_say(place: Place, visit: ClientSession) -> None:
    """The bar of anybody's message offers a moderator to delete it; nobody else sees that."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    grace = await enter(visit, f"{host.url}/chat/", "mod")
    await ada.say("rude")
    await grace.say("Please mind your words")
    await ada.sees("rude", "Please mind your words")
    await ada.message("Please mind your words").locator(".text").hover()
    await expect(ada.part("action-reply")).to_be_visible()
    await ada.part("action-more").click()
    await expect(ada.part("message-copy")).to_be_visible()
    await expect(ada.part("message-delete")).to_be_hidden()
    await ada.page.keyboard.press("Escape")
    await grace.do("rude", "delete")
    await expect(grace.part("message-edit")).to_be_hidden()
    await grace.part("confirm-yes").click()
    await ada.sees("Message deleted", "Please mind your words")


async def test_who_logs_out_is_a_guest_who_is_asked(place: Place, visit: ClientSession) -> None:
    """A name that came with a login is not taken by itself once the login has ended."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await expect(ada.part("me-name")).to_have_text("Ada")
    await ada.page.context.clear_cookies()
    await ada.page.reload()
    await expect(ada.part("nickname-form")).to_be_visible()
    await expect(ada.part("me-button")).to_be_hidden()


@pytest.mark.parametrize("element", [False, True], ids=["page", "box"])
async def test_who_may_not_come_in_is_told_why(place: Place, visit: ClientSession, element: bool) -> None:
    """The words of the application stand in the middle, a link among them can be followed, and there is nothing else to do."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    url = host.page('<pychat-room src="/chat/"></pychat-room>') if element else f"{host.url}/chat/"
    eve = await enter(visit, url, "banned", "403", "WebSocket", element=element)
    await expect(eve.part("barred-text")).to_have_text("You are banned here. Write to https://example.org/appeal")
    await expect(eve.part("barred").get_by_role("link")).to_have_attribute("href", "https://example.org/appeal")
    for part in ("nickname-form", "composer", "banner", "empty"):
        await expect(eve.part(part)).to_be_hidden()


async def test_who_is_logged_in_is_not_told_to_send_the_address(place: Place, visit: ClientSession) -> None:
    """Only where guests can follow it, an empty room offers its address."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    guest = await enter(visit, f"{host.url}/chat/", "")
    await expect(guest.part("share")).to_be_visible()
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await expect(ada.part("share-hello")).to_be_visible()
    for part in ("share", "share-words", "share-note"):
        await expect(ada.part(part)).to_be_hidden()


async def log_in(window: Window, session: str) -> None:
    """Be somebody else in the same browser, from the next connection on."""
    await window.page.context.clear_cookies()
    await window.page.context.add_cookies([{"name": "session", "value": session, "url": window.url}])


async def test_words_of_one_login_are_never_those_of_another(
    serve: Callable[[Server], Awaitable[Server]], visit: ClientSession
) -> None:
    """What Ada had not sent, and what she was writing, is neither sent nor seen as Grace, and is there when she is back."""
    server = await serve(Server(ChatRoom("lobby"), authenticate=authenticate))
    window = await enter(visit, server.url, "ada", "WebSocket", "net::ERR_", "Failed to load")
    await window.live()
    await server.stop()
    await window.is_state("reconnecting")
    await window.say("Adas secret")
    await expect(window.message("Adas secret")).to_have_attribute("data-state", "pending")
    await window.part("text").fill("half a thou")
    await log_in(window, "mod")
    server.rooms = (ChatRoom("lobby"),)
    await server.start()
    await expect(window.part("me-name")).to_have_text("Grace", timeout=15_000)
    for text in ("one", "two"):
        await expect(window.part("text")).to_have_value("")
        await window.say(text)
        await window.has_sent(text)
        await expect(window.message("Adas secret")).to_have_count(0)
        await window.page.reload()
        await expect(window.part("me-name")).to_have_text("Grace")
    assert ["one", "two"] == [message.text for message in await server.room.history()]
    await log_in(window, "ada")
    await window.page.reload()
    await window.has_sent("Adas secret")
    await expect(window.part("text")).to_have_value("half a thou")
    assert "Ada" == (await server.room.history())[-1].author.name


@pytest.mark.parametrize("element", [False, True], ids=["page", "box"])
async def test_who_is_sent_out_is_told_why(place: Place, visit: ClientSession, element: bool) -> None:
    """The words of the kick stand where the box to write in was; nobody is listed, nothing waits, and a button leads on."""
    room = ChatRoom("lobby")
    host = await place(room, authenticate=authenticate)
    url = host.page('<pychat-room src="/chat/"></pychat-room>') if element else f"{host.url}/chat/"
    ada = await enter(visit, url, "ada", element=element)
    await ada.say("hi")
    await ada.has_sent("hi")
    await room.kick("user:1", "You have logged out.")
    await expect(ada.part("banner-text")).to_have_text("You were removed from this room. You have logged out.")
    for part in ("composer", "nickname-form", "me-button", "people-button"):
        await expect(ada.part(part)).to_be_hidden()
    await expect(ada.root.locator(".person")).to_have_count(0)
    await expect(ada.root.get_by_text("Waiting to be sent")).to_have_count(0)
    await ada.root.get_by_role("button", name="Enter again").click()
    await ada.live()
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.part("banner")).to_be_hidden()


@pytest.mark.parametrize("element", [False, True], ids=["page", "box"])
async def test_roles_stand_beside_the_names(place: Place, visit: ClientSession, element: bool) -> None:
    """Everyone reads somebody's roles beside the name, in the list and in the messages, also once they have left; in a narrow box too."""
    host = await place(ChatRoom("lobby"), authenticate=authenticate)
    style = '<div style="width: 260px; height: 500px"><pychat-room src="/chat/"></pychat-room></div>'
    url = host.page(style) if element else f"{host.url}/chat/"
    ada = await enter(visit, url, "ada", element=element)
    many = await enter(visit, url, "many", element=element)
    roles = ["moderator", "a rather long name of a role", "<b>orbit</b>"]
    await ada.say("hi")
    await many.say("mind your words")
    await ada.sees("hi", "mind your words")
    for window in (ada, many):
        await expect(window.message("mind your words").locator(".role")).to_have_text(roles)
        await expect(window.message("hi").locator(".role")).to_have_count(0)
    if element:
        await ada.part("people-button").click()
    person = ada.root.locator(".person", has_text="Katherine")
    await expect(person.locator(".role")).to_have_text(roles)
    await expect(ada.root.locator(".person", has_text="Ada").locator(".role")).to_have_count(0)
    for piece in (person, ada.message("mind your words")):
        assert await piece.evaluate("one => one.scrollWidth <= one.clientWidth")
    if element:
        await ada.part("panel-close").click()
    await many.page.close()
    await expect(ada.part("people-count")).to_have_text("1")
    await expect(ada.message("mind your words").locator(".role")).to_have_text(roles)
