"""Serves rooms as an ASGI application: `app.mount("/chat", pychat.asgi_app(room))` in FastAPI, Starlette and others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Unpack
from urllib.parse import parse_qsl, quote

from pychat.domain.errors import UsageError
from pychat.hosts.lifespan import Host, serve_lifespan
from pychat.hosts.mount import PLAIN_PATH, SOCKETIO_PATHS, SUBPROTOCOLS, Mount, MountOptions, with_slash
from pychat.net.http.answer_asgi import send_answer
from pychat.net.http.body import AsgiBody
from pychat.net.http.request import Request, joined_headers
from pychat.net.http.response import Response
from pychat.net.http.stream_asgi import AsgiStream
from pychat.net.websocket.asgi import AsgiWebSocket, Receive, Scope, Send
from pychat.net.websocket.connection import WebSocketClosed
from pychat.room.chat import Chat
from pychat.room.chatroom import ChatRoom

__all__ = ["ASGIApp", "asgi_app"]


def asgi_app(*rooms: ChatRoom | Chat, **options: Unpack[MountOptions]) -> ASGIApp:
    """An ASGI 3 application that serves `rooms`, their page and their transports, under any prefix or as it is.

    Instead of rooms, it takes one `Chat`. The first room is at its root, each at `rooms/NAME`. Options: `authenticate`,
    `revalidate`, `templates`, `allowed_origins`, `frame_ancestors`, `allowed_hosts`, `trusted_proxies`,
    `max_buffer_bytes`, `limited`, `api_tokens` (see `MountOptions`).
    A host that passes lifespan events on starts and closes the rooms with itself. Those that pass nothing on to what is
    mounted, such as FastAPI, take it as their own: `FastAPI(lifespan=chat.lifespan)`.
    """
    return ASGIApp(Mount(rooms, "asgi", **options))


class ASGIApp:
    """What `asgi_app` makes."""

    def __init__(self, mount: Mount) -> None:
        #: The rooms and transports: `app.mount.socketio.server` is the Socket.IO server.
        self.mount = mount

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the host (ASGI 3)."""
        match scope["type"]:
            case "lifespan":
                await serve_lifespan(self.mount, scope, receive, send)
            case "http" | "websocket":
                self.mount.arrive()
                await self._route(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """Open the rooms, and close them with all connections in the end: the lifespan of a host, or a part of it."""
        try:
            await self.mount.start()
        except UsageError as error:
            raise error.with_traceback(None) from None  # hosts print it: it says what to do, its way here does not
        try:
            yield
        finally:
            await self.aclose()

    def wrap(self, app: Host, *, at: str) -> Host:
        """An ASGI application that is `app`, with the rooms below the prefix `at`: `chat.wrap(django, at="/chat")`.

        For hosts that mount nothing, such as Django and Quart. The rooms open before the lifespan of `app` begins, and
        close before it ends; an `app` without lifespan support works too. Raise `UsageError` for a malformed prefix.
        """
        prefix = at.rstrip("/")
        if not prefix.startswith("/"):
            raise UsageError(f'wrap(…, at={at!r}): the prefix is a path, such as "/chat".')

        async def both(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await serve_lifespan(self.mount, scope, receive, send, app)
                return
            root = scope.get("root_path", "").rstrip("/")
            path = _below(root, scope["path"])
            if path == prefix or path.startswith(f"{prefix}/"):
                await self({**scope, "root_path": root + prefix, "path": root + path}, receive, send)
            else:
                await app(scope, receive, send)

        return both

    async def aclose(self) -> None:
        """Tell everybody that the server goes, close every connection, then the rooms."""
        await self.mount.aclose()

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.mount.siblings.looked:
            self.mount.siblings.look(scope.get("server"))
        path = _path(scope)
        if path in SOCKETIO_PATHS:
            await self.mount.socketio.server.handle_request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(path, scope, receive, send)
        elif not path:
            await self._respond(
                scope, send, with_slash(_raw_path(scope), scope.get("query_string", b"").decode("latin-1"))
            )
        elif path.startswith("/api/"):
            await self._api(path, scope, receive, send)
        elif path == PLAIN_PATH:
            await self._plain(scope, receive, send)
        else:
            asked = self._asked(scope, _headers(scope), _query(scope))
            await self._respond(scope, send, await self.mount.respond(path, asked, _peer(scope)))

    async def _api(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._asked(scope, _headers(scope), _query(scope))
        body = AsgiBody(scope, receive)
        try:
            answer = await self.mount.api(path, asked, _peer(scope), body.read, _pairs(scope))
            if isinstance(answer, Response):
                await self._respond(scope, send, answer, body)
                return
            stream = await AsgiStream.open(
                receive,
                send,
                answer.headers,
                answer.first,
                remote=self.mount.client_address(_peer(scope), _headers(scope)),
                max_buffer_bytes=self.mount.max_buffer_bytes,
            )
        except (WebSocketClosed, ConnectionError):
            return
        try:
            await answer.serve(stream)
        finally:
            await stream.finish()

    async def _plain(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, body = _headers(scope), AsgiBody(scope, receive)
        # Whoever says this for a proxy decides about their own cookie alone.
        secure = scope.get("scheme") == "https" or headers.get("x-forwarded-proto") == "https"
        asked = self._asked(scope, headers, _query(scope))
        try:
            response = await self.mount.plain(asked, _peer(scope), body.read, secure=secure)
        except ConnectionError:
            return
        await self._respond(scope, send, response, body)

    async def _websocket(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        mount, peer, headers = self.mount, _peer(scope), _headers(scope)
        asked = self._asked(scope, headers, _query(scope))
        if (await receive())["type"] != "websocket.connect":
            return
        refused = mount.refuse_websocket(peer, headers) if path == "/ws" else Response(404)
        user = await mount.authenticate(asked) if refused is None else refused
        if isinstance(user, Response):
            await self._respond(scope, send, user)
            return
        try:
            websocket = await AsgiWebSocket.accept(
                scope,
                receive,
                send,
                max_message_bytes=mount.max_message_bytes,
                max_buffer_bytes=mount.max_buffer_bytes,
                protocols=SUBPROTOCOLS,
                remote=mount.client_address(peer, headers),
                connected=True,
            )
        except WebSocketClosed:
            return
        await mount.serve_websocket(websocket, asked, user)

    async def _respond(
        self, scope: Scope, send: Send, response: Response, request_body: AsgiBody | None = None
    ) -> None:
        """Answer a request, or refuse the handshake of a WebSocket."""
        address = self.mount.client_address(_peer(scope), _headers(scope))
        status, headers = response.status, response.headers.items()
        await send_answer(scope, send, self.mount.answers, address, status, headers, response.body, request_body)

    def _asked(self, scope: Scope, headers: dict[str, str], query: dict[str, str]) -> Request:
        method, path = scope.get("method", "GET"), scope["path"]
        return self.mount.request(method, path, _path(scope), _peer(scope), headers, query, scope)


def _path(scope: Scope) -> str:
    """The path below the mount. ASGI hosts put the prefix into `root_path`, and mostly leave it in `path` too."""
    path = _below(scope.get("root_path", "").rstrip("/"), scope["path"])
    # Below a mount of Litestar each path ends with a slash, whatever was asked for.
    if path.endswith("/") and not _raw_path(scope).endswith("/"):
        return path[:-1]
    return path


def _below(root: str, path: str) -> str:
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path


def _raw_path(scope: Scope) -> str:
    """The path as it was asked for, percent-encoded; hosts need not tell (ASGI, HTTP connection scope)."""
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw else quote(scope["path"])


def _query(scope: Scope) -> dict[str, str]:
    return dict(_pairs(scope))


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"))


def _headers(scope: Scope) -> dict[str, str]:
    return joined_headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def _peer(scope: Scope) -> str:
    return (scope.get("client") or ("",))[0] or ""
