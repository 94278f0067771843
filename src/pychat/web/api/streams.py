"""The operations on visitors: tokens, event streams, and commands."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.net.http.request import Request
from pychat.net.http.response import Response, StreamingResponse
from pychat.net.http.stream import Chunk, ResponseStream
from pychat.protocol.v1 import COMMANDS
from pychat.room.tokens import Tokens
from pychat.transports.admission import opened
from pychat.transports.sse import HEADERS, Stream, last_seen, prologue, turned_away
from pychat.web.api.answer import answer, failed
from pychat.web.api.call import Call
from pychat.web.api.operation import Operation, Parameter

__all__ = ["OPERATIONS"]


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
    since, name = last_seen(offset), query.get("name")

    async def serve(stream: ResponseStream) -> None:
        remote = call.request.remote
        grant = None if call.found is None else call.found.grant
        await call.sse.serve(
            stream, room, since=since, name=name, member_id=member_id, user=call.user, remote=remote, grant=grant
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
    await _stream(call).leave()
    return answer(200, {"ok": True})


async def command(call: Call) -> Response:
    """Carry out a command of the wire for somebody whose stream is open."""
    await opened(call.room, 0)
    if call.parts["command"] not in COMMANDS:
        raise Refused("unknown_command", f"There is no such command. There are: {', '.join(COMMANDS)}.")
    stream = _stream(call)
    outcome = await call.sse.execute(call.room, stream, call.parts["command"], await call.json())
    return answer(200, outcome) if outcome["ok"] else failed(outcome)


def _stream(call: Call) -> Stream:
    member_id = call.speakers.member_id(call.room, call.bearer, call.user)
    if member_id is None:
        raise Refused("unauthorized", "Say who you are: Authorization: Bearer TOKEN, with the token of your welcome.")
    stream = call.sse.find(call.room, member_id)
    if stream is None:
        raise Refused("not_joined", "No stream is open for this token. Open …/events with it first, and keep it open.")
    return stream


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
)
