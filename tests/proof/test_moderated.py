"""Any sequence of what people and moderators do in a room, one after the other or at the same moment, and what always holds."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pychat import ChatRoom, Limits, Refused, User
from pychat.domain.roles import Role
from pychat.testing import FakeClock
from tests.proof.test_any_sequence import EXAMPLES
from tests.room.moderation.people import Visitor, come, settle

#: Everybody. The first two are owners by the room's own records.
USERS = [
    User(name, name.title(), roles=("moderator",) if name == "mo" else ())
    for name in ("olga", "otto", "mo", "ann", "bob")
]
KEYS = [f"user:{user.id}" for user in USERS]
ROLES = {role.label: role for role in Role}

who = st.integers(0, len(USERS) - 1)
speaking = st.sampled_from(["say", "say", "edit", "react", "join"])
acting = st.sampled_from(["ban", "unban", "mute", "unmute", "kick", *ROLES, "all", "moderators"])
moving = st.sampled_from(["come", "leave", "time"])
step = st.tuples(st.one_of(speaking, acting, acting, moving), who, who)


class Played:
    """A room with people, and what they were told."""

    def __init__(self, room: ChatRoom, clock: FakeClock) -> None:
        self.room = room
        self.clock = clock
        self.people: dict[int, Visitor] = {}
        self.acknowledged: set[str] = set()  # ids of messages
        self.actions: list[tuple[str, str]] = []  # that were answered with yes, and by whom

    async def records(self, kind: str) -> dict[str, Any]:
        """The room's records of a kind that hold, by whom they are of, as a new server would load them."""
        loaded, _ = await self.room.backend.core.moderation.read()
        now = self.clock.date()
        return {
            record.key.removeprefix("member:"): record.data
            for record in loaded
            if record.kind == kind and (record.until is None or record.until > now)
        }

    async def role(self, number: int) -> Role:
        """The role of a person."""
        stored = (await self.records("role")).get(
            KEYS[number], {"role": "moderator" if USERS[number].roles else "member"}
        )
        return ROLES[stored["role"]]

    async def silenced(self, number: int) -> bool:
        """Whether a ban or mute holds against this person: it does against roles below that of its author."""
        role = await self.role(number)
        found = [(await self.records(kind)).get(KEYS[number]) for kind in ("ban", "mute")]
        return any(each is not None and each["rank"] > role for each in found)

    async def take(self, name: str, number: int, other: int) -> None:
        """One step. A refusal is fine; nothing may come of it."""
        person = self.people.get(number)
        try:
            if name == "time":
                self.clock.move(20)
            elif name == "come" and person is None:
                self.people[number] = await come(self.room, user=USERS[number])
            elif person is None or person.closed is not None:
                self.people.pop(number, None)
            elif name == "leave":
                del self.people[number]
                await person.session.close()
            elif name in {"say", "edit", "react", "join"}:
                await self.speak(name, person)
            elif name != "come":
                await self.act(name, person, number, other)
        except Refused:
            pass

    async def speak(self, name: str, person: Visitor) -> bool:
        """Say something, change or react to the newest message, or rename oneself; whether that was taken."""
        newest = max((message.seq for message in await self.room.history(limit=1)), default=1)
        commands: dict[str, dict[str, Any]] = {
            "say": {"text": "hi"},
            "edit": {"target": newest, "text": "changed"},
            "react": {"target": newest, "emoji": "👍"},
            "join": {"name": "Another"},
        }
        answer = await person.command(name, commands[name])
        if name == "say" and answer["ok"]:
            self.acknowledged.add(answer["id"])
        return bool(answer["ok"])

    async def act(self, name: str, person: Visitor, number: int, other: int) -> None:
        """Do what moderators do."""
        fields: dict[str, Any]
        if name in ROLES:
            action, fields = "role", {"member": KEYS[other], "role": name}
        elif name in {"all", "moderators"}:
            action, fields = "set", {"writing": name}
        else:
            action, fields = name, {"member": KEYS[other]}
            if name in {"ban", "mute"}:
                fields["seconds"] = 50
        await person.does(action, **fields)
        self.actions.append((action, KEYS[number]))

    async def check(self) -> None:
        """What holds whenever nothing is under way."""
        await settle(self.room)
        assert "owner" in {data["role"] for data in (await self.records("role")).values()}, "nobody is an owner"
        bans = await self.records("ban")
        for number, person in self.people.items():
            here = person.closed is None
            assert not here or KEYS[number] not in bans or bans[KEYS[number]]["rank"] <= await self.role(number)
            if here and await self.silenced(number):
                for name in ("say", "edit", "react", "join"):
                    assert not await self.speak(name, person), f"{name} of {KEYS[number]}"
        entries = [(entry.action, entry.by.id) for entry in await self.room.moderation.audit(limit=200)]
        entered, done = (Counter(each for each in several if each[1] in KEYS) for several in (entries, self.actions))
        assert entered <= done
        # To unban somebody who is not banned, to kick somebody who is, or to set what is set changes nothing.
        assert all(entered[each] == done[each] for each in done if each[0] in {"ban", "mute"}), (entered, done)
        assert {message.id for message in await self.room.history(limit=200)} == self.acknowledged


@given(rounds=st.lists(st.lists(step, min_size=1, max_size=3), min_size=3, max_size=15))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_order_holds_whatever_people_do(rounds: list[list[tuple[str, int, int]]]) -> None:
    """Nothing acknowledged is lost, nothing of a muted or banned person is taken, the audit log has every action, an owner stays."""

    async def play() -> None:
        clock = FakeClock()
        async with ChatRoom("lobby", clock=clock, limits=Limits(rate=0)) as room:
            for key in KEYS[:2]:
                await room.moderation.role(key, "owner")
            played = Played(room, clock)
            for number in range(len(USERS)):
                await played.take("come", number, 0)
            for steps in rounds:
                await asyncio.gather(*(played.take(*each) for each in steps))
                await played.check()

    asyncio.run(play())
