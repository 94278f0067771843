"""An installed chat, and what there is to read of it without a network."""

from __future__ import annotations

import json

from playwright.async_api import expect

from pychat import ChatRoom, Request, User
from tests.browser.conftest import Open, Place
from tests.browser.server import Server

_READY = "navigator.serviceWorker.ready.then(one => one.active.scriptURL)"
#: What is kept; and what is kept when the page is closed.
_KEPT = "Object.entries(localStorage).filter(([key]) => key.endsWith(':kept')).map(([, value]) => value)"
_LEAVE = f"dispatchEvent(new Event('pagehide')) && {_KEPT}"


async def test_the_last_messages_can_be_read_without_a_network(serve, opened: Open) -> None:
    """The page comes without its server, in any room's address, with what was said last; then it goes on by itself."""
    server = await serve(
        Server(ChatRoom("lobby", title="The lobby"), ChatRoom("den", title="The den"), prefix="/chat/")
    )
    ada = await opened("Ada", url=server.url)
    await ada.say("kept in the lobby")
    await ada.has_sent("kept in the lobby")
    assert await ada.page.evaluate(_READY) == f"{server.url}worker.js"
    await ada.page.goto(f"{server.url}rooms/den")
    await ada.live()
    await ada.say("kept in the den")
    await ada.has_sent("kept in the den")
    rooms = server.rooms
    await server.stop()

    await ada.page.reload()
    await ada.sees("kept in the den")
    await expect(ada.part("title")).to_have_text("The den")
    await ada.page.goto(server.url)
    await ada.sees("kept in the lobby")
    await expect(ada.part("title")).to_have_text("The lobby")
    await expect(ada.page).to_have_url(server.url)

    await server.restart(*(ChatRoom(room.name, title=room.title) for room in rooms))
    await ada.live()
    await ada.sees()  # the server has forgotten it all, and is believed
    await ada.say("new")
    await ada.has_sent("new")
    ada.complaints[:] = ada.unexpected(server_was_away=True)


async def test_nobody_reads_what_was_kept_for_somebody_else(serve, opened: Open) -> None:
    """A browser that has another person now shows and keeps nothing of the first one."""
    server = await serve(Server())
    ada = await opened("Ada", url=server.url)
    await ada.say("only for Ada")
    await ada.has_sent("only for Ada")
    await ada.page.evaluate(_READY)
    [kept] = await ada.page.evaluate(_LEAVE)
    assert "only for Ada" in kept

    await ada.page.evaluate(
        "for (const key of Object.keys(localStorage)) if (key.endsWith(':person')) localStorage.removeItem(key)"
    )
    await ada.page.reload()
    await ada.live()
    assert "only for Ada" not in str(await ada.page.evaluate(_KEPT))


async def test_where_people_log_in_no_messages_are_kept(place: Place, opened: Open) -> None:
    """After a logout the next person at the computer finds nothing; the page is kept, and says nothing of rooms."""

    def authenticate(request: Request) -> User:
        return User("ada", "Ada")

    host = await place(ChatRoom("lobby", title="Secret plans"), authenticate=authenticate)
    ada = await opened(url=f"{host.url}/chat/")
    await ada.say("for insiders")
    await ada.has_sent("for insiders")
    await ada.page.evaluate(_READY)
    assert await ada.page.evaluate(_LEAVE) == []
    held = await ada.page.evaluate(
        """async () => {
          const texts = [];
          for (const name of await caches.keys())
            for (const answer of await (await caches.open(name)).matchAll()) texts.push(answer.url, await answer.text());
          return texts;
        }"""
    )
    assert any(text.endswith("/chat/offline") for text in held)
    assert not any("Secret plans" in text or "for insiders" in text for text in held)


async def test_the_server_is_asked_before_what_is_kept(server: Server, opened: Open) -> None:
    """While there is a network each page comes from the server; `offline="off"` ends the worker and removes all."""
    ada = await opened("Ada")
    await ada.page.evaluate(_READY)
    await ada.page.goto(server.url)
    assert await ada.page.evaluate("navigator.serviceWorker.controller !== null")
    await server.stop()
    server._options["offline"] = "off"
    server.rooms = (ChatRoom("lobby", title="A new title"),)
    await server.start()
    await ada.page.goto(server.url)
    await expect(ada.part("title")).to_have_text("A new title")
    await ada.page.wait_for_function(
        "async () => !(await navigator.serviceWorker.getRegistration()) && !(await caches.keys()).length"
    )
    assert await ada.page.evaluate(_LEAVE) == []


async def test_a_chat_can_be_installed(serve, opened: Open) -> None:
    """Chromium finds nothing wrong with the manifest and its pictures, wherever the chat is mounted."""
    server = await serve(Server(ChatRoom("lobby", title="The lobby"), prefix="/chat/"))
    ada = await opened("Ada", url=server.url)
    await ada.page.evaluate(_READY)
    devtools = await ada.page.context.new_cdp_session(ada.page)
    found = await devtools.send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"] == f"{server.url}manifest.webmanifest"
    told = json.loads(found["data"])
    assert (told["name"], told["scope"]) == ("The lobby", "./")
    wrong = await devtools.send("Page.getInstallabilityErrors")
    assert {error["errorId"] for error in wrong["installabilityErrors"]} <= {"in-incognito"}
