"""pychat below uvicorn, as it is embedded in an ASGI application: what the host costs."""

from __future__ import annotations

import socket

import uvicorn
import uvloop

import pychat
from pychat.domain.limits import Limits


async def main() -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    app = pychat.asgi_app(pychat.ChatRoom("lobby", limits=Limits(rate=0)), limited=False)
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="websockets-sansio", ws_ping_interval=None)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    uvloop.run(main())
