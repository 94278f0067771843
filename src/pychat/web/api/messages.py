"""The operations on messages: read, search, post, edit and delete."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.domain.model import Message
from pychat.net.http.response import Response
from pychat.protocol.v1 import PAGE_BYTES, encode_message, encode_page
from pychat.transports.admission import opened
from pychat.web.api import schemas
from pychat.web.api.answer import Denied, answer
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation, Parameter

__all__ = ["OPERATIONS"]

_MAX_LIMIT = 200
_FIRST = 51  # that are read at first: with the usual limit, all
_OF_PROGRAMS = "post:"  # how the ids of authors begin that `Commands.post` makes


async def read(call: Call) -> Response:
    """A page of messages, as the command `history` gives it."""
    await opened(call.room, 0)
    limit = call.number("limit")
    limit = 50 if limit is None else min(limit, _MAX_LIMIT)
    matching = call.request.query.get("matching") or None
    before = call.number("before")
    commands = (await call.room.ready()).commands
    found: list[Message] = []
    step, size = _FIRST, 0
    # Step by step: of long messages, not many more are read than are told.
    while len(found) <= limit and size <= PAGE_BYTES:
        step = min(step, limit + 1 - len(found))
        earlier = await commands.history(before=before, limit=step, matching=matching)
        found[:0] = earlier
        if len(earlier) < step:
            break
        size += sum(len(each.text.encode()) for each in earlier)
        before, step = earlier[0].seq, 1 + PAGE_BYTES * len(found) // max(1, size)
    return answer(200, {"ok": True, **encode_page(found, limit)})


async def say(call: Call) -> Response:
    """Say something, as a program or as a visitor."""
    room = call.room
    await opened(room, 0)
    fields = await call.fields("text", "id", "author", numbers=("reply_to",), plain="text")
    text, given_id, author = (_text(fields, name) for name in ("text", "id", "author"))
    reply_to = fields.get("reply_to")
    answered = reply_to if isinstance(reply_to, int) else None
    if text is None:
        raise Refused("bad_request", "Say what: {“text”: “hi”}.")
    seq_before = room.position.seq
    token_field: dict[str, object] = {}
    if call.program:
        if author is None:
            raise Denied(422, "Say as whom: {“text”: “hi”, “author”: “bot”}.")
        call.spend("message")
        said = await (await room.ready()).commands.post(text, author, given_id, answered)
    else:
        async with call.session(author) as (session, token):
            said = await session.say(text, given_id, answered)
            if token is not None:
                token_field["token"] = token
    if not said.seq:
        return answer(202, {"ok": True, "held": True, "id": said.id, **token_field})
    headers = {"Location": f"messages/{said.seq}"}
    return answer(200 if said.seq <= seq_before else 201, {"ok": True, **encode_message(said), **token_field}, headers)


async def find(call: Call) -> Response:
    """One message."""
    await opened(call.room, 0)
    return await _as_it_stands(call)


async def edit(call: Call) -> Response:
    """Change the text of a message of one's own."""
    await opened(call.room, 0)
    fields = await call.fields("text", "id")
    text = _text(fields, "text")
    if text is None:
        raise Refused("bad_request", "Say what is to stand there: {“text”: “hi!”}.")
    if call.program:
        await _check_program_wrote(call)
        await (await call.room.ready()).commands.edit(call.seq, text)
    else:
        _check_author(call)
        async with call.session() as (session, _):
            await session.edit(call.seq, text, _text(fields, "id"))
    return await _as_it_stands(call)


async def delete(call: Call) -> Response:
    """Delete a message of one's own; a mark remains."""
    await opened(call.room, 0)
    if call.program:
        await _check_program_wrote(call)
        await (await call.room.ready()).commands.delete(call.seq)
    else:
        _check_author(call)
        async with call.session() as (session, _):
            await session.delete(call.seq)
    return await _as_it_stands(call)


async def _as_it_stands(call: Call) -> Response:
    return answer(200, {"ok": True, **encode_message(await _message(call))})


async def _message(call: Call) -> Message:
    return await (await call.room.ready()).commands.message(call.seq)


async def _check_program_wrote(call: Call) -> None:
    call.spend()
    if not (await _message(call)).author.id.startswith(_OF_PROGRAMS):
        raise Refused("not_yours", "A program can change what programs wrote, and nothing else.")


def _check_author(call: Call) -> None:
    if call.bearer is None and call.user is None:
        raise Refused("unauthorized", "Only its author can change a message: Authorization: Bearer TOKEN.")


def _text(fields: dict[str, object], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


_SAY = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string", "description": "What to say."},
        "id": schemas.ID,
        "reply_to": {**schemas.NUMBER, "description": "The number of the message that this answers."},
        "author": {"type": "string", "description": "Who says it: any name for a program, a nickname for a guest."},
    },
}

_THIS = {"room": "$request.path.room", "seq": "$response.body#/seq"}

OPERATIONS = (
    Operation(
        "readMessages",
        "GET",
        "/rooms/{room}/messages",
        "Read the history upwards, or search it. Oldest first, as they stand now.",
        read,
        {200: "Page"},
        (400, 403, 404, 429, 503),
        (
            Parameter("before", "Only messages before this number.", schemas.NUMBER),
            Parameter("limit", "So many at most; 200 is the most.", {**schemas.NUMBER, "default": 50}),
            Parameter(
                "matching",
                "Only messages with all of these words; `from:`, `after:` and `before:` filter, as on the wire.",
                {"type": "string"},
            ),
        ),
        metered=True,
        reads=True,
        kind=lambda query: "search" if query.get("matching") else "history",
    ),
    Operation(
        "say",
        "POST",
        "/rooms/{room}/messages",
        "Say something. The answer comes when it is stored: 201, or 200 if the author had sent this id before. 202: a "
        "moderator reads it first.",
        say,
        {201: "Said", 200: "Said", 202: "Held"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        (Parameter("author", "Who says it, where the body does not tell.", {"type": "string"}),),
        {
            "application/json": _SAY,
            "application/x-www-form-urlencoded": {**_SAY, "additionalProperties": False},
            "text/plain": {"type": "string", "description": "The text alone."},
        },
        token=True,
        leads_to={"findMessage": _THIS, "edit": _THIS, "delete": _THIS},
    ),
    Operation(
        "findMessage",
        "GET",
        "/rooms/{room}/messages/{seq}",
        "One message, as it stands now.",
        find,
        {200: "Said"},
        (403, 404, 429, 503),
        metered=True,
        reads=True,
    ),
    Operation(
        "edit",
        "PATCH",
        "/rooms/{room}/messages/{seq}",
        "Change the text of your own message.",
        edit,
        {200: "Said"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        body={
            "application/json": {
                "type": "object",
                "required": ["text"],
                "properties": {"text": {"type": "string"}, "id": schemas.ID},
            }
        },
        token=True,
    ),
    Operation(
        "delete",
        "DELETE",
        "/rooms/{room}/messages/{seq}",
        "Delete your own message. A mark remains, which is answered.",
        delete,
        {200: "Said"},
        (401, 403, 404, 409, 422, 429, 500, 503),
        token=True,
    ),
)
