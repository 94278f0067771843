"""The lifespan of an ASGI application with rooms: opens them before it starts, and closes them after it ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pychat.domain.errors import UsageError
from pychat.hosts.mount import Mount
from pychat.net.websocket.asgi import Receive, Scope, Send

__all__ = ["Host", "serve_lifespan"]

#: Any ASGI 3 application. Each framework has types of its own for the three.
Host = Callable[[Any, Any, Any], Awaitable[None]]

_log = logging.getLogger("pychat.room")


async def serve_lifespan(mount: Mount, scope: Scope, receive: Receive, send: Send, app: Host | None = None) -> None:
    """Serve one lifespan scope; that of `app` runs within, if there is one and it knows of lifespans."""
    startup = await receive()
    try:
        await mount.start()
    except Exception as error:
        if isinstance(error, UsageError):  # it says what to do; where it was raised helps nobody
            _log.error("The rooms could not be opened: %s", error)
        else:
            _log.exception("The rooms could not be opened")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    first = [startup]
    answered = False

    async def heard() -> MutableMapping[str, Any]:
        if first:
            return first.pop()
        message = await receive()
        await mount.aclose()
        return message

    async def relay(message: MutableMapping[str, Any]) -> None:
        nonlocal answered
        answered = True
        await send(message)

    if app is not None:
        try:
            await app(scope, heard, relay)
        except Exception:
            if answered:
                raise
            # The protocol's way to say that one knows of no lifespan (ASGI, "Lifespan Protocol"). Django does.
    if not answered:
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await mount.aclose()
        await send({"type": "lifespan.shutdown.complete"})
