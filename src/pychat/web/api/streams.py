"""The operations on visitors: tokens, event streams, and commands."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from pychat.domain.errors import Refused
from pychat.net.http.request import Request
from pychat.net.http.response import Response, StreamingResponse
from pychat.net.http.stream import Chunk, ResponseStream
from pychat.protocol import v2
from pychat.protocol.v1 import COMMANDS, encode_position
from pychat.room.tokens import Tokens
from pychat.transports.admission import opened
from pychat.transports.event_stream import HEADERS, decode_offset, prologue, turned_away
from pychat.transports.person import PersonConnection
from pychat.transports.person_stream import decode_room_offset
from pychat.transports.sse import Stream
from pychat.web.api.answer import answer, failed
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation, Parameter

__all__ = ["OPERATIONS", "STREAMS"]

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}


async def take_token(call: Call) -> Response:
    """A token of a visitor who was never here."""
    if call.user is not None:
        raise Refused("bad_request", "You are logged in, and need no token: you come back by your login.")
    await opened(call.room, 0)
    return answer(201, {"ok": True, "token": call.room.tokens.issue(Tokens.new_id())})


async def listen(call: Call) -> Response | StreamingResponse:
    """Every event of the room, from now on or from where the visitor left."""
    room, query = call.room, call.request.query
    if call.request.method == "HEAD":
        return Response(200, HEADERS)
    refused = call.sse.gate.refusal(call.request.remote)
    if refused is not None:
        return later(refused)
    if reads_events(call.request):
        await opened(room)  # an EventSource waits a little, and is refused on an open stream
    else:
        await opened(room, 0)
    # A browser's EventSource cannot set headers, and says in one where it left; its address never changes.
    token = call.bearer or query.get("token")
    offset = call.request.headers.get("last-event-id") or query.get("lastEventId") or query.get("since")
    member_id = room.tokens.read(token) if token and call.user is None else None
    since, name = decode_offset(offset), query.get("name")

    async def serve(stream: ResponseStream) -> None:
        remote = call.request.remote
        grant = None if call.found is None else call.found.grant
        await call.sse.serve(
            stream,
            room,
            since=since,
            name=name,
            member_id=member_id,
            user=call.user,
            remote=remote,
            grant=grant,
            watch=partial(call.people.authenticator.watch, call.request, call.user),
        )

    return StreamingResponse(HEADERS, prologue(), serve)


def reads_events(request: Request) -> bool:
    """Whether a stream of events is asked for by name, as `EventSource` does, which retries a status of 200 alone."""
    return "text/event-stream" in request.headers.get("accept", "")


def later(refused: Refused) -> StreamingResponse:
    """The stream for an `EventSource` that is refused temporarily."""
    return StreamingResponse(HEADERS, turned_away(refused), _end)


async def _end(stream: ResponseStream) -> None:
    stream.end(Chunk(b"\n"))


async def leave(call: Call) -> Response:
    """Go for good: the stream ends, and the name is free."""
    await opened(call.room, 0)
    await (await _stream(call)).leave()
    return answer(200, {"ok": True})


async def command(call: Call) -> Response:
    """Carry out a command of the wire for somebody whose stream is open."""
    await opened(call.room, 0)
    if call.parts["command"] not in COMMANDS:
        await _count_unknown(_stream(call))
        raise Refused("unknown_command", f"There is no such command. There are: {', '.join(COMMANDS)}.")
    stream = await _stream(call)
    outcome = await call.sse.execute(call.room, stream, call.parts["command"], await call.json())
    return answer(200, outcome) if outcome["ok"] else failed(outcome)


async def _stream(call: Call) -> Stream:
    member_id = await call.speakers.member_id(call.room, call.bearer, call.user)
    if member_id is None:
        raise Refused("unauthorized", "Say who you are: Authorization: Bearer TOKEN, with the token of your welcome.")
    stream = call.sse.find(call.room, member_id)
    if stream is None:
        raise Refused("not_joined", "No stream is open for this token. Open …/events with it first, and keep it open.")
    return stream


async def _count_unknown(finding: Awaitable[Stream | PersonConnection]) -> None:
    """Count an unknown command for the stream of whoever sent it, if there is one."""
    try:
        found = await finding
    except Refused:
        return
    (found.session.spend_refused if isinstance(found, Stream) else found.spend)()


# Version 2: the stream of a person in many rooms.


async def listen_to_rooms(call: Call) -> Response | StreamingResponse:
    """Every event of some rooms, of each from now on or from where the visitor left."""
    query = call.request.query
    if call.request.method == "HEAD":
        return Response(200, HEADERS)
    refused = call.sse.gate.refusal(call.request.remote)
    if refused is not None:
        return later(refused)
    offsets = [value for name, value in call.incoming.pairs if name == "since"]
    offsets.append(call.request.headers.get("last-event-id") or query.get("lastEventId") or "")
    positions = dict(map(decode_room_offset, offsets))
    rooms: list[dict[str, Any]] = []
    for name in dict.fromkeys(value for name, value in call.incoming.pairs if name == "room"):
        since = positions.get(name)
        rooms.append({"name": name} if since is None else {"name": name, "since": encode_position(since)})
    token = call.bearer or query.get("token")

    async def serve(stream: ResponseStream) -> None:
        await call.sse.serve_person(stream, call.people, call.request, rooms=rooms, token=token, user=call.user)

    return StreamingResponse(HEADERS, prologue(), serve)


async def leave_rooms(call: Call) -> Response:
    """Leave all rooms for good: the stream ends, and the names are free."""
    await call.sse.leave(await _person(call))
    return answer(200, {"ok": True})


async def command_of_person(call: Call) -> Response:
    """Carry out a command of version 2 for a person whose stream is open."""
    name = call.parts["command"]
    if name not in v2.COMMANDS:
        await _count_unknown(_person(call))
        raise Refused("unknown_command", f"There is no such command. There are: {', '.join(v2.COMMANDS)}.")
    person = await _person(call)
    told = await person.execute(name, await call.json())
    return answer(200, told) if told["ok"] else failed(told)


async def _person(call: Call) -> PersonConnection:
    member_id = None if call.user is None else call.user.member_id
    if member_id is None and call.bearer is not None:
        member_id = await call.people.member_id(call.bearer)
    if member_id is None:
        raise Refused("unauthorized", "Say who you are: Authorization: Bearer TOKEN, with the token of your welcome.")
    person = call.sse.person(member_id)
    if person is None:
        raise Refused(
            "not_joined", "No stream is open for this token. Open api/events with it first, and keep it open."
        )
    return person


#: The operations that are answered with a stream.
STREAMS = (listen, listen_to_rooms)

OPERATIONS = (
    Operation(
        "takeToken",
        "POST",
        "/rooms/{room}/token",
        "A token for somebody new. Whoever has it is the same person each time, in streams and in messages.",
        take_token,
        {201: "Token"},
        (400, 404, 429, 503),
        metered=True,
    ),
    Operation(
        "listen",
        "GET",
        "/rooms/{room}/events",
        "A stream of all that happens: a welcome with the newest messages and a token, then every event in order.",
        listen,
        {200: "Events"},
        (404, 503),
        (
            Parameter("name", "A nickname to take; an event `ack` tells whether it is yours.", {"type": "string"}),
            Parameter("token", "A visitor's token, where no header can be sent.", {"type": "string"}),
            Parameter("since", "The id of the last event that was seen: go on from there.", {"type": "string"}),
            Parameter("lastEventId", "The same.", {"type": "string"}),
            Parameter("Last-Event-ID", "The same; it goes before the others.", {"type": "string"}, "header"),
        ),
        token=True,
    ),
    Operation(
        "leave",
        "DELETE",
        "/rooms/{room}/events",
        "Go for good: your stream ends, and your name is free.",
        leave,
        {200: "Done"},
        (401, 404, 409, 503),
        token=True,
    ),
    Operation(
        "command",
        "POST",
        "/rooms/{room}/commands/{command}",
        "Any command of the wire (join, typing, react …), for somebody whose stream is open; answered as there.",
        command,
        {200: "Done"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        body={"application/json": {"type": "object"}},
        token=True,
    ),
    Operation(
        "listenToRooms",
        "GET",
        "/events",
        "A stream of all that happens in some rooms: version 2 of the wire. A welcome with a token, then the rooms.",
        listen_to_rooms,
        {200: "Events"},
        (503,),
        (
            Parameter("room", "A room to enter; once for each room.", _TEXTS),
            Parameter("since", "The id of the last event that was seen in a room; once for each room.", _TEXTS),
            Parameter("token", "A visitor's token, where no header can be sent.", {"type": "string"}),
            Parameter("lastEventId", "One more `since`.", {"type": "string"}),
            Parameter("Last-Event-ID", "One more `since`.", {"type": "string"}, "header"),
        ),
        token=True,
    ),
    Operation(
        "leaveRooms",
        "DELETE",
        "/events",
        "Leave all rooms for good: your stream ends, and your names are free.",
        leave_rooms,
        {200: "Done"},
        (401, 409, 503),
        token=True,
    ),
    Operation(
        "commandOfPerson",
        "POST",
        "/commands/{command}",
        "Any command of version 2 of the wire, for somebody whose stream of rooms is open; answered as there.",
        command_of_person,
        {200: "Done"},
        (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
        body={"application/json": {"type": "object"}},
        token=True,
    ),
)
