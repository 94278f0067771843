"""The page of a room without scripts: the last messages, and a form."""

from __future__ import annotations

from pychat.web.plain.pages import PLAIN_PATH, PlainPages
from pychat.web.plain.view import View

__all__ = ["PLAIN_PATH", "PlainPages", "View"]
