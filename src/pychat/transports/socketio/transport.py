"""The chat over Socket.IO: version 1 of the protocol, and the protocol of 2013 for older clients."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, NoReturn
from urllib.parse import parse_qs, parse_qsl
from weakref import WeakValueDictionary

from socketio.exceptions import ConnectionRefusedError as Declined

from pychat.domain.errors import Close, Refused
from pychat.domain.model import User
from pychat.domain.notices import Notice
from pychat.net.http.request import Request
from pychat.net.websocket.connection import DEFAULT_BUFFER_BYTES
from pychat.net.websocket.frames import Frame
from pychat.protocol import v1, v2
from pychat.protocol.told import encode_error
from pychat.protocol.v1 import close_event, decode_position, encode_shared, refusal_event
from pychat.room.backend import RoomBackend
from pychat.room.chatroom import ChatRoom
from pychat.room.connection import Encoder
from pychat.room.directory import Found, RoomDirectory
from pychat.room.session import Session
from pychat.room.tokens import Tokens
from pychat.transports.admission import HOLD_SECONDS, admit, opened
from pychat.transports.answer_batch import AnswerBatch
from pychat.transports.authenticator import Authenticator
from pychat.transports.commands import submit_command
from pychat.transports.logins import StopWatching, nobody_watches
from pychat.transports.person import Encoders, People, PersonConnection, begin
from pychat.transports.socketio.adapter import Server
from pychat.transports.socketio.client import ClientSession, SocketIOClient, encode_event
from pychat.transports.socketio.protocol_2013 import (
    Encoder2013,
    RecoveringEncoder2013,
    decode_offset,
    encode_offset,
)
from pychat.transports.socketio.server import TurnedAway

__all__ = ["SocketIOTransport"]

_UNLIMITED = 1_000_000_000
_BODY_BYTES = 100_000  # of a POST, where messages are small
_GOODBYE, _GOING_AWAY = 1000, 1001  # RFC 6455, section 7.4.1


class _Version1:
    """Events as they are: a name and an object."""

    join = staticmethod(Frame.join)

    def encode(self, notice: Notice) -> Frame:
        return encode_event(*encode_shared(notice))


class _Version2(_Version1):
    """The same for one of the rooms of a person."""

    def __init__(self, room: str) -> None:
        self._room = room

    def encode(self, notice: Notice) -> Frame:
        return encode_event(*v2.encode_shared(notice, self._room))


_ROOM_ENCODERS = Encoders(_Version2)
_VERSIONS = (v1.VERSION, v2.VERSION)
_VERSION_1, _ENCODER_2013 = _Version1(), Encoder2013()


class _Nobody:
    def send(self, frame: Frame, /) -> None:
        """Drop it."""


_UNHEARD = AnswerBatch(_Nobody())


class _Connection(SocketIOClient):
    """A Socket.IO client, as a room sees it."""

    __slots__ = ("_answers", "_room", "encoder", "person", "stop_watching", "visitor")

    #: True if a person gets a copy of their own messages.
    echo = False
    encoder: Encoder
    visitor: Session

    def __init__(self, session: ClientSession, sid: str, namespace: str) -> None:
        super().__init__(session, sid, namespace)
        #: The visitor on version 2, who may be in many rooms.
        self.person: PersonConnection | None = None
        #: Ends the watch of the login.
        self.stop_watching: StopWatching = nobody_watches

    def set_room(self, room: RoomBackend | None, encoder: Encoder) -> None:
        """Set the room that it is in, if it is in one, and the encoder for its frames."""
        self.encoder = encoder
        self._room = room
        self._answers = AnswerBatch(self)

    # What the rooms of a person share on version 2.

    @staticmethod
    def encoder_of(room: RoomBackend) -> Encoder:
        """The encoder of a room's frames."""
        return _ROOM_ENCODERS[room.name]

    def flush(self) -> None:
        """Send what waits for the end of the turn."""
        self._answers.flush()

    async def wait_for_reader(self) -> None:
        """Wait while much is unread."""
        await self.session.wait_for_reader(in_all=True)

    def reroute(self) -> None:
        """Take the way that the session takes now, for all rooms."""
        super().reroute()
        if self.connected and self.person is not None:
            self.person.reroute()

    # For all versions.

    def close(self, why: Close) -> None:
        """Tell the client why, and close the connection."""
        self.tell(*close_event(why))
        self._answers.flush()
        super().close(why)

    def leave(self) -> None:
        """It is on the way out: nothing more is sent, and its answers, which know it, are let go."""
        super().leave()
        self._answers = _UNHEARD
        if self.person is not None:
            self.person.reroute()

    def tell(self, event: str, argument: object) -> None:
        """Tell this one client something."""
        offset = []
        if self._room is not None and isinstance(self.encoder, RecoveringEncoder2013):
            at = self._room.position
            offset.append(encode_offset(at.epoch, at.seq, at.id))
        self._answers.add(encode_event(event, argument, *offset))

    @property
    def end_code(self) -> int | None:
        """The close code with which the client ended its WebSocket, if it did."""
        return self.session.socket.end_code

    @property
    def busy(self) -> bool:
        """Whether its next packet must wait for a command."""
        return self.visitor.busy if self.person is None else self.person.busy

    @property
    def full(self) -> bool:
        """Whether no more commands should be submitted until some are done."""
        return self.visitor.full if self.person is None else self.person.busy

    async def ready(self) -> None:
        """Wait until its next packet can be handled."""
        await (self.visitor if self.person is None else self.person).ready()

    def submit(self, name: str, fields: object, asked: int | None) -> None:
        """Submit a command that came as an event."""
        if self.person is not None:
            self.person.submit(name, fields, None if asked is None else partial(self._answer, asked))
        elif asked is None:
            submit_command(self.visitor, name, fields, self._refuse, only_refusals=True)
        else:
            submit_command(self.visitor, name, fields, partial(self._answer, asked))

    def _refuse(self, answer: dict[str, Any]) -> None:
        """Send the refusal of a command that asked for no acknowledgement."""
        self.tell("error", answer["error"])

    def _answer(self, asked: int, answer: dict[str, Any]) -> None:
        """Send the answer as an acknowledgement."""
        self._answers.add(self.acknowledgement(asked, answer))

    def set_pseudo(self, name: object, asked: int | None) -> None:
        """Do what `join` does, and answer in the words of 2013 too."""

        def reply(answer: dict[str, Any]) -> None:
            self.tell("pseudoStatus", "ok" if answer["ok"] else "error")
            if asked is not None:
                self._answer(asked, answer)

        if self.person is not None:
            self.submit("setPseudo", {}, asked)
        else:
            submit_command(self.visitor, "join", {"name": name}, reply)


class SocketIOTransport:
    """Brings Socket.IO clients into rooms. `server` is a `socketio.AsyncServer`, for events and namespaces of yours."""

    def __init__(
        self,
        rooms: RoomDirectory | ChatRoom,
        *,
        async_mode: Literal["aiohttp", "asgi"] = "asgi",
        allowed_origins: Iterable[str] | str = (),
        allowed_hosts: Iterable[str] | str = "*",
        trusted_proxies: Iterable[str] | str = (),
        authenticator: Authenticator | None = None,
        people: People | None = None,
        max_buffer_bytes: int = DEFAULT_BUFFER_BYTES,
        limited: bool = True,
        **options: Any,  # noqa: ANN401 -- what socketio.AsyncServer takes
    ) -> None:
        """`people` are those of all transports of a mount. `limited=False` removes the limits on connections.

        `options` are those of `Server`.

        `door` is the old name of `authenticator`. It is deprecated.
        """
        if "door" in options:
            warnings.warn("SocketIOTransport's door is now its authenticator", DeprecationWarning, stacklevel=2)
            authenticator = options.pop("door")
        self._authenticator = authenticator or Authenticator()
        self._rooms = rooms if isinstance(rooms, RoomDirectory) else RoomDirectory(rooms)
        self._people = people or People(self._rooms, self._authenticator)
        max_bytes = options.setdefault("max_message_bytes", self._rooms.max_message_bytes)
        # A client that polls sends what has gathered in one body, as large as the handshake allows.
        options.setdefault("max_http_buffer_size", max(_BODY_BYTES, 2 * max_bytes))
        if not limited:
            names = ("max_connections", "max_pending", "max_connections_per_address", "max_pending_per_address")
            options |= dict.fromkeys(names, _UNLIMITED)
        self.server = Server(
            async_mode=async_mode,
            allowed_origins=allowed_origins,
            allowed_hosts=allowed_hosts,
            trusted_proxies=trusted_proxies,
            max_buffer_bytes=max_buffer_bytes,
            lone_surrogates="pass",  # the room refuses such a text, with words
            **options,
        )
        self.server.core.namespaces.client_class = _Connection
        self._here: dict[str, _Connection] = {}
        self._recovering = WeakValueDictionary[RoomBackend, RecoveringEncoder2013]()  # while somebody uses them
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self._events = len(self.server.handlers["/"])
        plain = self.server.core.plain_handlers
        plain |= dict.fromkeys((*v2.COMMANDS, "*"), _take_command)
        plain |= {"setPseudo": _set_pseudo, "message": _message}
        self.server.taken = frozenset({*plain, *self.server.handlers["/"]})

    def __len__(self) -> int:
        """The number of people here."""
        return len(self._here)

    def reopen(self) -> None:
        """Begin anew, after `aclose`, or where the event loop before has ended."""
        self._here.clear()
        self.server.reopen()

    async def aclose(self, why: Close) -> None:
        """Close every connection, telling why; takes a few seconds at most, whoever is stuck."""
        for connection in list(self._here.values()):
            connection.close(why)
        await self.server.shutdown()

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object) -> dict[str, str] | None:
        given = auth if isinstance(auth, dict) else {}
        version = given.get("v")
        if version not in (None, *_VERSIONS):
            raise Declined(Close.VERSION.text, {"reason": Close.VERSION.reason, "speaks": list(_VERSIONS)})
        name = given.get("room")
        if name is None:
            query = environ.get("QUERY_STRING", "")
            name = parse_qs(query).get("room", [None])[0] if "room" in query else None
        if version == v2.VERSION:
            await self._greet(sid, environ, name if isinstance(name, str) else self._people.first_name, given)
            return None
        connection = self.server.client(sid)
        assert isinstance(connection, _Connection)  # noqa: S101 -- the manager's client_class
        try:
            request: Request | None = None
            user: User | None = None
            if self._authenticator.asks or self._rooms.asks:
                named = name if isinstance(name, str) else self._rooms.first_name
                request = _request(environ, named, given)
                user = await self._authenticator.authenticate(request)
            found = await self._rooms.find(name, user, request, address=environ["REMOTE_ADDR"])
        except Refused as refused:
            if refused.code == "unknown_room":
                raise Declined(refused.text, {"reason": Close.UNKNOWN_ROOM.reason}) from None
            await self._turn_away(refused, version, wait=True)
        try:
            told = await self._enter(connection, found, given, user)
        except Refused as refused:
            await self._turn_away(refused, version)
        if request is not None:
            connection.stop_watching = self._authenticator.watch(request, user, connection.visitor.put_out)
        return told

    async def _greet(self, sid: str, environ: dict[str, Any], room: str, given: dict[str, Any]) -> None:
        """Let a person in on version 2, who enters rooms later."""
        connection = self.server.client(sid)
        assert isinstance(connection, _Connection)  # noqa: S101 -- the manager's client_class
        request, token = _request(environ, room, given), given.get("token")
        connection.set_room(None, _VERSION_1)
        try:
            user = await self._authenticator.authenticate(request)
            person = await begin(self._people, connection, request, user, token if isinstance(token, str) else None)
        except Refused as refused:
            await self._turn_away(refused, v2.VERSION)
        connection.person = person
        self._keep(connection)
        connection.stop_watching = self._authenticator.watch(request, user, person.put_out)

    async def _enter(
        self, connection: _Connection, found: Found, given: dict[str, Any], user: User | None
    ) -> dict[str, str] | None:
        room, grant = found
        if given.get("v") is not None:
            connection.set_room(room, _VERSION_1)
            since, token = decode_position(given.get("since")), given.get("token")
            await opened(room)
            member_id = room.tokens.read(token) if isinstance(token, str) and user is None else None
            session = await admit(room, connection, since=since, member_id=member_id, user=user, grant=grant)
            self._begin(connection, session)
            return None
        if connection.auth == {}:
            # What python-socketio's client says when it has nothing to say. It would hand the string that ends
            # each event to handlers that do not expect it; npm's client says nothing at all, and does not mind.
            connection.set_room(room, _ENCODER_2013)
            self._begin(connection, await admit(room, connection, user=user, grant=grant))
            return None
        return await self._recover(connection, found, given, user)

    async def _turn_away(self, refused: Refused, version: object, *, wait: bool = False) -> NoReturn:
        """Refuse somebody, for good or for now.

        For now means that the transport closes: npm's client, and python-socketio's, come back from that by themselves,
        and give up for ever on a CONNECT_ERROR. Clients of version 1 are told when to come back. The others try each
        second or so; where `wait` says that they have not waited yet, they are kept waiting for it.
        """
        if not refused.kind.is_temporary:
            raise Declined(refused.text, {**encode_error(refused), "reconnect": refused.retry_after is not None})
        if version is not None:
            raise TurnedAway(refused.kind.close, refusal_event(refused))
        if wait:
            await asyncio.sleep(min(refused.retry_seconds, HOLD_SECONDS))
        raise TurnedAway(refused.kind.close)

    def _begin(self, connection: _Connection, session: Session) -> None:
        connection.visitor = session
        self._keep(connection)

    def _keep(self, connection: _Connection) -> None:
        self._here[connection.sid] = connection
        server = self.server
        if len(server.handlers) == 1 and len(server.handlers["/"]) == self._events and not server.namespace_handlers:
            # The chat does not look at the request again. Handlers of an application may: those keep it.
            server.drop_environ(connection.sid)

    async def _recover(
        self, connection: _Connection, found: Found, given: dict[str, Any], user: User | None
    ) -> dict[str, str]:
        """Socket.IO's connection state recovery: the client calls itself recovered if it is told the `pid` it said.

        A `pid` is the token of a member id, so it serves after a restart too; it is no token where a login says who
        it is. Where events were missed that cannot be
        had any more, the client is told another `pid`, and all the same it is who it was.
        """
        room, grant = found
        await opened(room)
        pid = given.get("pid")
        if user is not None:
            member_id: str | None = user.member_id
            known = isinstance(pid, str)
        else:
            member_id = room.tokens.read(pid.partition("~")[2]) if isinstance(pid, str) else None
            known = member_id is not None
        since = decode_offset(given.get("offset")) if known else None
        member_id = member_id or Tokens.new_id()
        connection.set_room(room, self._recovering_encoder(room))
        session = await admit(room, connection, since=since, member_id=member_id, own=False, user=user, grant=grant)
        try:
            await session.resume()
        except BaseException:
            await session.close()
            raise
        self._begin(connection, session)
        if session.recovered and isinstance(pid, str):
            return {"pid": pid}
        token = "" if user is not None else room.tokens.issue(member_id)
        return {"pid": f"{Tokens.new_id()}~{token}"}

    def _recovering_encoder(self, room: RoomBackend) -> RecoveringEncoder2013:
        encoder = self._recovering.get(room)
        if encoder is None:
            encoder = self._recovering[room] = RecoveringEncoder2013(room)
        return encoder

    async def _disconnect(self, sid: str, reason: str = "") -> None:
        if sid in self._here:
            connection = self._here.pop(sid)
            connection.stop_watching()
            said_so = reason == self.server.reason.CLIENT_DISCONNECT or connection.end_code == _GOODBYE
            # A page of 2013 that was left cannot come back as the same person; npm's client closes without a code
            # where a connection is broken, and comes back.
            page_left = connection.end_code == _GOING_AWAY and connection.encoder is not _VERSION_1
            visitor = connection.visitor if connection.person is None else connection.person
            await visitor.close(left=said_so or page_left)


def _take_command(connection: _Connection, name: str, arguments: list[object], asked: int | None) -> None:
    """Take a command of version 1, or an unknown event, which is refused as an unknown command."""
    connection.submit(name, arguments[0] if arguments else {}, asked)


def _message(connection: _Connection, _: str, arguments: list[object], asked: int | None) -> None:
    """Take `message`, the word of 2013 for `say`."""
    connection.submit("say", {"text": _only(arguments)}, asked)


def _set_pseudo(connection: _Connection, _: str, arguments: list[object], asked: int | None) -> None:
    """Take `setPseudo`, the word of 2013 for `join`."""
    connection.set_pseudo(_only(arguments), asked)


def _request(environ: dict[str, Any], room: str, said: dict[str, Any]) -> Request:
    """The handshake, as the app is asked about it."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    raw = environ.get("aiohttp.request", environ.get("asgi.scope"))  # neither where `pychat serve` reads the handshake
    remote = environ["REMOTE_ADDR"]
    return Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, query, remote, room, raw, said)


def _only(arguments: list[object]) -> object:
    return arguments[0] if arguments else None
