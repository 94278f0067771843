"""The entry of the API: checks the origin, finds the operation, and answers errors."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pychat.domain.errors import Refused
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.request import Request
from pychat.net.http.response import IncomingRequest, Response, StreamingResponse
from pychat.room.directory import RoomDirectory
from pychat.transports.authenticator import Authenticator, entry_status
from pychat.transports.person import People
from pychat.transports.sse import SSETransport
from pychat.web.api import entry, messages, moderation, push, reading
from pychat.web.api import rooms as places
from pychat.web.api import streams as visitors
from pychat.web.api.answer import Denied, answer, refusal
from pychat.web.api.call import Call
from pychat.web.api.identity import Speakers
from pychat.web.api.openapi import document
from pychat.web.api.operation import Operation
from pychat.web.api.turns import Turns

__all__ = ["OPERATIONS", "Api"]

_log = logging.getLogger("pychat.api")


async def _describe(call: Call) -> Response:
    return answer(200, document(OPERATIONS, call.rooms.public_names))


#: Every operation.
OPERATIONS: tuple[Operation, ...] = (
    *places.OPERATIONS,
    *messages.OPERATIONS,
    *reading.OPERATIONS,
    *visitors.OPERATIONS,
    *entry.OPERATIONS,
    *moderation.OPERATIONS,
    *push.OPERATIONS,
    Operation("describe", "GET", "/openapi.json", "This document.", _describe, {200: "Document"}, (429,), metered=True),
)


class Api:
    """Answers requests below `/api/`."""

    def __init__(
        self,
        rooms: RoomDirectory,
        sse: SSETransport,
        *,
        people: People,
        origins: OriginPolicy,
        authenticator: Authenticator,
        api_tokens: Iterable[str] | str,
        max_body_bytes: int,
        body_seconds: float,
    ) -> None:
        self._rooms = rooms
        self._people = people
        self._origins = origins
        self._authenticator = authenticator
        self._max_body = max_body_bytes
        self._body_seconds = body_seconds
        self._sse = sse
        self._speakers = Speakers(sse, people, api_tokens)
        self._turns = Turns()

    async def respond(self, incoming: IncomingRequest) -> Response | StreamingResponse:
        """The answer to a request; refusals have the form of answers on the wire."""
        request, host = incoming.request, incoming.host
        origin = request.headers.get("origin")
        if not self._origins.allows(origin, host) or (origin is None and _comes_from_elsewhere(request)):
            words = "Pages of this origin may not use this. The server's log says what to set."
            return refusal(Refused("bad_request", words), 403)
        response = await self._respond(incoming)
        return response if origin is None else _readable_by(origin, response)

    def call(self, incoming: IncomingRequest, parts: Mapping[str, str]) -> Call:
        """A request, before anybody knows who sent it. `parts` stands in its address."""
        return Call(
            incoming,
            self._rooms,
            parts,
            self._speakers,
            self._sse,
            self._people,
            self._turns,
            max_body_bytes=self._max_body,
            body_seconds=self._body_seconds,
        )

    async def _respond(self, incoming: IncomingRequest) -> Response | StreamingResponse:
        method, path = incoming.request.method, incoming.path.removeprefix("/api")
        found = [(each, parts) for each in OPERATIONS if (parts := each.pattern.fullmatch(path)) is not None]
        if not found:
            return refusal(
                Refused("bad_request", "There is nothing here. What there is stands in api/openapi.json."), 404
            )
        methods = ", ".join(["OPTIONS", *(method for each, _ in found for method in _methods(each))])
        if method == "OPTIONS":
            return Response(204, {"Allow": methods, "Access-Control-Allow-Methods": methods})
        for operation, parts in found:
            if method in _methods(operation):
                return await self._run(operation, incoming, parts.groupdict())
        return refusal(Refused("bad_request", f"What can be done here: {methods}."), 405, {"Allow": methods})

    async def _run(
        self, operation: Operation, incoming: IncomingRequest, parts: Mapping[str, str]
    ) -> Response | StreamingResponse:
        call = self.call(incoming, parts)
        if self._sse.gate.closing and operation.run not in visitors.STREAMS:
            return refusal(Refused.standard("shutdown"))
        try:
            # The app knows people; programs are known here.
            if self._speakers.is_program(call.bearer):
                call = replace(call, program=True)
            else:
                call = replace(call, user=await self._authenticator.authenticate(incoming.request))
        except Refused as refused:
            return _later(operation, call, refused) or refusal(refused, entry_status(refused))
        try:
            if "room" in parts:
                found = await self._rooms.find(parts["room"], call.user, incoming.request, trusted=call.program)
                call = replace(call, found=found)
            if not operation.metered:
                return await operation.run(call)
            call.spend(operation.kind(incoming.request.query))
            if operation.body is not None:
                call = replace(call, received=await call.receive())  # before the turn: it may take its time
            async with call.turn():
                return await _answered(operation, call)
        except Refused as refused:
            return _later(operation, call, refused) or refusal(refused)
        except Denied as denied:
            return refusal(denied.refused, denied.status)
        except ConnectionError:
            raise  # nobody is there any more
        except Exception:
            _log.exception("%s %s failed", incoming.request.method, incoming.path)
            return refusal(Refused("internal", "The server failed at this, and has logged why. Try again."))


async def _answered(operation: Operation, call: Call) -> Response | StreamingResponse:
    """The answer of an operation. If it shows what is in a room, only people who may enter the room get it."""
    if not operation.reads:
        return await operation.run(call)
    await call.check_entry()
    response = await operation.run(call)
    await call.check_entry()  # they may have been banned while it was read
    return response


def _later(operation: Operation, call: Call, refused: Refused) -> StreamingResponse | None:
    """The stream for a reader of events that is refused temporarily; `None` for other requests."""
    if operation.run in visitors.STREAMS and refused.kind.is_temporary and visitors.reads_events(call.request):
        return visitors.later(refused)
    return None


def _methods(operation: Operation) -> tuple[str, ...]:
    return ("GET", "HEAD") if operation.method == "GET" else (operation.method,)


def _comes_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site asks without saying so: an image, say. A link that somebody follows may."""
    site, mode = request.headers.get("sec-fetch-site"), request.headers.get("sec-fetch-mode")
    return site == "cross-site" and not (mode == "navigate" and request.method in ("GET", "HEAD"))


def _readable_by(origin: str, response: Response | StreamingResponse) -> Response | StreamingResponse:
    """`response` with the headers by which a browser lets a page of `origin` read it (Fetch, section 3.2)."""
    headers = {
        **response.headers,
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
        "Access-Control-Expose-Headers": "Location, Retry-After",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }
    return replace(response, headers=headers)
