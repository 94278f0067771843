"""The operation on read positions."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.net.http.response import Response
from pychat.transports.admission import opened
from pychat.web.api import schemas
from pychat.web.api.answer import answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation

__all__ = ["OPERATIONS"]


async def read(call: Call) -> Response:
    """Move the visitor's read position forward."""
    await opened(call.room, 0)
    seq = (await call.fields(numbers=("seq",))).get("seq")
    if not isinstance(seq, int):
        raise Refused("bad_request", "Say what was seen last: {“seq”: 42}.")
    member_id = None if call.program else await call.speakers.member_id(call.room, call.bearer, call.user)
    if member_id is None:
        raise Refused("unauthorized", "Say who has read it: Authorization: Bearer TOKEN, with a visitor's token.")
    call.room.read(member_id, seq, follow=call.user is None)
    return answer(200, {"ok": True})


OPERATIONS = (
    Operation(
        "read",
        "POST",
        "/rooms/{room}/read",
        "Move your read position forward: you have seen everything up to that number. All your devices share it.",
        read,
        {200: "Done"},
        (400, 401, 403, 404, 408, 413, 415, 429, 503),
        body={
            "application/json": {
                "type": "object",
                "required": ["seq"],
                "properties": {
                    "seq": {**schemas.NUMBER, "maximum": 2**53 - 1, "description": "The number of the last event seen."}
                },
            }
        },
        token=True,
        metered=True,
        reads=True,
    ),
)
