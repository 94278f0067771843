"""What a client is told when it connects: the rooms with messages that the person has not read."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.domain.notices import UnreadRoom

__all__ = ["unread_texts"]

_MAX_TOLD = 20  # rooms


def unread_texts(rooms: Iterable[UnreadRoom]) -> list[str]:
    """A text for each room with unread messages, those with mentions first. After 20, how many more rooms there are."""
    unread = sorted((room for room in rooms if room.messages), key=lambda room: (-room.mentions, -room.messages))
    texts = [_text(room) for room in unread[:_MAX_TOLD]]
    more = len(unread) - len(texts)
    return [*texts, f"and {_count(more, 'more room')}"] if more else texts


def _text(room: UnreadRoom) -> str:
    name = f"#{room.name} ({room.title})" if room.people else f"#{room.name}"
    mentions = f", {_count(room.mentions, 'mention')}" if room.mentions else ""
    return f"{name}: {_count(room.messages, 'unread message')}{mentions}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
