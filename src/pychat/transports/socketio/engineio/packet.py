"""The packets of Engine.IO without a message (protocol 4), and the error for an invalid packet."""

from __future__ import annotations

from pychat.net.websocket.frames import Frame

__all__ = ["CLOSE", "NOOP", "PING", "PROBE", "PROBE_PONG", "UPGRADE", "BadPacket"]

CLOSE = "1"
NOOP = "6"
PROBE = "2probe"
UPGRADE = "5"
PING = Frame("2")
PROBE_PONG = Frame("3probe")


class BadPacket(ValueError):
    """What a client sent does not follow the protocol; the connection is closed."""
