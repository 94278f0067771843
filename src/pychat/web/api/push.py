"""The operations on push messages: subscribe a browser, and end that."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.domain.model import User
from pychat.net.http.response import Response
from pychat.web.api.answer import answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation

__all__ = ["OPERATIONS"]


async def key(call: Call) -> Response:
    """The key with which a browser subscribes."""
    return answer(200, {"ok": True, "key": await call.rooms.push.key()})


async def subscribe(call: Call) -> Response:
    """Tell the visitor in one more browser."""
    member_id = await _member_id(call)
    if call.user is None and not call.rooms.is_here(member_id):
        raise Refused("not_joined", "Enter a room first, and stay connected to it.")
    await call.rooms.push.subscribe(member_id, await call.json())
    return answer(200, {"ok": True})


async def unsubscribe(call: Call) -> Response:
    """Tell the visitor nothing more in a browser."""
    endpoint = (await call.json()).get("endpoint")
    if not isinstance(endpoint, str):
        raise Refused("bad_request", "Say which browser: {“endpoint”: “https://…”}.")
    await call.rooms.push.unsubscribe(await _member_id(call), endpoint)
    return answer(200, {"ok": True})


async def _member_id(call: Call) -> str:
    user: User | None = call.user
    known = user.member_id if user is not None else None
    if known is None and call.bearer is not None and not call.program:
        known = await call.people.member_id(call.bearer)
    if known is None:
        raise Refused("unauthorized", "Say who you are: Authorization: Bearer TOKEN, with a visitor's token.")
    return known


_TEXT = {"type": "string"}
_ENDPOINT = {**_TEXT, "description": "The address at the push service of the browser."}

OPERATIONS = (
    Operation(
        "pushKey",
        "GET",
        "/push",
        "The public key of this chat, for `PushManager.subscribe`. 404: it sends no push messages.",
        key,
        {200: "PushKey"},
        (404, 429, 503),
        metered=True,
    ),
    Operation(
        "pushSubscribe",
        "POST",
        "/push",
        "Get push messages in a browser: mentions and direct messages that come while you are away. Send it again to "
        "change `muted`.",
        subscribe,
        {200: "Done"},
        (400, 401, 403, 404, 408, 409, 413, 415, 429, 503),
        body={
            "application/json": {
                "type": "object",
                "required": ["endpoint", "keys"],
                "properties": {
                    "endpoint": _ENDPOINT,
                    "keys": {
                        "type": "object",
                        "required": ["p256dh", "auth"],
                        "properties": {"p256dh": _TEXT, "auth": _TEXT},
                    },
                    "muted": {"type": "array", "items": _TEXT, "description": "Names of rooms that are not told."},
                },
            }
        },
        token=True,
        metered=True,
    ),
    Operation(
        "pushUnsubscribe",
        "DELETE",
        "/push",
        "Get no more push messages in a browser.",
        unsubscribe,
        {200: "Done"},
        (400, 401, 404, 408, 413, 415, 429, 503),
        body={"application/json": {"type": "object", "required": ["endpoint"], "properties": {"endpoint": _ENDPOINT}}},
        token=True,
        metered=True,
    ),
)
