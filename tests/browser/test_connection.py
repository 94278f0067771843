"""Connections break: nothing that was written is lost or doubled, and nobody has to do anything about it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import WebSocketRoute, expect

import pychat
from pychat import ChatRoom, Refused
from pychat.domain.errors import Close
from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.browser.window import Window

# A WebSocket that fails as behind a proxy that does not know of any.
NO_WEBSOCKET = """WebSocket = class {
  constructor() {
    setTimeout(() => { this.onerror?.(new Event("error")); this.onclose?.(new CloseEvent("close", { code: 1006 })); });
  }
  close() {}
}"""


async def _texts(server: Server) -> list[str]:
    return [message.text for message in await server.room.history()]


async def test_messages_written_offline_survive_a_reload_and_are_sent_once(opened: Open, server: Server) -> None:
    """What is written while the server is away is kept, over a reload too, and sent once, in order, when it is back."""
    ada = await opened("Ada")
    await ada.say("before")
    await ada.has_sent("before")
    await server.stop()
    await ada.is_state("reconnecting")
    await expect(ada.part("banner")).to_be_visible()
    await ada.say("first offline")
    await ada.say("second offline")
    await expect(ada.message("first offline")).to_have_attribute("data-state", "pending")
    # The page itself comes from the server, so for a reload another must give it; this one accepts no connection.
    await _reload_without_connection(ada, server)
    await expect(ada.message("first offline")).to_have_attribute("data-state", "pending")
    await expect(ada.message("second offline")).to_have_attribute("data-state", "pending")
    await ada.page.unroute_all()
    await ada.try_now()
    await ada.has_sent("first offline")
    await ada.has_sent("second offline")
    await ada.sees("first offline", "second offline")
    assert ["first offline", "second offline"] == await _texts(server)


async def _reload_without_connection(window: Window, server: Server) -> None:
    await server.restart()
    await window.page.route(re.compile("/socket.io/"), lambda route: route.abort())
    await window.page.add_init_script(NO_WEBSOCKET)
    await window.reload()


async def test_a_lost_answer_does_not_double_the_message(opened: Open, server: Server) -> None:
    """Where a message was stored and the answer got lost, it stands there once, and is marked as sent."""
    ada = await opened("Ada")
    ben = await opened("Ben")
    lose = [True]

    def tap(route: WebSocketRoute) -> None:
        upstream = route.connect_to_server()

        async def answered(message: str | bytes) -> None:
            # 43 is an acknowledgement of Socket.IO (Engine.IO message 4, packet 3).
            if lose and isinstance(message, str) and message.startswith("43") and '"seq"' in message:
                lose.clear()
                server.went_away = True
                await upstream.close()
                await route.close()
            else:
                route.send(message)

        upstream.on_message(answered)

    await ada.page.route_web_socket(re.compile("/socket.io/"), tap)
    await ada.reload()
    await ada.live()
    await expect(ada.part("composer")).to_be_visible()
    await ada.say("only once")
    await ben.sees("only once")
    await ada.has_sent("only once")
    assert not lose
    await ada.say("and on")
    await ben.sees("only once", "and on")
    await ada.sees("only once", "and on")
    assert ["only once", "and on"] == await _texts(server)


async def test_a_restart_of_the_server_brings_everyone_back(opened: Open, server: Server) -> None:
    """After a restart that forgot everything, people have the same names again, and talk on, without a click."""
    ada, ben = await opened("Ada"), await opened("Ben")
    await ada.say("before")
    await ben.sees("before")
    await server.restart()
    for window in (ada, ben):
        await window.live()
        await expect(window.part("composer")).to_be_visible()
    await expect(ada.part("panel-count")).to_have_text("2")
    await ada.say("after")
    await ben.sees("after")
    await ada.sees("after")
    assert {"Ada", "Ben"} == {member.name for member in server.room.members}


async def test_what_was_missed_is_shown_once_and_in_order(
    opened: Open, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """Who was away for a while sees what was said meanwhile, after what they had, each message once."""
    room = ChatRoom("keeps")
    server = await serve(Server(room))
    ada = await opened("Ada", url=server.url)
    await ada.say("one")
    await ada.has_sent("one")
    await room.post("two", author="Ben")
    await ada.sees("one", "two")
    first = await ada.message("one").element_handle()
    await ada.page.context.set_offline(True)
    room.dismiss(Close.SLOW)
    await ada.is_state("reconnecting")
    await room.post("three", author="Ben")
    await ada.say("four")
    await ada.page.context.set_offline(False)
    await ada.sees("one", "two", "three", "four")
    await ada.has_sent("four")
    assert first is not None
    assert await first.evaluate("line => line.isConnected")


async def test_a_name_taken_meanwhile_is_asked_for_anew(opened: Open, server: Server) -> None:
    """Where somebody took the name while one was away, that is said, and what was written waits for the new name."""
    ada = await opened("Ada")
    await server.stop()
    await ada.is_state("reconnecting")
    await ada.say("waiting")
    await ada.page.context.set_offline(True)
    await server.restart()
    await opened("Ada")
    await ada.page.context.set_offline(False)
    await ada.live()
    await expect(ada.part("nickname-form")).to_be_visible()
    await expect(ada.part("name-error")).to_be_visible()
    await ada.join("Ada B")
    await ada.has_sent("waiting")
    assert ["waiting"] == await _texts(server)


async def test_a_refused_connection_says_why_and_waits_for_a_click(opened: Open, server: Server) -> None:
    """Where the server says no for good, its words are shown, and nothing is tried again without a click."""
    ada = await opened("Ada")
    server.room.dismiss(Close.KICKED)
    await ada.is_state("refused")
    await expect(ada.part("banner-text")).to_have_text(Close.KICKED.text)
    await expect(ada.part("banner")).to_have_attribute("data-tone", "danger")
    await ada.part("banner-button").click()
    await ada.live()
    await expect(ada.part("banner")).to_be_hidden()
    await expect(ada.part("composer")).to_be_visible()


RETURNS = {
    "online": "dispatchEvent(new Event('online'))",
    "in sight": """for (const hidden of [true, false]) {
      Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""",
}


@pytest.mark.parametrize("way", RETURNS)
async def test_the_browser_coming_back_ends_the_waiting(
    opened: Open, server: Server, serve: Callable[[Server], Awaitable[Server]], way: str
) -> None:
    """When the browser is online again, or its tab is looked at, the page connects at once, whatever it waits for."""
    server.went_away = True  # as browsers say of the other server
    refusals: list[Refused] = []

    def authenticate(_request: pychat.Request) -> None:
        if refusals:
            raise refusals[0]

    chat = await serve(Server(authenticate=authenticate))
    ada = await opened("Ada", url=chat.url)
    await ada.page.evaluate("Math.random = () => 1000")  # the next delays are longer than this test

    async def returns() -> None:
        await expect(ada.part("banner-count")).to_have_text(re.compile(r"in \d+ (min|hr)\."))
        await ada.page.evaluate(RETURNS[way])

    async def is_back(text: str) -> None:
        await ada.live()
        # Sent after the answer to `join`, without whose token the next connection would find the name taken.
        await ada.say(text)
        await ada.has_sent(text)

    await chat.stop()
    await returns()  # nobody answers yet
    await chat.restart()
    await returns()
    await is_back("after the restart")
    for refused in (
        Refused("unavailable", "Not just now.", retry_after=50),  # a `bye` with `retry_after`
        Refused("maintenance", "Back at ten.", retry_after=50),  # a refused connection
    ):
        refusals.append(refused)
        await chat.restart()
        await returns()
        await expect(ada.part("banner-text")).to_contain_text(refused.text)
        refusals.clear()
        await returns()
        await is_back(f"after {refused.code}")


async def test_a_refused_connection_is_tried_again_when_the_server_says(
    opened: Open, server: Server, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """A server that refuses with `retry_after` is asked again after that time, not before; the banner counts down."""
    asked: list[pychat.Request] = []

    def authenticate(request: pychat.Request) -> None:
        asked.append(request)
        if len(asked) == 2:
            raise Refused("maintenance", "Back in a minute.", retry_after=50)

    chat = await serve(Server(authenticate=authenticate))
    server.went_away = True  # as browsers say of the other server
    ada = await opened("Ada", url=chat.url)
    await ada.page.clock.install()
    await chat.restart()
    await expect(ada.part("banner-text")).to_contain_text("Back in a minute.", timeout=15_000)
    await expect(ada.part("banner-count")).to_have_text(re.compile(r"Trying again in (5|6|7)\d sec\."))
    await expect(ada.part("banner-button")).to_have_text("Try now")
    await ada.page.clock.fast_forward(45_000)
    await expect(ada.part("banner-count")).to_have_text(re.compile(r"Trying again in [123]?\d sec\."))
    assert 2 == len(asked)
    await ada.page.clock.fast_forward(30_000)
    await ada.live()
    assert 3 == len(asked)


async def test_polling_is_enough(opened: Open, server: Server) -> None:
    """Where no WebSocket gets through, people talk all the same."""
    ben = await opened("Ben")
    ada = await opened()
    server.went_away = True
    await ada.page.add_init_script(NO_WEBSOCKET)
    await ada.reload()
    await ada.live()
    await ada.join("Ada")
    await ada.say("by other ways")
    await ben.sees("by other ways")
    await ben.say("indeed")
    await ada.sees("by other ways", "indeed")
