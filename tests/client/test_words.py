"""What the server's vocabulary writes, the client reads back as the same nouns."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat import Deleted, Edited, Member, Message, Quote, Reacted
from pychat.client import decoding as words
from pychat.domain.model import LogEvent
from pychat.transports.execute import tell

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DATES = st.integers(0, 4_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)
SEQS = st.integers(1, 2**53 - 1)
MEMBERS = st.builds(Member, TEXTS, TEXTS)
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
    ),
    st.builds(Edited, TEXTS, MEMBERS, SEQS, TEXTS, DATES, SEQS),
    st.builds(Deleted, TEXTS, MEMBERS, SEQS, DATES, SEQS),
    st.builds(Reacted, TEXTS, MEMBERS, SEQS, TEXTS, st.booleans(), DATES, SEQS),
)


@given(EVENTS)
def test_events_come_back_as_they_were(event: LogEvent) -> None:
    """Any event of a room's log, put into words and JSON by the server, is the same event for the client."""
    name, fields = tell(event)
    assert event == words.log_event(name, json.loads(json.dumps(fields)))


@pytest.mark.parametrize("name", ["presence", "typing", "something new"])
def test_other_events_are_none_of_the_log(name: str) -> None:
    """A word that this client does not know is passed over."""
    assert words.log_event(name, {}) is None


@pytest.mark.parametrize(
    "told", [{}, {"seq": "1"}, {"seq": True}, {"author": None}, {"date": "soon"}, {"text": 3}, {"reactions": [1]}]
)
def test_what_makes_no_sense_is_an_error(told: dict[str, object]) -> None:
    """A server that leaves out or garbles a field is noticed there, and not later."""
    _, fields = tell(Message("m", Member("a", "Ada"), "hi", 0.0, 1))
    with pytest.raises((KeyError, TypeError, ValueError)):
        words.message({**fields, **told} if told else {})
