"""The operations of moderators."""

from __future__ import annotations

from pychat.domain.actions import ACTIONS, FIELDS
from pychat.domain.errors import Refused
from pychat.domain.model import Member
from pychat.domain.moderation_rules import Actor
from pychat.domain.roles import PROGRAM_RANK, Role
from pychat.net.http.response import Response
from pychat.protocol.moderation import encode_entries, encode_overview
from pychat.transports.admission import opened
from pychat.web.api import schemas
from pychat.web.api.answer import answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation, Parameter
from pychat.web.api.schemas import Schema

__all__ = ["OPERATIONS"]

_DEFAULT_LIMIT, _MAX_LIMIT = 50, 200
_MAX_RECORDS = 1_000  # of each kind
_PROGRAM = "api"  # the name of a program that gives none


async def overview(call: Call) -> Response:
    """What moderators see."""
    await _check(call)
    return answer(200, {"ok": True, **encode_overview(call.room.core.moderation.overview(_MAX_RECORDS))})


async def audit(call: Call) -> Response:
    """What moderators did, the newest first."""
    before, limit = call.number("before"), call.number("limit")
    limit = _DEFAULT_LIMIT if limit is None else min(limit, _MAX_LIMIT)
    await _check(call)
    found = await call.room.core.moderation.audit(before, limit + 1)
    await _check(call)  # they may have lost the role while it was read
    return answer(200, {"ok": True, **encode_entries(found, limit)})


async def moderate(call: Call) -> Response:
    """Do what moderators do."""
    await opened(call.room, 0)
    fields = await call.json()
    core = await call.room.ready()
    action = fields.pop("action", None)
    if not isinstance(action, str):
        raise Refused("bad_request", f"“action” is one of: {', '.join(ACTIONS)}.")
    if call.program:
        author = fields.get("author", _PROGRAM)
        if not isinstance(author, str):
            raise Refused("bad_request", "“author” must be a text.")
        by = Member(f"post:{author}", core.state.names.accept(author, reserved=True))
        told = await core.moderation.perform(action, fields, lambda: Actor(by, PROGRAM_RANK))
    else:
        member = await _member(call)
        told = await core.moderation.perform(action, fields, lambda: _actor(call, member))
    return answer(200, {"ok": True, **told})


async def report(call: Call) -> Response:
    """Report a message to the moderators."""
    await opened(call.room, 0)
    fields = await call.fields("reason", numbers=("target",))
    target, reason = fields.get("target"), fields.get("reason", "")
    if not isinstance(target, int) or not isinstance(reason, str):
        raise Refused("bad_request", "Say which message: {“target”: 42}.")
    if call.program:
        raise Refused("forbidden", "A program can moderate, and has nobody to report to.")
    member = await _member(call)
    core = await call.room.ready()
    message = await core.commands.message(target)
    _actor(call, member)  # they may be banned, also since they began to ask
    await core.queue.report(message, member, reason)
    return answer(200, {"ok": True})


async def _check(call: Call) -> None:
    """Open the room. Raise `Refused` for anybody but a moderator, or a program."""
    await opened(call.room, 0)
    if not call.program:
        member = await _member(call)
        if _actor(call, member).rank < Role.MODERATOR:
            raise Refused("forbidden", "Only moderators of this room may do this.")


async def _member(call: Call) -> Member:
    """Who asks. Raise `Refused` for somebody without a token or a login."""
    member_id = await call.speakers.member_id(call.room, call.bearer, call.user)
    if member_id is None:
        raise Refused("unauthorized", "Say who you are: Authorization: Bearer TOKEN.")
    name = call.room.core.name_of(member_id) or (None if call.user is None else call.user.name)
    return Member(member_id, name or "")


def _actor(call: Call, member: Member) -> Actor:
    """The member, with the role of this moment. Raise `Refused` if they may not be in the room."""
    assert call.found is not None  # noqa: S101 -- an operation of a room
    moderation, grant = call.room.core.moderation, call.found.grant
    moderation.check_entry(grant, call.user, member.id)
    return Actor(member, moderation.standing(grant, call.user, member.id).role)


_KINDS: dict[type, Schema] = {str: {"type": "string"}, int: schemas.NUMBER, bool: {"type": "boolean"}}


def _field(name: str) -> Schema:
    field = FIELDS[name]
    schema = {**_KINDS[field.kind], "description": f"{field.says[:1].upper()}{field.says[1:]}."}
    if field.choices:
        schema["enum"] = list(field.choices)
    elif field.most:
        schema["maximum" if field.kind is int else "maxLength"] = field.most
    if field.least:
        schema["minimum"] = field.least
    return schema


def _action(name: str) -> Schema:
    action = ACTIONS[name]
    required = [each for each in action.required if each != "member" or "network" not in action.optional]
    return {
        "type": "object",
        "description": action.says,
        "required": ["action", *required],
        **({"anyOf": [{"required": ["member"]}, {"required": ["network"]}]} if "network" in action.optional else {}),
        "properties": {
            "action": {"type": "string", "const": name},
            **{field: _field(field) for field in (*action.required, *action.optional)},
            "author": {"type": "string", "description": "The name of the program in the audit log."},
        },
    }


_REFUSED = (401, 403, 404, 429, 500, 503)

OPERATIONS = (
    Operation(
        "moderation",
        "GET",
        "/rooms/{room}/moderation",
        "What moderators see: settings, bans, mutes, roles, pins, invitations, and what waits for them.",
        overview,
        {200: "Moderation"},
        _REFUSED,
        token=True,
        metered=True,
    ),
    Operation(
        "moderate",
        "POST",
        "/rooms/{room}/moderation",
        "Do what moderators do: kick, ban, mute, set … The fields are those of the command `moderate` of the wire.",
        moderate,
        {200: "Moderated"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        body={"application/json": {"oneOf": [_action(name) for name in ACTIONS]}},
        token=True,
        metered=True,
    ),
    Operation(
        "audit",
        "GET",
        "/rooms/{room}/audit",
        "What moderators did, the newest first.",
        audit,
        {200: "Audit"},
        (400, *_REFUSED),
        (
            Parameter("before", "Only entries before this number.", schemas.NUMBER),
            Parameter("limit", "So many at most; 200 is the most.", {**schemas.NUMBER, "default": _DEFAULT_LIMIT}),
        ),
        token=True,
        metered=True,
    ),
    Operation(
        "report",
        "POST",
        "/rooms/{room}/reports",
        "Report a message to the moderators.",
        report,
        {200: "Done"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        body={
            "application/json": {
                "type": "object",
                "required": ["target"],
                "properties": {
                    "target": {**schemas.NUMBER, "description": "The number of the message."},
                    "reason": {"type": "string", "description": "Why; moderators read it."},
                },
            }
        },
        token=True,
        metered=True,
        kind=lambda _: "report",
        reads=True,
    ),
)
