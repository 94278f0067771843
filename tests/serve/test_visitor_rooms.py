"""`pychat serve --rooms`: which rooms there are, who makes them, and how many."""

from __future__ import annotations

import json

import pytest

from pychat import Limits, Refused, RoomSettings
from pychat.cli.visitor_rooms import VisitorRooms
from pychat.room.rate_limiter import RateLimiter
from pychat.stores import MemoryStore, RoomRecord
from pychat.testing import FakeClock
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.room.visiting import request
from tests.serve.test_serve import get
from tests.servers import pychat_process

RATE = Limits().table["rooms"]


@pytest.mark.parametrize("rooms", ["open", "listed"])
async def test_a_visitor_makes_a_room(rooms: str) -> None:
    """Any name is a room, for all who name it; with `listed` it is in the list of rooms, else it is not."""
    with pychat_process("--rooms", rooms, "--room", "lobby") as served:
        status, _, body = get(f"{served.url}/rooms/tea-42")
        assert (status, b"tea-42" in body) == (200, True)
        ada = await WebSocketPerson.enter(served.url, room="tea-42")
        bob = await SocketIOPerson.enter(served.url, room="tea-42")
        assert (await ada.event("welcome"))["room"] == {"name": "tea-42", "title": "tea-42"}
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "hi"})
        assert (await bob.event("message"))["text"] == "hi"
        listed = [room["name"] for room in json.loads(get(f"{served.url}/api/rooms")[2])["rooms"]]
        assert listed == (["lobby", "tea-42"] if rooms == "listed" else ["lobby"])
        assert (b"tea-42" in get(f"{served.url}/")[2]) == (rooms == "listed")
        assert get(f"{served.url}/rooms/no%20room")[0] == 404
        for person in (ada, bob):
            await person.close()


async def test_one_address_makes_so_many_rooms() -> None:
    """20 at once and 2 a minute, 100 that are open; rooms that were made before cost nothing, and others make their own."""
    clock, store, open_names = FakeClock(), MemoryStore(), set[str]()
    rooms = VisitorRooms(store, open_names.__contains__, RateLimiter(clock), RATE, listed=True)

    async def make(name: str, remote: str = "192.0.2.1") -> str:
        try:
            assert await rooms.find(name, request(name, remote)) == RoomSettings()
        except Refused as refused:
            return refused.code
        open_names.add(name)
        return ""

    assert [await make(f"a{number}") for number in range(21)] == [""] * 20 + ["rate_limited"]
    assert await make("b", "192.0.2.2") == ""
    await store.rooms.save(RoomRecord("known", "Known"))
    assert await make("known") == ""
    clock.move(30)
    assert [await make("c"), await make("d")] == ["", "rate_limited"]
    for number in range(21, 100):
        clock.move(30)
        assert await make(f"a{number}") == ""
    clock.move(60)
    assert await make("e") == "too_many_rooms"
    open_names.difference_update({f"a{number}" for number in range(50)})
    assert await make("e") == ""


async def test_without_limits_an_address_makes_any_number() -> None:
    """`--limits off` is for measurements; a proxy on a Unix socket has no address to count."""
    clock = FakeClock()
    for rate, remote in ((Limits(rate=0).table["rooms"], "192.0.2.1"), (RATE, "")):
        rooms = VisitorRooms(MemoryStore(), lambda _: True, RateLimiter(clock), rate, listed=False)
        found = [await rooms.find(f"a{number}", request(remote=remote)) for number in range(200)]
        assert found == [RoomSettings(listed=False)] * 200
