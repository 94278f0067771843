"""What was said before: played back at JOIN, or asked for."""

from __future__ import annotations

import re

import pytest

from pychat import ChatRoom, Limits
from pychat.domain.model import iso
from pychat.testing import FakeClock
from tests.irc.conftest import Open
from tests.irc.person import CAPS, IrcPerson


@pytest.fixture
async def room() -> ChatRoom:
    """A room with ten messages, one a minute."""
    clock = FakeClock()
    room = ChatRoom("lobby", clock=clock, limits=Limits(rate=0))
    for number in range(1, 11):
        clock.move(60)
        await room.post(f"m{number}", author="bot")
    return room


@pytest.fixture
async def port(opened: Open, room: ChatRoom) -> int:
    """Its server's."""
    return (await opened(room)).port


async def test_a_plain_client_gets_the_last_lines(port: int) -> None:
    """With the time before each, for it cannot tell old from new otherwise."""
    ada = await IrcPerson.enter(port, "ada")
    lines = [await ada.next() for _ in range(10)]
    assert lines[0].source == "bot!~chat@pychat"
    assert re.fullmatch(r"\[2023-11-14 \d\d:\d\d UTC\] m1", lines[0].params[1])
    assert lines[-1].params[1].endswith(" m10")


async def test_a_client_that_knows_times_gets_a_batch(port: int) -> None:
    """The newest page, each with its time."""
    ada = await IrcPerson.enter(port, "ada", caps="batch server-time")
    opening = await ada.line("BATCH")
    assert opening.params[1:] == ("chathistory", "#lobby")
    lines = (await ada.until("BATCH"))[:-1]
    assert [f"m{number}" for number in range(1, 11)] == [line.params[1] for line in lines]
    assert {opening.params[0][1:]} == {line.tags["batch"] for line in lines}
    assert lines[0].tags["time"] == iso(1_700_000_060.0)


async def test_a_client_that_asks_is_asked_nothing(port: int) -> None:
    """With chathistory it gets what it wants, and no more."""
    ada = await IrcPerson.enter(port, "ada", caps=CAPS)
    assert await ada.since() == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("LATEST #lobby * 3", [8, 9, 10]),
        ("LATEST #lobby msgid=8 5", [9, 10]),
        ("BEFORE #lobby msgid=5 2", [3, 4]),
        ("AFTER #lobby msgid=5 2", [6, 7]),
        ("AFTER #lobby msgid=10 2", []),
        ("AROUND #lobby msgid=5 4", [3, 4, 5, 6]),
        ("BETWEEN #lobby msgid=2 msgid=6 9", [3, 4, 5]),
        ("BETWEEN #lobby msgid=6 msgid=2 2", [4, 5]),
        ("BEFORE #lobby timestamp=240 2", [2, 3]),
        ("AFTER #lobby timestamp=250 2", [5, 6]),
        ("AFTER #lobby timestamp=0 2", [1, 2]),
        ("LATEST #lobby timestamp=590 5", [10]),
        ("LATEST #lobby * 0", []),
    ],
)
async def test_chathistory(port: int, room: ChatRoom, asked: str, expected: list[int]) -> None:
    """Before, after, around and between messages or times, oldest first."""
    asked = re.sub(r"msgid=(\d+)", rf"msgid=\1.{room.position.epoch}", asked)
    asked = re.sub(r"timestamp=(\d+)", lambda found: f"timestamp={iso(1_700_000_000.0 + int(found[1]))}", asked)
    ada = await IrcPerson.enter(port, "ada", caps=CAPS)
    heard = await ada.since(f"CHATHISTORY {asked}")
    assert [f"m{number}" for number in expected] == [line.params[1] for line in heard if line.command == "PRIVMSG"]
    assert [("BATCH", "chathistory"), ("BATCH", "#lobby")][0] == (heard[0].command, heard[0].params[1])
    assert heard[-1].params == (heard[0].params[0].replace("+", "-"),)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("LATEST #nowhere * 3", "INVALID_TARGET"),
        ("LATEST #lobby * many", "INVALID_PARAMS"),
        ("LATEST #lobby *", "INVALID_PARAMS"),
        ("BEFORE #lobby yesterday 3", "INVALID_PARAMS"),
        ("BEFORE #lobby timestamp=yesterday 3", "INVALID_PARAMS"),
        ("AFTER #lobby msgid=3.other 3", "INVALID_MSGREFTYPE"),
        ("SOMEHOW #lobby * 3", "INVALID_PARAMS"),
    ],
)
async def test_mistakes_in_asking(port: int, asked: str, code: str) -> None:
    """Each has its code, and words."""
    ada = await IrcPerson.enter(port, "ada", caps=CAPS)
    heard = await ada.since(f"CHATHISTORY {asked}")
    assert [("FAIL", "CHATHISTORY", code)] == [(line.command, *line.params[:2]) for line in heard]
    assert [line.command for line in await ada.since("CHATHISTORY TARGETS timestamp=a timestamp=b 9")] == [
        "BATCH",
        "BATCH",
    ]


async def test_what_was_deleted_is_not_played_back(port: int, room: ChatRoom) -> None:
    """And what was edited says what it says now."""
    await room.delete(10)
    await room.edit(9, "changed")
    ada = await IrcPerson.enter(port, "ada", caps="batch server-time")
    lines = (await ada.until("BATCH")) and (await ada.until("BATCH"))[:-1]
    assert ["m8", "changed"] == [line.params[1] for line in lines][-2:]


async def test_a_long_way_back(opened: Open) -> None:
    """Where most of the log is no messages, those asked for are found all the same."""
    room = ChatRoom("lobby", limits=Limits(rate=0, page=10))
    first = await room.post("first", author="bot")
    for number in range(60):
        await room.edit(first.seq, str(number))
    await room.post("last", author="bot")
    ada = await IrcPerson.enter((await opened(room)).port, "ada", caps=CAPS)
    heard = await ada.since(f"CHATHISTORY AFTER #lobby msgid=1.{room.position.epoch} 5")
    assert ["last"] == [line.params[1] for line in heard if line.command == "PRIVMSG"]
