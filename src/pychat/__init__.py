"""pychat: a chat room to serve in one command, or to embed in three lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat._version import __version__

if TYPE_CHECKING:
    from pychat.client import Client, Disconnected, Entered
    from pychat.embed.aiohttp import aiohttp_app
    from pychat.embed.asgi import asgi_app
    from pychat.errors import ChatError, Close, Refused, UsageError
    from pychat.hooks import HOOKS
    from pychat.limits import Limits
    from pychat.model import (
        Away,
        Deleted,
        Edited,
        Event,
        Joined,
        Kicked,
        Left,
        Member,
        Message,
        Position,
        Quote,
        Reacted,
        Renamed,
        Typing,
        User,
    )
    from pychat.request import Request
    from pychat.room import ChatRoom
    from pychat.transports.irc import IrcServer, serve_irc
    from pychat.transports.socketio import SocketIOTransport

__all__ = [
    "HOOKS",
    "Away",
    "ChatError",
    "ChatRoom",
    "Client",
    "Close",
    "Deleted",
    "Disconnected",
    "Edited",
    "Entered",
    "Event",
    "IrcServer",
    "Joined",
    "Kicked",
    "Left",
    "Limits",
    "Member",
    "Message",
    "Position",
    "Quote",
    "Reacted",
    "Refused",
    "Renamed",
    "Request",
    "SocketIOTransport",
    "Typing",
    "UsageError",
    "User",
    "__version__",
    "aiohttp_app",
    "asgi_app",
    "serve_irc",
]

_WHERE = {
    "HOOKS": ".hooks",
    "ChatError": ".errors",
    "ChatRoom": ".room",
    "Client": ".client",
    "Disconnected": ".client",
    "Entered": ".client",
    "Close": ".errors",
    "Away": ".model",
    "Deleted": ".model",
    "Edited": ".model",
    "Event": ".model",
    "IrcServer": ".transports.irc",
    "Joined": ".model",
    "Kicked": ".model",
    "Left": ".model",
    "Limits": ".limits",
    "Member": ".model",
    "Message": ".model",
    "Position": ".model",
    "Quote": ".model",
    "Reacted": ".model",
    "Refused": ".errors",
    "Renamed": ".model",
    "Request": ".request",
    "SocketIOTransport": ".transports.socketio",
    "Typing": ".model",
    "User": ".model",
    "UsageError": ".errors",
    "aiohttp_app": ".embed.aiohttp",
    "asgi_app": ".embed.asgi",
    "serve_irc": ".transports.irc",
}


def __getattr__(name: str) -> object:
    """Import on first use: `import pychat` loads neither a web framework nor Socket.IO."""
    if name not in _WHERE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WHERE[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
