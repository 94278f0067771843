"""The operations on rooms and their members."""

from __future__ import annotations

from pychat.net.http.response import Response
from pychat.protocol.v1 import encode_member
from pychat.room.directory import ListedRoom
from pychat.transports.admission import opened
from pychat.web.api.answer import answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation, Parameter
from pychat.web.api.schemas import NUMBER

__all__ = ["OPERATIONS"]

_MAX_ROOMS = 1_000  # in one answer


async def rooms(call: Call) -> Response:
    """The rooms of this mount, the first one first."""
    for room in call.rooms.given:
        await opened(room, 0)
    limit = call.number("limit")
    limit = _MAX_ROOMS if limit is None else min(limit, _MAX_ROOMS)
    found = await call.rooms.visible(call.user, call.request.query.get("after", ""), limit + 1)
    more = {"more": True} if len(found) > limit else {}
    return answer(200, {"ok": True, "rooms": [_listed(room) for room in found[:limit]], **more})


async def room(call: Call) -> Response:
    """One room."""
    await opened(call.room, 0)
    return answer(200, {"ok": True, **_listed(call.rooms.entry(call.room))})


async def members(call: Call) -> Response:
    """Who is here, as the command `who` tells it."""
    await opened(call.room, 0)
    listed = call.room.first_members()
    return answer(200, {"ok": True, "here": call.room.here, "members": [encode_member(each) for each in listed]})


def _listed(room: ListedRoom) -> dict[str, object]:
    told = {"name": room.name, "title": room.title, "here": room.here}
    return told if room.seq is None else {**told, "seq": room.seq}


OPERATIONS = (
    Operation(
        "rooms",
        "GET",
        "/rooms",
        "The rooms, the first one first.",
        rooms,
        {200: "RoomDirectory"},
        (400, 429, 500, 503),
        (
            Parameter("after", "Only rooms after the one of this name.", {"type": "string"}),
            Parameter("limit", "So many at most; 1000 is the most.", {**NUMBER, "default": _MAX_ROOMS}),
        ),
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
        (403, 404, 429, 503),
        metered=True,
        reads=True,
    ),
)
