"""Adapts scopes of ASGI to the Engine.IO layer."""

from __future__ import annotations

import asyncio
from typing import Any

from pychat.net.http.answer_asgi import send_answer
from pychat.net.http.body import AsgiBody
from pychat.net.slow_readers.answer_budget import AnswerBudget
from pychat.net.websocket.asgi import AsgiWebSocket, Receive, Scope, Send
from pychat.net.websocket.connection import WebSocketClosed, WebSocketConnection
from pychat.transports.socketio.engineio.environ import build_environ
from pychat.transports.socketio.engineio.request import Reply, Serve

__all__ = ["AsgiRequest", "handle"]


class AsgiRequest:
    """One `http` or `websocket` scope."""

    __slots__ = ("_headers", "_receive", "_scope", "_send", "method", "peer", "query", "request_body", "upgrade")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self.request_body = AsgiBody(scope, receive)
        self._send = send
        self._headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            between = "; " if name == "cookie" else ","
            self._headers[name] = f"{self._headers[name]}{between}{value}" if name in self._headers else value
        self.upgrade = scope["type"] == "websocket"
        self.method: str = "GET" if self.upgrade else scope["method"]
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        self.peer: str = (scope.get("client") or ("",))[0] or ""

    def header(self, name: str) -> str | None:
        """A header by its name in small letters."""
        return self._headers.get(name)

    async def body(self, limit: int) -> bytes:
        """Read the whole body. Raises `BodyTooLarge`, `ConnectionError`."""
        return await self.request_body.read(limit)

    async def hold(self, wake: asyncio.Future[bool]) -> bool:
        """Wait for `wake`, or for the client to go. ASGI tells that it has gone through `receive` only."""
        watcher = asyncio.get_running_loop().create_task(self._disconnected())

        def gone(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                # Asked for, so that asyncio does not complain; a failing host is a client that has gone.
                task.exception()
            if not wake.done():
                wake.set_result(False)

        watcher.add_done_callback(gone)
        try:
            return await wake
        finally:
            watcher.cancel()

    async def _disconnected(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def accept(self, remote: str, max_message_bytes: int, max_buffer_bytes: int) -> WebSocketConnection:
        """Accept the WebSocket."""
        return await AsgiWebSocket.accept(
            self._scope,
            self._receive,
            self._send,
            max_message_bytes=max_message_bytes,
            max_buffer_bytes=max_buffer_bytes,
            remote=remote,
            connected=True,
        )

    def environ(self, remote: str) -> dict[str, Any]:
        """The environ for `connect` handlers; the scope itself is under `asgi.scope`."""
        scope = self._scope
        client = scope.get("client") or ("", 0)
        server = scope.get("server") or ("asgi", 0)
        scheme: str = scope.get("scheme", "http")
        environ = build_environ(
            self._headers.items(),
            method=self.method,
            path=scope["path"],
            root=scope.get("root_path", ""),
            query=self.query,
            scheme={"ws": "http", "wss": "https"}.get(scheme, scheme),
            http_version=scope.get("http_version", "1.1"),
            remote=(remote, client[1] if client[0] == remote else 0),
            server=(server[0], server[1] or 0),
            software="asgi",
        )
        environ["asgi.scope"] = scope
        environ["asgi.receive"] = self._receive
        environ["asgi.send"] = self._send
        return environ


async def handle(serve: Serve, answers: AnswerBudget, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one scope as `serve` says, within the budget for `answers`."""
    if scope["type"] == "websocket" and (await receive())["type"] != "websocket.connect":
        return
    request = AsgiRequest(scope, receive, send)
    try:
        reply = await serve(request)
    except WebSocketClosed:
        return
    if isinstance(reply, Reply):
        peer = (scope.get("client") or ("",))[0] or ""
        await send_answer(scope, send, answers, peer, reply.status, reply.headers, reply.body, request.request_body)
