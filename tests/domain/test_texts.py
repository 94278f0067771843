"""Message texts."""

import unicodedata

import pytest

from pychat.domain.errors import Refused
from pychat.domain.texts import accept_emoji, accept_text, action


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("hi", "hi"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("  code", "  code"),
        ("end \n\n", "end"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("x" * 10, "x" * 10),
        ("می\u200cروم", "می\u200cروم"),
        ("\u2800.", "\u2800."),
        ("hi" + " " * 42, "hi"),
    ],
)
def test_texts_are_kept_as_typed(raw: str, kept: str) -> None:
    """But line ends are made one kind, and nothing trails."""
    assert kept == accept_text(raw, 10)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "text_empty"),
        (" \n\t ", "text_empty"),
        ("\u200b", "text_empty"),
        ("\u200b \u2060\ufeff", "text_empty"),
        ("\u2800\u2800", "text_empty"),
        ("\u3164\u115f\u1160", "text_empty"),
        ("\ufe0f\u200d", "text_empty"),
        ("\U000e0041", "text_empty"),
        ("\x01\x7f", "text_empty"),
        ("\u00ad\u202e", "text_empty"),
        (" " * 1_000_000, "text_too_long"),
        ("x" * 11, "text_too_long"),
        ("a\0", "text_invalid"),
        ("\ud800", "text_invalid"),
    ],
)
def test_what_is_not_a_text_is_refused(raw: str, code: str) -> None:
    """With a code for programs and words for people."""
    with pytest.raises(Refused) as refused:
        accept_text(raw, 10)
    assert code == refused.value.code


def test_marks_on_a_letter_are_counted() -> None:
    """Thirty are more than any language has; more would cost whoever normalises or draws them a quadratic time."""
    for count in (1, 29, 30):
        for mark in ("\u0301", "\u0315", "\u1dfa", "\U0001e94a"):
            text = ("a" + mark * count) * 3
            assert accept_text(text, 1_000) == text
    for text in ("a" + "\u0301" * 31, "\u0315\u0300" * 500, "é" * 100 + "\u0316" * 31 + "!"):
        with pytest.raises(Refused, match="30 marks") as refused:
            accept_text(text, 1_000)
        assert refused.value.code == "text_invalid"
    everything = "".join(character for character in map(chr, range(0x110000)) if unicodedata.combining(character))
    with pytest.raises(Refused, match="30 marks"):
        accept_text(everything[-31:], 1_000)


@pytest.mark.parametrize(
    ("text", "does"),
    [("/me waves", "waves"), ("/me  waves", "waves"), ("/me", None), ("/meet", None), ("/me waves\nand goes", None)],
)
def test_a_line_may_tell_what_its_author_does(text: str, does: str | None) -> None:
    """`/me`, and what is done, on one line."""
    assert does == action(text)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("👍", "👍"),
        ("👍🏽", "👍🏽"),
        ("❤", "❤️"),
        ("❤\ufe0f", "❤️"),
        ("❤\ufe0e", "❤️"),
        ("©", "©️"),
        ("1\ufe0f\u20e3", "1️⃣"),
        ("1\u20e3", "1️⃣"),
        ("🇫🇷", "🇫🇷"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("👩\u200d👩\u200d👧", "👩‍👩‍👧"),
        ("👁\u200d🗨", "👁️‍🗨️"),
    ],
)
def test_an_emoji_has_one_form(raw: str, kept: str) -> None:
    """However a keyboard types it, it counts as one kind: the form that Unicode recommends."""
    assert kept == accept_emoji(raw)


@pytest.mark.parametrize(
    "raw", ["", "+1", "$$$$", "1", "#", "→", "👍👍", "👍 ", "🏽", "🇫", "tea", "\u200d", "👍\u200d", "😀" * 500_000]
)
def test_what_is_not_one_emoji_is_no_reaction(raw: str) -> None:
    """Signs, letters, several emoji and pieces of them are refused."""
    with pytest.raises(Refused) as refused:
        accept_emoji(raw)
    assert refused.value.code == "emoji_invalid"
