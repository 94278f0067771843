"""The operations on rooms and their members."""

from __future__ import annotations

from pychat.net.http.response import Response
from pychat.protocol.v1 import encode_member
from pychat.room.backend import RoomBackend
from pychat.transports.admission import opened
from pychat.web.api.answer import answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation

__all__ = ["OPERATIONS"]


async def rooms(call: Call) -> Response:
    """The rooms of this mount, the first one first."""
    for room in call.rooms:
        await opened(room, 0)
    return answer(200, {"ok": True, "rooms": [_room(room) for room in call.rooms]})


async def room(call: Call) -> Response:
    """One room."""
    await opened(call.room, 0)
    return answer(200, {"ok": True, **_room(call.room)})


async def members(call: Call) -> Response:
    """Who is here, as the command `who` tells it."""
    await opened(call.room, 0)
    listed = call.room.first_members()
    return answer(200, {"ok": True, "here": call.room.here, "members": [encode_member(each) for each in listed]})


def _room(room: RoomBackend) -> dict[str, object]:
    return {"name": room.name, "title": room.title, "here": room.here, "seq": room.position.seq}


OPERATIONS = (
    Operation(
        "rooms",
        "GET",
        "/rooms",
        "The rooms, the first one first.",
        rooms,
        {200: "RoomDirectory"},
        (429, 503),
        metered=True,
    ),
    Operation("room", "GET", "/rooms/{room}", "One room.", room, {200: "OneRoom"}, (404, 429, 503), metered=True),
    Operation(
        "members",
        "GET",
        "/rooms/{room}/members",
        "Who is here: how many are connected, and those with a name in the order of joining, 1,000 at most.",
        members,
        {200: "Members"},
        (404, 429, 503),
        metered=True,
    ),
)
