"""The SSE transport: the events of a room, or of many, as a `text/event-stream`, and commands by POST.

What a visitor POSTs is on another connection, so a stream is told its own visitor's words too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pychat.domain.errors import Close, Refused
from pychat.domain.model import LogEvent, Position, User
from pychat.domain.notices import Notice, Welcome
from pychat.net.http.gate import Gate
from pychat.net.http.request import Request
from pychat.net.http.stream import Chunk, ResponseStream
from pychat.protocol.v1 import close_event, encode, encode_shared
from pychat.room.backend import RoomBackend
from pychat.room.grant import Grant
from pychat.room.session import Session
from pychat.room.tokens import Tokens
from pychat.transports.admission import admit
from pychat.transports.commands import execute
from pychat.transports.event_stream import HEARTBEAT, encode_event, encode_offset, turned_away
from pychat.transports.logins import StopWatching, nobody_watches
from pychat.transports.open_connections import OpenConnections
from pychat.transports.person import People, PersonConnection, begin
from pychat.transports.person_stream import PersonStream

__all__ = ["SSETransport", "Stream"]

_HEARTBEAT_SECONDS = 20.0
_Key = tuple[str, str]


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
            offset = encode_offset(Position(self._room.position.epoch, notice.seq, notice.id))
        return encode_event(*encode(notice), offset)


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
        self.send(encode_event(name, fields, encode_offset(welcome.position)))

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell this one visitor something."""
        self._response.send(encode_event(name, fields))

    def beat(self) -> None:
        """Show everybody on the way that the stream lives."""
        self._response.send(HEARTBEAT)

    def close(self, why: Close) -> None:
        self._response.end(encode_event(*close_event(why)))

    def end(self) -> None:
        """End the stream of somebody who goes, with no more words."""
        self._response.end(HEARTBEAT)


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
        self._open = OpenConnections[_Connection | PersonStream](gate)
        self._streams: dict[_Key, dict[Stream, None]] = {}
        self._people: dict[str, dict[PersonConnection, PersonStream]] = {}
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
        watch: Callable[[Callable[[Close], object]], StopWatching] | None = None,
    ) -> None:
        """Serve a stream until it ends, in a `room` that has started, for somebody at the address `remote`.

        `member_id` is that of the visitor's token, if there is one; `user` is whom the app knows them as, and `watch`
        asks for that again (`Authenticator.watch`). With a `name`
        the visitor takes it; an event `ack` tells how that went.
        """
        refused = self.gate.enter(remote)
        if refused is not None:  # others connected while the host began to answer
            response.end(turned_away(refused))
            return
        try:
            await self._serve(
                response, room, since=since, name=name, member_id=member_id, user=user, grant=grant, watch=watch
            )
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
        watch: Callable[[Callable[[Close], object]], StopWatching] | None,
    ) -> None:
        owner = user.member_id if user is not None else member_id or Tokens.new_id()
        token = room.tokens.issue(owner) if user is None else None  # who has a login speaks by that
        connection = _Connection(response, _EventEncoder(room), token)
        response.on_slow = lambda: connection.close(Close.SLOW)
        self._add(connection)
        try:
            session = await admit(room, connection, since=since, member_id=member_id, user=user, grant=grant)
            session.echo = True
            stop_watching = nobody_watches if watch is None else watch(session.put_out)
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
                stop_watching()
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

    def session(self, room: RoomBackend, member_id: str) -> Session | None:
        """The session in that room of the newest stream of `member_id`, of either version."""
        stream, person = self.find(room, member_id), self.person(member_id)
        if stream is not None:
            return stream.session
        return None if person is None else person.session(room.name)

    # Version 2.

    def person(self, member_id: str) -> PersonConnection | None:
        """The newest stream of that person on this server."""
        return next(reversed(self._people.get(member_id, {})), None)

    async def serve_person(
        self,
        response: ResponseStream,
        people: People,
        request: Request,
        *,
        rooms: list[dict[str, Any]],
        token: str | None,
        user: User | None = None,
    ) -> None:
        """Serve a stream of a person in many rooms until it ends; `rooms` is what the command `enter` takes.

        `user` is whom the app knows them as; `token` is that of a guest who comes back.
        """
        full = self.gate.enter(request.remote)
        if full is not None:
            response.end(turned_away(full))
            return
        stream = PersonStream(response)
        response.on_slow = lambda: stream.close(Close.SLOW)
        self._add(stream)
        try:
            person = await begin(people, stream, request, user, token)
            stop_watching = people.authenticator.watch(request, user, person.put_out)
            try:
                await self._serve_person(person, stream, rooms)
            finally:
                stop_watching()
        except Refused as refused:
            response.end(turned_away(refused))
            await response.gone()
        finally:
            response.on_slow = None
            self._open.remove(stream)
            self.gate.leave(request.remote)

    async def _serve_person(self, person: PersonConnection, stream: PersonStream, rooms: list[dict[str, Any]]) -> None:
        member_id = person.identity.member_id
        self._people.setdefault(member_id, {})[person] = stream
        try:
            if rooms:
                person.submit("enter", {"rooms": rooms}, None)
            await stream.gone()
        except asyncio.CancelledError:  # a host that ends
            stream.close(Close.SHUTDOWN)
            raise
        finally:
            streams = self._people.get(member_id, {})
            streams.pop(person, None)
            if not streams:
                self._people.pop(member_id, None)
            await person.close()

    async def leave(self, person: PersonConnection) -> None:
        """Leave all rooms for good, and end the stream."""
        stream = self._people[person.identity.member_id][person]
        await person.close(left=True)
        stream.end()

    # For both.

    def reopen(self) -> None:
        """Begin anew, after `aclose`, or where the event loop before has ended."""
        self._open.reopen()
        self._heart = None
        self._streams.clear()
        self._people.clear()

    async def aclose(self, why: Close) -> None:
        """Close every stream, telling why; wait at most 3 seconds for them to end."""
        if self._heart is not None:
            self._heart.cancel()
            self._heart = None
        await self._open.aclose(why)

    def _add(self, connection: _Connection | PersonStream) -> None:
        self._open.add(connection)
        if self._heart is None:
            self._heart = asyncio.get_running_loop().call_later(_HEARTBEAT_SECONDS, self._beat)

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
