"""Reads WebSockets of a host in a task, and handles the upgrade from polling."""

from __future__ import annotations

from pychat.net.websocket.connection import WebSocketClosed, WebSocketConnection
from pychat.transports.socketio.engineio.packet import PROBE, PROBE_PONG, UPGRADE, BadPacket
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Reason
from pychat.transports.socketio.engineio.sockets import SocketRegistry

__all__ = ["read", "upgrade"]


async def read(socket: EngineIOSocket, websocket: WebSocketConnection) -> None:
    """Read a socket's WebSocket until it has ended."""
    try:
        while True:
            socket.receive(await websocket.receive())
            if socket.overfull:
                await socket.wait_until_drained()
    except WebSocketClosed as end:
        socket.end_code = end.code
        socket.close(None, Reason.TRANSPORT_CLOSE)
        return
    except BadPacket as problem:
        socket.complain(problem)
    await _drain(websocket)


async def upgrade(registry: SocketRegistry, socket: EngineIOSocket, websocket: WebSocketConnection) -> None:
    """Let a WebSocket take over from polling, and read it until it has ended."""
    mine = False
    try:
        if socket.closed or socket.websocket is not None or socket.probe is not None:
            # One WebSocket a socket; the socket itself goes on.
            websocket.close(1000)
        else:
            socket.probe = websocket
            registry.upgrading.start(socket)
            mine = await _probe(socket, websocket)
            registry.upgrading.stop(socket)
        if mine:
            await read(socket, websocket)
        else:
            await _drain(websocket)
    finally:
        if socket.probe is websocket:
            socket.probe = None
            socket.probed = False
        registry.released(socket if mine else None, websocket)


async def _probe(socket: EngineIOSocket, websocket: WebSocketConnection) -> bool:
    """Let a WebSocket show that it works; true if it carries the socket now."""
    works = False
    try:
        data = await websocket.receive()
        while data == PROBE:
            works = socket.probed = True
            websocket.send(PROBE_PONG)
            if socket.outbox is not None:
                socket.outbox.wake()
            data = await websocket.receive()
        works = works and data == UPGRADE
    except WebSocketClosed:
        works = False
    finally:
        socket.probed = False
    if works:
        socket.adopt(websocket)
        return True
    socket.probe = None
    websocket.close(1000)
    return False


async def _drain(websocket: WebSocketConnection) -> None:
    """Receive until the closing has finished; its deadline is the websocket's."""
    try:
        while True:
            await websocket.receive()
    except WebSocketClosed:
        return
