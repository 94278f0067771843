"""Rooms of an app: who may read and write, what is unread, direct messages, and what only one person sees."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Locator, WebSocketRoute, expect

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


async def test_badges_count_what_is_unread(place: Place, visit: ClientSession) -> None:
    """The list and the title count messages and mentions of rooms that are not looked at; another device clears them."""
    host = await place(Chat(*rooms(), authenticate=authenticate))
    url = f"{host.url}/chat/"
    ada, ben = await enter(visit, url, "ada"), await enter(visit, url, "ben")
    await link(ada, "Tea").click()
    await expect(ada.page.locator("h1")).to_have_text("Tea")
    await ada.live()
    await link(ada, "The lobby").click()
    await link(ben, "Tea").click()
    await ben.say("one")
    await ben.say("two, @Ada")
    await expect(link(ada, "Tea").locator(".badge:visible")).to_have_text(["@", "2"])
    await expect(link(ada, "Tea")).to_have_accessible_name(re.compile("Tea ?, 2 unread messages, 1 mention of you"))
    await expect(ada.page).to_have_title("(2) The lobby")
    device = await enter(visit, url, "ada")
    await expect(link(device, "Tea").locator(".badge:visible")).to_have_text(["@", "2"])
    await link(device, "Tea").click()
    await expect(device.page.locator(".new-line + .message .text")).to_have_text("one")
    for window in (ada, device):
        await expect(link(window, "Tea").locator(".badge:visible")).to_have_count(0)
    await expect(ada.page).to_have_title("The lobby")


async def test_people_write_to_each_other_directly(place: Place, visit: ClientSession) -> None:
    """A click on a name opens a room of two, which has the other's name; who is blocked is told, and not seen."""
    host = await place(Chat(*rooms(), authenticate=authenticate))
    url = f"{host.url}/chat/"
    ada, ben, grace = [await enter(visit, url, name) for name in ("ada", "ben", "grace")]
    await ada.page.locator(".person", has_text="Ben").click()
    await ada.page.get_by_role("button", name="Send a message").click()
    await expect(ada.page.locator("h1")).to_have_text("Ben")
    await ada.say("psst")
    await ada.has_sent("psst")
    await expect(link(ben, "Ada").locator(".badge:visible")).to_have_text(["1"])
    await link(ben, "Ada").click()
    await ben.sees("psst")
    await expect(ben.page.locator("h1")).to_have_text("Ada")
    await ben.page.reload()
    await ben.sees("psst")
    await expect(link(grace, "Ada")).to_have_count(0)
    await ben.message("psst").locator(".who").click()
    await ben.page.get_by_role("button", name="Block").click()
    await expect(ben.message("Message of a person whom you block")).to_be_visible()
    await ada.say("are you there?")
    await expect(ada.message("are you there?")).to_have_attribute("data-state", "failed")
    await ben.message("Message of a person whom you block").locator(".who").click()
    await ben.page.get_by_role("button", name="Unblock").click()
    await ben.sees("psst")


async def test_guests_write_to_each_other_directly(place: Place, visit: ClientSession) -> None:
    """People without a login can do the same, also after a reload."""
    host = await place(Chat(*rooms()))
    windows = [Window(await visit(f"{host.url}/chat/"), "") for _ in range(2)]
    ada, ben = [await window.join(name) for window, name in zip(windows, ("Ada", "Ben"), strict=True)]
    await ada.page.locator(".person", has_text="Ben").click()
    await ada.page.get_by_role("button", name="Send a message").click()
    await ada.say("psst")
    await link(ben, "Ada").click()
    await ben.sees("psst")
    await ben.page.reload()
    await ben.sees("psst")
    await expect(ben.page.locator("h1")).to_have_text("Ada")


async def test_what_is_written_while_a_direct_room_opens_goes_there(place: Place, visit: ClientSession) -> None:
    """Whoever asks to write to one person and types at once never writes to everybody; the draft for them stays."""
    lobby, tea = rooms()
    host = await place(Chat(lobby, tea))
    page = await visit("about:blank")
    answers: list[asyncio.Event] = []

    def slowly(route: WebSocketRoute) -> None:
        upstream = route.connect_to_server()
        kept: list[str | bytes] = []

        async def said(message: str | bytes) -> None:
            if '["direct"' not in str(message):
                upstream.send(message)
                return
            kept.append(message)
            answers.append(asyncio.Event())
            await answers[-1].wait()
            upstream.send(kept.pop())

        route.on_message(said)

    await page.route_web_socket(re.compile("/socket.io/"), slowly)
    await page.goto(f"{host.url}/chat/")
    ada, ben = Window(page, ""), Window(await visit(f"{host.url}/chat/"), "")
    await ada.join("Ada")
    await ben.join("Ben")
    await ada.part("text").fill("half a sentence for all")
    await ada.page.locator(".person", has_text="Ben").click()
    await ada.page.get_by_role("button", name="Send a message").click()
    await expect(ada.part("text")).to_be_focused()
    await ada.page.keyboard.type("psst")
    await ada.page.keyboard.press("Enter")
    await ada.page.keyboard.type("I have a")
    await expect(ada.part("text")).to_have_value("I have a")
    answers[0].set()
    await expect(ada.page.locator("h1")).to_have_text("Ben")
    await ada.page.keyboard.type(" secret")
    await ada.page.keyboard.press("Enter")
    await ada.sees("psst", "I have a secret")
    await link(ada, "The lobby").click()
    await expect(ada.part("text")).to_have_value("half a sentence for all")
    await expect(ben.messages).to_have_count(0)
    await link(ben, "Ada").click()
    await ben.sees("psst", "I have a secret")
    # The same words after a refusal: they wait there, and the room before is one click away.
    await link(ben, "The lobby").click()
    await ben.page.locator(".person", has_text="Ada").click()
    await ben.page.get_by_role("button", name="Block").click()
    await ada.page.locator(".person", has_text="Ben").click()
    await ada.page.get_by_role("button", name="Send a message").click()
    await ada.page.keyboard.type("sorry\n")
    await expect(ada.page.get_by_role("heading", name="Opening your conversation with Ben")).to_be_visible()
    await expect(ada.part("barred-text")).to_have_text("sorry")
    answers[1].set()
    await expect(ada.page.get_by_role("heading", name="did not open")).to_be_visible()
    await expect(ada.page.get_by_role("button", name="Try again")).to_be_visible()
    await expect(ada.part("barred-text")).to_have_text(re.compile("Not sent: sorry"))
    await ada.page.get_by_role("button", name="Back to The lobby").click()
    await expect(ada.part("text")).to_have_value("half a sentence for all")
    await link(ada, "Tea").click()
    await ada.page.keyboard.type("tea?\n")
    await ada.sees("tea?")
    assert [] == [message.text for message in await lobby.history()]


async def test_who_may_only_read_is_told_so(place: Place, visit: ClientSession) -> None:
    """A line stands in place of the message box; access that is given or taken away shows at once."""
    may = {"tea": "read"}
    chat = Chat(*rooms(), authenticate=authenticate, access=lambda _, room: may.get(room, "write"))
    host = await place(chat)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await link(ada, "Tea").click()
    await expect(ada.part("read-only")).to_be_visible()
    await expect(ada.part("empty-read")).to_be_visible()
    for part in ("composer", "nickname-form", "share-hello"):
        await expect(ada.part(part)).to_be_hidden()
    may["tea"] = "write"
    await chat.refresh(USERS["ada"].id)
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.part("read-only")).to_be_hidden()
    await expect(ada.part("share-hello")).to_be_visible()
    await ada.say("thank you")
    await ada.has_sent("thank you")
    may["tea"] = "none"
    await chat.refresh(USERS["ada"].id)
    await expect(ada.page.get_by_role("heading", name="You cannot read this room any more")).to_be_visible()
    await ada.sees()
    await expect(link(ada, "Tea")).to_have_count(0)
    await ada.page.get_by_role("button", name="Go to The lobby").click()
    await expect(ada.part("composer")).to_be_visible()


async def test_the_way_out_leads_to_no_direct_room(place: Place, visit: ClientSession) -> None:
    """It leads to the first room that one may read; who has direct rooms only is shown the list."""
    may: dict[str, str] = {}
    chat = Chat(*rooms(), authenticate=authenticate, access=lambda _, room: may.get(room, "write"))
    host = await place(chat)
    ada, ben = [await enter(visit, f"{host.url}/chat/", name) for name in ("ada", "ben")]
    await ben.live()
    await ada.page.locator(".person", has_text="Ben").click()
    await ada.page.get_by_role("button", name="Send a message").click()
    await expect(link(ada, "Ben")).to_be_visible()
    await link(ada, "Tea").click()
    await ada.live()
    may["tea"] = "none"
    await chat.refresh(USERS["ada"].id)
    await ada.page.get_by_role("button", name="Go to The lobby").click()
    await ada.live()
    may["lobby"] = "none"
    await chat.refresh(USERS["ada"].id)
    await ada.page.get_by_role("button", name="Show my rooms").click()
    await expect(link(ada, "Ben")).to_be_focused()


async def test_no_room_and_a_forbidden_room_have_a_quiet_page(place: Place, visit: ClientSession) -> None:
    """Who may enter no room reads so; a room that is closed to a person and one that is not there look the same."""
    may = {"lobby": "none", "tea": "none"}
    chat = Chat(*rooms(), authenticate=authenticate, access=lambda _, room: may.get(room, "none"))
    host = await place(chat)
    ada = await enter(visit, f"{host.url}/chat/", "ada")
    await expect(ada.page.get_by_role("heading", name="No rooms yet")).to_be_visible()
    await expect(ada.part("side")).to_be_hidden()
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


async def test_a_badge_anywhere_counts_what_is_unread(place: Place, visit: ClientSession) -> None:
    """`<pychat-unread>` counts all rooms or one, messages or mentions, on one connection, and puts nobody into a room."""
    lobby, tea = rooms()
    host = await place(Chat(lobby, tea, authenticate=authenticate))
    reader = await enter(visit, f"{host.url}/chat/", "ada")
    await link(reader, "Tea").click()
    await expect(reader.page.locator("h1")).to_have_text("Tea")
    await reader.live()
    await reader.page.close()
    badges = """<p>All <pychat-unread id="all" src="/chat/"></pychat-unread></p>
      <p>Tea <pychat-unread id="tea" src="/chat/" room="tea"></pychat-unread></p>
      <p>Named <pychat-unread id="named" src="/chat/" mentions></pychat-unread></p>"""
    url = host.page(badges, script="/chat/pychat-unread.js")
    ada = await enter(visit, host.page("", script=""), "ada")
    sockets: list[str] = []
    ada.page.on("websocket", lambda socket: sockets.append(socket.url))
    await ada.page.goto(url)
    all_rooms, one, named = [ada.page.locator(f"#{name}").locator("[part=badge]") for name in ("all", "tea", "named")]
    for badge in (all_rooms, one, named):
        await expect(badge).to_be_hidden()
    await tea.post("hello", author="Ben")
    await lobby.post("hello @Ada", author="Ben")
    await lobby.post("and again", author="Ben")
    await expect(all_rooms).to_have_text("3")
    await expect(all_rooms).to_have_attribute("aria-label", "3 unread messages")
    await expect(one).to_have_text("1")
    await expect(named).to_have_text("1")
    assert 1 == len(sockets)
    assert (0, 0) == (lobby.here, tea.here)
    await ada.page.evaluate("document.querySelector('#tea').room = 'lobby'")
    await expect(one).to_have_text("2")
