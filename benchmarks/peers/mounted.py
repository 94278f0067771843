"""pychat mounted in an aiohttp application, where each connection is opened by aiohttp."""

from __future__ import annotations

import socket

import uvloop
from aiohttp import web

import pychat
from pychat.domain.limits import Limits


def main() -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    app = pychat.aiohttp_app(pychat.ChatRoom("lobby", limits=Limits(rate=0)), limited=False)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    web.run_app(app, sock=listener, print=None, access_log=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main()
