"""Pinned messages: everybody is told of them at once, in the welcome, and after the room was opened again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pychat import ChatRoom
from tests.room.moderation.people import MODERATOR, Visitor, come, settle


async def test_a_pinned_message_is_told_to_everybody(tmp_path: Path) -> None:
    """Whoever is here gets an event, whoever comes finds it in the welcome, also from a room that was closed."""
    url = f"sqlite:{tmp_path}/chat.db"
    pinned = [{"seq": 1, "author": "Mo", "text": "the rules"}]
    async with ChatRoom(store=url) as room:
        mo, ann = await come(room, user=MODERATOR), await come(room, "Ann")
        await mo.session.say("the rules")
        await mo.does("pin", target=1)
        await _heard(room, ann)
        assert [each["pinned"] for each in ann.told("room")] == [pinned]
        late = await come(room)
        assert [each["pinned"] for each in late.told("welcome")] == [pinned]
    async with ChatRoom(store=url) as room:
        again = await come(room, user=MODERATOR)
        assert [each["pinned"] for each in again.told("welcome")] == [pinned]
        await again.does("unpin", target=1)
        await _heard(room, again)
        assert [each["pinned"] for each in again.told("room")] == [[]]


async def _heard(room: ChatRoom, visitor: Visitor) -> None:
    """Wait until a visitor is told of the settings: the store looks a pinned message up in a thread."""
    async with asyncio.timeout(10):
        while not visitor.told("room"):
            await settle(room)
            await asyncio.sleep(0)
