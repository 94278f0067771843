"""What an entry, a join, a message and a mute cost does not grow with the records of moderation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.room.growth import Steps, counted_pychat

_FEW, _MANY = 50, 4_990  # of each kind of record: as many of members, and as many of networks
_MORE = 1.25


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    """Import a `pychat` that counts."""
    with counted_pychat() as steps:
        yield steps


class _Silent:
    """A connection that leads nowhere."""

    class encoder:  # noqa: N801 -- an attribute
        """Encodes nothing."""

        encode = join = staticmethod(lambda *_: None)

    def send(self, frame: object) -> None:
        """Drop it."""

    def close(self, why: object) -> None:
        """Stay as it is."""


async def _measure(steps: Steps, count: int) -> dict[str, int]:
    """The steps of each thing, done a second time, in a room with so many bans, mutes and roles of each kind."""
    pychat, stores = import_module("pychat"), import_module("pychat.stores")
    moderation, grants = import_module("pychat.domain.moderation"), import_module("pychat.room.grant")
    access = import_module("pychat.domain.access").Access.WRITE
    store, clock = stores.MemoryStore(), import_module("pychat.testing.clock").FakeClock()
    records = [moderation.Record("role", f"m{number}", {"role": "member"}) for number in range(2 * count)]
    for kind in ("ban", "mute"):
        for number in range(count):
            network = f"10.{number // 250}.{number % 250}.{'0/24' if number % 2 else '7'}"
            until, data = clock.date() + number + 1_000, {"rank": 3, "reason": ""}
            keys = (f"member:{kind}{number}", f"address:{network}")
            records += [moderation.Record(kind, key, data, until) for key in keys]
    room = pychat.ChatRoom(store=store, clock=clock, limits=pychat.Limits(rate=0))
    found: dict[str, int] = {}
    async with room:
        await store.moderation.change("lobby", records, None, 0)

        async def count_steps(name: str, doing: Any) -> Any:
            steps.clear()
            result = await doing
            found[name] = steps.total()
            return result

        for number in range(2):
            grant = grants.Grant(access, address=f"192.0.2.{number + 1}")
            session = await count_steps("entry", room.backend.connect(_Silent(), grant=grant))
            await count_steps("join", _await(session.join(f"Ada {number}")))
            await count_steps("message", _await(session.say("hi")))
            await count_steps("rename", _await(session.join(f"Ada Two {number}")))
            await count_steps("mute", room.moderation.mute(session.member_id, address=False))
            await count_steps("unmute", room.moderation.role(session.member_id, "reader"))
            for _ in range(50):
                await asyncio.sleep(0)
    return found


async def _await(answer: Any) -> Any:
    return await answer


async def test_nothing_grows_with_bans_mutes_and_roles(steps: Steps) -> None:
    """With 10,000 bans and as many mutes, half of them of networks, all takes the steps that it takes with 100."""
    few, many = await _measure(steps, _FEW), await _measure(steps, _MANY)
    assert {name: each for name, each in many.items() if each > few[name] * _MORE + 5} == {}


async def test_the_role_of_somebody_does_not_grow_with_the_people_here(steps: Steps) -> None:
    """A hook that asks for the role of an author, at each message, looks at nobody else."""
    pychat, grants = import_module("pychat"), import_module("pychat.room.grant")
    access = import_module("pychat.domain.access").Access.WRITE
    found: list[int] = []
    for people in (10, 200):
        async with pychat.ChatRoom(limits=pychat.Limits(rate=0)) as room:
            each = [grants.Grant(access, address=f"192.0.2.{number}") for number in range(people)]
            session, *_ = [await room.backend.connect(_Silent(), grant=grant) for grant in each]
            await _await(session.join("Ada"))
            room.moderation.role_of(session.member_id)
            steps.clear()
            room.moderation.role_of(session.member_id)
            found.append(steps.total())
    assert found[1] <= found[0] + 5
