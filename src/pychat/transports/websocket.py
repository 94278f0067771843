"""The plain WebSocket transport: both versions as JSON texts. `GET /ws`, subprotocol `pychat.v1` or `pychat.v2`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Close, Refused
from pychat.domain.model import Position, User
from pychat.domain.notices import Notice
from pychat.net.http.gate import Gate
from pychat.net.http.request import Request
from pychat.net.slow_readers.backpressure import wait_for_reader
from pychat.net.websocket.connection import NO_CODE, WebSocketClosed, WebSocketConnection
from pychat.net.websocket.frames import Frame
from pychat.protocol import v2
from pychat.protocol.told import encode_error
from pychat.protocol.v1 import close_event, decode_position, encode_refusal, encode_shared, refusal_event
from pychat.room.backend import RoomBackend
from pychat.room.connection import Encoder
from pychat.room.directory import RoomDirectory
from pychat.room.session import Session
from pychat.transports.admission import admit, opened
from pychat.transports.answer_batch import AnswerBatch
from pychat.transports.commands import submit_command
from pychat.transports.logins import nobody_watches
from pychat.transports.open_connections import OpenConnections
from pychat.transports.person import Encoders, People, PersonConnection, begin

__all__ = ["WebSocketTransport"]

# Close codes of somebody who goes for good. A browser that leaves or reloads a page says 1001, and may be back.
_GOODBYES = frozenset({1000, NO_CODE})
_NUMBER = re.compile(r"[0-9]{1,18}")

_Tell = Callable[[dict[str, Any]], object]
#: Submits a command: its name, its fields, and the function for its answer, if the client asked for one.
_Submit = Callable[[str, object, _Tell | None], None]


class _JSONWire:
    join = staticmethod(Frame.join)

    def encode(self, notice: Notice) -> Frame:
        name, fields = encode_shared(notice)
        return Frame(strictjson.dumps({"type": name, **fields}))


class _RoomJSONWire(_JSONWire):
    """The same of version 2, for one room."""

    def __init__(self, room: str) -> None:
        self._room = room

    def encode(self, notice: Notice) -> Frame:
        name, fields = v2.encode_shared(notice, self._room)
        return Frame(strictjson.dumps({"type": name, **fields}))


_ROOM_ENCODERS = Encoders(_RoomJSONWire)


class _Connection:
    encoder = _JSONWire()
    echo = False

    def __init__(self, websocket: WebSocketConnection) -> None:
        self._websocket = websocket
        #: Sends a frame of a room.
        self.send: Callable[[Any], None] = websocket.send
        self._answers = AnswerBatch(websocket)

    # For version 2.

    @staticmethod
    def encoder_of(room: RoomBackend) -> Encoder:
        """The encoder of a room's frames on version 2."""
        return _ROOM_ENCODERS[room.name]

    def flush(self) -> None:
        """Send what waits for the end of the turn."""
        self._answers.flush()

    async def wait_for_reader(self) -> None:
        """Wait while much is unread."""
        await wait_for_reader(self._websocket)

    # For both.

    def close(self, why: Close) -> None:
        self.tell(*close_event(why))
        self._answers.flush()
        self._websocket.close(why.code, why.reason)

    def turn_away(self, refused: Refused) -> None:
        """Close the connection of somebody who is not let in, telling why and when to come back."""
        self.tell(*refusal_event(refused))
        self._answers.flush()
        why = refused.kind.close
        self._websocket.close(why.code, why.reason)

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell this one connection something."""
        self._answers.add(Frame(strictjson.dumps({"type": name, **fields})))

    def submit(self, session: Session, name: str, fields: object, tell: _Tell | None) -> None:
        """Submit a command of version 1. If the client asked for no answer, it gets only a refusal, as `error`."""
        if tell is None:
            submit_command(session, name, fields, lambda told: self.tell("error", told["error"]), only_refusals=True)
        else:
            submit_command(session, name, fields, tell)

    def charge(self, spend: Callable[[], None]) -> None:
        """Count a message that is no command with `spend`; close the connection if there were too many."""
        try:
            spend()
        except Refused:
            self.close(Close.BAD_FRAME)


class WebSocketTransport:
    """Brings plain WebSockets into rooms."""

    def __init__(self, rooms: RoomDirectory, gate: Gate, people: People, *, hello_seconds: float = 10.0) -> None:
        """`people` are those who speak version 2. Their first message has to come in `hello_seconds`."""
        self._hello_seconds = hello_seconds
        self._rooms = rooms
        self._people = people
        #: Admits connections.
        self.gate = gate
        self._open = OpenConnections[_Connection](gate)

    def __len__(self) -> int:
        return len(self._open)

    async def turn_away(self, websocket: WebSocketConnection, refused: Refused) -> None:
        """Tell somebody who is refused for now when to come back: of a handshake that failed, browsers tell nothing."""
        _Connection(websocket).turn_away(refused)
        with suppress(WebSocketClosed):
            while True:
                await websocket.receive()

    async def serve(self, websocket: WebSocketConnection, request: Request, user: User | None = None) -> None:
        """Serve an accepted WebSocket until it closes. The `query` of its handshake has `room`, `epoch`, `seq`, `id`.

        `user` is whom the app knows the person as; without one, a guest.
        """
        refused = self.gate.enter(websocket.remote)
        if refused is not None:  # others connected since the handshake was checked
            await self.turn_away(websocket, refused)
            return
        try:
            connection = _Connection(websocket)
            self._open.add(connection)
            try:
                if websocket.protocol == v2.SUBPROTOCOL:
                    await self._serve_person(connection, websocket, request, user)
                else:
                    await self._serve(connection, websocket, request, user)
            finally:
                self._open.remove(connection)
        finally:
            self.gate.leave(websocket.remote)

    async def _serve(
        self, connection: _Connection, websocket: WebSocketConnection, request: Request, user: User | None
    ) -> None:
        session = await self._enter(connection, request, user)
        watch = self._people.authenticator.watch
        stop_watching = nobody_watches if session is None else watch(request, user, session.put_out)
        left = False
        try:
            while True:
                data = await websocket.receive()
                if session is not None:
                    await wait_for_reader(websocket)
                    self._submit(connection, data, partial(connection.submit, session), session.spend_refused)
                    await session.ready()
        except WebSocketClosed as end:
            left = end.code in _GOODBYES
        finally:
            stop_watching()
            if session is not None:
                await session.close(left=left)

    async def _serve_person(
        self, connection: _Connection, websocket: WebSocketConnection, request: Request, user: User | None
    ) -> None:
        """Serve version 2: a person in many rooms."""
        person: PersonConnection | None = None
        stop_watching = nobody_watches
        left = False
        try:
            person = await self._greet(connection, websocket, request, user)
            if person is not None:
                stop_watching = self._people.authenticator.watch(request, user, person.put_out)
            while True:
                data = await websocket.receive()
                if person is not None:
                    await wait_for_reader(websocket)
                    self._submit(connection, data, partial(person.submit, size=len(data)), person.spend)
                    await person.ready()
        except WebSocketClosed as end:
            left = end.code in _GOODBYES
        finally:
            stop_watching()
            if person is not None:
                await person.close(left=left)

    async def _greet(
        self, connection: _Connection, websocket: WebSocketConnection, request: Request, user: User | None
    ) -> PersonConnection | None:
        try:
            async with asyncio.timeout(self._hello_seconds):
                data = await websocket.receive()
        except TimeoutError:
            connection.close(Close.TIMEOUT)
            return None
        try:
            token = v2.decode_hello(_parse(data))
        except Refused as refused:
            connection.tell("error", encode_error(refused))
            connection.close(Close.BAD_FRAME)
            return None
        try:
            return await begin(self._people, connection, request, user, token)
        except Refused as refused:
            connection.turn_away(refused)
            return None

    async def _enter(self, connection: _Connection, request: Request, user: User | None) -> Session | None:
        try:
            room, grant = await self._rooms.find(request.query.get("room"), user, request)
            await opened(room)
            member_id = None if user is not None or request.bearer is None else room.tokens.read(request.bearer)
            since = _since(request.query)
            return await admit(room, connection, since=since, member_id=member_id, user=user, grant=grant)
        except Refused as refused:
            if refused.code == "unknown_room":
                connection.tell("error", encode_error(refused))
                connection.close(Close.UNKNOWN_ROOM)
            else:
                connection.turn_away(refused)
            return None

    @staticmethod
    def _submit(connection: _Connection, data: str | bytes, submit: _Submit, spend: Callable[[], None]) -> None:
        reference: Any = None

        def tell(answer: dict[str, Any]) -> None:
            connection.tell("ack", {"ref": reference, **answer})

        try:
            command = _parse(data)
            reference = command.pop("ref", None)
            if not (reference is None or (isinstance(reference, str | int | float) and len(str(reference)) <= 64)):
                reference = None
                raise Refused("bad_request", "“ref” must be a number, or a text of 64 characters at most.")
            name = command.pop("type", None)
            if not isinstance(name, str):
                raise Refused("bad_request", "Say which command: {“type”: “say”, “text”: “hi”}.")
        except Refused as refused:
            if reference is None:
                connection.tell("error", encode_error(refused))
            else:
                tell(encode_refusal(refused))
            connection.charge(spend)
        else:
            submit(name, command, None if reference is None else tell)

    def reopen(self) -> None:
        """Start again, after `aclose`, or when the previous event loop has ended."""
        self._open.reopen()

    async def aclose(self, why: Close) -> None:
        """Close every connection, telling why; wait at most 3 seconds for them to end."""
        await self._open.aclose(why)


def _parse(data: str | bytes) -> dict[str, Any]:
    if isinstance(data, bytes):
        raise Refused("bad_request", "Send texts, not binary messages.")
    try:
        command = strictjson.loads(data)
    except ValueError as error:
        raise Refused("bad_request", f"This is not JSON: {error}.") from None
    if not isinstance(command, dict):
        raise Refused("bad_request", "Send one JSON object: {“type”: “say”, “text”: “hi”}.")
    return command


def _since(query: Mapping[str, str]) -> Position | None:
    seq = query.get("seq", "")
    if not _NUMBER.fullmatch(seq):
        return None
    return decode_position({"epoch": query.get("epoch"), "seq": int(seq), "id": query.get("id")})
