"""Socket.IO's connection state recovery, for npm's client as it is: nothing lost, nothing twice, the name is back."""

from __future__ import annotations

from typing import Any

import pytest

from pychat import ChatRoom, Limits, aiohttp_app
from pychat.stores import MemoryStore, Retention
from pychat.testing import Person
from tests.clients import SocketIOPerson
from tests.servers import aiohttp_server

TRANSPORTS = pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])


@TRANSPORTS
async def test_a_dropped_client_gets_what_it_missed(transports: list[str], node_clients: Any) -> None:
    """`recovered` is true; exactly the missed messages of others arrive, in order; what it says next has its name."""
    room = ChatRoom(limits=Limits(rate=0))
    async with aiohttp_server(aiohttp_app(room)) as url:
        bob = await Person.enter(room)
        await bob.join("Bob")
        ada = await node_clients(url, transports=transports, reconnectionDelay=300, reconnectionDelayMax=300)
        assert (await ada.told("(connect)"))[1] is False
        await ada.do("emit", "setPseudo", "Ada")
        await ada.told("pseudoStatus")
        await ada.call("message", "mine before")
        await bob.say("heard")
        assert (await ada.told("message"))[0]["message"] == "heard"
        await ada.do("drop")
        await ada.told("(disconnect)")
        for number in range(5):
            await bob.say(f"missed {number}")
        connected = await ada.told("(connect)")
        assert connected[1] is True
        assert [f"missed {number}" for number in range(5)] == [
            (await ada.told("message"))[0]["message"] for _ in range(5)
        ]
        await ada.do("emit", "message", "still Ada")
        while (heard := await bob.event("message"))["text"] != "still Ada":
            pass
        assert heard["author"]["name"] == "Ada"


async def test_a_client_that_received_only_the_counter_recovers(node_clients: Any) -> None:
    """Every event carries the position, the first `nbUsers` too; a bare `pseudoStatus` would not do."""
    room = ChatRoom()
    async with aiohttp_server(aiohttp_app(room)) as url:
        ada = await node_clients(url, transports=["websocket"], reconnectionDelay=300)
        counted, offset = await ada.told("nbUsers")
        assert counted == {"nb": 1}
        assert isinstance(offset, str)
        await ada.do("emit", "setPseudo", "Ada")
        status, offset = await ada.told("pseudoStatus")
        assert (status, offset.rpartition("~")[2]) == ("ok", "0")
        await ada.do("drop")
        await ada.told("(disconnect)")
        await room.post("missed", author="bot")
        assert (await ada.told("(connect)"))[1] is True
        assert (await ada.told("message"))[0]["message"] == "missed"


async def test_where_the_past_is_gone_the_name_is_not(node_clients: Any) -> None:
    """Too much was missed: not recovered, no pretence, and still the same person."""
    room = ChatRoom(store=MemoryStore(Retention(count=3)), limits=Limits(page=3))
    async with aiohttp_server(aiohttp_app(room)) as url:
        ada = await node_clients(url, transports=["websocket"], reconnectionDelay=300)
        await ada.do("emit", "setPseudo", "Ada")
        await ada.told("pseudoStatus")
        await ada.do("drop")
        await ada.told("(disconnect)")
        for number in range(10):
            await room.post(str(number), author="bot")
        assert (await ada.told("(connect)"))[1] is False
        assert (await ada.call("message", "hello"))["ok"]
        assert (await room.history(limit=1))[0].author.name == "Ada"


async def test_a_made_up_pid_is_nobody(node_clients: Any) -> None:
    """Only a `pid` that this room has signed makes somebody."""
    room = ChatRoom()
    async with aiohttp_server(aiohttp_app(room)) as url:
        ada = await Person.enter(room)
        await ada.join("Ada")
        member = room.members[0]
        await ada.drop()
        for pid in (member.id, f"x~{member.id}", f"x~{member.id}.forged", "", 7, None):
            eve = await node_clients(url, transports=["websocket"], auth={"pid": pid, "offset": "x"})
            assert (await eve.call("message", "I am Ada"))["error"]["code"] == "not_joined"
            await eve.do("close")


async def test_python_clients_are_not_given_what_they_cannot_take() -> None:
    """python-socketio's client hands every argument to handlers: it gets one, as ever."""
    room = ChatRoom()
    async with aiohttp_server(aiohttp_app(room)) as url:
        ada = SocketIOPerson()
        taken: list[tuple[object, ...]] = []

        def heard(*arguments: object) -> None:
            taken.append(arguments)
            ada.told.put("message", arguments[0])

        ada.client.on("message", heard)
        await ada.client.connect(url, transports=["websocket"], wait_timeout=10)
        await room.post("hi", author="bot")
        await ada.event("message")
        assert [1] == [len(arguments) for arguments in taken]
        await ada.close()
