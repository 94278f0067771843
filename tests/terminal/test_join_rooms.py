"""`pychat join` tells what is unread in the person's other rooms."""

from __future__ import annotations

from pathlib import Path

from pychat import Chat, ChatRoom, Client, Request, User, aiohttp_app
from pychat.client.address import Address
from pychat.terminal.join.app import ChatApp
from pychat.terminal.token_store import TokenStore
from tests.servers import aiohttp_server
from tests.terminal.test_join import Screen


def _ada(_: Request) -> User:
    return User("ada", "Ada")


async def test_what_is_unread_elsewhere_is_told_as_it_changes(tmp_path: Path) -> None:
    """The bar has the number, `/rooms` has each room; nobody sees the person in those rooms."""
    lobby, kitchen = ChatRoom("lobby", title="The lobby"), ChatRoom("kitchen", title="The kitchen")
    chat = Chat(lobby, kitchen, ChatRoom("attic", title="The attic"), authenticate=_ada)
    async with aiohttp_server(aiohttp_app(chat)) as url:
        await chat.follow("ada", "kitchen")
        app = ChatApp(TokenStore(tmp_path / "members.json"), Address.parse(url), None)
        async with Client(url, on_state=app.turn) as app.chat, app.run_test(size=(80, 24)) as pilot:
            ada = Screen(app, pilot)
            await ada.until(lambda: "Ada" in ada.bar("top"))
            await kitchen.post("Tea is ready", author="Bob")
            await ada.until(lambda: "1 unread in /rooms" in ada.bar("status"))
            await kitchen.post("@Ada, it gets cold", author="Bob")
            await ada.until(lambda: "2 unread in /rooms" in ada.bar("status"))
            await ada.say("/rooms")
            await ada.sees("The kitchen", "2 unread", "The lobby", "you are here", "The attic")
            assert kitchen.here == 0


async def test_a_server_with_one_room_needs_no_list(tmp_path: Path) -> None:
    """A guest of a plain room sees that room alone."""
    async with aiohttp_server(aiohttp_app(ChatRoom("lobby", title="The lobby"))) as url:
        app = ChatApp(TokenStore(tmp_path / "members.json"), Address.parse(url), "Ada")
        async with Client(url, on_state=app.turn) as app.chat, app.run_test(size=(80, 24)) as pilot:
            ada = Screen(app, pilot)
            await ada.until(lambda: "Ada" in ada.bar("top"))
            await ada.say("/rooms")
            await ada.until(lambda: "lobby" in ada.log or "no other rooms" in ada.log)
