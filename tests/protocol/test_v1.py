"""Version 1 of the protocol: what `encode` writes, `decode` reads back as the same; commands are checked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat import ChatRoom, Deleted, Edited, Member, Message, Quote, Reacted
from pychat.domain import strictjson
from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused
from pychat.domain.model import LogEvent, Position, Typing, Whisper
from pychat.domain.notices import (
    AccessChanged,
    HeldDecided,
    Mute,
    Notice,
    Pinned,
    Presence,
    QueueChanged,
    RoomChanged,
    Welcome,
    You,
)
from pychat.domain.roles import Role
from pychat.protocol.v1 import COMMANDS, decode, decode_command, decode_message, encode, encode_message, encode_shared
from pychat.room.connection import Encoder

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DATES = st.integers(0, 4_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)
SEQS = st.integers(1, 2**53 - 1)
MEMBERS = st.builds(Member, TEXTS, TEXTS)
ROLES = st.builds(Member, TEXTS, TEXTS, st.lists(TEXTS).map(tuple))
IDS = st.lists(TEXTS).map(tuple)
ACCESS = st.sampled_from([Access.READ, Access.WRITE, Access.MODERATE, Access.of(["read", "react"])])
MUTES = st.builds(Mute, st.none() | DATES, TEXTS)
QUEUES = st.builds(QueueChanged, SEQS, SEQS, SEQS)
REACTIONS = st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1, unique=True), max_size=3).map(
    lambda chosen: tuple((emoji, tuple(ids)) for emoji, ids in chosen.items())
)
EVENTS = st.one_of(
    st.builds(
        Message,
        id=TEXTS,
        author=MEMBERS,
        text=TEXTS,
        date=DATES,
        seq=SEQS,
        reply=st.none() | st.builds(Quote, SEQS, TEXTS, TEXTS),
        edited=st.none() | DATES,
        deleted=st.booleans(),
        reactions=REACTIONS,
        mentions=IDS,
    ),
    st.builds(Edited, TEXTS, MEMBERS, SEQS, TEXTS, DATES, SEQS, IDS),
    st.builds(Deleted, TEXTS, MEMBERS, SEQS, DATES, SEQS),
    st.builds(Reacted, TEXTS, MEMBERS, SEQS, TEXTS, st.booleans(), DATES, SEQS),
)


@given(EVENTS)
def test_events_come_back_as_they_were(event: LogEvent) -> None:
    """Any event of a room's log, put into words and JSON by the server, is the same event for the client."""
    name, fields = encode(event)
    assert event == decode(name, json.loads(json.dumps(fields)))


@given(
    st.one_of(
        st.builds(Typing, ROLES, st.booleans()),
        st.builds(
            Presence,
            here=SEQS,
            position=st.just(Position("", 0)),
            joined=st.lists(ROLES).map(tuple),
            left=st.lists(st.builds(Member, TEXTS, st.just(""))).map(tuple),
            renamed=st.lists(ROLES).map(tuple),
            listed=st.booleans(),
            members=st.none() | st.lists(ROLES).map(tuple),
        ),
        st.builds(Whisper, TEXTS, ROLES, st.just(Member("", "")), TEXTS, DATES),
        st.builds(
            Welcome,
            room=TEXTS,
            title=TEXTS,
            position=st.builds(Position, TEXTS, SEQS, TEXTS),
            recovered=st.booleans(),
            here=SEQS,
            members=st.lists(ROLES).map(tuple),
            listed=st.booleans(),
            messages=st.just(()),
            more=st.booleans(),
            longest_name=SEQS,
            longest_text=SEQS,
            you=st.none() | st.builds(You, TEXTS, st.none() | TEXTS, st.lists(TEXTS).map(tuple), st.booleans()),
            access=ACCESS,
            role=st.sampled_from(Role),
            muted=st.none() | MUTES,
            settings=st.none(),
            queue=st.none() | QUEUES,
        ),
        st.builds(
            RoomChanged,
            TEXTS,
            TEXTS,
            SEQS,
            st.sampled_from(["all", "members", "moderators"]),
            st.sampled_from(["open", "ask", "members", "closed"]),
            st.lists(st.builds(Pinned, SEQS, TEXTS, TEXTS), max_size=3).map(tuple),
        ),
        st.builds(AccessChanged, ACCESS, st.sampled_from(Role), st.none() | MUTES),
        QUEUES,
        st.builds(HeldDecided, TEXTS, st.sampled_from(["approved", "rejected"]), TEXTS),
    )
)
def test_other_notices_come_back_as_they_were(notice: Notice) -> None:
    """So do a welcome, a presence and a sign of typing, roles and the id of the last event included; and moderation."""
    name, fields = encode(notice)
    back = decode(name, json.loads(json.dumps(fields)))
    assert repr(notice) == repr(back)  # unlike ==, looks at roles and at the id of a position


def test_an_unknown_event_is_passed_over() -> None:
    """A later server may send events that this client does not know."""
    assert decode("something new", {}) is None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_field_of_the_wrong_type_is_refused(name: str) -> None:
    """Each field of each command says what it must be, and no command takes anything but one object."""
    required, _, optional = COMMANDS[name]
    values: dict[str, object] = {"target": 1, "seq": 1, "action": "set"}
    good = {field: values.get(field, "x") for field in required}
    more = {} if name == "moderate" else {"more": 1}  # an action knows all its fields
    assert decode_command(name, {**good, **more})[: len(required)] == list(good.values())
    for field in (*required, *optional):
        for wrong in ([], {}, 1.5, -1, 2**53):
            with pytest.raises(Refused, match=f"“{field}” must be"):
                decode_command(name, {**good, field: wrong})
    for field in required:
        with pytest.raises(Refused, match="is missing: "):
            decode_command(name, {each: value for each, value in good.items() if each != field})
    for no_object in (None, [], "x", 1):
        with pytest.raises(Refused, match="takes one object"):
            decode_command(name, no_object)


@pytest.mark.parametrize(
    "told", [{}, {"seq": "1"}, {"seq": True}, {"author": None}, {"date": "soon"}, {"text": 3}, {"reactions": [1]}]
)
def test_what_makes_no_sense_is_an_error(told: dict[str, object]) -> None:
    """A server that leaves out or garbles a field is noticed there, and not later."""
    _, fields = encode(Message("m", Member("a", "Ada"), "hi", 0.0, 1))
    with pytest.raises((KeyError, TypeError, ValueError)):
        decode_message({**fields, **told} if told else {})


class _Welcomes(Encoder):
    """An encoder that keeps what it is given."""

    def __init__(self, notices: list[Notice]) -> None:
        self._notices = notices

    def encode(self, notice: Notice) -> None:
        self._notices.append(notice)


async def test_newcomers_share_the_encoded_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred newcomers cost one encoding of the newest messages, and another one when those have changed."""
    room, encoded = ChatRoom("lobby"), 0

    def counting(message: Message) -> dict[str, Any]:
        nonlocal encoded
        encoded += 1
        return encode_message(message)

    for number in range(10):
        await room.post(f"number {number}", author="bot")
    welcomes: list[Notice] = []

    class Visitor:
        encoder: Encoder = _Welcomes(welcomes)

        def send(self, frame: object) -> None:
            """Hear nothing."""

        def close(self, why: Close) -> None:
            """End."""

    for changed in (False, True):
        if changed:
            await room.post("more", author="bot")
        for _ in range(100):
            await (await room.connect(Visitor())).close()
    monkeypatch.setattr("pychat.protocol.v1.encode_message", counting)
    welcomes = [notice for notice in welcomes if isinstance(notice, Welcome)]
    texts = [strictjson.dumps(encode_shared(welcome)[1]) for welcome in welcomes]
    assert 10 + 11 == encoded
    assert texts == [strictjson.dumps(encode(welcome)[1]) for welcome in welcomes]
    assert 200 == len(texts)
    await room.aclose()
