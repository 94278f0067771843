"""Pages of another origin: what they may, and what they are told where they may not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from pychat import ChatRoom
from tests.browser.conftest import ClientSession, Place
from tests.browser.host import STRICT, Host, box
from tests.browser.server import Server
from tests.browser.window import Window

Serve = Callable[[Server], Awaitable[Server]]

CLIENT = """async ([script, room]) => {
  const { connect, Refusal } = await import(script);
  const client = connect({ room, name: "Ada", remember: false });
  const state = await new Promise((resolve) => {
    client.on("state", (state) => ["live", "refused"].includes(state.name) && resolve(state));
  });
  if (state.name === "refused") return state;
  const { seq } = await new Promise((resolve) => client.on("joined", () => resolve(client.say("hi"))));
  client.close();
  return { seq };
}"""


async def two_sites(place: Place, serve: Serve, **options: object) -> tuple[Host, Server]:
    """A site with pages, and a chat on another port."""
    host = await place()
    if options.get("allow"):
        return host, await serve(Server(ChatRoom("lobby"), prefix="/chat/", allowed_origins=[host.url]))
    return host, await serve(Server(ChatRoom("lobby"), prefix="/chat/"))


async def test_an_allowed_page_has_the_room(place: Place, visit: ClientSession, serve: Serve) -> None:
    """Script, styles, markup and connection all come from the other origin, under a policy that names just that."""
    host, chat = await two_sites(place, serve, allow=True)
    origin = chat.url.removesuffix("/chat/")
    policy = STRICT.format(origin, origin.replace("http", "ws"))
    page = await visit(
        host.page(
            '<pychat-room room="lobby"></pychat-room>',
            script=f"{chat.url}pychat-room.js",
            Content_Security_Policy=policy,
        )
    )
    ada, bob = box(page), Window(await visit(chat.url), "")
    await ada.join("Ada")
    await bob.join("Bob")
    await ada.say("from elsewhere")
    await bob.sees("from elsewhere")
    await bob.say("heard")
    await ada.sees("from elsewhere", "heard")


async def test_long_polling_works_from_there_too(place: Place, visit: ClientSession, serve: Serve) -> None:
    """Where no WebSocket gets through, an allowed page of another origin still can talk."""
    host, chat = await two_sites(place, serve, allow=True)
    page = await visit(host.page("", script=""), "WebSocket")
    await page.evaluate("() => { globalThis.WebSocket = class { constructor() { throw new Error('blocked'); } }; }")
    assert {"seq": 1} == await page.evaluate(CLIENT, [f"{chat.url}client.js", "lobby"])


async def test_a_page_that_may_not_is_told_why(
    place: Place, visit: ClientSession, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """The box says that it is not open to this page; console and server's log name the setting that opens it."""
    host, chat = await two_sites(place, serve)
    page = await visit(
        host.page('<pychat-room room="lobby"></pychat-room>', script=""), "403", f"--allow-origin {host.url}"
    )
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    with caplog.at_level(logging.WARNING, "pychat.origin"):
        await page.evaluate("script => import(script)", f"{chat.url}pychat-room.js")
        await expect(page.locator("pychat-room").get_by_role("status")).to_contain_text("not open to this page")
    assert any(
        f'with --allow-origin {host.url}, or mount it with allowed_origins=["{host.url}"]' in text for text in said
    )
    assert f"--allow-origin {host.url}" in caplog.text
    # Nothing else was tried: no WebSocket that could only fail.
    assert [] == [text for text in said if "WebSocket" in text]


async def test_the_bare_client_is_told_as_well(place: Place, visit: ClientSession, serve: Serve) -> None:
    """A script that draws its own list finds in `state` why it is refused: the origin, or a room that is not there."""
    host, chat = await two_sites(place, serve)
    page = await visit(host.page("", script=""), "403", "WebSocket", "CORS", "net::ERR_FAILED")
    refused = await page.evaluate(CLIENT, [f"{chat.url}client.js", "lobby"])
    assert ("refused", "origin_refused") == (refused["name"], refused["code"])
    assert f"--allow-origin {host.url}" in refused["text"]


async def test_a_room_that_is_not_there_is_a_refusal_with_a_code(
    place: Place, visit: ClientSession, serve: Serve
) -> None:
    """From an allowed page, the bare client says which."""
    host, chat = await two_sites(place, serve, allow=True)
    page = await visit(host.page("", script=""), "404")
    refused = await page.evaluate(CLIENT, [f"{chat.url}client.js", "attic"])
    assert ("refused", "unknown_room") == (refused["name"], refused["code"])


async def test_rooms_of_two_servers_stand_on_one_page(place: Place, visit: ClientSession, serve: Serve) -> None:
    """One script serves for both; a name that is taken here is none there, also after a reload."""
    host = await place(ChatRoom("lobby", title="Ours"))
    there = await serve(Server(ChatRoom("lobby", title="Theirs"), prefix="/", allowed_origins=[host.url]))
    page = await visit(
        host.page(
            f'<pychat-room id="a" src="/chat/" room="lobby"></pychat-room>'
            f'<pychat-room id="b" src="{there.url}" room="lobby"></pychat-room>'
        )
    )
    ours, theirs = box(page, "#a"), box(page, "#b")
    await ours.join("Ada")
    await expect(theirs.part("nickname-form")).to_be_visible()
    await theirs.join("Beatrice")
    await theirs.say("over there")
    await theirs.sees("over there")
    await page.reload()
    await expect(ours.part("me-name")).to_have_text("Ada")
    await expect(theirs.part("me-name")).to_have_text("Beatrice")
    await expect(ours.part("empty")).to_be_visible()
    await expect(theirs.root.get_by_role("heading", name="Theirs")).to_be_visible()
