"""The stock python-socketio on aiohttp, on uvloop, as its documentation has it. Stores nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from urllib.parse import parse_qs

import socketio
import uvloop
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp")


@server.event
async def connect(sid: str, environ: dict[str, str]) -> None:
    """Enter the room that the address names."""
    room = parse_qs(environ["QUERY_STRING"])["room"][0]
    await server.save_session(sid, {"room": room, "pseudo": ""})
    await server.enter_room(sid, room)


@server.on("setPseudo")
async def set_pseudo(sid: str, name: str) -> dict[str, bool]:
    """Take a nickname."""
    async with server.session(sid) as session:
        session["pseudo"] = name
    await server.emit("pseudoStatus", "ok", to=sid)
    return {"ok": True}


@server.event
async def message(sid: str, text: str) -> dict[str, bool]:
    """Tell it to everyone else in the room."""
    session = await server.get_session(sid)
    date = dt.datetime.now(dt.UTC).isoformat()
    said = {"date": date, "pseudo": session["pseudo"], "message": text}
    await server.emit("message", said, room=session["room"], skip_sid=sid)
    return {"ok": True}


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
