"""WebSockets that are read by a task of the host, and the upgrade from polling."""

from __future__ import annotations

from typing import Protocol

from pychat.net.deadlines import Deadlines
from pychat.net.websocket.connection import Sender, WebSocketClosed, WebSocketConnection
from pychat.transports.socketio.engineio.packet import PROBE, PROBE_PONG, UPGRADE, BadPacket
from pychat.transports.socketio.engineio.replies import BAD_REQUEST, refusal
from pychat.transports.socketio.engineio.request import HostRequest, Reply
from pychat.transports.socketio.engineio.socket import REASONS, EngineIOSocket

__all__ = ["UpgradeServer", "read", "upgrade"]


class UpgradeServer(Protocol):
    """What an upgrade needs of the server."""

    #: Sockets whose upgrade has begun and not ended.
    upgrading: Deadlines[EngineIOSocket]

    def upgradable(self) -> bool:
        """Whether a polling client may change to WebSocket."""

    async def accept(self, request: HostRequest, remote: str) -> WebSocketConnection:
        """Accept a WebSocket."""

    def released(self, socket: EngineIOSocket | None, carrier: Sender) -> None:
        """The WebSocket has ended, and with it `socket`, if it carried one."""


async def read(socket: EngineIOSocket, carrier: WebSocketConnection) -> None:
    """Read a socket's WebSocket until it has ended."""
    try:
        while True:
            socket.receive(await carrier.receive())
            if socket.overfull:
                await socket.wait_for_room()
    except WebSocketClosed as end:
        socket.end_code = end.code
        socket.close(None, REASONS.TRANSPORT_CLOSE)
        return
    except BadPacket as problem:
        socket.complain(problem)
    await _drain(carrier)


async def upgrade(
    server: UpgradeServer, socket: EngineIOSocket, request: HostRequest, remote: str
) -> Reply | WebSocketConnection:
    """Let a WebSocket take over from polling. Returns the WebSocket that has ended, or a refusal."""
    if not server.upgradable():
        return refusal(400, BAD_REQUEST)
    carrier = await server.accept(request, remote)
    mine = False
    try:
        if socket.closed or socket.carrier is not None or socket.probe is not None:
            # One WebSocket a socket; the socket itself goes on.
            carrier.close(1000)
        else:
            socket.probe = carrier
            server.upgrading.start(socket)
            mine = await _probe(socket, carrier)
            server.upgrading.stop(socket)
        if mine:
            await read(socket, carrier)
        else:
            await _drain(carrier)
    finally:
        if socket.probe is carrier:
            socket.probe = None
            socket.probed = False
        server.released(socket if mine else None, carrier)
    return carrier


async def _probe(socket: EngineIOSocket, carrier: WebSocketConnection) -> bool:
    """Let a WebSocket show that it works; true if it carries the socket now."""
    works = False
    try:
        data = await carrier.receive()
        while data == PROBE:
            works = socket.probed = True
            carrier.send(PROBE_PONG)
            socket.wake()
            data = await carrier.receive()
        works = works and data == UPGRADE
    except WebSocketClosed:
        works = False
    finally:
        socket.probed = False
    if works:
        socket.adopt(carrier)
        return True
    socket.probe = None
    carrier.close(1000)
    return False


async def _drain(carrier: WebSocketConnection) -> None:
    """Receive until the closing has finished; its deadline is the carrier's."""
    try:
        while True:
            await carrier.receive()
    except WebSocketClosed:
        return
