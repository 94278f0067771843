"""Visitors who look for rooms that do not exist."""

from __future__ import annotations

import asyncio

import pytest

from pychat import Chat, ChatRoom, Refused, User
from tests.room.visiting import ADA, enter


async def test_many_looks_at_once_are_counted_before_the_app_is_asked() -> None:
    """A visitor who asks for hundreds of names at the same moment has the app asked for the first ones only."""
    asked: list[str] = []

    async def access(user: User | None, room: str) -> str:
        asked.append(room)
        await asyncio.sleep(0)
        return "none"

    async with Chat(ChatRoom("lobby"), access=access) as chat:
        looks = [_refusal(chat, f"room{number}", ADA) for number in range(300)]
        codes = await asyncio.gather(*looks)
        assert codes.count("unknown_room") == len(asked) < 75
        assert codes.count("rate_limited") == 300 - len(asked)


async def test_one_visitor_asks_the_app_about_some_rooms_at_a_time() -> None:
    """Somebody else is answered while the looks of one visitor wait for each other."""
    going = asyncio.Event()
    waiting: list[str] = []

    async def access(user: User | None, room: str) -> str:
        if room != "lobby":
            waiting.append(room)
            await going.wait()
        return "write"

    async with Chat(ChatRoom("lobby"), access=access) as chat:
        looks = [asyncio.ensure_future(_refusal(chat, f"room{number}", None)) for number in range(50)]
        await (await enter(chat, "lobby", ADA)).session.close()
        assert len(waiting) <= 8
        going.set()
        await asyncio.gather(*looks)


async def _refusal(chat: Chat, name: str, user: User | None) -> str:
    with pytest.raises(Refused) as refused:
        await enter(chat, name, user)
    return refused.value.code
