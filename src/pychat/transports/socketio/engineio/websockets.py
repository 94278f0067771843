"""WebSockets that carry sessions: reading them, pushed or pulled, and the upgrade from polling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pychat.net.websocket.connection import WebSocketClosed, WebSocketConnection
from pychat.net.websocket.tcp import TcpWebSocket
from pychat.transports.socketio.engineio.replies import BAD_REQUEST, refusal
from pychat.transports.socketio.engineio.request import HostRequest, Reply
from pychat.transports.socketio.engineio.socket import PROBE, PROBE_PONG, UPGRADE, Session
from pychat.transports.socketio.packet import BadPacket

if TYPE_CHECKING:
    from pychat.transports.socketio.engineio.server import EngineIOServer

__all__ = ["Pushed", "read", "upgrade", "wait_for_room"]


async def read(server: EngineIOServer, session: Session, carrier: WebSocketConnection) -> None:
    """Read a session's WebSocket until it has ended."""
    try:
        while True:
            session.receive(await carrier.receive())
            if session.inbox_bytes > server.options.max_queue_bytes:
                await wait_for_room(server, session)
    except WebSocketClosed as end:
        session.end_code = end.code
        session.close(None, server.reason.TRANSPORT_CLOSE)
        return
    except BadPacket as problem:
        server.complain(session, problem)
    await drain(carrier)


async def wait_for_room(server: EngineIOServer, session: Session) -> None:
    """Leave the client's socket alone until its handlers have caught up."""
    while session.inbox_bytes > server.options.max_queue_bytes and not session.closed:
        room = session.room
        if room is None or room.done():
            room = session.room = asyncio.get_running_loop().create_future()
        # A body that is being taken may wait as well as the WebSocket that took over: neither ends the other's wait.
        await asyncio.wait([room])
        if session.room is room:
            session.room = None


async def upgrade(
    server: EngineIOServer, session: Session, request: HostRequest, remote: str
) -> Reply | WebSocketConnection:
    """Let a WebSocket take over from polling; the WebSocket that has ended, or why not."""
    if not server.upgradable():
        return refusal(400, BAD_REQUEST)
    carrier = await server.accept(request, remote)
    mine = False
    try:
        if session.closed or session.carrier is not None or session.probe is not None:
            # One WebSocket a session; the session itself goes on.
            carrier.close(1000)
        else:
            session.probe = carrier
            server.upgrading.start(session)
            mine = await _probe(session, carrier)
            server.upgrading.stop(session)
        if mine:
            await read(server, session, carrier)
        else:
            await drain(carrier)
    finally:
        if session.probe is carrier:
            session.probe = None
            session.probed = False
        server.released(session if mine else None, carrier)
    return carrier


async def _probe(session: Session, carrier: WebSocketConnection) -> bool:
    """Let a WebSocket show that it works; whether it carries the session now."""
    works = False
    try:
        data = await carrier.receive()
        while data == PROBE:
            works = session.probed = True
            carrier.send(PROBE_PONG)
            session.wake()
            data = await carrier.receive()
        works = works and data == UPGRADE
    except WebSocketClosed:
        works = False
    finally:
        session.probed = False
    if works and not session.closed:
        session.adopt(carrier)
        return True
    session.probe = None
    carrier.close(1000)
    return False


class Pushed:
    """Gives a session what its WebSocket pushes."""

    __slots__ = ("_carrier", "_server", "_session")

    def __init__(self, server: EngineIOServer, session: Session, carrier: TcpWebSocket) -> None:
        self._server = server
        self._session = session
        self._carrier = carrier

    def received(self, data: str | bytes) -> None:
        """A message has come, whole."""
        session = self._session
        try:
            session.receive(data)
        except BadPacket as problem:
            self._server.complain(session, problem)
        else:
            if session.inbox_bytes > self._server.options.max_queue_bytes and session.room is None:
                self._wait_for_room()

    def ended(self, code: int | None) -> None:
        """There will be no more."""
        self._session.end_code = code
        self._server.released(self._session, self._carrier)

    def _wait_for_room(self) -> None:
        """Leave the client's socket alone until its handlers have caught up."""
        self._carrier.pause()
        self._session.room = asyncio.get_running_loop().create_future()
        self._session.room.add_done_callback(self._look_for_room)

    def _look_for_room(self, _: asyncio.Future[None]) -> None:
        session = self._session
        session.room = None
        if session.inbox_bytes > self._server.options.max_queue_bytes and not session.closed:
            self._wait_for_room()
        else:
            self._carrier.resume()


async def drain(carrier: WebSocketConnection) -> None:
    """Let a closing be finished; its deadline is the carrier's."""
    try:
        while True:
            await carrier.receive()
    except WebSocketClosed:
        return
