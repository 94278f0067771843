"""The Socket.IO transport; `adapter` and `manager` have the API of python-socketio."""

from __future__ import annotations

from pychat.net.http.connections import Connections
from pychat.transports.socketio.adapter import Server
from pychat.transports.socketio.client import SocketIOClient, encode_event
from pychat.transports.socketio.handshake_router import HandshakeRouter
from pychat.transports.socketio.manager import Manager
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.transport import SocketIOTransport

__all__ = [
    "Connections",
    "HandshakeRouter",
    "Manager",
    "Options",
    "Server",
    "SocketIOClient",
    "SocketIOTransport",
    "encode_event",
]
