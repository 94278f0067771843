"""Keeping order in a room: what the moderation records say, and the actions that change them."""

from pychat.room.moderation.queue import ModerationQueue
from pychat.room.moderation.room_moderation import ModerationFollower, RoomModeration, RoomPeople

__all__ = ["ModerationFollower", "ModerationQueue", "RoomModeration", "RoomPeople"]
