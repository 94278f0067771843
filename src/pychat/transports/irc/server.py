"""The IRC server: accepts connections up to its limits, and reads their lines until they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import warnings
from datetime import UTC, datetime
from weakref import WeakKeyDictionary, WeakValueDictionary

from pychat.domain.errors import Close, Refused
from pychat.net.addresses import AddressLimiter
from pychat.net.http.connections import Connections
from pychat.net.http.proxies import Proxies
from pychat.net.process import cut_unread
from pychat.net.tls import TlsListener
from pychat.net.websocket.connection import DEFAULT_BUFFER_BYTES
from pychat.room.backend import RoomBackend
from pychat.room.chat import Chat, authenticate_of, rooms_of
from pychat.room.chatroom import ChatRoom
from pychat.room.clock import Clock
from pychat.transports.authenticator import Authenticate, Authenticator
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.client import Client
from pychat.transports.irc.clients import Clients
from pychat.transports.irc.commands import execute
from pychat.transports.irc.encoder import ENCODING_CAPS, LineEncoder
from pychat.transports.irc.line import SERVER, BadLine, Line, LineBuffer
from pychat.transports.irc.nicks import casefold
from pychat.transports.irc.numerics import ERR_INPUTTOOLONG
from pychat.transports.irc.outbox import Outbox

__all__ = ["IrcServer", "serve_irc"]

_log = logging.getLogger("pychat.transports")

_REGISTRATION_SECONDS = 10.0
_CLOSE_SECONDS = 3.5
_MAX_BAD_LINES = 10


class IrcServer:
    """Lets IRC clients into rooms, or into those of one `Chat`. Each room is a channel: the room `lobby` is `#lobby`.

    `authenticate` is the function of your app, as for a mount. Its `Request` has the `room` and the `remote` address.
    Its `auth` has the `nick` and `user` that the client sent, and the server password as `token` (`Request.bearer`).

    Every `revalidate` seconds it is asked again for each client with a login. When the login has ended, the client is
    disconnected.

    Limits: `max_clients` clients, `max_per_address` of them from one address, and `max_buffer_bytes` of unread data for
    each client. A client has `registration_seconds` (10 by default) until it is registered. One that is silent for
    `ping_seconds` gets a `PING`, and is disconnected if it stays silent for
    as long again.
    """

    def __init__(
        self,
        *rooms: ChatRoom | Chat,
        authenticate: Authenticate | None = None,
        revalidate: float | None = None,
        max_clients: int = 10_000,
        max_per_address: int = 100,
        max_buffer_bytes: int = DEFAULT_BUFFER_BYTES,
        ping_seconds: float = 75.0,
        registration_seconds: float | None = None,
    ) -> None:
        chat = rooms_of(rooms)
        #: The rooms of the server.
        self.rooms = chat.directory if isinstance(chat, Chat) else chat
        self.clock: Clock = self.rooms.clock
        self.limits = self.rooms.limits
        #: Counts what clients do, together with the mounts of the same rooms.
        self.rates = self.rooms.rates
        self.started = f"{datetime.fromtimestamp(self.clock.date(), UTC):%Y-%m-%d %H:%M:%S} UTC"
        self.authenticator = Authenticator(authenticate_of(chat, authenticate), revalidate=revalidate, clock=self.clock)
        #: The channels that everybody may know.
        self.channels: dict[str, Channel] = {}
        self._others = WeakValueDictionary[RoomBackend, Channel]()  # while somebody is in them
        # Of two names that differ only in case, the first one can be joined.
        for room in () if self.rooms.guarded else self.rooms.given:
            channel = Channel(room)
            self.channels.setdefault(channel.key, channel)
        self._encoders = WeakKeyDictionary[Channel, dict[frozenset[str], LineEncoder]]()
        self.clients = Clients()
        self._limits = AddressLimiter(max_clients, max_per_address)
        self._max_bytes = max_buffer_bytes
        self.ping_seconds = ping_seconds
        self._registration_seconds = registration_seconds or _REGISTRATION_SECONDS
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | TlsListener | None = None
        self._closing = False

    async def start(
        self, host: str | None = "127.0.0.1", port: int = 6667, *, tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen, with `tls` if given. Return the port; with `port=0` a free one. Raise `OSError`."""
        self._closing = False
        if tls is None:
            self._server = await asyncio.start_server(self._serve, host, port, backlog=1024)
        else:
            handshakes = Connections(self._limits, Proxies(), head_seconds=self._registration_seconds)
            self._server = TlsListener(tls, self._protocol, handshakes)
            await self._server.start(host, port)
        cut_unread(self._server.sockets)
        return self.port

    @property
    def port(self) -> int:
        """The port of the server; 0 if it does not listen."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server and self._server.sockets else 0

    async def turn(self) -> None:
        """Wait for one turn of the event loop. Clients wait in order, one at a time."""
        async with self._turn:
            await asyncio.sleep(0)

    def encoder(self, channel: Channel, caps: frozenset[str]) -> LineEncoder:
        """The encoder of that channel for clients with these capabilities."""
        encoders, key = self._encoders.setdefault(channel, {}), caps & ENCODING_CAPS
        if key not in encoders:
            encoders[key] = LineEncoder(channel, caps)
        return encoders[key]

    def channel(self, room: RoomBackend) -> Channel:
        """The channel of a room that somebody may enter."""
        channel = self.channels.get(casefold(f"#{room.name}"))
        if channel is not None and channel.room is room:
            return channel
        channel = self._others.get(room)
        if channel is None:
            channel = self._others[room] = Channel(room)
        return channel

    def wire(self, channel: Channel, caps: frozenset[str]) -> LineEncoder:
        """Return `encoder(channel, caps)`. Deprecated: use `encoder`."""
        warnings.warn("IrcServer.wire() is now IrcServer.encoder()", DeprecationWarning, stacklevel=2)
        return self.encoder(channel, caps)

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Stop listening, and close all connections with the reason `why`. The rooms stay open. Idempotent."""
        self._closing = True
        self.authenticator.close()
        if self._server is not None:
            self._server.close()
        for client in list(self.clients):
            client.close(why)
        tasks = [task for task in self.clients.values() if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._server.wait_closed()

    def _protocol(self) -> asyncio.Protocol:
        loop = asyncio.get_running_loop()
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), self._serve, loop=loop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ("",))[0])
        client = Client(self, Outbox(writer, address, self._max_bytes, lambda: client.close(Close.SLOW)), address)
        counted = self._limits.acquire(address)
        self.clients.add(client, asyncio.current_task())
        try:
            if not counted or self._closing:
                client.close(Close.SHUTDOWN if counted else Close.FULL)
            else:
                await self._converse(client, reader)
        except (OSError, asyncio.IncompleteReadError) as error:  # the connection is lost
            error.__traceback__ = None  # asyncio keeps the error with the stream, and would keep all its frames
        except Exception:
            _log.exception("An IRC connection failed")
        finally:
            try:
                await client.leave()
            finally:
                client.hang_up("Goodbye.")
                await client.outbox.wait_closed()
                self.clients.remove(client)
                if counted:
                    self._limits.release(address)

    async def _converse(self, client: Client, reader: asyncio.StreamReader) -> None:
        """Read and execute lines until either side ends the connection."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._registration_seconds
        buffer, bad, asked = LineBuffer(), 0, False
        while client.is_open():
            wait = self.ping_seconds if client.registered else deadline - loop.time()
            try:
                async with asyncio.timeout(wait):
                    data = await reader.read(65_536)
            except TimeoutError:
                if asked or not client.registered:
                    client.close(Close.TIMEOUT)
                    return
                asked = True
                client.write(Line("PING", (SERVER,)))
                continue
            if not data:
                return
            asked = False
            await client.pacer.take_in(len(data))
            for raw in buffer.feed(data):
                bad = 0 if await self._take(client, raw) else bad + 1
                if bad >= _MAX_BAD_LINES:
                    client.close(Close.BAD_FRAME)
                if not client.is_open():
                    return
                await client.pacer.pace()
                if client.outbox.buffered > self._max_bytes // 2:
                    async with asyncio.timeout(self.ping_seconds):
                        await client.outbox.drain()

    async def _take(self, client: Client, raw: bytes | None) -> bool:
        """Execute one line. Return false if it is not a valid line."""
        await client.pacer.take_line()
        try:
            if raw is None:
                raise BadLine("INPUT_TOO_LONG", "This line is too long.")
            line = Line.parse(raw)
        except BadLine as bad:
            code = bad.code
            if "standard-replies" in client.caps:
                client.refuse("*", Refused(code, bad.text), None)
            elif code == "INPUT_TOO_LONG":
                client.reply(ERR_INPUTTOOLONG, bad.text)
            else:
                client.write(Line("FAIL", ("*", code, bad.text), SERVER))
            return False
        await execute(client, line)
        return True


async def serve_irc(
    *rooms: ChatRoom | Chat,
    host: str | None = "127.0.0.1",
    port: int = 6667,
    authenticate: Authenticate | None = None,
) -> IrcServer:
    """Let IRC clients into `rooms`, or into the rooms of one `Chat`, and return the server.

    Call its `aclose` before you close the rooms.
    `host` may be an IPv6 address, or `None` for all addresses of this machine. `authenticate` is described at
    `IrcServer`. Raise `OSError` if it cannot listen.
    """
    server = IrcServer(*rooms, authenticate=authenticate)
    await server.start(host, port)
    return server
