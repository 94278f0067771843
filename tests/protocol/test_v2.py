"""Version 2 of the protocol: its events are those of version 1 with their room; its commands are checked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pychat import Member, Message
from pychat.domain import strictjson
from pychat.domain.errors import Close, Refused
from pychat.domain.model import Position, Typing
from pychat.domain.notices import Welcome, You
from pychat.protocol import v1, v2

ADA = Member("a", "Ada")
MESSAGE = Message("m", ADA, "hi", 0.0, 1)


def welcome(**changed: Any) -> Welcome:
    """A welcome of the room `lobby`."""
    fields: dict[str, Any] = {
        "room": "lobby",
        "title": "The Lobby",
        "position": Position("e", 1, "m"),
        "recovered": False,
        "here": 1,
        "members": (ADA,),
        "listed": True,
        "messages": (MESSAGE,),
        "more": False,
        "longest_name": 32,
        "longest_text": 2000,
    }
    return Welcome(**fields | changed)


@pytest.mark.parametrize("notice", [MESSAGE, Typing(ADA, on=True)])
def test_an_event_of_a_room_is_that_of_version_1_with_the_room(notice: Any) -> None:
    """Only the field `room` is added."""
    name, fields = v1.encode(notice)
    assert v2.encode(notice, "lobby") == (name, {"room": "lobby", **fields})


def test_who_enters_is_told_what_a_welcome_tells() -> None:
    """`entered` has the fields of version 1's welcome; its room is a name, and its version is that of the connection."""
    you = You("a", "Ada", (), name_fixed=False)
    name, told = v2.encode(welcome(you=you), "lobby")
    before = v1.encode(welcome(you=you))[1]
    assert name == "entered"
    expected = {key: value for key, value in before.items() if key != "v"}
    assert told == {**expected, "room": "lobby", "title": "The Lobby", "access": ["read", "write", "react", "upload"]}


def test_messages_are_encoded_once_for_both_versions() -> None:
    """What newcomers get is written into JSON once, whatever the version, and reads the same."""
    notice = welcome()
    first, second = v1.encode_shared(notice)[1], v2.encode_shared(notice, "lobby")[1]
    assert first["messages"] == second["messages"]
    assert json.loads(strictjson.dumps(second)) == v2.encode(notice, "lobby")[1]


def test_the_end_of_a_room_says_why() -> None:
    """`exited` has the fields of `bye`, and the room."""
    name, told = v2.exited_event("lobby", Close.KICKED)
    assert name == "exited"
    assert told == {"room": "lobby", **v1.close_event(Close.KICKED)[1]}


def test_rooms_are_entered_each_from_its_position() -> None:
    """A position that is missing or malformed is that of a newcomer, as on version 1."""
    since = {"epoch": "e", "seq": 4, "id": "m"}
    rooms = [{"name": "a", "since": since}, {"name": "b", "since": {"seq": -1}}, {"name": "c", "more": 1}]
    assert v2.decode_entries(rooms) == [("a", Position("e", 4, "m")), ("b", None), ("c", None)]


@pytest.mark.parametrize("rooms", [["a"], [{}], [{"name": None}], [{"name": "a"}, {"name": "a"}]])
def test_what_names_no_room_or_one_twice_is_refused(rooms: list[Any]) -> None:
    """The whole command is refused, so that the answer has one entry for each room that was named."""
    with pytest.raises(Refused) as refused:
        v2.decode_entries(rooms)
    assert refused.value.code == "bad_request"


@pytest.mark.parametrize("fields", [{}, {"type": "say"}, {"type": "hello", "token": 7}])
def test_the_first_message_is_hello(fields: dict[str, Any]) -> None:
    """Anything else is refused; a token is optional."""
    with pytest.raises(Refused):
        v2.decode_hello(fields)
    assert v2.decode_hello({"type": "hello"}) is None
    assert v2.decode_hello({"type": "hello", "token": "t"}) == "t"
