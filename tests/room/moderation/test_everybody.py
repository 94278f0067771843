"""A change that concerns everybody in a large room: it holds at once, and holds nobody else up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pychat import ChatRoom, Limits, Refused
from tests.room.moderation.people import MODERATOR, Visitor, come, settle

_MANY = 450


async def crowd(room: ChatRoom) -> tuple[Visitor, list[Visitor]]:
    """A moderator, and many guests of one network."""
    guests = [await come(room, f"Guest {number}", address=f"198.51.100.{number % 250}") for number in range(_MANY)]
    return await come(room, user=MODERATOR), guests


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("set", {"entry": "closed"}),
        ("set", {"writing": "moderators"}),
        ("ban", {"network": "198.51.100.0/24", "reason": "enough"}),
        ("mute", {"network": "198.51.100.0/24"}),
    ],
)
async def test_a_change_for_everybody_is_told_in_parts(action: str, fields: dict[str, Any]) -> None:
    """No turn of the event loop tells more than 100 people, or puts out more than 100."""
    async with ChatRoom(limits=Limits(rate=0)) as room:
        moderator, guests = await crowd(room)
        await settle(room)
        for each in guests:
            each.connection.events.clear()
        acting = asyncio.create_task(moderator.does(action, **fields))

        def done(guest: Visitor) -> bool:
            return guest.closed is not None or bool(guest.told("access"))

        found = [0]
        while not acting.done() or found[-1] < _MANY:
            await asyncio.sleep(0)
            found.append(sum(map(done, guests)))
            assert found[-1] - found[-2] <= 100
        await acting
        assert moderator.closed is None


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("set", {"entry": "closed"}, "room_closed"),
        ("set", {"writing": "moderators"}, "forbidden"),
        ("ban", {"network": "198.51.100.0/24"}, "banned"),
        ("mute", {"network": "198.51.100.0/24"}, "muted"),
    ],
)
async def test_a_change_for_everybody_holds_at_once(action: str, fields: dict[str, Any], code: str) -> None:
    """Those who are not told yet cannot write any more when the moderator is answered."""
    async with ChatRoom(limits=Limits(rate=0)) as room:
        moderator, guests = await crowd(room)
        await settle(room)
        await moderator.does(action, **fields)
        last = next(each for each in reversed(guests) if each.closed is None and not each.told("access"))
        with pytest.raises(Refused) as refused:
            await last.session.say("still here")
        assert refused.value.code == code
        await settle(room)
        assert await room.history() == []
