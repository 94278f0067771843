"""IRC: rooms are channels, members are nicks, and any client sits in the same room as the browsers."""

from __future__ import annotations

from pychat.transports.irc.server import IrcServer, serve_irc

__all__ = ["IrcServer", "serve_irc"]
