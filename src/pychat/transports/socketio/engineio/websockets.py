"""Reads WebSockets of a host in a task, and handles the upgrade from polling."""

from __future__ import annotations

from pychat.net.websocket.connection import WebSocketClosed, WebSocketConnection
from pychat.transports.socketio.engineio.packet import PROBE, PROBE_PONG, UPGRADE, BadPacket
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Reason
from pychat.transports.socketio.engineio.sockets import SocketRegistry

__all__ = ["read", "upgrade"]


async def read(socket: EngineIOSocket, carrier: WebSocketConnection) -> None:
    """Read a socket's WebSocket until it has ended."""
    try:
        while True:
            socket.receive(await carrier.receive())
            if socket.overfull:
                await socket.wait_for_room()
    except WebSocketClosed as end:
        socket.end_code = end.code
        socket.close(None, Reason.TRANSPORT_CLOSE)
        return
    except BadPacket as problem:
        socket.complain(problem)
    await _drain(carrier)


async def upgrade(registry: SocketRegistry, socket: EngineIOSocket, carrier: WebSocketConnection) -> None:
    """Let a WebSocket take over from polling, and read it until it has ended."""
    mine = False
    try:
        if socket.closed or socket.carrier is not None or socket.probe is not None:
            # One WebSocket a socket; the socket itself goes on.
            carrier.close(1000)
        else:
            socket.probe = carrier
            registry.upgrading.start(socket)
            mine = await _probe(socket, carrier)
            registry.upgrading.stop(socket)
        if mine:
            await read(socket, carrier)
        else:
            await _drain(carrier)
    finally:
        if socket.probe is carrier:
            socket.probe = None
            socket.probed = False
        registry.released(socket if mine else None, carrier)


async def _probe(socket: EngineIOSocket, carrier: WebSocketConnection) -> bool:
    """Let a WebSocket show that it works; true if it carries the socket now."""
    works = False
    try:
        data = await carrier.receive()
        while data == PROBE:
            works = socket.probed = True
            carrier.send(PROBE_PONG)
            if socket.outbox is not None:
                socket.outbox.wake()
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
