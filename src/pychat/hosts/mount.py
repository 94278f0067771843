"""A mount: rooms with their transports, page and API, for any host. `aiohttp` and `asgi` adapt it to their hosts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, cast

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.model import User
from pychat.hosts.siblings import Siblings
from pychat.net.addresses import AddressLimiter
from pychat.net.http.gate import Gate, retry_headers
from pychat.net.http.hosts import HostPolicy
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.proxies import Proxies
from pychat.net.http.request import Request
from pychat.net.http.response import IncomingRequest, Response, StreamingResponse
from pychat.net.slow_readers.answer_budget import AnswerBudget
from pychat.net.websocket.connection import DEFAULT_BUFFER_BYTES, WebSocketConnection
from pychat.protocol import v1, v2
from pychat.room.chat import Chat, authenticate_of, rooms_of
from pychat.room.chatroom import ChatRoom
from pychat.room.rate_limiter import AddressRate, too_much
from pychat.transports.authenticator import Authenticate, Authenticator, entry_status
from pychat.transports.person import People
from pychat.transports.socketio import SocketIOTransport
from pychat.transports.sse import SSETransport
from pychat.transports.websocket import WebSocketTransport
from pychat.web.api import Api
from pychat.web.api.answer import refusal
from pychat.web.brand import Brand
from pychat.web.offline import Offline
from pychat.web.plain import PLAIN_PATH, PlainPages
from pychat.web.site import Site

__all__ = ["HEARTBEAT_SECONDS", "PLAIN_PATH", "SOCKETIO_PATHS", "SUBPROTOCOLS", "Mount", "MountOptions", "with_slash"]

#: How often a plain WebSocket is pinged.
HEARTBEAT_SECONDS = 25.0

#: Where Socket.IO is; clients can be told to leave the slash out.
SOCKETIO_PATHS = ("/socket.io/", "/socket.io")

#: The versions that plain WebSockets may speak; without one, the first.
SUBPROTOCOLS = (v1.SUBPROTOCOL, v2.SUBPROTOCOL)

_UNLIMITED = 1_000_000_000
#: Options that count connections.
_COUNTS = {
    "max_connections": 100_000,
    "max_connections_per_address": 5_000,  # more than the people of a school behind one address
    "max_pending": 2_000,
    "max_pending_per_address": 500,
}
_TEXT = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


_ROOM = re.compile(r"/api/rooms/([^/]+)")  # elsewhere a room is named by `?room=`


class MountOptions(TypedDict, total=False):
    """The options of `aiohttp_app` and `asgi_app`."""

    #: A function of a `Request`, sync or async: it returns a `User`, or `None` for a guest, or raises `Refused`.
    authenticate: Authenticate | None
    #: Every so many seconds, `authenticate` is asked again for each connection of a user, with the request that opened
    #: it. If the login has ended, the connection is closed with `Close.LOGIN_ENDED`. `None`, the default: never.
    revalidate: float | None
    #: A directory whose `page.html` replaces pychat's; it may extend `pychat/page.html`.
    templates: str | Path | None
    #: The language of readers whose browser asks for none that there is; `"en"` by default; `--language`.
    language: str | None
    #: A directory with words of your own: further languages, or other words for one of pychat's; `--languages`.
    languages: str | Path | None
    #: Whether the pages show texts with Markdown; `True` by default; `--no-markdown`.
    markdown: bool
    #: The colour of buttons and links, as `"#0b6e5d"`; `--accent`.
    accent: str | None
    #: The path of a picture that stands in place of pychat's mark, and in the tab; `--logo`.
    logo: str | Path | None
    #: Other origins whose pages may connect: `"https://example.com"`, or `"*"` for all; `--allow-origin` of
    #: `pychat serve`. With logins by cookie, allow only origins that you trust: their pages can act as their readers.
    allowed_origins: Iterable[str] | str
    #: Pages that may put a room's page into a frame: `"self"` (the default: those of the same origin), `"none"`, or
    #: origins such as `"https://example.com"`; `--frame-ancestors`.
    frame_ancestors: Iterable[str] | str
    #: The host names to answer to, such as `"chat.example.com"`; `--allow-host`. IP addresses, `localhost` and the
    #: names of this machine are always allowed. `"*"`, the default, allows any name.
    allowed_hosts: Iterable[str] | str
    #: Proxies whose `X-Forwarded-For` and `X-Forwarded-Host` are trusted: addresses, networks, `"unix"` or `"*"`;
    #: `--trusted-proxy`.
    trusted_proxies: Iterable[str] | str
    #: The maximum number of bytes that wait for one slow reader, not counting the largest frame.
    max_buffer_bytes: int
    #: Connections at once, on all transports together; 100,000 by default.
    max_connections: int
    #: Connections of one address at once (IPv6: of one /64); 5,000 by default.
    max_connections_per_address: int
    #: Socket.IO clients at once that have not connected to a namespace yet; 2,000 by default.
    max_pending: int
    #: The same of one address; 500 by default.
    max_pending_per_address: int
    #: Seconds in which a client has to finish its handshake: CONNECT on Socket.IO, the first message of version 2 on a
    #: plain WebSocket; 10 by default.
    handshake_seconds: float
    #: Seconds in which the body of a request has to come, whole; 10 by default.
    body_seconds: float
    #: Seconds that a connection of version 2 may be in no room, unless it hears what is unread; 300 by default.
    enter_seconds: float
    #: `False` removes the limits on connections and on how often they are opened, for measurements.
    limited: bool
    #: Tokens for programs that post over HTTP, under any name. If there are any, visitors need a token too.
    api_tokens: Iterable[str] | str
    #: A secret of 16 or more characters. Whoever opens the page with `#owner=` and this token becomes an owner of the
    #: room; `--owner-token`. Start with another one, and the old one is worth nothing; owners stay owners.
    owner_token: str | None
    #: What browsers keep for when there is no network: `"messages"` (the page, and the last messages of the rooms that
    #: somebody was in), `"page"` or `"off"`. By default messages are kept only where there are no logins: neither
    #: `authenticate` nor `access` nor `find_room`; `--offline`.
    offline: Offline | None
    #: Serve the sources of the page's scripts and styles one by one, as they are to be read in a debugger; `--dev`.
    dev: bool


class Mount:
    """Rooms, their pages and their transports. Paths are relative to the mount, and begin with a slash."""

    def __init__(
        self,
        rooms: Sequence[ChatRoom | Chat],
        async_mode: Literal["aiohttp", "asgi"],
        **options: Unpack[MountOptions],
    ) -> None:
        #: The chat, or the directory of plain rooms: what is started and closed with the host.
        self.chat = rooms_of(rooms)
        self.rooms = self.chat.directory if isinstance(self.chat, Chat) else self.chat
        owner_token = options.get("owner_token")
        if owner_token is not None:
            self.rooms.desk.use_owner_token(owner_token)
        self.max_buffer_bytes = options.get("max_buffer_bytes", DEFAULT_BUFFER_BYTES)
        self._limited = options.get("limited", True)
        self._loop: asyncio.AbstractEventLoop | None = None
        #: What the hosts hold answers to.
        self.answers = AnswerBudget()
        self._origins = OriginPolicy(options.get("allowed_origins", ()))
        self._hosts = HostPolicy(options.get("allowed_hosts", "*"))
        self._proxies = Proxies(options.get("trusted_proxies", ()))
        self.rooms.protected += self._proxies.networks
        self.authenticator = Authenticator(
            authenticate_of(self.chat, options.get("authenticate")),
            revalidate=options.get("revalidate"),
            clock=self.rooms.clock,
        )
        self.authenticator.login_ended = self.rooms.push.login_ended
        self._use_push()
        self._site = Site(
            self.rooms,
            options.get("templates"),
            self._origins,
            self.authenticator,
            options.get("frame_ancestors", "self"),
            options.get("language") or (self.chat.language if isinstance(self.chat, Chat) else None),
            options.get("languages") or (self.chat.languages if isinstance(self.chat, Chat) else None),
            offline=options.get("offline"),
            markdown=options.get("markdown", not isinstance(self.chat, Chat) or self.chat.markdown),
            brand=Brand(
                options.get("accent") or (self.chat.accent if isinstance(self.chat, Chat) else None),
                options.get("logo") or (self.chat.logo if isinstance(self.chat, Chat) else None),
            ),
            dev=options.get("dev", False),
        )
        given = cast("dict[str, Any]", {name: value for name, value in options.items() if name in _COUNTS})
        counts = {**_COUNTS, **given} if self._limited else dict.fromkeys(_COUNTS, _UNLIMITED)
        limits = AddressLimiter(counts["max_connections"], counts["max_connections_per_address"])
        table = self.rooms.limits.table
        handshake, body = options.get("handshake_seconds", 10.0), options.get("body_seconds", 10.0)
        #: How often each address may ask for something.
        self._requests = AddressRate(self.rooms.rates, table["requests"])
        #: How often each address may open a connection.
        self.handshakes = AddressRate(self.rooms.rates, table["handshakes"]) if self._limited else None
        #: Everybody on version 2.
        self.people = people = People(self.rooms, self.authenticator, enter_seconds=options.get("enter_seconds", 300.0))
        gate = Gate(limits, None, self.handshakes)
        self.websocket = WebSocketTransport(self.rooms, gate, people, hello_seconds=handshake)
        self.socketio = SocketIOTransport(
            self.rooms,
            async_mode=async_mode,
            allowed_origins=options.get("allowed_origins", ()),
            allowed_hosts=options.get("allowed_hosts", "*"),
            trusted_proxies=options.get("trusted_proxies", ()),
            authenticator=self.authenticator,
            people=people,
            max_buffer_bytes=self.max_buffer_bytes,
            connect_timeout=handshake,
            body_timeout=body,
            **counts,
        )
        self.socketio.server.eio.registry.share(limits, self.handshakes)
        self.siblings = Siblings(lambda: [room.name for room in self.rooms.given if room.in_memory])
        self.max_message_bytes = self.rooms.max_message_bytes
        self.sse = SSETransport(Gate(limits, None, self.handshakes))
        self._api = Api(
            self.rooms,
            self.sse,
            people=people,
            origins=self._origins,
            authenticator=self.authenticator,
            api_tokens=options.get("api_tokens", ()),
            max_body_bytes=self.max_message_bytes,
            body_seconds=body,
        )

        self._plain = PlainPages(self._site.view, self._api.call)

    async def api(
        self,
        path: str,
        request: Request,
        peer: str,
        read: Callable[[int], Awaitable[bytes]],
        pairs: Sequence[tuple[str, str]],
    ) -> Response | StreamingResponse:
        """The answer to a request for `path`, which begins with `/api/`.

        `read` reads its body; `pairs` is its query.
        """
        misdirected = self._misdirected(peer, request.headers)
        if misdirected is not None:
            return refusal(Refused("host_refused", misdirected))
        refused = self._too_many(request.remote)
        if refused is not None:
            return refusal(refused)
        host = self._host(peer, request.headers)
        return await self._api.respond(IncomingRequest(request, path, host, read, pairs))

    async def plain(
        self, request: Request, peer: str, read: Callable[[int], Awaitable[bytes]], *, secure: bool
    ) -> Response:
        """The answer to a request for the page without scripts. `secure` is true if it came over TLS."""
        refused = self._turned_away(request, peer)
        if refused is not None:
            return refused
        incoming = IncomingRequest(request, PLAIN_PATH, self._host(peer, request.headers), read)
        return await self._plain.respond(incoming, self._site.language_of(request), secure=secure)

    def _turned_away(self, request: Request, peer: str) -> Response | None:
        """Count a plain HTTP request. Return why it is not answered, or `None`."""
        misdirected = self._misdirected(peer, request.headers)
        if misdirected is not None:
            return Response(421, _TEXT, f"{misdirected}\n".encode())
        refused = self._too_many(request.remote)
        if refused is not None:
            return Response(refused.kind.status, {**_TEXT, **retry_headers(refused)}, f"{refused.text}\n".encode())
        return None

    async def respond(self, path: str, request: Request, peer: str) -> Response:
        """The answer to a plain HTTP request of `peer` for `path`, which is relative to the mount."""
        refused = self._turned_away(request, peer)
        if refused is not None:
            return refused
        if path == "/ws":
            return self.not_a_websocket()
        host = self._host(peer, request.headers)
        return await self._site.respond(path, request, host)

    def request(
        self,
        method: str,
        path: str,
        below: str,
        peer: str,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw: object,
    ) -> Request:
        """What the app is asked about. `path` is the host's, `below` the mount's; names in `headers` are in lower case.

        The room must be the one that is entered then: it is read from the mount's path and this very `query` alone.
        """
        in_path = _ROOM.match(below)
        room = in_path[1] if in_path else query.get("room", self.rooms.first_name)
        return Request(method, path, headers, query, self.client_address(peer, headers), room, raw)

    async def authenticate(self, request: Request) -> User | Response | Refused | None:
        """Who opens a plain WebSocket, or why they may not: a `Refused` is for now, and told on the open socket."""
        try:
            return await self.authenticator.authenticate(request)
        except Refused as refused:
            return refused if refused.kind.is_temporary else refusal(refused, entry_status(refused))

    async def serve_websocket(
        self, websocket: WebSocketConnection, request: Request, user: User | Refused | None
    ) -> None:
        """Serve a plain WebSocket that was accepted, for whom `authenticate` found for its `request`."""
        if isinstance(user, Refused):
            await self.websocket.turn_away(websocket, user)
        else:
            await self.websocket.serve(websocket, request, user)

    @staticmethod
    def not_a_websocket() -> Response:
        """The answer to a plain request at the address of the WebSocket."""
        text = (
            f"This is a WebSocket address. Connect to it with ws:// or wss:// and the subprotocol {v1.SUBPROTOCOL}.\n"
        )
        return Response(426, {**_TEXT, "Upgrade": "websocket", "Connection": "Upgrade"}, text.encode())

    def refuse_websocket(self, peer: str, headers: Mapping[str, str]) -> Response | None:
        """Why a plain WebSocket may not be opened, if so. Names in `headers` are in lower case."""
        misdirected = self._misdirected(peer, headers)
        if misdirected is not None:
            return Response(421, _TEXT, f"{misdirected}\n".encode())
        if not self._origins.allows(headers.get("origin"), self._host(peer, headers)):
            return Response(
                403, _TEXT, b"Pages of this origin may not connect here. The server's log says what to set.\n"
            )
        refused = self.websocket.gate.refusal(self.client_address(peer, headers))
        if refused is not None:
            return Response(refused.kind.status, {**_TEXT, **retry_headers(refused)}, f"{refused.text}\n".encode())
        offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",") if name.strip()]
        if offered and not set(offered).intersection(SUBPROTOCOLS):
            spoken = " and ".join(SUBPROTOCOLS)
            return Response(400, _TEXT, f"This server speaks {spoken}; offer one of them as subprotocol.\n".encode())
        return None

    def client_address(self, peer: str, headers: Mapping[str, str]) -> str:
        """The client's address; a trusted proxy may name it."""
        return self._proxies.client(peer, headers.get("x-forwarded-for"))

    def _host(self, peer: str, headers: Mapping[str, str]) -> str | None:
        """The host name that the client asked for; a trusted proxy may name it."""
        return self._proxies.host(peer, headers.get("host"), headers.get("x-forwarded-host"))

    def _too_many(self, address: str) -> Refused | None:
        """Count a request from `address`. Return why it is refused, or `None`."""
        wait = self._requests.wait(address)
        if wait:
            return too_much(wait, "Too many requests came from your address.")
        self._requests.count(address)
        return None

    def _misdirected(self, peer: str, headers: Mapping[str, str]) -> str | None:
        """Return why the requested host is refused, or `None`."""
        return self._hosts.refusal(self._proxies, peer, headers.get("host"), headers.get("x-forwarded-host"))

    def arrive(self) -> None:
        """A request has come. If it runs on a new event loop because the last one has ended, start everything again.

        A test client that calls an application without its lifespan uses a new loop for each request.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop and (self._loop is None or not self._loop.is_running()):
            self._reopen(loop)

    def _use_push(self) -> None:
        """Bring what sends push messages, if the chat is to send some. Raise `UsageError` without the extra."""
        contact = self.chat.push if isinstance(self.chat, Chat) else None
        if contact is None or self.rooms.push.sender is not None:
            return
        try:
            from pychat.net.web_push import WebPush  # noqa: PLC0415 -- an extra
        except ImportError as error:
            if error.name is None or error.name.partition(".")[0] not in ("py_vapid", "pywebpush"):
                raise
            raise UsageError('push: it needs pywebpush. In the checkout of pychat: pip install ".[push]"') from None
        self.rooms.push.sender = WebPush(contact)

    def _reopen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._use_push()
        if isinstance(self.chat, Chat):
            self.chat.revive()
        self.people.roomless.clear()
        for each in (self.websocket, self.socketio, self.sse, self.authenticator):
            each.reopen()

    async def start(self) -> None:
        """The host has started: open the rooms, so that the first to come does not wait, and threads can use them.

        After `aclose`, everything is opened again. Raise `UsageError` for a store that cannot be used as it is
        configured, and `Refused` for one that may come.
        """
        loop = asyncio.get_running_loop()
        if self.sse.gate.closing or loop is not self._loop:
            self._reopen(loop)
        await self.chat.start()

    async def aclose(self) -> None:
        """Tell everybody that the server goes, close every connection, then the rooms. Idempotent."""
        self.authenticator.close()
        transports = (self.websocket, self.socketio, self.sse)
        await asyncio.gather(*(transport.aclose(Close.SHUTDOWN) for transport in transports))
        await self.chat.aclose(Close.SHUTDOWN)
        self.siblings.close()


def with_slash(raw_path: str, query: str) -> Response:
    """Where the page is, for who left out the slash behind the prefix. `raw_path` and `query` are as they came.

    Relative, for a proxy may have taken away what stands before, and may speak TLS.
    """
    last = raw_path.rpartition("/")[2]
    return Response(308, {"Location": f"./{last}/" + (f"?{query}" if query else "")})
