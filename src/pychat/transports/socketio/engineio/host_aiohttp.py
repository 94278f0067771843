"""Adapts requests of aiohttp to the Engine.IO layer."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from pychat.net.http.answer_aiohttp import AiohttpAnswer
from pychat.net.http.body_aiohttp import read_aiohttp_body
from pychat.net.slow_readers.answer_budget import AnswerBudget
from pychat.net.websocket.aiohttp import AiohttpWebSocket
from pychat.net.websocket.connection import WebSocketClosed, WebSocketConnection
from pychat.transports.socketio.engineio.environ import build_environ
from pychat.transports.socketio.engineio.request import Reply, Serve

__all__ = ["AiohttpRequest", "handle"]

#: How soon a poll whose client has gone is noticed, in seconds: aiohttp tells nobody.
_NOTICE_SECONDS = 1.0


class AiohttpRequest:
    """One request of aiohttp."""

    __slots__ = ("_request", "_timer", "method", "peer", "query", "upgrade")

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._timer: asyncio.TimerHandle | None = None
        self.method = request.method
        self.query = request.rel_url.raw_query_string
        self.peer = request.remote or ""
        self.upgrade = request.method == "GET" and request.headers.get("Upgrade", "").strip().lower() == "websocket"

    def header(self, name: str) -> str | None:
        """A header by its name; several of that name are joined by commas."""
        values = self._request.headers.getall(name, None)
        return None if values is None else ",".join(values)

    async def body(self, limit: int) -> bytes:
        """Read the whole body. Raises `BodyTooLarge`, `BodyMalformed`, `ConnectionError`."""
        return await read_aiohttp_body(self._request, limit)

    async def hold(self, wake: asyncio.Future[bool]) -> bool:
        """Wait for `wake`, or for the client to go."""
        self._look(wake)
        try:
            await wake
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        return self._request.transport is not None

    def _look(self, wake: asyncio.Future[bool]) -> None:
        self._timer = asyncio.get_running_loop().call_later(_NOTICE_SECONDS, self._look, wake)
        if self._request.transport is None and not wake.done():
            wake.set_result(False)

    async def accept(self, remote: str, max_message_bytes: int, max_buffer_bytes: int) -> WebSocketConnection:
        """Accept the WebSocket."""
        return await AiohttpWebSocket.accept(
            self._request,
            max_message_bytes=max_message_bytes,
            max_buffer_bytes=max_buffer_bytes,
            remote=remote,
        )

    def environ(self, remote: str) -> dict[str, Any]:
        """The environ for `connect` handlers; the request itself is under `aiohttp.request`."""
        request = self._request
        transport = request.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        server = transport.get_extra_info("sockname") if transport is not None else None
        port = peer[1] if isinstance(peer, tuple) and peer[0] == remote else 0
        environ = build_environ(
            request.headers.items(),
            method=request.method,
            path=request.path,
            root="",
            query=self.query,
            scheme=request.scheme,
            http_version=f"{request.version.major}.{request.version.minor}",
            remote=(remote, port),
            server=(server[0], server[1]) if isinstance(server, tuple) else ("unix", 0),
            software="aiohttp",
        )
        environ["aiohttp.request"] = request
        return environ


async def handle(serve: Serve, answers: AnswerBudget, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request as `serve` says, within the budget for `answers`.

    Raises `web.HTTPBadRequest` for a broken WebSocket handshake.
    """
    try:
        reply = await serve(AiohttpRequest(request))
    except WebSocketClosed:
        return web.Response(status=400)
    if isinstance(reply, Reply):
        return AiohttpAnswer(answers, request.remote or "", reply.status, reply.headers, reply.body)
    assert isinstance(reply, AiohttpWebSocket)  # noqa: S101 (what AiohttpRequest.accept made)
    return reply.response
