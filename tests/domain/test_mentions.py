"""Mentions: `@` and the name of somebody who is here or was here, found in one walk over the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.domain.errors import Refused
from pychat.domain.limits import Limits
from pychat.domain.mentions import MAX_HERE, MAX_TRIES, find_mentions
from pychat.domain.model import Joined, Left, Member
from pychat.domain.names import Names
from pychat.domain.rules import RoomState

NAMES = ["Ada", "Ada Lovelace", "Ada (2)", "Bob", "Ian", "Jean-Luc", "a.b", "Zoë", "小明", "민수", "x@y"]


def state_of(*names: str) -> RoomState:
    """A room in which these people are, each under their name as id."""
    state = RoomState(Names(), Limits())
    for name in names:
        state.apply(Joined(Member(name, name)))
    return state


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("hi @Ada, and @Bob!", ["Ada", "Bob"]),
        ("@ADA @zoe\u0308", ["Ada", "Zoë"]),  # case; a letter with its mark apart
        ("@Аda @lan @𝐁𝐨𝐛", ["Ada", "Ian", "Bob"]),  # lookalikes: a Cyrillic А, an l for an I, mathematical letters
        ("@ada lovelace's", ["Ada Lovelace"]),  # the longest name counts
        ("@ada lovelac @Ada (2)", ["Ada", "Ada (2)"]),
        ("@ada\n@bob\n", ["Ada", "Bob"]),
        ("(@ada) “@bob” …@ian: -@ada.", ["Ada", "Bob", "Ian"]),
        ("@jean-luc @a.b.", ["Jean-Luc", "a.b"]),
        ("你好@小明你好 @민수야 @adaさん", ["小明", "민수", "Ada"]),  # scripts that put no space between words
        ("@x@y", ["x@y"]),
        ("@ada @Ada @ADA", ["Ada"]),
        ("ada@b.de mail+ada@bob.example bob@ada", []),  # addresses
        ("https://example.org/@ada @ada@example.org @ada.example @ada/chat", []),
        ("`@ada` $@ada x=@ada @@ada @ ada @", []),  # code
        ("@adam @ada_ @ada-marie @jean @bobby @nobody", []),
    ],
)
def test_who_is_mentioned(text: str, mentioned: list[str]) -> None:
    """Names are compared as for joining, the longest name counts, and addresses and code are no mentions."""
    assert mentioned == list(state_of(*NAMES).mentions(text, "me"))


def test_people_who_left_are_known_by_their_last_name() -> None:
    """A name means the person who has it now, or else the one who had it last; forgotten people have no name."""
    state = state_of()
    for member_id in ("first", "second"):
        state.apply(Joined(Member(member_id, "Ada")))
        assert state.mentions("@ada", "me") == (member_id,)
        state.apply(Left(Member(member_id, "Ada")))
    assert state.mentions("@ada", "me") == ("second",)
    state.apply(Joined(Member("second", "Countess")))
    assert state.mentions("@ada @countess", "me") == ("first", "second")
    state.apply(Joined(Member("third", "ADA")))
    assert state.mentions("@ada", "me") == ("third",)
    for number in range(10_000):
        state.remember(Member(f"m{number}", f"Guest {number}"))
    state.apply(Left(Member("third", "ADA")))
    assert state.mentions("@guest 9999 @guest 0 @ada", "me") == ("m9999", "third")
    state.clear()
    assert state.mentions("@ada", "me") == ()


def test_here_is_everyone_who_is_here_but_not_a_crowd() -> None:
    """`@here` is each member with a name, except the author; in a crowd it is nobody."""
    state = state_of("Ada", "Bob")
    state.remember(Member("gone", "Gone"))
    assert state.mentions("@here: tea", "Ada") == ("Bob",)
    assert state.mentions("@HERE @gone", "me") == ("Ada", "Bob", "gone")
    assert state.mentions("@hereby and a@here.example", "me") == ()
    crowd = state_of(*(f"Guest {number}" for number in range(MAX_HERE)))
    assert len(crowd.mentions("@here", "me")) == MAX_HERE
    crowd.apply(Joined(Member("one more", "One more")))
    assert crowd.mentions("@here @guest 1", "me") == ("Guest 1",)


def test_nobody_mentions_themselves() -> None:
    """The author's own name is no mention."""
    assert state_of("Ada", "Bob").mentions("@ada @bob", "Ada") == ("Bob",)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_name_can_be_mentioned(raw: str) -> None:
    """Each name that the rules accept is found as it is written, whatever its characters."""
    try:
        name = Names(reserved=()).accept(raw)
    except Refused:
        return
    if name[0].isspace() or name.casefold() == "here":
        return
    keys = Names.keys(name)
    found = list(find_mentions(f"@{name}", 32, lambda key: key if key in keys else None))
    assert found
    assert found[-1] in keys


@pytest.mark.parametrize("text", ["@", "@a", "@ab. ", "@. ", "@.", "@.@ a", "@a b c d e f g h i j k ", "@é\u0301"])
def test_hostile_texts_cost_in_proportion(text: str) -> None:
    """Only the first `@` are looked at, and each is compared with names in a bounded number of steps."""

    def cost(count: int) -> int:
        asked = list[str]()

        def find(key: str) -> None:
            asked.append(key)

        assert list(find_mentions(text * count, 32, find)) == []
        return len(asked)

    assert cost(4_000) <= 2 * cost(2_000) <= 4 * MAX_TRIES * 32
    assert all(len(key) <= 200 for key in _asked(text * 2_000))


def _asked(text: str) -> list[str]:
    asked = list[str]()
    list(find_mentions(text, 32, asked.append))
    return asked
