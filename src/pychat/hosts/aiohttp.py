"""Serves rooms as an aiohttp sub-application: `app.add_subapp("/chat/", pychat.aiohttp_app(room))`."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from aiohttp import web

from pychat.hosts.mount import (
    HEARTBEAT_SECONDS,
    PLAIN_PATH,
    SOCKETIO_PATHS,
    SUBPROTOCOLS,
    Mount,
    MountOptions,
    with_slash,
)
from pychat.net.http.answer_aiohttp import AiohttpAnswer
from pychat.net.http.body_aiohttp import read_aiohttp_body
from pychat.net.http.request import Request, joined_headers
from pychat.net.http.response import Response
from pychat.net.http.stream_aiohttp import AiohttpStream
from pychat.net.websocket.aiohttp import AiohttpWebSocket
from pychat.net.websocket.connection import WebSocketClosed
from pychat.room.chat import Chat
from pychat.room.chatroom import ChatRoom
from pychat.transports.socketio.engineio.host_aiohttp import handle

__all__ = ["MOUNT", "aiohttp_app"]

#: The key of an application's mount: `app[MOUNT].socketio.server` is its Socket.IO server.
MOUNT = web.AppKey("pychat", Mount)


def aiohttp_app(*rooms: ChatRoom | Chat, **options: Unpack[MountOptions]) -> web.Application:
    """An aiohttp application that serves `rooms`, with the page and all transports, below any prefix.

    Instead of rooms, it takes one `Chat`. The first room is at its root, and each room is at `rooms/NAME`. The options
    are those of `MountOptions`: `authenticate`, `revalidate`, `templates`, `allowed_origins`, `frame_ancestors`,
    `allowed_hosts`, `trusted_proxies`, `max_buffer_bytes`, `limited`, `api_tokens`.
    The rooms are closed when the application shuts down.
    """
    handlers = _Handlers(Mount(rooms, "aiohttp", **options))
    app = web.Application()
    app[MOUNT] = handlers.mount
    for path in SOCKETIO_PATHS:
        app.router.add_route("*", path, handlers.socketio)
    app.router.add_get("/ws", handlers.websocket, allow_head=False)
    app.router.add_route("*", r"/api/{path:[\s\S]*}", handlers.api)  # line ends as well: they are told 404 in our words
    app.router.add_route("*", PLAIN_PATH, handlers.plain)
    app.router.add_route("*", "/{path:.*}", handlers.site)
    app.router.add_route("*", "", handlers.without_slash)  # /chat, where the app is mounted at /chat/
    app.on_startup.append(handlers.start)
    app.on_shutdown.append(handlers.shutdown)
    return app


class _Handlers:
    def __init__(self, mount: Mount) -> None:
        self.mount = mount

    async def socketio(self, request: web.Request) -> web.StreamResponse:
        server = self.mount.socketio.server.eio
        return await handle(server.serve, server.answers, request)  # each call between keeps 250 bytes a connection

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        mount, peer, headers = self.mount, request.remote or "", _headers(request)
        if headers.get("upgrade", "").lower() != "websocket":
            return self._response(request, mount.not_a_websocket())
        refused = mount.refuse_websocket(peer, headers)
        if refused is not None:
            return self._response(request, refused)
        asked = self._asked(request, "/ws", headers)
        user = await mount.authenticate(asked)
        if isinstance(user, Response):
            return self._response(request, user)
        try:
            websocket = await AiohttpWebSocket.accept(
                request,
                max_message_bytes=mount.max_message_bytes,
                max_buffer_bytes=mount.max_buffer_bytes,
                protocols=SUBPROTOCOLS,
                heartbeat=HEARTBEAT_SECONDS,
                remote=mount.client_address(peer, headers),
            )
        except WebSocketClosed:
            return web.Response(status=400)
        await mount.serve_websocket(websocket, asked, user)
        return websocket.response

    async def site(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        asked = self._asked(request, path, _headers(request))
        return self._response(request, await self.mount.respond(path, asked, request.remote or ""))

    async def api(self, request: web.Request) -> web.StreamResponse:
        path = f"/api/{request.match_info['path']}"
        asked = self._asked(request, path, _headers(request))
        try:
            read, pairs = partial(read_aiohttp_body, request), list(request.query.items())
            answer = await self.mount.api(path, asked, request.remote or "", read, pairs)
            if isinstance(answer, Response):
                return self._response(request, answer)
            stream = await AiohttpStream.open(
                request,
                answer.headers,
                answer.first,
                remote=self.mount.client_address(request.remote or "", _headers(request)),
                max_buffer_bytes=self.mount.max_buffer_bytes,
            )
        except (WebSocketClosed, ConnectionError):
            return web.Response(status=400)
        await answer.serve(stream)
        return stream.response

    async def plain(self, request: web.Request) -> web.StreamResponse:
        headers = _headers(request)
        # Whoever says this for a proxy decides about their own cookie alone.
        secure = request.secure or headers.get("x-forwarded-proto") == "https"
        read = partial(read_aiohttp_body, request)
        try:
            asked = self._asked(request, PLAIN_PATH, headers)
            response = await self.mount.plain(asked, request.remote or "", read, secure=secure)
        except ConnectionError:
            return web.Response(status=400)
        return self._response(request, response)

    async def without_slash(self, request: web.Request) -> web.StreamResponse:
        return self._response(request, with_slash(request.rel_url.raw_path, request.rel_url.raw_query_string))

    def _response(self, request: web.Request, response: Response) -> web.Response:
        body = None if request.method == "HEAD" or response.status == 304 else response.body
        address = self.mount.client_address(request.remote or "", _headers(request))
        return AiohttpAnswer(self.mount.answers, address, response.status, response.headers, body)

    def _asked(self, request: web.Request, below: str, headers: dict[str, str]) -> Request:
        if not self.mount.siblings.looked and request.transport is not None:
            self.mount.siblings.look(request.transport.get_extra_info("sockname"))
        query = dict(request.query.items())
        return self.mount.request(request.method, request.path, below, request.remote or "", headers, query, request)

    async def start(self, _: web.Application) -> None:
        await self.mount.start()

    async def shutdown(self, _: web.Application) -> None:
        await self.mount.aclose()


def _headers(request: web.Request) -> dict[str, str]:
    return joined_headers(request.headers.items())
