"""What members have read: positions that are stored together, and unread counts that change while people watch."""

from __future__ import annotations

from pychat.room.reading.reading import Reading
from pychat.room.reading.unread_list import UnreadListener, UnreadRoom

__all__ = ["Reading", "UnreadListener", "UnreadRoom"]
