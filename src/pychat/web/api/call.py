"""One request to an operation of the API: its room, fields, numbers and tokens."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from pychat.domain import strictjson
from pychat.domain.addresses import address_key
from pychat.domain.errors import Refused
from pychat.domain.model import User
from pychat.net.http.body import BodyMalformed, BodyTooLarge
from pychat.net.http.request import Request
from pychat.net.http.response import IncomingRequest
from pychat.room.backend import RoomBackend
from pychat.room.directory import Found, RoomDirectory
from pychat.room.session import Session
from pychat.transports.admission import opened
from pychat.transports.person import People
from pychat.transports.sse import SSETransport
from pychat.web.api.answer import Denied
from pychat.web.api.identity import Speakers
from pychat.web.api.turns import Turns

__all__ = ["Call"]

_NUMBER = re.compile(r"[0-9]{1,15}")
_Fields = dict[str, object]


@dataclass(frozen=True)
class Call:
    """A request to an operation of the API."""

    incoming: IncomingRequest
    rooms: RoomDirectory
    #: What stands in the address: `{"room": "lobby"}`.
    parts: Mapping[str, str]
    speakers: Speakers
    sse: SSETransport
    people: People
    turns: Turns
    max_body_bytes: int
    #: In which a body has to be here, whole.
    body_seconds: float
    #: Whether it comes with a token of the server's own.
    program: bool = False
    #: Whom the app knows the visitor as; `None` is a guest, or a program.
    user: User | None = None
    #: The body, if it was received before the operation runs.
    received: bytes | None = None
    #: The token of a guest whom a cookie names.
    of_cookie: str | None = None

    @property
    def request(self) -> Request:
        """The request, without its body."""
        return self.incoming.request

    #: The room of the address, and what the visitor may do in it.
    found: Found | None = None

    @property
    def room(self) -> RoomBackend:
        """The room of the address."""
        assert self.found is not None  # noqa: S101 -- an operation of a room
        return self.found.room

    @property
    def seq(self) -> int:
        """The number of the message in the address; no message has a number that cannot be read."""
        if not _NUMBER.fullmatch(self.parts["seq"]):
            raise Refused("not_found", "There is no message of that number (any more).")
        return int(self.parts["seq"])

    @property
    def bearer(self) -> str | None:
        """The token of the header `Authorization: Bearer …` (RFC 6750, section 2.1), or of the cookie."""
        if self.of_cookie is not None:
            return self.of_cookie
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def who(self) -> str:
        """Whom requests are counted for that no session counts: a program, a user, or everybody at one address."""
        if self.program:
            return f"program {hashlib.sha256(str(self.bearer).encode()).hexdigest()}"
        return f"address {address_key(self.request.remote)}" if self.user is None else self.user.member_id

    def session(self, name: str | None = None) -> AbstractAsyncContextManager[tuple[Session, str | None]]:
        """The session in which a visitor's request speaks: see `Speakers.session`."""
        assert self.found is not None  # noqa: S101 -- an operation of a room
        return self.speakers.session(self.found, self.bearer, self.user, self.request.remote, name)

    def known_as(self, found: Found, user: User | None, token: str | None) -> Call:
        """The same request for the room `found`, by `user` or the guest of `token`."""
        return replace(self, found=found, user=user, of_cookie=token)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for this client's turn to read."""
        return self.turns.turn(self.who)

    async def check_entry(self) -> None:
        """Raise `Refused` if the visitor may not enter the room, for example because of a ban. Programs may."""
        assert self.found is not None  # noqa: S101 -- an operation of a room
        if self.program:
            return
        await opened(self.room, 0)
        try:
            member_id = await self.speakers.member_id(self.room, self.bearer, self.user)
        except Refused as refused:
            if refused.code != "unauthorized":
                raise
            member_id = None  # whoever only reads needs no token
        self.room.check_entry(self.found.grant, self.user, member_id)

    def spend(self, kind: str = "command") -> None:
        """Count a request of that kind that no session counts. Raise `Refused` if that is too many."""
        limits = self.rooms.limits if self.found is None else self.room.limits
        self.speakers.spend(limits, self.who, "" if self.program else self.request.remote, kind)

    def number(self, name: str) -> int | None:
        """A whole number of the query."""
        given = self.request.query.get(name)
        return None if given is None else _number(name, given)

    async def fields(self, *texts: str, numbers: tuple[str, ...] = (), plain: str | None = None) -> _Fields:
        """The fields of the body that are of those names; those `texts` that it lacks, the query may have.

        With `plain`, a body may also be a form, or a bare text: that is the field of that name.
        """
        if plain is None or self._kind == "application/json":
            given = await self.json()
        elif self._kind == "text/plain":
            given = {plain: _text(await self._body())}
        elif self._kind == "application/x-www-form-urlencoded":
            given = _form(_text(await self._body()), (*texts, *numbers), plain)
        else:
            raise Denied(415, "Send JSON, a form or plain text, and say which in Content-Type.")
        fields = {name: given[name] for name in (*texts, *numbers) if given.get(name) is not None}
        for name in texts:
            if name not in fields and name in self.request.query:
                fields[name] = self.request.query[name]
            if not isinstance(fields.get(name, ""), str):
                raise Refused("bad_request", f"“{name}” must be a text.")
        for name in numbers:
            if name in fields:
                fields[name] = _number(name, fields[name])
        return fields

    async def json(self) -> _Fields:
        """The body, which must be one JSON object."""
        if self._kind != "application/json":
            raise Denied(415, "Send JSON, with the header Content-Type: application/json.")
        try:
            given = strictjson.loads(_text(await self._body()))
        except ValueError as error:
            raise Refused("bad_request", f"This is not JSON: {error}.") from None
        if not isinstance(given, dict):
            raise Refused("bad_request", "Send one JSON object: {“text”: “hi”}.")
        return given

    async def _body(self) -> bytes:
        return await self.receive() if self.received is None else self.received

    @property
    def _kind(self) -> str:
        return self.request.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def receive(self) -> bytes:
        """The body. Raise `Refused` or `Denied` if it is too large, malformed or late."""
        if self.request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise Denied(415, "Send the body as it is, without the header Content-Encoding.")
        try:
            async with asyncio.timeout(self.body_seconds):
                return await self.incoming.read(self.max_body_bytes)
        except BodyTooLarge:
            raise Denied(413, f"A body can have {self.max_body_bytes} bytes at most.") from None
        except BodyMalformed:
            raise Refused("bad_request", "The body is not one that HTTP allows, or has too many chunks.") from None
        except TimeoutError:
            raise Denied(408, "The body did not come in time. Try again.") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused("bad_request", "The body is not UTF-8.") from None


def _form(text: str, names: tuple[str, ...], plain: str) -> _Fields:
    """The fields of a form. `curl -d 'Hello!'` says that it sends one, and sends just that: a text without a `=`."""
    if "=" not in text:
        return {plain: text}
    fields: _Fields = dict(parse_qsl(text, keep_blank_values=True))
    strange = next((name for name in fields if name not in names), None)
    if strange is not None:
        raise Refused(
            "bad_request",
            f"A form has no field {strange[:40]!a}, only: {', '.join(names)}. Send texts that hold = or & with"
            f" --data-urlencode {plain}=…, or with the header Content-Type: text/plain.",
        )
    return fields


def _number(name: str, given: object) -> int:
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        return int(given)
    # JSON knows no integers: 1.0 is 1.
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 2**53 and given == int(given):
        return int(given)
    raise Refused("bad_request", f"“{name}” must be a whole number, 0 or above.")
