"""Nothing that others write is obeyed by a terminal."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pychat import Deleted, Edited, Joined, Left, Member, Message, Quote, Renamed, Whisper
from pychat.terminal.escaping import safe, safe_line
from pychat.terminal.formatting import as_json, as_text

EVIL = st.text(st.sampled_from("a\x1b[2J\x07\r\n\t\x9b\u202e\u2028\u2066\x7f\x00🙂é"), max_size=30)
BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def obeyed(text: str) -> set[str]:
    """The characters of a text that a terminal would do more with than show them."""
    return {each for each in text if (unicodedata.category(each) == "Cc" or ord(each) in BIDI) and each != "\n"}


@given(st.text())
def test_controls_are_shown(text: str) -> None:
    """Whatever a text holds: no control is left, and what is none is untouched."""
    assert obeyed(safe(text)) == set()
    assert obeyed(safe_line(text)) == set()
    assert "\n" not in safe_line(text)
    harmless = "".join(each for each in text if each.isprintable())
    assert safe(harmless) == harmless == safe_line(harmless)


def test_emoji_stay_whole() -> None:
    """Families, flags and accents that are put together of several characters stay so."""
    for text in ("👩‍👩‍👧", "🇫🇷", "e\u0301", "👍🏽", "中文", "עברית"):
        assert safe_line(text) == text


@given(EVIL, EVIL, EVIL)
def test_no_form_lets_them_through(name: str, text: str, other: str) -> None:
    """Names, texts and quotes, in every kind of line; only our own line feeds part the lines, and the rest is indented."""
    author = Member("a", name)
    for event in (
        Message("m", author, text, 0.0, 1, reply=Quote(1, other, text)),
        Edited("e", author, 1, text, 0.0, 2),
        Deleted("d", author, 1, 0.0, 3),
        Whisper("w", author, author, text, 0.0),
        Joined(author),
        Left(author),
        Renamed(author, other),
    ):
        lines = as_text(event, 0.0)
        assert lines is not None
        assert obeyed(lines) == set()
        assert all(line.startswith("      ") for line in lines.split("\n")[1:])
        line = as_json(event, 1)
        assert line is not None
        assert obeyed(line) == set()
        assert "\n" not in line
        json.loads(line)
