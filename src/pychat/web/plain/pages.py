"""Answers requests of browsers without scripts: the last messages of a room, and a form to write one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from pychat.domain.action_messages import action
from pychat.domain.errors import Refused
from pychat.domain.model import Message, User
from pychat.net.http.gate import retry_headers
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.response import IncomingRequest, Response
from pychat.room.directory import Found
from pychat.room.entry import Applicant
from pychat.room.tokens import event_id
from pychat.transports.admission import opened
from pychat.transports.authenticator import entry_status
from pychat.web.api.answer import Denied
from pychat.web.api.call import Call
from pychat.web.plain.guest import Visitor
from pychat.web.plain.view import Problem, View
from pychat.web.words import Language

__all__ = ["PLAIN_PATH", "PlainPages"]

#: Where the page is, below the mount; `?room=` names the room.
PLAIN_PATH = "/plain"
_MESSAGES = 50  # on one page
_MAX_ROOMS = 100
_FASTEST, _SLOWEST = 10, 3600  # seconds between two refreshes
_COMMAND = re.compile(r"/[A-Za-z]+(\s|$)")
_FIELDS = 10
#: What a page may say after it was sent to itself.
_NOTES = ("held", "asked", "named")


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request for the page of one room."""

    call: Call
    found: Found
    visitor: Visitor
    words: Language
    secure: bool
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> Mapping[str, str]:
        return self.call.request.query

    @property
    def name(self) -> str:
        """The name that the visitor has, or had last, in the room."""
        return self.found.room.name_of(self.visitor.member_id) or ""

    @property
    def every(self) -> int | None:
        """After how many seconds the page loads itself again."""
        given = self.query.get("every", "")
        return max(_FASTEST, min(int(given), _SLOWEST)) if re.fullmatch(r"[0-9]{1,5}", given) else None

    def address(self, **more: object) -> str:
        """The address of this page, relative to itself."""
        every = {} if self.every is None else {"every": self.every}
        fields = {"room": self.found.room.name, **every, **more}
        return f"plain?{urlencode({key: value for key, value in fields.items() if value is not None})}"


class PlainPages:
    """The pages without scripts of all rooms of a mount."""

    def __init__(self, view: View, call: Callable[[IncomingRequest, Mapping[str, str]], Call]) -> None:
        """`call` makes the call of the HTTP API by which a request reads and writes: the same rules hold for both."""
        self._view = view
        self._call = call
        self._origins = OriginPolicy()  # only this very host: allowed origins may use the API, not this form

    async def respond(self, incoming: IncomingRequest, words: Language, *, secure: bool) -> Response:
        """The answer to a request. `secure` is true if it came over TLS."""
        request = incoming.request
        if request.method not in ("GET", "HEAD", "POST"):
            return Response(405, {"Allow": "GET, HEAD, POST"})
        call = self._call(incoming, {})
        user: User | None = None
        try:
            if call.sse.gate.closing:
                raise Refused.standard("shutdown")
            user = await call.people.authenticator.authenticate(request)
            visitor = Visitor.of(request, user, await call.people.tokens())
            found = await call.rooms.find(request.query.get("room"), user, request)
            await opened(found.room, 0)
        except Refused as refused:
            if refused.code == "unknown_room":
                rooms = await call.rooms.visible(user, limit=_MAX_ROOMS)
                return self._view.missing(words, rooms, "./", plain=True, room=True)
            return self._view.refused(words, refused, entry_status(refused), retry_headers(refused))
        visit = _Visit(call.known_as(found, visitor.user, visitor.token), found, visitor, words, secure)
        if request.method != "POST":
            return await self._show(visit)
        return await self._post(visit, incoming)

    async def _show(self, visit: _Visit, refused: Refused | None = None, status: int = 200) -> Response:
        """The page, with what was wrong with the form, if anything was."""
        call, room, messages = visit.call, visit.found.room, list[Message]()
        barred: Refused | None = None
        try:
            call.spend("history")
            async with call.turn():
                await call.check_entry()
                commands = (await room.ready()).commands
                messages = await commands.history(before=call.number("before"), limit=_MESSAGES + 1)
                await call.check_entry()  # they may have been banned while it was read
        except Refused as error:
            barred, messages = error, []
        ways = await call.rooms.desk.ways(room) if barred is not None and barred.code == "entry_required" else {}
        more, messages = len(messages) > _MESSAGES, messages[-_MESSAGES:]
        shown = refused or barred
        note = visit.query.get("note", "")
        user, fields = visit.visitor.user, visit.fields
        body = self._view.room(
            visit.words,
            room=call.rooms.entry(room),
            rooms=await call.rooms.visible(user, limit=_MAX_ROOMS),
            messages=messages,
            own=visit.visitor.member_id,
            older=visit.address(before=messages[0].seq) if more else None,
            newest=visit.address() if "before" in visit.query else None,
            here=visit.address(before=visit.query.get("before")),
            action=f"{visit.address()}#write",
            every=visit.every,
            refused=shown,
            barred=barred,
            ways=ways.get("ways", ()),
            note=note if note in _NOTES and shown is None else "",
            named=user is None or user.name is None or not user.name_fixed,
            # What was written stays in the form while the visitor has to wait.
            may_write="write" in visit.found.grant.access and (barred is None or barred.kind.is_temporary),
            name=fields.get("name", visit.name),
            text=fields.get("text", ""),
            reason=fields.get("reason", ""),
            form=visit.visitor.form,
            # A form that is sent twice is one message.
            id=fields.get("id") or event_id(None),
        )
        if shown is not None:
            status = shown.kind.status
        headers = {**self._view.headers, **visit.visitor.cookie(secure=visit.secure)}
        return Response(status, {**headers, **({} if shown is None else retry_headers(shown))}, body)

    async def _post(self, visit: _Visit, incoming: IncomingRequest) -> Response:
        words, request = visit.words, incoming.request
        # The text is not kept: the form may be another site's.
        elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if elsewhere or not self._origins.allows(request.headers.get("origin"), incoming.host):
            shown = await self._show(visit, Problem("forbidden", "elsewhere"))
            # The browser has kept the guest's cookie from that site: a new one would make them somebody else.
            return replace(shown, headers={key: value for key, value in shown.headers.items() if key != "Set-Cookie"})
        try:
            fields = _fields(request.headers, await visit.call.receive())
        except Refused as refused:
            return await self._show(visit, refused)
        except Denied as denied:
            return self._view.refused(words, denied.refused, denied.status, {})
        visit = _Visit(visit.call, visit.found, visit.visitor, words, visit.secure, fields)
        try:
            if not visit.visitor.sent(fields.get("form", "")):
                raise Problem("forbidden", "cookies")
            note = await (self._enter(visit) if "way" in fields else self._write(visit))
        except Refused as refused:
            return await self._show(visit, refused)
        location = f"{visit.address(note=note)}#write"
        return Response(303, {"Location": location, **visit.visitor.cookie(secure=visit.secure)})

    async def _write(self, visit: _Visit) -> str | None:
        """Take a name, and say something. Return a note for the visitor."""
        fields = visit.fields
        text, name = fields.get("text", ""), fields.get("name", "").strip()
        if _COMMAND.match(text) and not action(text):
            raise Problem("bad_request", "commands")
        async with visit.call.session(name if name and name != visit.name else None) as (session, _):
            if name and not text.strip():
                return "named"
            said = await session.say(text, fields.get("id") or None)
        return None if said.seq else "held"

    async def _enter(self, visit: _Visit) -> str | None:
        """Become known to a room that asks for a password, or for the consent of a moderator."""
        visit.call.spend()
        fields, visitor = visit.fields, visit.visitor
        applicant = Applicant(visitor.member_id, visitor.user, visit.found.grant)
        if fields["way"] == "ask":
            asked = {"name": fields.get("name", ""), "text": fields.get("reason", "")}
            done = await visit.call.rooms.desk.enter(visit.found.room, applicant, {"ask": asked})
        else:
            given = {"password": fields.get("password", "")}
            done = await visit.call.rooms.desk.enter(visit.found.room, applicant, given)
        return "asked" if done.waiting else None


def _fields(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Denied(415, "Send the form of this page.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"))
    except ValueError:
        raise Refused("bad_request", "This form cannot be read.") from None
