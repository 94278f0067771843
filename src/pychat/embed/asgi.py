"""Rooms as an ASGI application: `app.mount("/chat", pychat.asgi_app(room))` in FastAPI, Starlette, or any other."""

from __future__ import annotations

from typing import Any, Unpack
from urllib.parse import parse_qsl

from pychat.carriers.asgi import AsgiCarrier, Receive, Scope, Send
from pychat.carriers.base import CarrierClosed
from pychat.embed.mount import Mount, MountOptions
from pychat.http import Response
from pychat.room import ChatRoom
from pychat.transports.websocket import SUBPROTOCOL

__all__ = ["ASGIApp", "asgi_app"]


def asgi_app(*rooms: ChatRoom, **options: Unpack[MountOptions]) -> ASGIApp:
    """An ASGI 3 application that serves `rooms`, their page and their transports, under any prefix or as it is.

    The first room is at its root, each at `rooms/NAME`. Options: `templates`, `allowed_origins`, `trusted_proxies`,
    `max_buffer_bytes`, `limited` (see `MountOptions`). A host that passes lifespan events on closes the rooms with
    itself; with any other, await `aclose()` on the way out.
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
                await self._lifespan(receive, send)
            case "http" | "websocket":
                await self._route(scope, receive, send)

    async def aclose(self) -> None:
        """Tell everybody that the server goes, close every connection, then the rooms."""
        await self.mount.aclose()

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        if path == "/socket.io/":
            await self.mount.socketio.server.handle_request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(path, scope, receive, send)
        elif not path:
            location = f"{scope['path']}/"
            if scope.get("query_string"):
                location += f"?{scope['query_string'].decode('latin-1')}"
            await _respond(scope, send, Response(308, {"Location": location}))
        else:
            response = await self.mount.respond(scope["method"], path, _headers(scope), _query(scope))
            await _respond(scope, send, response)

    async def _websocket(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        mount, peer, headers = self.mount, (scope.get("client") or ("",))[0] or "", _headers(scope)
        if (await receive())["type"] != "websocket.connect":
            return
        refused = mount.refuse_websocket(peer, headers) if path == "/ws" else Response(404)
        if refused is not None:
            # Before it is accepted, a close is answered by the host with 403 (ASGI, WebSocket close).
            await send({"type": "websocket.close", "code": 1008, "reason": refused.body.decode(errors="replace")[:100]})
            return
        try:
            carrier = await AsgiCarrier.accept(
                scope,
                receive,
                send,
                max_message_bytes=mount.max_message_bytes,
                max_buffer_bytes=mount.max_buffer_bytes,
                protocols=(SUBPROTOCOL,),
                remote=mount.client_address(peer, headers),
                connected=True,
            )
        except CarrierClosed:
            return
        await mount.websocket.serve(carrier, _query(scope))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _path(scope: Scope) -> str:
    """The path below the mount. ASGI hosts put the prefix into `root_path`, and mostly leave it in `path` too."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :]
    return path


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _respond(scope: Scope, send: Send, response: Response) -> None:
    headers: list[tuple[bytes, bytes]] = [(b"content-length", str(len(response.body)).encode())]
    if response.status == 304:
        headers.clear()
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    body = b"" if scope["method"] == "HEAD" else response.body
    start: dict[str, Any] = {"type": "http.response.start", "status": response.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
