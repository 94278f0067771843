"""A chat room: serve it with one command, or embed it in a Python web application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat._version import __version__

if TYPE_CHECKING:
    from pychat.client import ChatClient, Client, Disconnected, RoomSnapshot
    from pychat.domain.access import Access
    from pychat.domain.errors import ChatError, Close, Refused, UsageError
    from pychat.domain.limits import Limits
    from pychat.domain.model import (
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
        Whisper,
    )
    from pychat.domain.moderation import AuditEntry
    from pychat.domain.notices import AccessChanged, HeldDecided, QueueChanged, RoomChanged
    from pychat.domain.queue import Held, Report
    from pychat.domain.request import Request
    from pychat.domain.roles import Role
    from pychat.domain.settings import RoomSettings
    from pychat.hosts.aiohttp import aiohttp_app
    from pychat.hosts.asgi import asgi_app
    from pychat.room.chat import Chat
    from pychat.room.chatroom import ChatRoom
    from pychat.room.hooks import HOOKS
    from pychat.transports.irc import IrcServer, serve_irc
    from pychat.transports.socketio import SocketIOTransport

__all__ = [
    "HOOKS",
    "Access",
    "AccessChanged",
    "AuditEntry",
    "Away",
    "Chat",
    "ChatClient",
    "ChatError",
    "ChatRoom",
    "Client",
    "Close",
    "Deleted",
    "Disconnected",
    "Edited",
    "Event",
    "Held",
    "HeldDecided",
    "IrcServer",
    "Joined",
    "Kicked",
    "Left",
    "Limits",
    "Member",
    "Message",
    "Position",
    "QueueChanged",
    "Quote",
    "Reacted",
    "Refused",
    "Renamed",
    "Report",
    "Request",
    "Role",
    "RoomChanged",
    "RoomSettings",
    "RoomSnapshot",
    "SocketIOTransport",
    "Typing",
    "UsageError",
    "User",
    "Whisper",
    "__version__",
    "aiohttp_app",
    "asgi_app",
    "serve_irc",
]

_WHERE = {
    "HOOKS": ".room.hooks",
    "Access": ".domain.access",
    "AccessChanged": ".domain.notices",
    "AuditEntry": ".domain.moderation",
    "HeldDecided": ".domain.notices",
    "QueueChanged": ".domain.notices",
    "RoomChanged": ".domain.notices",
    "Chat": ".room.chat",
    "ChatClient": ".client",
    "ChatError": ".domain.errors",
    "ChatRoom": ".room.chatroom",
    "Client": ".client",
    "Disconnected": ".client",
    "Role": ".domain.roles",
    "RoomSettings": ".domain.settings",
    "RoomSnapshot": ".client",
    "Close": ".domain.errors",
    "Away": ".domain.model",
    "Deleted": ".domain.model",
    "Edited": ".domain.model",
    "Event": ".domain.model",
    "Held": ".domain.queue",
    "IrcServer": ".transports.irc",
    "Joined": ".domain.model",
    "Kicked": ".domain.model",
    "Left": ".domain.model",
    "Limits": ".domain.limits",
    "Member": ".domain.model",
    "Message": ".domain.model",
    "Position": ".domain.model",
    "Quote": ".domain.model",
    "Reacted": ".domain.model",
    "Refused": ".domain.errors",
    "Renamed": ".domain.model",
    "Report": ".domain.queue",
    "Request": ".domain.request",
    "SocketIOTransport": ".transports.socketio",
    "Typing": ".domain.model",
    "User": ".domain.model",
    "UsageError": ".domain.errors",
    "Whisper": ".domain.model",
    "aiohttp_app": ".hosts.aiohttp",
    "asgi_app": ".hosts.asgi",
    "serve_irc": ".transports.irc",
}

_RENAMED = {"Entered": "RoomSnapshot"}


def __getattr__(name: str) -> object:
    """Import on first use: `import pychat` loads neither a web framework nor Socket.IO."""
    if name in _RENAMED:
        import warnings  # noqa: PLC0415

        new = _RENAMED[name]
        warnings.warn(f"pychat.{name} is now pychat.{new}; use that name.", DeprecationWarning, stacklevel=2)
        name = new
    if name not in _WHERE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WHERE[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
