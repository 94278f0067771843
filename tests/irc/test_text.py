"""Texts between a room and IRC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.transports.irc.nicks import casefold, is_nick, nick_like
from pychat.transports.irc.text import from_irc, split, to_irc

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(_TEXT, st.integers(4, 60))
def test_parts_join_to_the_whole(text: str, most: int) -> None:
    """Nothing is lost between two lines, none is too long, and no character is cut."""
    parts = list(split(text, most))
    assert text == "".join(parts)
    assert [part for part in parts if len(part.encode()) > most] == []
    assert all(parts) or parts == [""]


@given(_TEXT, st.integers(40, 100))
def test_every_part_fits_and_can_be_sent(text: str, most: int) -> None:
    """Whatever a browser sends, each line has something in it, and nothing that a terminal obeys."""
    for part in to_irc(text, most):
        assert 0 < len(part.encode()) <= most
        inside = part.removeprefix("\x01ACTION ").removesuffix("\x01") if part.startswith("\x01") else part
        assert [sign for sign in inside if sign < " " or "\x7f" <= sign <= "\x9f"] == []


@given(_TEXT)
def test_what_irc_says_is_clean(text: str) -> None:
    """No control character of IRC reaches a browser."""
    heard = from_irc(text) or ""
    assert [sign for sign in heard if sign < " " and sign != "\n"] == []


def test_words_stay_whole() -> None:
    """A line breaks between words, if there are any near its end."""
    assert list(split("one two three four", 10)) == ["one two ", "three four"]
    assert list(split("ααααα", 4)) == ["αα", "αα", "α"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("\x0304,12red\x03 \x02bold\x02 \x1dx\x1d \x1fy\x0f", "red bold x y"),
        ("\x04ff0000hex\x04 5", "hex 5"),
        ("\x0399", ""),
        ("a\tb", "a    b"),
        ("\x01ACTION waves\x01", "/me waves"),
        ("\x01ACTION waves", "/me waves"),
        ("\x01VERSION\x01", None),
    ],
)
def test_colours_and_actions(sent: str, kept: str | None) -> None:
    """MIRC's codes go, /me stays, and what clients ask each other is not for rooms."""
    assert from_irc(sent) == kept


def test_a_long_action_is_several() -> None:
    """And each of them is one."""
    parts = to_irc("/me " + "waves " * 20, 60)
    assert len(parts) > 1
    assert all(part.startswith("\x01ACTION ") and part.endswith("\x01") for part in parts)


@given(st.text(min_size=1, max_size=200))
def test_every_name_has_a_nick(name: str) -> None:
    """Whatever a name is, what is made of it is a nick, and a nick stays what it is."""
    nick = nick_like(name)
    assert is_nick(nick)
    assert nick_like(nick) == nick


@pytest.mark.parametrize(
    ("name", "nick"),
    [
        ("Ada Lovelace", "Ada_Lovelace"),
        ("#1", "_1"),
        ("a.b@c!d", "a_b_c_d"),
        ("Zoë☕", "Zoë☕"),
        ("李 四", "李_四"),
        ("3Jane", "3Jane"),
    ],
)
def test_nicks_look_like_names(name: str, nick: str) -> None:
    """As near as a nick may come."""
    assert nick_like(name) == nick


def test_case_is_that_of_ascii() -> None:
    """As `CASEMAPPING=ascii` says."""
    assert casefold("#LobbyÄ[") == "#lobbyÄ["
