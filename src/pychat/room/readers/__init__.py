"""What members have read: positions that are stored together, and unread counts that change while people watch."""

from __future__ import annotations

from pychat.room.readers.blocks import blocked
from pychat.room.readers.readers import Readers
from pychat.room.readers.room_readers import RoomReaders
from pychat.room.readers.unread_list import Described, UnreadListener

__all__ = ["Described", "Readers", "RoomReaders", "UnreadListener", "blocked"]
