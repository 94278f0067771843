"""The SSE transport: a room's events as a `text/event-stream`, and commands by POST.

The stream follows HTML's section 9.2: `id` is the position in the log, `event` the name, `data` the JSON that the plain
WebSocket sends. What a visitor POSTs is on another connection, so a stream is told its own visitor's words too.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Close, Refused
from pychat.domain.model import LogEvent, Position, User
from pychat.domain.notices import Notice, Welcome
from pychat.net.http.gate import Gate
from pychat.net.http.stream import Chunk, ResponseStream
from pychat.protocol.v1 import close_event, encode, encode_shared, refusal_event
from pychat.room.backend import RoomBackend
from pychat.room.grant import Grant
from pychat.room.session import Session
from pychat.room.tokens import Tokens
from pychat.transports.admission import admit
from pychat.transports.commands import execute
from pychat.transports.open_connections import OpenConnections

__all__ = ["HEADERS", "SSETransport", "Stream", "last_seen", "prologue", "turned_away"]

#: What a stream is told to whoever carries it: keep nothing, hold nothing back, change nothing.
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}

_HEARTBEAT_SECONDS = 20.0
_HEARTBEAT = Chunk(b":\n\n")
# Proxies and browsers of old pass nothing on before they have this much.
_PADDING = b":" + b" " * 2046 + b"\n"
_Key = tuple[str, str]
_OFFSET = re.compile(r"(.{1,100}):([0-9]{1,18})(?:\.([A-Za-z0-9_-]{1,64}))?")


def last_seen(offset: str | None) -> Position | None:
    """The position behind the `id` of an event; anything else is nowhere."""
    found = None if offset is None else _OFFSET.fullmatch(offset)
    return None if found is None else Position(found[1], int(found[2]), found[3] or "")


def prologue() -> Chunk:
    """What a stream begins with: padding, and when to come back. A crowd does not come back in one instant."""
    return Chunk(_PADDING + b"retry: %d\n\n" % random.randint(1000, 3000))  # noqa: S311 -- no secret


def turned_away(refused: Refused) -> Chunk:
    """The whole stream for a refused visitor; `retry` says when `EventSource` connects again.

    A browser never connects again after a status other than 200.
    """
    wait = round(1000 * refused.retry_seconds + random.uniform(0, 2000))  # noqa: S311 -- no secret
    return Chunk(_PADDING + b"retry: %d\n\n" % wait + _event(*refusal_event(refused)).body)


def _event(name: str, fields: Mapping[str, Any], offset: Position | None = None) -> Chunk:
    offset_line = "" if offset is None else f"id: {offset.epoch}:{offset.seq}{offset.id and f'.{offset.id}'}\n"
    return Chunk(f"{offset_line}event: {name}\ndata: {strictjson.dumps({'type': name, **fields})}\n\n".encode())


class _EventEncoder:
    """One for all streams of a room, for the position is in the bytes."""

    join = staticmethod(Chunk.join)

    def __init__(self, room: RoomBackend) -> None:
        self._room = room

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _EventEncoder) and other._room is self._room

    def __hash__(self) -> int:
        return hash(id(self._room))

    def encode(self, notice: Notice) -> Chunk | Welcome:
        if isinstance(notice, Welcome):
            return notice  # it will hold a token, so each stream has its own
        # The epoch of now: it may be another than that of the moment in which the stream began.
        offset = None
        if isinstance(notice, LogEvent):
            offset = Position(self._room.position.epoch, notice.seq, notice.id)
        return _event(*encode(notice), offset)


class _Connection:
    def __init__(self, response: ResponseStream, encoder: _EventEncoder, token: str | None) -> None:
        self.encoder = encoder
        self._response = response
        self._token = token
        self.send: Callable[[Any], None] = self._greet  # and after that the hot path: no call between

    def _greet(self, welcome: Welcome) -> None:
        self.send = self._response.send
        name, fields = encode_shared(welcome)
        if self._token is not None:
            fields["token"] = self._token
        self.send(_event(name, fields, welcome.position))

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell this one visitor something."""
        self._response.send(_event(name, fields))

    def beat(self) -> None:
        """Show everybody on the way that the stream lives."""
        self._response.send(_HEARTBEAT)

    def close(self, why: Close) -> None:
        self._response.end(_event(*close_event(why)))

    def end(self) -> None:
        """End the stream of somebody who goes, with no more words."""
        self._response.end(_HEARTBEAT)


class Stream:
    """One visitor's stream, and the session that their commands go to."""

    def __init__(self, connection: _Connection, session: Session, token: str | None) -> None:
        self.session = session
        #: What the welcome said: who has it speaks for this visitor. `None` for who has a login.
        self.token = token
        #: Where the transport finds it: the room, and the ids of those whose tokens speak for it.
        self.keys: set[_Key] = set()
        self._connection = connection

    async def leave(self) -> None:
        """Go for good: the name is free, and the stream ends."""
        await self.session.close(left=True)
        self._connection.end()


class SSETransport:
    """Brings event streams into rooms."""

    def __init__(self, gate: Gate) -> None:
        #: Admits streams.
        self.gate = gate
        self._open = OpenConnections[_Connection](gate)
        self._streams: dict[_Key, dict[Stream, None]] = {}
        self._heart: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def find(self, room: RoomBackend, member_id: str) -> Stream | None:
        """The newest stream of this server for which the token of `member_id` speaks."""
        return next(reversed(self._streams.get((room.name, member_id), {})), None)

    async def serve(
        self,
        response: ResponseStream,
        room: RoomBackend,
        *,
        since: Position | None,
        name: str | None,
        member_id: str | None,
        user: User | None = None,
        remote: str = "",
        grant: Grant | None = None,
    ) -> None:
        """Serve a stream until it ends, in a `room` that has started, for somebody at the address `remote`.

        `member_id` is that of the visitor's token, if there is one; `user` is whom the app knows them as. With a `name`
        the visitor takes it; an event `ack` tells how that went.
        """
        refused = self.gate.enter(remote)
        if refused is not None:  # others connected while the host began to answer
            response.end(turned_away(refused))
            return
        try:
            await self._serve(response, room, since=since, name=name, member_id=member_id, user=user, grant=grant)
        finally:
            self.gate.leave(remote)

    async def _serve(
        self,
        response: ResponseStream,
        room: RoomBackend,
        *,
        since: Position | None,
        name: str | None,
        member_id: str | None,
        user: User | None,
        grant: Grant | None,
    ) -> None:
        owner = user.member_id if user is not None else member_id or Tokens.new_id()
        token = room.tokens.issue(owner) if user is None else None  # who has a login speaks by that
        connection = _Connection(response, _EventEncoder(room), token)
        response.on_slow = lambda: connection.close(Close.SLOW)
        self._open.add(connection)
        if self._heart is None:
            self._heart = asyncio.get_running_loop().call_later(_HEARTBEAT_SECONDS, self._beat)
        try:
            session = await admit(room, connection, since=since, member_id=member_id, user=user, grant=grant)
            session.echo = True
            stream = Stream(connection, session, token)
            self._find_by(stream, (room.name, owner))
            try:
                if name is not None:
                    connection.tell("ack", {"ref": "join", **await self.execute(room, stream, "join", {"name": name})})
                elif member_id is not None:
                    await session.resume()
                await response.gone()
            except asyncio.CancelledError:  # a host that ends
                connection.close(Close.SHUTDOWN)
                raise
            finally:
                for key in stream.keys:
                    self._forget(stream, key)
                await session.close()
        except Refused as refused:  # at the door, or the store went away before the name was taken
            response.end(turned_away(refused))
            await response.gone()
        finally:
            response.on_slow = None  # the two let go of each other
            self._open.remove(connection)

    async def execute(self, room: RoomBackend, stream: Stream, name: str, fields: object) -> dict[str, Any]:
        """Carry out a command of the stream's visitor, and return its answer. Never raises for what was sent."""
        if name == "join" and isinstance(fields, dict) and fields.get("token") is None:
            fields = {**fields, "token": stream.token}
        answer = await execute(stream.session, name, fields)
        if name == "join" and answer["ok"] and not stream.session.gone:
            self._find_by(stream, (room.name, answer["member"]["id"]))
        return answer

    def reopen(self) -> None:
        """Begin anew, after `aclose`, or where the event loop before has ended."""
        self._open.reopen()
        self._heart = None
        self._streams.clear()

    async def aclose(self, why: Close) -> None:
        """Close every stream, telling why; wait at most 3 seconds for them to end."""
        if self._heart is not None:
            self._heart.cancel()
            self._heart = None
        await self._open.aclose(why)

    def _find_by(self, stream: Stream, key: _Key) -> None:
        self._streams.setdefault(key, {})[stream] = None
        stream.keys.add(key)

    def _forget(self, stream: Stream, key: _Key) -> None:
        streams = self._streams[key]
        del streams[stream]
        if not streams:
            del self._streams[key]

    def _beat(self) -> None:
        self._heart = asyncio.get_running_loop().call_later(_HEARTBEAT_SECONDS, self._beat) if self._open else None
        for connection in self._open:
            connection.beat()
