"""A backup that was put back: the same room and epoch, other events. Whoever saw more is told so, on every wire."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pychat import ChatRoom, Client, Limits, Message, Position, RoomSnapshot, aiohttp_app
from pychat.stores.sqlite import SqliteStore
from pychat.testing.renewal import renew
from tests.client.cable import cable
from tests.client.hearing import texts
from tests.clients import SocketIOPerson, SSEPerson, WebSocketPerson
from tests.servers import aiohttp_server

#: What the room holds after the backup was put back, from the first that a client at 10 has not heard.
NEW = ["new 6", "new 7", "new 8", "new 9", "new 10", "new 11", "new 12"]


@asynccontextmanager
async def lobby(path: Path) -> AsyncIterator[tuple[str, ChatRoom, Callable[[], Awaitable[None]]]]:
    """A room on a file whose backup holds 5 messages, while it has 10; its address; and how the backup is put back."""
    file = path / "chat.db"
    first = SqliteStore(file)
    room = ChatRoom(store=first, limits=Limits(rate=0))
    for number in range(1, 6):
        await room.post(f"old {number}", author="bot")
    await first.aclose()
    shutil.copy(file, path / "backup.db")
    stores = [SqliteStore(file)]
    renew(room, stores[0])

    async def put_back() -> None:
        stores.append(SqliteStore(path / "backup.db"))
        renew(room, stores[-1])
        for number in range(6, 13):
            await room.post(f"new {number}", author="bot")

    async with aiohttp_server(aiohttp_app(room)) as url:
        for number in range(6, 11):
            await room.post(f"old {number}", author="bot")
        yield url, room, put_back
    for store in stores:
        await store.aclose()


async def test_version_1_on_both_sockets(tmp_path: Path) -> None:
    """The position is what the welcome, an event or an answer said; the id in it shows that it was another log."""
    async with lobby(tmp_path) as (url, room, put_back):
        ada = await WebSocketPerson.enter(url)
        welcome = await ada.event("welcome")
        assert welcome["id"] == welcome["messages"][-1]["id"]
        since = Position(welcome["epoch"], welcome["seq"], welcome["id"])
        await ada.close()
        await put_back()
        assert room.position.epoch == since.epoch
        for person in (await WebSocketPerson.enter(url, since), await SocketIOPerson.enter(url, since)):
            told = await person.event("welcome")
            assert (told["recovered"], [each["text"] for each in told["messages"]][5:]) == (False, NEW)
            await person.close()
        # Who left before the backup was made has missed nothing else.
        early = Position(since.epoch, 5, welcome["messages"][4]["id"])
        person = await WebSocketPerson.enter(url, early)
        told = await person.event("welcome")
        assert (told["recovered"], told["id"]) == (True, early.id)
        assert [(await person.event("message"))["text"] for _ in NEW] == NEW
        await person.close()


async def test_event_streams(tmp_path: Path) -> None:
    """A browser says the `id:` of the last event, and knows nothing of what is in it."""
    async with lobby(tmp_path) as (url, room, put_back):
        ada = await SSEPerson.enter(url)
        await ada.event("welcome")
        await room.post("old 11", author="bot")
        await ada.event("message")
        offset = ada.offset or ""
        await ada.close()
        await put_back()
        back = await SSEPerson.enter(url, lastEventId=offset)
        told = await back.event("welcome")
        assert (told["recovered"], [each["text"] for each in told["messages"]][5:]) == (False, NEW)
        await back.close()


async def test_unmodified_clients_of_socket_io(tmp_path: Path, node_clients: Any) -> None:
    """The string that ends each event holds it; what the client heard was a message, or only the number of people."""
    async with lobby(tmp_path) as (url, room, put_back):
        ada = await node_clients(url, transports=["websocket"], reconnectionDelay=300)
        await ada.told("nbUsers")
        bob = await node_clients(url, transports=["websocket"], reconnectionDelay=300)
        await bob.told("nbUsers")
        await room.post("old 11", author="bot")
        for each in (ada, bob):
            assert (await each.told("message"))[0]["message"] == "old 11"
        await put_back()
        for each in (ada, bob):
            await each.do("drop")
            await each.told("(disconnect)")
            while (await each.told("(connect)"))[1] is not False:
                pass
        await room.post("and on", author="bot")
        assert (await ada.told("message"))[0]["message"] == "and on"


async def test_the_python_client(tmp_path: Path) -> None:
    """It is told that something was missed, and the newest page."""
    async with lobby(tmp_path) as (url, room, put_back), cable(url) as laid, Client(laid.url) as ada:
        assert isinstance(await anext(ada), RoomSnapshot)
        await room.post("old 11", author="bot")
        assert await texts(ada, "old 11") == ["old 11"]
        laid.unplugged = True
        laid.cut()
        await put_back()
        laid.unplugged = False
        while not isinstance(event := await anext(ada), RoomSnapshot):
            assert not isinstance(event, Message)
        assert (event.missed, [each.text for each in event.messages][5:]) == (True, NEW)
