"""The limits of a room."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from pychat import ChatRoom, Limits, Member, Message, Refused, UsageError
from pychat.stores import MemoryStore
from pychat.testing import Person


@pytest.mark.parametrize(
    "given",
    [
        {"page": 0},
        {"page": -1},
        {"page": 1.5},
        {"name": 0},
        {"name": 1_001},
        {"text": 0},
        {"burst": 0},
        {"listed": -1},
        {"history": -1},
        {"history": None},
        {"rate": -1},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"rate": "20"},
        {"text": True},
        {"rates": {"mesages": (1, 1)}},
        {"rates": {"messages": (1, 0)}},
        {"rates": {"messages": (-1, 1)}},
        {"rates": {"messages": 5}},
        {"rates": {"messages": ("a", 1)}},
        {"rates": {"messages": (float("nan"), 1)}},
    ],
)
def test_what_cannot_be_a_limit_is_named(given: dict[str, Any]) -> None:
    """The mistake is found where it is made, in words that say what can be."""
    (name,) = given
    with pytest.raises(UsageError, match=rf"Limits\({name}=.*({name}|a rate) is a|not a rate"):
        Limits(**given)


async def test_the_smallest_limits_work() -> None:
    """A room that shows newcomers nothing, keeps one event at hand, and lists nobody."""
    room = ChatRoom(limits=Limits(name=1, text=1, burst=1, rate=0, listed=0, history=0, page=1))
    ada = await Person.enter(room)
    assert (await ada.join("A"))["ok"]
    for seq in range(1, 5):
        assert (await ada.say("x"))["seq"] == seq
    assert (await (await Person.enter(room)).event("welcome"))["messages"] == []
    assert len((await ada.command("history"))["messages"]) == 1
    assert len(room.backend.core.delivery.recent._messages) <= 1


@pytest.mark.parametrize("length", [199, 200, 201, 900_000])
async def test_what_is_searched_for_is_short(length: int) -> None:
    """Each word is looked for in each message, so 200 characters are the most, whoever searches."""
    room = ChatRoom()
    ada = await Person.enter(room)
    answer = await ada.command("history", {"matching": "\u0301" * length})
    assert answer["ok"] == (length <= 200)
    if length > 200:
        assert answer["error"]["code"] == "bad_request"
        with pytest.raises(Refused, match="200 characters"):
            await room.history(matching="x" * length)


async def test_a_search_counts_as_five_commands() -> None:
    """It may have to read every message that is kept."""
    room = ChatRoom(limits=Limits(rate=0.001, burst=11))
    ada = await Person.enter(room)
    for expected in (True, True, False):
        assert (await ada.command("history", {"matching": "tea"}))["ok"] == expected
    assert (await ada.command("history"))["ok"]


async def test_searches_let_others_in_between() -> None:
    """However many search at once, one part of one search is done at each turn of the loop; all find the same."""
    store = MemoryStore()
    ada = Member("a", "Ada")
    for number in range(400):
        await store.append("lobby", Message(str(number), ada, f"{number:04} " + "tea " * 2_000, 0.0))
    compared: list[int] = []
    turn = 0

    class Text(str):
        """Counts at which turn it is read."""

        __slots__ = ()

        def casefold(self) -> str:
            compared.append(turn)
            return super().casefold()

    log = store._logs.open("lobby")
    log.messages = [replace(each, text=Text(each.text)) for each in log.messages]
    searches = [asyncio.ensure_future(store.history("lobby", matching="0003 tea")) for _ in range(5)]
    while not all(search.done() for search in searches):
        await asyncio.sleep(0)
        turn += 1
        if turn == 20:
            await store.append("lobby", Message("new", ada, "0003 tea, but too late", 0.0))
    assert {(4,)} == {tuple(each.seq for each in search.result().messages) for search in searches}
    assert max(Counter(compared).values()) <= 40
