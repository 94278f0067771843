"""client.js is of use without the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser

from pychat import ChatRoom
from tests.browser.server import Server

DOCUMENTED = """async () => {
  const { connect, Refusal } = await import("/chat/client.js");
  const room = connect({ room: "lobby", remember: false });
  const heard = [];
  room.on("message", ({ author, text }) => heard.push(`${author.name}: ${text}`));
  const member = await room.join("Ada");
  const { seq } = await room.say("hi");
  let code;
  try { await room.join("admin"); } catch (refusal) { code = refusal instanceof Refusal && refusal.code; }
  await room.leave();
  let after;
  try { await room.say("x"); } catch (refusal) { after = refusal.code; }
  room.close();
  return { name: member.name, seq, heard, code, after, stored: localStorage.length, state: room.state.name };
}"""

UNKNOWN_ROOM = """async () => {
  const { connect } = await import("/chat/client.js");
  const room = connect({ room: "nowhere", remember: false });
  let code;
  try { await room.join("Ada"); } catch (refusal) { code = refusal.code; }
  room.close();
  return { code };
}"""


@pytest.fixture
def elsewhere() -> Server:
    """A room under `/chat/`, in a web site that has pages of its own."""
    return Server(ChatRoom("lobby"), prefix="/chat/")


async def test_a_page_of_ones_own_can_chat(
    browser: Browser, elsewhere: Server, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """Three calls connect, join and say; the room is found by where the file came from; nothing is left behind."""
    server = await serve(elsewhere)
    page = await browser.new_page()
    await page.goto(server.url.replace("/chat/", "/chat/assets/favicon.svg"))
    result = await page.evaluate(DOCUMENTED)
    await page.close()
    assert {
        "name": "Ada",
        "seq": 1,
        "heard": ["Ada: hi"],
        "code": "name_reserved",
        "after": "not_joined",
        "stored": 0,
        "state": "closed",
    } == result


async def test_a_room_that_does_not_exist_is_refused(
    browser: Browser, elsewhere: Server, serve: Callable[[Server], Awaitable[Server]]
) -> None:
    """Whoever waits to join a room that is not there is told, and does not wait for ever."""
    server = await serve(elsewhere)
    page = await browser.new_page()
    await page.goto(server.url.replace("/chat/", "/chat/assets/favicon.svg"))
    result = await page.evaluate(UNKNOWN_ROOM)
    await page.close()
    assert {"code": "offline"} == result
