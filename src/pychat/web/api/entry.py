"""The operations of somebody who wants to come into a room: what it asks for, and what they have to give."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.net.http.response import Response
from pychat.room.entry import LONGEST_FIELD, Applicant
from pychat.transports.admission import opened
from pychat.web.api.answer import answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation

__all__ = ["OPERATIONS"]


async def ways(call: Call) -> Response:
    """What the room asks for."""
    await opened(call.room, 0)
    return answer(200, {"ok": True, **await call.rooms.desk.ways(call.room)})


async def challenge(call: Call) -> Response:
    """A challenge for a guest."""
    await opened(call.room, 0)
    return answer(200, {"ok": True, "challenge": await call.rooms.desk.challenge(call.room)})


async def enter(call: Call) -> Response:
    """Become known to the room; or ask what came of an earlier request."""
    await opened(call.room, 0)
    if call.program or call.found is None:
        raise Refused("forbidden", "A program may do everything in every room, and need not be let in.")
    member_id = await call.speakers.member_id(call.room, call.bearer, call.user)
    done = await call.rooms.desk.enter(call.room, Applicant(member_id, call.user, call.found.grant), await call.json())
    told: dict[str, object] = {"ok": True, "role": done.role.label}
    if call.user is None:
        told["token"] = call.room.tokens.issue(done.member_id)
    return answer(202, {**told, "waiting": True}) if done.waiting else answer(200, told)


_TEXT = {"type": "string", "maxLength": LONGEST_FIELD}
_ENTRY = {
    "type": "object",
    "additionalProperties": False,
    "maxProperties": 1,
    "properties": {
        "password": {**_TEXT, "description": "The password of the room."},
        "invite": {**_TEXT, "description": "The token of an invitation."},
        "owner": {**_TEXT, "description": "The owner's token of the server."},
        "solution": {
            "type": ["object", "string"],
            "description": "The solved challenge: `challenge` as it was given, and `solution` with `counter` and "
            "`derivedKey`; or the same as Base64.",
        },
        "ask": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": _TEXT, "text": _TEXT},
            "description": "Ask the moderators, who see this.",
        },
    },
}

OPERATIONS = (
    Operation(
        "waysIn",
        "GET",
        "/rooms/{room}/entry",
        "What a room asks of people who want to come in.",
        ways,
        {200: "Ways"},
        (404, 429, 503),
        metered=True,
    ),
    Operation(
        "enter",
        "POST",
        "/rooms/{room}/entry",
        "Become known to a room: by one of the fields. Without any, ask what came of an earlier request: 202 means "
        "wait. With the token of the answer, you are that person on every wire.",
        enter,
        {200: "Admission", 202: "Admission"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        body={"application/json": _ENTRY},
        token=True,
        metered=True,
    ),
    Operation(
        "challenge",
        "GET",
        "/rooms/{room}/challenge",
        "A proof-of-work challenge (ALTCHA, version 2), for guests of a room that asks for one.",
        challenge,
        {200: "Challenge"},
        (404, 429, 503),
        metered=True,
    ),
)
