"""Rooms of an app: who may read and write, what is unread, direct messages, and what only one person sees."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Locator, expect

import pychat
from pychat import Chat, ChatRoom, User
from tests.browser.conftest import ClientSession, Place
from tests.browser.test_users import enter
from tests.browser.window import Window

Enter = Callable[[str], Awaitable[Window]]
USERS = {name: User(str(number), name.title()) for number, name in enumerate(("ada", "ben", "grace"))}


def authenticate(request: pychat.Request) -> User | None:
    """Whoever has a session is known."""
    return USERS.get(request.cookies.get("session", ""))


def link(window: Window, title: str) -> Locator:
    """The row of a room in the list."""
    return window.page.locator("a.room-link", has_text=title)


def rooms() -> list[ChatRoom]:
    """Two rooms."""
    return [ChatRoom("lobby", title="The lobby"), ChatRoom("tea", title="Tea")]


async def test_who_may_only_read_is_told_so(place: Place, visit: ClientSession) -> None:
    """A line stands in place of the message box; access that is given or taken away shows at once."""
    may = {"tea": "read"}
    chat = Chat(*rooms(), authenticate=authenticate, access=lambda _, room: may.get(room, "write"))
    host = await place(chat)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await link(ada, "Tea").click()
    await expect(ada.part("read-only")).to_be_visible()
    for part in ("composer", "nickname-form"):
        await expect(ada.part(part)).to_be_hidden()
    may["tea"] = "write"
    await chat.refresh(USERS["ada"].id)
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.part("read-only")).to_be_hidden()
    await ada.say("thank you")
    await ada.has_sent("thank you")
    may["tea"] = "none"
    await chat.refresh(USERS["ada"].id)
    await expect(ada.page.get_by_role("heading", name="You cannot read this room any more")).to_be_visible()
    await ada.sees()
    await expect(link(ada, "Tea")).to_have_count(0)
    await ada.page.get_by_role("button", name="Go to The lobby").click()
    await expect(ada.part("composer")).to_be_visible()


async def test_no_room_and_a_forbidden_room_have_a_quiet_page(place: Place, visit: ClientSession) -> None:
    """Who may enter no room reads so; a room that is closed to a person and one that is not there look the same."""
    may = {"lobby": "none", "tea": "none"}
    chat = Chat(*rooms(), authenticate=authenticate, access=lambda _, room: may.get(room, "none"))
    host = await place(chat)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await expect(ada.page.get_by_role("heading", name="No rooms yet")).to_be_visible()
    assert "Tea<" not in await ada.page.content()
    for name in ("tea", "nowhere"):
        there = await enter(visit, f"{host.url}/chat/", "ada", "404")
        await there.page.goto(f"{host.url}/chat/rooms/{name}")
        await expect(there.page.get_by_role("heading", name="There is no such room")).to_be_visible()
        await expect(there.page).to_have_title(re.compile("Chat|tea|nowhere"))
        assert "Tea<" not in await there.page.content()


async def test_a_whisper_is_seen_by_one_person(place: Place, visit: ClientSession) -> None:
    """What the app whispers to one member is marked as such, and nobody else has it."""
    room = ChatRoom("lobby", title="The lobby")
    host = await place(room, authenticate=authenticate)
    ada, ben = [await enter(visit, f"{host.url}/chat/", name) for name in ("ada", "ben")]
    await ada.live()
    await ben.live()
    await room.whisper(USERS["ada"], "Only for you.", author="Helper")
    await room.post("For all.", author="Helper")
    await ada.sees("Only for you.", "For all.")
    await expect(ada.message("Only for you.")).to_have_class(re.compile("whisper"))
    await expect(ada.message("Only for you.").get_by_text("only you can see this")).to_be_visible()
    await ben.sees("For all.")
