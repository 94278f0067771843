"""The Socket.IO wire: the one package that knows python-socketio and python-engineio."""

from __future__ import annotations

from pychat.transports.socketio.connections import Connections
from pychat.transports.socketio.front import Front
from pychat.transports.socketio.manager import Manager
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.server import Server
from pychat.transports.socketio.transport import SocketIOTransport
from pychat.transports.socketio.wire import ClientWire, EncodedPacket, encode_event

__all__ = [
    "ClientWire",
    "Connections",
    "EncodedPacket",
    "Front",
    "Manager",
    "Options",
    "Server",
    "SocketIOTransport",
    "encode_event",
]
