"""The author of an HTTP request: a program with an API token, a visitor with a token, or a guest for one request."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pychat.domain.addresses import address_key
from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import User
from pychat.domain.notices import Notice
from pychat.room.backend import RoomBackend
from pychat.room.connection import Encoder
from pychat.room.directory import Found
from pychat.room.session import Session
from pychat.room.tokens import Tokens
from pychat.transports.person import People
from pychat.transports.sse import SSETransport

__all__ = ["Speakers"]

_PROGRAM = re.compile(r"[!-~]{16,}")


class _Nothing(Encoder):
    """The encoder of a connection that is sent nothing."""

    def encode(self, notice: Notice) -> None:
        """Nothing."""


class _Mute:
    """The connection of somebody who only speaks."""

    encoder = _Nothing()

    def send(self, frame: object) -> None:
        """Send nothing."""

    def close(self, why: Close) -> None:
        """Close nothing."""


class Speakers:
    """Knows tokens, and finds the session that a request speaks in."""

    def __init__(self, sse: SSETransport, people: People, api_tokens: Iterable[str] | str) -> None:
        names = [api_tokens] if isinstance(api_tokens, str) else list(api_tokens)
        if any(not _PROGRAM.fullmatch(token) for token in names):
            raise UsageError("api_tokens: a token has 16 or more letters, digits and signs, and no spaces")
        self._sse = sse
        self._people = people
        self._programs = [_digest(token) for token in names]

    def is_program(self, token: str | None) -> bool:
        """Whether this is a token of the server's own."""
        if token is None or not self._programs:
            return False
        given = _digest(token)
        # All are compared, each in constant time: how long it takes tells nothing.
        return sum([hmac.compare_digest(given, known) for known in self._programs]) > 0

    def spend(self, limits: Limits, who: str, remote: str, kind: str = "command") -> None:
        """Count one request of a client without a session, at the address `remote`. Raise `Refused` past the limit."""
        rates = self._people.rooms.rates
        rates.spend(limits.table.charges[kind], rates.person(who), rates.address(remote))

    async def member_id(self, room: RoomBackend, token: str | None, user: User | None) -> str | None:
        """Who asks: the app's `user`, or the member of a visitor's token, of either version; `None` is somebody new.

        Raise `Refused` if the token is not known.
        """
        if user is not None:
            return user.member_id
        if token is None:
            return None
        member_id = room.tokens.read(token) or await self._people.member_id(token)
        if member_id is None:
            raise Refused(
                "unauthorized",
                "This server does not know that token. A program needs one of those that the server was started with"
                " (--api-token, api_tokens=…); a visitor can take a new one: POST …/token.",
            )
        return member_id

    @asynccontextmanager
    async def session(
        self, found: Found, token: str | None, user: User | None, remote: str, name: str | None
    ) -> AsyncIterator[tuple[Session, str | None]]:
        """The session in which a request speaks, and for somebody new the token that speaks for them from now on.

        Somebody with a stream open speaks in that. Anybody else comes in for as long as this takes, as `name`, or
        under the name that they had; `remote` is where from. Raise `Refused`.
        """
        room = found.room
        member_id = await self.member_id(room, token, user)
        session = None if member_id is None else self._sse.session(room, member_id)
        if session is not None and member_id is not None:
            member = session.member
            if name is not None and (member is None or member.name != name):
                await session.join(
                    name, None if user is not None or member_id is None else room.tokens.issue(member_id)
                )
            yield session, None
            return
        if member_id is None and (self._programs or name is None):
            raise Refused("unauthorized", self._who_are_you())
        self.spend(room.limits, f"address {address_key(remote)}" if user is None else user.member_id, remote)
        async with _visit(found, member_id, user, name) as session:
            yield session, room.tokens.issue(session.member_id) if member_id is None and session.member_id else None

    def _who_are_you(self) -> str:
        if self._programs:
            return "Say who speaks: Authorization: Bearer TOKEN, with a token of the server or that of a visitor."
        return "Say who speaks: “author” is a nickname, or send Authorization: Bearer TOKEN with a visitor's token."


@asynccontextmanager
async def _visit(found: Found, member_id: str | None, user: User | None, name: str | None) -> AsyncIterator[Session]:
    member_id, known = member_id or Tokens.new_id(), member_id is not None
    session = await found.room.connect(_Mute(), member_id=member_id, user=user, grant=found.grant)
    try:
        if name is not None:
            await session.join(name)
        elif user is None:
            await session.resume()
        yield session
    finally:
        # The name is held for who can come back as the same member, as for anybody who drops.
        await session.close(left=not known)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
