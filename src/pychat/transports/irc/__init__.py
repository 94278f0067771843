"""The IRC transport: rooms are channels, and members are nicks."""

from __future__ import annotations

from pychat.transports.irc.server import IrcServer, serve_irc

__all__ = ["IrcServer", "serve_irc"]
