"""The HTTP API of rooms."""

from __future__ import annotations

from pychat.web.api.api import Api

__all__ = ["Api"]
